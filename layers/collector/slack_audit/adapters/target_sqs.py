"""A queue in SQS as the target of a replay: SendMessageBatch, whose answer says what was not accepted.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html: at most 10 messages,
together no larger than one may be, and a message's attributes count. Its text has no characters that XML 1.0 lacks.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.adapters.many import quicken
from slack_audit.adapters.refusals import PASSING, is_lasting
from slack_audit.batches import Record, SinkLimits, cut
from slack_audit.errors import SinkError, SinkRefusedError, SinkUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

logger = logging.getLogger(__name__)

MESSAGES = 10  # of a call
CALLS_AT_ONCE = 10  # a queue promises no order, and ten messages a call are few (docs/adr/0032)
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


def of_calls(one: SinkLimits) -> SinkLimits:
    """What so many calls carry together."""
    return msgspec.structs.replace(one, records=one.records * CALLS_AT_ONCE, call_bytes=one.call_bytes * CALLS_AT_ONCE)


class QueueSink:
    """One standard queue. Each message is an event's bytes, and has the attributes `event_id` and `replay_id`."""

    def __init__(self, client: "SQSClient", url: str, replay_id: str) -> None:
        """Asks the queue how large a message may be. Raises SinkError."""
        quicken(client, "SendMessageBatch", "Entries", _shorter)
        self._client = client
        self._url = url
        self._replay_id = replay_id
        self._of_a_call = limits_of(self._largest())
        self.limits = of_calls(self._of_a_call)
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="send")

    def put(self, records: Sequence[Record]) -> list[Record]:
        """As many calls as that takes, at once. Returns what was not accepted, in order."""
        outcomes = list(self._pool.map(self._tried, cut(records, self._of_a_call)))
        failures = [failure for _, failure in outcomes if failure is not None]
        if len(failures) == len(outcomes):
            raise failures[0]
        for failure in failures:
            logger.warning("the queue did not answer", extra={"reason": str(failure)})
        return [record for refused, _ in outcomes for record in refused]

    def _tried(self, records: list[Record]) -> tuple[list[Record], SinkUnavailableError | None]:
        """What one call did not bring there, and why if it brought nothing."""
        try:
            return self._send(records), None
        except SinkUnavailableError as failure:
            return records, failure

    def _send(self, records: Sequence[Record]) -> list[Record]:
        """One call."""
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


class _Reply(msgspec.Struct):
    Failed: list[msgspec.Raw] = []


def _shorter(body: bytes) -> bytes:
    """Where every message was accepted, nobody asks for its id and digests."""
    try:
        reply = msgspec.json.decode(body, type=_Reply)
    except msgspec.DecodeError:
        return body  # botocore will complain of it
    return b'{"Successful":[],"Failed":[]}' if not reply.Failed else body
