"""The stream in Kinesis: PutRecords, whose answer says for each record whether it was accepted.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

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
        _quicken(client)
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


# botocore looks at each field of each record four times: to validate, to encode, to parse what came back, to look for
# dates. That was three quarters of what a published event cost (docs/adr/0033). Its own hooks, which a client calls by
# these names, let it sign, send and judge a call as always, while msgspec encodes the records.


class _Reply(msgspec.Struct):
    FailedRecordCount: int


def _quicken(client: "KinesisClient") -> None:
    """However often it is done: a name stands for one hook."""
    hooks: dict[str, Any] = {"provide-client-params": _set_aside, "before-call": _encode, "before-parse": _shorten}
    for moment, hook in hooks.items():
        client.meta.events.register(f"{moment}.kinesis.PutRecords", hook, unique_id=f"slack-audit-{moment}")


def _set_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Lets botocore see one record only."""
    context["slack_audit_records"] = params["Records"]
    return {**params, "Records": params["Records"][:1]}


def _encode(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """The call's body, with all records in the place of the one."""
    call = {**msgspec.json.decode(params["body"]), "Records": context.pop("slack_audit_records")}
    params["body"] = msgspec.json.encode(call)


def _shorten(response_dict: dict[str, Any], **_: Any) -> None:
    """Where every record was accepted, nobody asks for the place of each."""
    try:
        reply = msgspec.json.decode(response_dict["body"], type=_Reply)
    except msgspec.DecodeError:
        return  # an error, or something that botocore will complain of
    if response_dict["status_code"] == 200 and reply.FailedRecordCount == 0:
        response_dict["body"] = b'{"FailedRecordCount":0,"Records":[]}'
