"""The stream in Kinesis: PutRecords, whose answer says for each record whether it was accepted.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.batches import Record, SinkLimits
from slack_audit.errors import SinkError, SinkRefusedError, SinkUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

# Codes that go away by themselves; 5xx do too, whatever they are called.
PASSING = {
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "KMSThrottlingException",
    "ThrottlingException",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "ExpiredTokenException",
    "TooManyRequestsException",
}


class KinesisSink:
    """One stream."""

    limits = SinkLimits()

    def __init__(self, client: "KinesisClient", stream: str) -> None:
        self._client = client
        self._stream = stream

    def put(self, records: Sequence[Record]) -> list[Record]:
        """One call. Returns what was not accepted, in order."""
        try:
            reply = self._client.put_records(
                StreamName=self._stream,
                Records=[{"Data": record.data, "PartitionKey": record.key} for record in records],
            )
        except ClientError as error:
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise SinkUnavailableError(f"Stream {self._stream} did not answer: {error}") from error
        if not reply["FailedRecordCount"]:
            return []
        return [record for record, result in zip(records, reply["Records"], strict=True) if "ErrorCode" in result]

    def _failure(self, error: ClientError) -> SinkError:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        if error.response["Error"]["Code"] in PASSING or status == 429 or status >= 500:
            return SinkUnavailableError(f"Stream {self._stream} did not take records: {error}")
        return SinkRefusedError(
            f"Stream {self._stream} refuses records ({error}). The archive goes on without it, nothing is lost; "
            "check the stream, its key and the function's role, then the backlog goes out by itself."
        )
