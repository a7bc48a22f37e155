"""What a replay sends to keeps the promises of `ports.Sink`: a queue and a prefix of a bucket.

A stream is the collector's own sink, in test_sinks.py.
"""

import zlib
from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

from slack_audit.adapters.kinesis import ADVICE_OF_A_REPLAY, KinesisSink
from slack_audit.adapters.target_s3 import ObjectSink
from slack_audit.adapters.target_sqs import QueueSink, limits_of
from slack_audit.batches import Record, SinkLimits, is_text, records_of
from slack_audit.errors import SinkError, SinkRefusedError, SinkUnavailableError
from slack_audit.events import event_of
from slack_audit.ports import Sink
from tests import fakes
from tests.builders import record
from tests.conftest import Cloud
from tests.contract.wire import client_at, nobody

BATCH = "raw/org=main/dt=2026-01-01/1767225600-1767225659-7-0123456789ab.ndjson.gz"


class Received:
    """A sink and what is on its other side."""

    def __init__(self, sink: Sink, lines: Callable[[], list[bytes]]) -> None:
        self.sink = sink
        self.lines = lines


@pytest.fixture
def sqs(cloud: Cloud) -> Any:
    return cloud.aws.client("sqs")


@pytest.fixture
def queue(cloud: Cloud, sqs: Any) -> str:
    url: str = sqs.create_queue(QueueName=cloud.name, Attributes={"MaximumMessageSize": "262144"})["QueueUrl"]
    return url


def messages(sqs: Any, url: str) -> list[Any]:
    found: list[Any] = []
    while got := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600
    ).get("Messages"):
        found += got
    return found


@pytest.fixture(params=["memory", "queue", "bucket"])
def received(request: pytest.FixtureRequest, cloud: Cloud, sqs: Any) -> Received:
    if request.param == "memory":
        memory = fakes.Stream(fakes.Faults())
        return Received(memory, lambda: memory.lines)
    if request.param == "queue":
        url = request.getfixturevalue("queue")
        return Received(QueueSink(sqs, url, "case-17"), lambda: [it["Body"].encode() for it in messages(sqs, url)])
    sink = ObjectSink(cloud.clients.s3, cloud.bucket(), "here/", "case-17", BATCH)
    return Received(
        sink, lambda: [line for body in cloud.objects().values() for line in zlib.decompress(body, 31).splitlines()]
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"name":"Zoë ☃ 👩‍💻"}'.encode(), id="text"),
        pytest.param(b'{"url":"https:\\/\\/example.com","half":"\\ud83d"}', id="escapes"),
        pytest.param(b'{"a":"\\u0000\\u001b","b" :\t1}', id="escaped controls and a tab between tokens"),
        pytest.param('{"del":"\x7f\u0085\ue000"}'.encode(), id="odd characters that are allowed"),
        pytest.param(b"  spaces around  ", id="spaces around"),
        pytest.param(b'{"s":"<b>&amp;</b>]]>"}', id="what looks like markup"),
    ],
)
def test_the_bytes_arrive_exactly_as_they_are(received, line):
    assert received.sink.put([Record("id", line)]) == []
    assert received.lines() == [line]


def test_a_full_call_arrives(received):
    most = min(received.sink.limits.records, 500)
    records = [record(number) for number in range(most)]
    assert received.sink.put(records) == []
    assert sorted(received.lines()) == sorted(it.data for it in records)


def test_a_record_and_a_call_may_be_as_large_as_the_limits_say(received):
    size = min(received.sink.limits.record_bytes, 2_000_000)
    assert received.sink.put([Record("i", b"x" * (size - 1))]) == []
    call = min(received.sink.limits.call_bytes, 2_000_000) // 9
    assert received.sink.put([Record(f"id-{number}", b"x" * (call - 4)) for number in range(9)]) == []


# ---- the queue ----


