"""A queue in SQS as the target of a replay: SendMessageBatch, whose answer says what was not accepted.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html: at most 10 messages,
together no larger than one may be, and a message's attributes count. Its text has no characters that XML 1.0 lacks.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.adapters.refusals import PASSING, is_lasting
from slack_audit.batches import Record, SinkLimits
from slack_audit.errors import SinkError, SinkRefusedError, SinkUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MESSAGES = 10  # of a call
ATTRIBUTES = 1_024  # bytes kept back in each message: two names and types, the replay's id, and the event's once more
ADVICE = (
    "Check the queue, its key, and that ReplayQueueArns and ReplayKeyArns of the stack name them; then resume the "
    "replay."
)


def limits_of(largest: int) -> SinkLimits:
    """What a call to a queue whose messages may have so many bytes may carry. The smaller, the fewer of them, so that
    what is kept back for attributes is at most half."""
    messages = max(1, min(MESSAGES, largest // (2 * ATTRIBUTES)))
    room = max(0, largest - messages * ATTRIBUTES)
    return SinkLimits(records=messages, call_bytes=room, record_bytes=room, text=True)


class QueueSink:
    """One standard queue. Each message is an event's bytes, and has the attributes `event_id` and `replay_id`."""

    def __init__(self, client: "SQSClient", url: str, replay_id: str) -> None:
        """Asks the queue how large a message may be. Raises SinkError."""
        self._client = client
        self._url = url
        self._replay_id = replay_id
        self.limits = limits_of(self._largest())

    def put(self, records: Sequence[Record]) -> list[Record]:
        """One call. Returns what was not accepted, in order."""
        try:
            entries = [self._message(number, record) for number, record in enumerate(records)]
            reply = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        except ClientError as error:
            raise self._failure("refuses messages", error) from error
        except BotoCoreError as error:
            raise SinkUnavailableError(f"Queue {self._url} did not answer: {error}") from error
        failed = reply.get("Failed", [])
        if faults := [it for it in failed if it["SenderFault"] and it["Code"] not in PASSING]:
            said = f"{faults[0]['Code']}: {faults[0].get('Message', '')}"
            raise SinkRefusedError(f"Queue {self._url} refuses a message ({said}). {ADVICE}")
        return [records[number] for number in sorted(int(it["Id"]) for it in failed)]

    def _message(self, number: int, record: Record) -> "SendMessageBatchRequestEntryTypeDef":
        said = {"event_id": record.key, "replay_id": self._replay_id}
        return {
            "Id": str(number),
            "MessageBody": record.data.decode(),
            "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in said.items()},
        }

    def _largest(self) -> int:
        try:
            reply = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["MaximumMessageSize"])
        except ClientError as error:
            raise self._failure("does not say how large a message may be", error) from error
        except BotoCoreError as error:
            raise SinkUnavailableError(f"Queue {self._url} did not answer: {error}") from error
        return int(reply["Attributes"]["MaximumMessageSize"])

    def _failure(self, what: str, error: ClientError) -> SinkError:
        if not is_lasting(error):
            return SinkUnavailableError(f"Queue {self._url} {what}: {error}")
        return SinkRefusedError(f"Queue {self._url} {what} ({error}). {ADVICE}")
