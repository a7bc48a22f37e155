"""The stream in Kinesis: PutRecords, whose answer says for each record whether it was accepted.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.adapters.many import quicken
from slack_audit.adapters.refusals import is_lasting
from slack_audit.batches import Record, SinkLimits
from slack_audit.errors import SinkError, SinkRefusedError, SinkUnavailableError
from slack_audit.ports import SinkState

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

TAKING = {"ACTIVE", "UPDATING"}  # states in which a stream takes records


ADVICE = (
    "The archive goes on without it, nothing is lost; check the stream, its key and the function's role, then the "
    "backlog goes out by itself."
)
ADVICE_OF_A_REPLAY = (
    "Check the stream, its key, and that ReplayStreamArns and ReplayKeyArns of the stack name them; then resume the "
    "replay."
)


class KinesisSink:
    """One stream, by its name or its ARN. `advice` is what a person must do if it refuses."""

    limits = SinkLimits()

    def __init__(self, client: "KinesisClient", stream: str, advice: str = ADVICE) -> None:
        quicken(client, "PutRecords", "Records", _shorter)
        self._client = client
        self._stream = stream
        self._advice = advice

    def put(self, records: Sequence[Record]) -> list[Record]:
        """One call. Returns what was not accepted, in order."""
        entries: list[PutRecordsRequestEntryTypeDef] = [
            {"Data": record.data, "PartitionKey": record.key} for record in records
        ]
        try:
            if self._stream.startswith("arn:"):
                reply = self._client.put_records(StreamARN=self._stream, Records=entries)
            else:
                reply = self._client.put_records(StreamName=self._stream, Records=entries)
        except ClientError as error:
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise SinkUnavailableError(f"Stream {self._stream} did not answer: {error}") from error
        if not reply["FailedRecordCount"]:
            return []
        return [record for record, result in zip(records, reply["Records"], strict=True) if "ErrorCode" in result]

    def state(self) -> SinkState:
        """Whether the stream is one that takes records. That it takes ours, only a record would prove."""
        try:
            told = self._client.describe_stream_summary(StreamName=self._stream)["StreamDescriptionSummary"]
        except ClientError as error:
            kind = SinkRefusedError if is_lasting(error) else SinkUnavailableError
            raise kind(
                f"Could not look at stream {self._stream} ({error}). Check that it exists, its key, and that the "
                "function's role may kinesis:DescribeStreamSummary and kinesis:PutRecords."
            ) from error
        except BotoCoreError as error:
            raise SinkUnavailableError(f"Stream {self._stream} did not answer: {error}") from error
        status, shards = told["StreamStatus"], told["OpenShardCount"]
        said = f"Stream {self._stream} is {status} and has {shards} open shard{'' if shards == 1 else 's'}."
        return SinkState(status in TAKING, said)

    def _failure(self, error: ClientError) -> SinkError:
        if not is_lasting(error):
            return SinkUnavailableError(f"Stream {self._stream} did not take records: {error}")
        return SinkRefusedError(f"Stream {self._stream} refuses records ({error}). {self._advice}")


class _Reply(msgspec.Struct):
    FailedRecordCount: int


def _shorter(body: bytes) -> bytes:
    """Where every record was accepted, nobody asks for the place of each."""
    try:
        reply = msgspec.json.decode(body, type=_Reply)
    except msgspec.DecodeError:
        return body  # something that botocore will complain of
    return b'{"FailedRecordCount":0,"Records":[]}' if reply.FailedRecordCount == 0 else body