def test_a_message_carries_the_events_id_and_the_replays(sqs, queue):
    assert QueueSink(sqs, queue, "case-17").put([Record("ä-1", b"{}")]) == []
    (message,) = messages(sqs, queue)
    said = {name: it["StringValue"] for name, it in message["MessageAttributes"].items()}
    assert said == {"event_id": "ä-1", "replay_id": "case-17"}


@pytest.mark.parametrize("raw", [b'{"id":"a","x":"\xef\xbf\xbf"}', b'{"id":"a","x":"\x00"}', b'{"id":"a","x":"\xff"}'])
def test_what_a_queue_does_not_take_goes_as_a_pointer(sqs, queue, raw):
    sink = QueueSink(sqs, queue, "case-17")
    assert not is_text(raw)
    (sent,) = records_of([event_of(raw)], "s3://archive/x", sink.limits)
    assert b"slack_audit_pointer" in sent.data
    assert sink.put([sent]) == []
    (plain,) = records_of([event_of(raw)], "s3://archive/x", SinkLimits())
    assert plain.data == raw


def test_an_id_that_a_queue_does_not_take_is_hashed():
    limits = SinkLimits(text=True)
    (sent,) = records_of([event_of(b'{"id":"a\\u0001"}')], "s3://archive/x", limits)
    assert len(sent.key) == 64
    assert sent.data == b'{"id":"a\\u0001"}'


