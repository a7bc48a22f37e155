"""Every sink keeps the promises of `ports.Sink`; then what Kinesis can say no to."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.stub import Stubber

from slack_audit.adapters.kinesis import KinesisSink
from slack_audit.batches import Record
from slack_audit.errors import SinkRefusedError, SinkUnavailableError
from slack_audit.ports import Sink, TriedSink
from tests import fakes
from tests.builders import raw_event, record
from tests.conftest import Cloud
from tests.contract.wire import client_at, nobody

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

Refusing = Callable[[str], bool]


class Throttled:
    """A client of a stream whose shards are full for some keys: the one failure that no emulator makes by itself."""

    def __init__(self, client: "KinesisClient", is_refused: Refusing) -> None:
        self._client = client
        self._is_refused = is_refused
        self.meta = client.meta

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        taken = [record for record in Records if not self._is_refused(record["PartitionKey"])]
        if taken:
            self._client.put_records(StreamName=StreamName, Records=cast(Any, taken))
        results = [self._throttled() if self._is_refused(r["PartitionKey"]) else {} for r in Records]
        return {"FailedRecordCount": len(Records) - len(taken), "Records": results}

    def _throttled(self) -> dict[str, str]:
        return {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded for shard"}


class Streamed:
    """A sink, what it holds, and which partition keys it has no room for."""

    def __init__(self, make: Callable[[Refusing], Sink], lines: Callable[[], list[bytes]]) -> None:
        self.full: set[str] = set()
        self.sink = make(lambda key: key in self.full)
        self.lines = lines


@pytest.fixture(params=["memory", "kinesis"])
def stream(request: pytest.FixtureRequest) -> Streamed:
    if request.param == "memory":
        memory = fakes.Stream(fakes.Faults())

        def refusing(is_refused: Refusing) -> Sink:
            memory.refuse = lambda records: [record for record in records if is_refused(record.key)]
            return memory

        return Streamed(refusing, lambda: memory.lines)
    cloud: Cloud = request.getfixturevalue("cloud")
    name = cloud.stream()
    return Streamed(
        lambda is_refused: KinesisSink(cast(Any, Throttled(cloud.clients.kinesis, is_refused)), name), cloud.streamed
    )


def data(records: Sequence[Record]) -> list[bytes]:
    return [record.data for record in records]


def test_accepted_records_are_in_the_stream_in_order(stream):
    records = [Record(f"id-{number}", raw_event(1_767_225_600, number)) for number in range(100)]
    assert stream.sink.put(records) == []
    assert stream.lines() == data(records)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(bytes(range(256)), id="every byte"),
        pytest.param('{"name":"Zoë ☃"}'.encode(), id="text"),
        pytest.param(b'{"url":"https:\\/\\/example.com"}', id="an escaped slash"),
        pytest.param(b"aGVsbG8=", id="what looks like base64"),
    ],
)
def test_the_bytes_stay_exactly_as_they_are(stream, line):
    assert stream.sink.put([Record("id", line)]) == []
    assert stream.lines() == [line]


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param({0}, id="the first"),
        pytest.param({9}, id="the last"),
        pytest.param({1, 2, 5, 8}, id="some"),
        pytest.param(set(range(10)), id="all"),
    ],
)
def test_what_was_not_accepted_comes_back_in_order_and_is_not_in_the_stream(stream, refused):
    records = [Record(f"id-{number}", b"line %d" % number) for number in range(10)]
    stream.full = {f"id-{number}" for number in refused}
    assert stream.sink.put(records) == [records[number] for number in sorted(refused)]
    assert stream.lines() == [b"line %d" % number for number in range(10) if number not in refused]


def test_what_was_refused_is_accepted_once_there_is_room(stream):
    records = [record(number) for number in range(5)]
    stream.full = {"id-1", "id-3"}
    refused = stream.sink.put(records)
    stream.full = set()
    assert stream.sink.put(refused) == []
    assert sorted(stream.lines()) == sorted(data(records))


def test_one_call_takes_as_many_records_as_the_limits_say(stream):
    records = [record(number) for number in range(stream.sink.limits.records)]
    assert stream.sink.put(records) == []
    assert len(stream.lines()) == stream.sink.limits.records


def test_one_record_may_be_as_large_as_the_limits_say(stream):
    largest = Record("id", b"x" * (stream.sink.limits.record_bytes - 2))
    assert largest.size == stream.sink.limits.record_bytes
    assert stream.sink.put([largest]) == []


def test_one_call_may_be_as_large_as_the_limits_say(stream):
    size = stream.sink.limits.call_bytes // 9
    records = [Record(f"id-{number}", b"x" * (size - 4)) for number in range(9)]
    assert stream.sink.put(records) == []
    assert len(stream.lines()) == 9


def test_a_partition_key_may_be_as_long_as_the_limits_say(stream):
    assert stream.sink.put([Record("ä" * stream.sink.limits.key_characters, b"line")]) == []


# Kinesis alone


@pytest.fixture
def kinesis(cloud: Cloud) -> KinesisSink:
    return KinesisSink(cloud.clients.kinesis, cloud.stream())


def test_events_of_one_id_go_to_one_place(kinesis, cloud):
    kinesis.put([Record("an id", b"line")])
    shard = cloud.clients.kinesis.list_shards(StreamName=cloud.name)["Shards"][0]["ShardId"]
    place = cloud.clients.kinesis.get_shard_iterator(
        StreamName=cloud.name, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert cloud.clients.kinesis.get_records(ShardIterator=place)["Records"][0]["PartitionKey"] == "an id"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ProvisionedThroughputExceededException", 400),
        ("LimitExceededException", 400),
        ("KMSThrottlingException", 400),
        ("ThrottlingException", 400),
        ("RequestTimeout", 408),
        ("InternalFailure", 500),
        ("ServiceUnavailable", 503),
        ("SomethingNew", 502),
    ],
)
def test_a_fault_that_passes_says_to_try_again(kinesis, cloud, code, status):
    with Stubber(cloud.clients.kinesis) as stub:
        stub.add_client_error("put_records", code, http_status_code=status)
        with pytest.raises(SinkUnavailableError, match=f"{cloud.name} .*{code}"):
            kinesis.put([record(1)])


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDeniedException", 400),
        ("ResourceNotFoundException", 400),
        ("InvalidArgumentException", 400),
        ("KMSAccessDeniedException", 400),
        ("KMSDisabledException", 400),
        ("KMSInvalidStateException", 400),
        ("KMSNotFoundException", 400),
        ("ValidationException", 400),
        ("UnrecognizedClientException", 403),
    ],
)
def test_a_fault_that_stays_says_what_to_check(kinesis, cloud, code, status):
    with Stubber(cloud.clients.kinesis) as stub:
        stub.add_client_error("put_records", code, http_status_code=status)
        with pytest.raises(SinkRefusedError, match=f"{cloud.name} .*{code}.*check the stream"):
            kinesis.put([record(1)])


def test_a_missing_stream_refuses(cloud):
    with pytest.raises(SinkRefusedError, match=cloud.name):
        KinesisSink(cloud.clients.kinesis, cloud.name).put([record(1)])


def test_a_kinesis_that_does_not_answer_is_to_be_tried_again():
    with nobody() as url:
        sink = KinesisSink(client_at("kinesis", url), "events")
        with pytest.raises(SinkUnavailableError, match="Stream events did not answer"):
            sink.put([record(1)])


# ---- its state, told without a record ----


@pytest.fixture(params=["memory", "kinesis"])
def tried(request: pytest.FixtureRequest) -> TriedSink:
    if request.param == "memory":
        return fakes.Stream(fakes.Faults())
    cloud: Cloud = request.getfixturevalue("cloud")
    return KinesisSink(cloud.clients.kinesis, cloud.stream())


def test_a_stream_that_is_there_takes_records(tried):
    state = tried.state()
    assert state.takes
    assert "is ACTIVE" in state.said


@pytest.mark.parametrize(
    ("status", "takes"), [("ACTIVE", True), ("UPDATING", True), ("CREATING", False), ("DELETING", False)]
)
def test_a_stream_that_comes_or_goes_takes_none(kinesis, cloud, status, takes):
    summary = {
        "StreamName": cloud.name,
        "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/x",
        "StreamStatus": status,
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": 1_767_225_600,
        "EnhancedMonitoring": [],
        "OpenShardCount": 2,
    }
    with Stubber(cloud.clients.kinesis) as stub:
        stub.add_response("describe_stream_summary", {"StreamDescriptionSummary": summary})
        state = kinesis.state()
    assert (state.takes, state.said) == (takes, f"Stream {cloud.name} is {status} and has 2 open shards.")


def test_a_stream_that_is_not_there_is_refused_and_one_that_does_not_answer_is_unavailable(cloud):
    with pytest.raises(SinkRefusedError, match=r"ResourceNotFoundException.*Check that it exists"):
        KinesisSink(cloud.clients.kinesis, cloud.name).state()
    with nobody() as url, pytest.raises(SinkUnavailableError, match="did not answer"):
        KinesisSink(client_at("kinesis", url), "stream").state()


def test_a_look_at_the_stream_that_is_throttled_is_no_refusal(kinesis, cloud):
    with Stubber(cloud.clients.kinesis) as stub:
        stub.add_client_error("describe_stream_summary", "LimitExceededException", http_status_code=400)
        with pytest.raises(SinkUnavailableError, match="Could not look at stream"):
            kinesis.state()
