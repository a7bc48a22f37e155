"""The storm itself: its services answer as the real ones do, and a collector that lost something would be caught."""

import re

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from slack_audit.adapters.s3 import S3Archive
from slack_audit.adapters.slack import SlackSource
from slack_audit.errors import ActionRefusedError, StorageError, UnavailableError
from slack_audit.ports import Answer, Query
from tests.faults import faults, scenarios
from tests.faults.border import Reply
from tests.faults.figures import measured, recorded
from tests.faults.sweep import calls_of, suffer
from tests.faults.world import World, clients

KEY = "log/org=main/000000000000.json"


@pytest.fixture
def world() -> World:
    world = World()
    clients().on = world.cloud
    return world


def archive() -> S3Archive:
    return S3Archive(clients()["s3"], "archive")


def plan(world: World, *names: str) -> None:
    world.border.faults = {number: faults.ALL[name] for number, name in enumerate(names, 1)}


def test_a_run_without_faults_calls_every_service_and_waits_for_nothing():
    called = {name.partition(".")[0] for name in calls_of("first_run")}
    world = scenarios.first_run().copy()
    outcome = world.run()
    assert outcome.report is not None
    assert outcome.report.stopped == "nothing_due"
    assert called == {"slack", "s3", "dynamodb", "kinesis", "secretsmanager"}
    assert world.clock.slept == []


def test_boto3_repeats_by_itself_what_was_refused_and_waits_in_virtual_time(world):
    plan(world, "5xx once")
    assert archive().put_new(KEY, b"x") is True
    assert world.border.names == ["s3.PutObject"] * 2
    assert len(world.clock.slept) == 1


def test_a_reply_that_was_lost_makes_the_next_try_find_its_own_object(world):
    plan(world, "reply lost once")
    assert archive().put_new(KEY, b"x") is False
    assert world.cloud.s3.objects == {KEY: b"x"}


def test_a_timeout_of_every_try_is_an_error_after_all_their_time(world):
    plan(world, "timeout after its effect")
    started = world.clock.time
    with pytest.raises(StorageError) as caught:
        archive().put_new(KEY, b"x")
    assert isinstance(caught.value.__cause__, ReadTimeoutError)
    assert world.border.names == ["s3.PutObject"] * 3
    assert world.clock.time - started > 30
    assert world.cloud.s3.objects == {KEY: b"x"}


def test_what_lands_later_is_there_a_few_calls_later(world):
    plan(world, "timeout, lands later")
    with pytest.raises(StorageError):
        archive().put_new(KEY, b"x")
    assert [archive().exists(KEY) for _ in range(2)] == [False, True]


@pytest.mark.parametrize("name", ["throttled", "5xx", "forbidden"])
def test_a_refusal_carries_the_code_of_its_service(world, name):
    plan(world, name)
    with pytest.raises(ClientError) as caught:
        clients()["dynamodb"].put_item(
            TableName="checkpoints",
            Item={"org": {"S": "main"}},
            ConditionExpression="#owner = :owner",
            ExpressionAttributeValues={":owner": {"S": "me"}},
        )
    table = {"throttled": faults.THROTTLED, "5xx": faults.BROKEN, "forbidden": faults.FORBIDDEN}[name]
    reply = caught.value.response
    assert (reply["ResponseMetadata"]["HTTPStatusCode"], reply["Error"]["Code"]) == table["dynamodb"]


def test_half_a_call_of_the_stream_is_refused(world):
    plan(world, "partial")
    records = [{"Data": b"%d" % number, "PartitionKey": "k"} for number in range(4)]
    reply = clients()["kinesis"].put_records(StreamName="events", Records=records)
    assert [result.get("ErrorCode", "") != "" for result in reply["Records"]] == [True, False, True, False]
    assert world.cloud.kinesis.records == [b"1", b"3"]


def test_half_an_object_is_no_object(world):
    archive().put_new(KEY, b"x" * 100)
    plan(world, "killed before its effect")
    world.border.faults = {2: faults.ALL["partial"]}
    with pytest.raises(StorageError):
        archive().get(KEY)


def test_a_refused_action_is_looked_up_without_the_token():
    world = scenarios.live_run().copy()
    number = calls_of("live_run").index("slack.logs") + 1
    world.border.faults = {number: faults.ALL["action not accepted"]}
    assert isinstance(world.run().failure, ActionRefusedError)
    assert "slack.actions" in world.border.names


def test_every_kind_of_fault_fits_some_call():
    names = {name for scenario in scenarios.SCENARIOS for name in calls_of(scenario)}
    assert {kind for kind, fault in faults.ALL.items() if not any(map(fault.fits, names))} == set()


def keeps_no_batch(world: World) -> None:
    """S3 says that it stored a batch, and did not."""
    put = world.cloud.s3._put
    world.cloud.s3._put = lambda key, request: Reply(200) if key.endswith(".gz") else put(key, request)


def forgets_the_cursor(world: World) -> None:
    """Slack does not say that its answer is only the newest part."""
    page = world.slack._page
    world.slack._page = lambda asked: world.slack.reply(
        200, re.sub(rb'"next_cursor":.*"', b'"next_cursor":""', page(asked).body)
    )


def takes_nothing(world: World) -> None:
    """The stream says that it accepted everything, and did not."""
    world.cloud.kinesis.records = Forgetful()


def live_on(world: World) -> None:
    world.run()
    world.settle()
    world.prove()


class Forgetful(list[bytes]):
    def append(self, _: bytes) -> None:
        """Nothing."""


@pytest.mark.parametrize("sabotage", [keeps_no_batch, forgets_the_cursor, takes_nothing])
def test_a_loss_would_be_noticed(sabotage):
    world = scenarios.first_run().copy()
    sabotage(world)
    with pytest.raises((AssertionError, KeyError)):
        live_on(world)


def test_a_failure_that_is_not_ours_would_be_noticed(monkeypatch):
    def careless(self: S3Archive, key: str) -> bytes | None:
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    monkeypatch.setattr(S3Archive, "get", careless)
    number = calls_of("publish_backlog").index("s3.GetObject") + 1
    with pytest.raises(ClientError):
        suffer("publish_backlog", (number, "5xx"))


@pytest.mark.writes_secrets("what the storm looks for must be there once")
def test_a_token_in_an_error_or_in_the_log_would_be_noticed(monkeypatch):
    def leak(self: SlackSource, query: Query, timeout: float) -> Answer:
        raise UnavailableError(f"Slack did not like {self._token(False)}")

    monkeypatch.setattr(SlackSource, "read", leak)
    with pytest.raises(AssertionError, match="the token was written"):
        scenarios.first_run().copy().run()


def test_the_figures_are_those_of_the_scenarios():
    assert recorded() == measured()