def reply(failed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Successful": [], "Failed": failed}


def test_what_the_queue_did_not_take_comes_back_in_order(sqs, queue):
    sink = QueueSink(sqs, queue, "case-17")
    records = [record(number) for number in range(4)]
    failed = [{"Id": number, "SenderFault": False, "Code": "InternalError"} for number in ("3", "1")]
    with Stubber(sqs) as stub:
        stub.add_response("send_message_batch", reply(failed))
        assert sink.put(records) == [records[1], records[3]]


def test_a_message_that_the_queue_will_never_take_is_a_refusal(sqs, queue):
    sink = QueueSink(sqs, queue, "case-17")
    failed = [{"Id": "0", "SenderFault": True, "Code": "InvalidMessageContents", "Message": "no"}]
    with Stubber(sqs) as stub:
        stub.add_response("send_message_batch", reply(failed))
        with pytest.raises(SinkRefusedError, match=r"InvalidMessageContents: no.*ReplayQueueArns"):
            sink.put([record(1)])


def test_of_calls_at_once_what_one_did_not_bring_there_comes_back(sqs, queue):
    sink = QueueSink(sqs, queue, "case-17")
    records = [record(number) for number in range(20)]
    with Stubber(sqs) as stub:
        stub.add_client_error("send_message_batch", "ServiceUnavailable", http_status_code=503)
        stub.add_response("send_message_batch", reply([]))
        assert sink.put(records) in (records[:10], records[10:])
    with Stubber(sqs) as stub:
        for _ in range(2):
            stub.add_client_error("send_message_batch", "ServiceUnavailable", http_status_code=503)
        with pytest.raises(SinkUnavailableError, match="ServiceUnavailable"):
            sink.put(records)
    with Stubber(sqs) as stub:
        stub.add_response("send_message_batch", reply([]))
        stub.add_client_error("send_message_batch", "AccessDenied", http_status_code=403)
        with pytest.raises(SinkRefusedError, match="ReplayQueueArns"):
            sink.put(records)


@pytest.mark.parametrize("code", ["KmsThrottled", "RequestThrottled"])
def test_a_queue_that_is_throttled_is_tried_again(sqs, queue, code):
    """SQS answers so with 4xx, and calls a message's failure the sender's."""
    sink = QueueSink(sqs, queue, "case-17")
    failed = [{"Id": "0", "SenderFault": True, "Code": code, "Message": "slower"}]
    with Stubber(sqs) as stub:
        stub.add_client_error("send_message_batch", code, http_status_code=400)
        stub.add_response("send_message_batch", reply(failed))
        with pytest.raises(SinkUnavailableError, match=code):
            sink.put([record(1)])
        assert sink.put([record(1)]) == [record(1)]


@pytest.mark.parametrize(
    ("largest", "messages", "room"), [(1_024, 1, 0), (8_192, 4, 4_096), (1_048_576, 10, 1_038_336)]
)
def test_a_queue_of_small_messages_gets_fewer_in_a_call_and_not_only_pointers(largest, messages, room):
    limits = limits_of(largest)
    assert (limits.records, limits.call_bytes, limits.record_bytes) == (messages, room, room)


# ---- the bucket ----


def test_the_object_says_where_its_lines_are_from_and_is_the_same_each_time(cloud):
    sink = ObjectSink(cloud.clients.s3, cloud.bucket(), "here/", "case-17", BATCH)
    for _ in range(2):
        assert sink.put([record(1), record(2)]) == []
    (key,) = cloud.objects()
    assert key == "here/replay=case-17/org=main/dt=2026-01-01/1767225600-1767225659-7-0123456789ab.ndjson.gz"
    head = cloud.clients.s3.head_object(Bucket=cloud.name, Key=key)
    assert head["Metadata"] == {"replay-id": "case-17", "batch": BATCH, "events": "2"}


# ---- what each says no to ----


def broken(kind: str, cloud: Cloud, sqs: Any, queue: str) -> tuple[Any, str, Callable[[], Sink]]:
    """Client, operation and sink."""
    if kind == "queue":
        sink = QueueSink(sqs, queue, "case-17")
        return sqs, "send_message_batch", lambda: sink
    if kind == "bucket":
        return cloud.clients.s3, "put_object", lambda: ObjectSink(cloud.clients.s3, "b", "", "case-17", BATCH)
    return (
        cloud.clients.kinesis,
        "put_records",
        lambda: KinesisSink(
            cloud.clients.kinesis, f"arn:aws:kinesis:us-east-1:0:stream/{cloud.name}", ADVICE_OF_A_REPLAY
        ),
    )


@pytest.mark.parametrize("kind", ["queue", "bucket", "stream"])
@pytest.mark.parametrize(
    ("code", "status", "error", "said"),
    [
        ("AccessDenied", 403, SinkRefusedError, "then resume the replay"),
        ("ThrottlingException", 400, SinkUnavailableError, "ThrottlingException"),
        ("InternalError", 500, SinkUnavailableError, "InternalError"),
    ],
)
def test_a_fault_that_passes_is_tried_again_and_one_that_stays_says_what_to_do(
    cloud: Cloud, sqs: Any, queue: str, kind: str, code: str, status: int, error: type[SinkError], said: str
) -> None:
    client, operation, sink = broken(kind, cloud, sqs, queue)
    with Stubber(client) as stub:
        stub.add_client_error(operation, code, http_status_code=status)
        with pytest.raises(error, match=said):
            sink().put([record(1)])


def test_a_service_that_does_not_answer_is_to_be_tried_again():
    with nobody() as url:
        with pytest.raises(SinkUnavailableError, match="did not answer"):
            QueueSink(client_at("sqs", url), "https://sqs.example.com/000000000000/q", "case-17")
        with pytest.raises(SinkUnavailableError, match="did not answer"):
            ObjectSink(client_at("s3", url), "b", "", "case-17", BATCH).put([record(1)])


def test_a_queue_that_is_not_there_is_a_refusal(sqs, queue):
    with pytest.raises(SinkRefusedError, match="ReplayQueueArns"):
        QueueSink(sqs, f"{queue}-none", "case-17")


def test_a_stream_is_found_by_its_arn(cloud):
    cloud.stream()
    arn = cloud.clients.kinesis.describe_stream_summary(StreamName=cloud.name)["StreamDescriptionSummary"]["StreamARN"]
    assert KinesisSink(cloud.clients.kinesis, arn).put([record(1)]) == []
    assert cloud.streamed() == [record(1).data]
