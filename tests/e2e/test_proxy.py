"""The proxy that the storms rely on: the order of records is kept, the numbers add up, and what it loses has landed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from local.aws import REGION
from tests.conftest import Cloud
from tests.e2e.proxy import Proxy, Shard
from tests.e2e.weather import FaultInjector

ONCE = Config(proxies={}, retries={"total_max_attempts": 1}, read_timeout=5)


@pytest.fixture
def proxy(cloud: Cloud) -> Iterator[Proxy]:
    with Proxy(cloud.aws.endpoint) as proxy:
        yield proxy


def through(proxy: Proxy, service: str) -> Any:
    """A client that asks once."""
    session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    return session.client(service, endpoint_url=proxy.endpoint, config=ONCE)


def put(kinesis: Any, stream: str, numbers: list[int]) -> list[int]:
    """Which of these records were refused."""
    records = [{"PartitionKey": "key", "Data": str(number).encode()} for number in numbers]
    reply = kinesis.put_records(StreamName=stream, Records=records)
    refused = [number for number, result in zip(numbers, reply["Records"], strict=True) if "ErrorCode" in result]
    assert reply["FailedRecordCount"] == len(refused)
    assert all(("ErrorCode" in result) != ("SequenceNumber" in result) for result in reply["Records"])
    return refused


def test_a_shard_takes_its_share_in_order_and_refuses_the_rest_one_by_one(cloud: Cloud, proxy: Proxy) -> None:
    kinesis, stream = through(proxy, "kinesis"), cloud.stream()
    proxy.limit(records=100, size=1_000_000)
    wanted, answered = list(range(250)), []
    while wanted:
        refused = put(kinesis, stream, wanted)
        answered += [number for number in wanted if number not in refused]
        wanted = refused
    assert [int(data) for data in cloud.streamed()] == answered
    assert sorted(answered) == list(range(250))
    calls = proxy.seen("PutRecords")
    assert sum(call.taken for call in calls) == 250
    assert calls[0].refused >= 100
    assert calls[-1].at - calls[0].at >= 1.4, "150 records more than the first second's"


@pytest.mark.parametrize(
    ("records", "size", "taken"),
    [
        pytest.param(3, 1_000, 3, id="so many records"),
        pytest.param(1_000, 25, 2, id="so many bytes"),
    ],
)
def test_a_shard_has_room_for_one_second_at_once(records: float, size: float, taken: int) -> None:
    shard = Shard(records, size)
    assert sum(shard.takes(10) for _ in range(10)) == taken


def test_a_lost_answer_is_of_a_write_that_landed(cloud: Cloud, proxy: Proxy) -> None:
    s3, bucket = through(proxy, "s3"), cloud.bucket()
    proxy.spoil("lose", "PutObject", path="/log/", after=1)
    s3.put_object(Bucket=bucket, Key="log/1", Body=b"1")
    s3.put_object(Bucket=bucket, Key="raw/1", Body=b"1")
    with pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket=bucket, Key="log/2", Body=b"2")
    s3.put_object(Bucket=bucket, Key="log/3", Body=b"3")
    assert set(cloud.objects()) == {"log/1", "raw/1", "log/2", "log/3"}
    assert [seen.outcome for seen in proxy.seen()] == ["answered", "answered", "lose", "answered"]


@pytest.mark.parametrize("land", [True, False])
def test_what_is_held_lands_late_or_never(cloud: Cloud, proxy: Proxy, land: bool) -> None:
    s3, bucket = through(proxy, "s3"), cloud.bucket()
    proxy.spoil("hold", "PutObject")
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(s3.put_object, Bucket=bucket, Key="held", Body=b"1")
        while not proxy.seen(outcome="held"):
            assert not held.done()
        assert cloud.objects() == {}
        proxy.let_go(land=land)
        assert isinstance(held.exception(), ConnectionClosedError)
    assert set(cloud.objects()) == ({"held"} if land else set())


def test_nobody_listens_while_it_is_down_and_its_address_stays(cloud: Cloud, proxy: Proxy) -> None:
    kinesis, stream = through(proxy, "kinesis"), cloud.stream()
    assert put(kinesis, stream, [1]) == []
    proxy.down()
    with pytest.raises((EndpointConnectionError, ConnectionClosedError)):
        put(kinesis, stream, [2])
    proxy.up()
    assert put(kinesis, stream, [3]) == []
    assert cloud.streamed() == [b"1", b"3"]


def test_the_injector_answers_as_aws_does_and_says_what_it_did(cloud: Cloud) -> None:
    bucket = cloud.bucket()
    with FaultInjector(cloud.aws.endpoint) as injector, Proxy(injector.endpoint) as proxy:
        s3 = through(proxy, "s3")
        injector.inject({"service": "s3", "operation": "PutObject", "times": 1, "error": {"code": "SlowDown"}})
        with pytest.raises(s3.exceptions.ClientError, match="SlowDown"):
            s3.put_object(Bucket=bucket, Key="a", Body=b"1")
        s3.put_object(Bucket=bucket, Key="a", Body=b"1")
        assert injector.fired() == {("PutObject", "error:SlowDown"): 1}
        injector.forget()
        assert not injector.fired()
