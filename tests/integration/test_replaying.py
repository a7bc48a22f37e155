"""The replay function on the embedded AWS, its actions one after the other as the state machine calls them."""

import json
from typing import Any

import pytest

from local.aws import EmbeddedAws
from slack_audit.errors import ArchiveDamagedError, ReplayError, SettingsError, SinkRefusedError
from tests.integration.conftest import Context, Deployment
from tests.stored import records_in


@pytest.fixture
def sqs(aws: EmbeddedAws) -> Any:
    return aws.client("sqs")


@pytest.fixture
def collected(stack: Deployment) -> Deployment:
    stack.backlog(300)
    stack.until_done()
    return stack


@pytest.fixture
def elsewhere(collected: Deployment) -> str:
    name = f"{collected.cloud.name}-elsewhere"
    collected.cloud.clients.kinesis.create_stream(StreamName=name, ShardCount=1)
    return name


def plan(stack: Deployment, name: str = "case-17", **request: Any) -> dict[str, Any]:
    return stack.replay({"action": "plan", "replay_id": name, "request": {"org": "main", **request}})


def items(stack: Deployment, planned: dict[str, Any]) -> list[dict[str, Any]]:
    """As the map reads them, each with what the map gives it."""
    body = stack.cloud.clients.s3.get_object(Bucket=planned["bucket"], Key=planned["items"])["Body"].read()
    given = {"action": "replay", "org": planned["org"], "replay_id": planned["replay_id"]}
    return [{**given, "item": item} for item in json.loads(body)]


def carried_out(stack: Deployment, planned: dict[str, Any]) -> int:
    """All items, each called again for as long as it is not done; how many calls that took."""
    return sum(turns(stack, event) for event in items(stack, planned))


def turns(stack: Deployment, event: dict[str, Any], seconds: float = 900.0) -> int:
    """Of one item."""
    calls = 0
    while not event.get("done"):
        event, calls = stack.replay(event, context=Context(seconds=seconds)), calls + 1
    return calls


def report(stack: Deployment, planned: dict[str, Any]) -> dict[str, Any]:
    return stack.replay({"action": "report", "org": planned["org"], "replay_id": planned["replay_id"]})


def test_a_selection_goes_to_another_stream_with_bytes_and_ids_and_the_report_agrees(collected, elsewhere, log):
    lines = collected.cloud.streamed()
    action = json.loads(lines[0])["action"]
    wanted = [line for line in lines if json.loads(line)["action"] == action]
    planned = plan(collected, selection={"actions": [action]}, target={"stream": elsewhere})
    carried_out(collected, planned)
    said = report(collected, planned)
    assert (said["clean"], said["totals"]["read"], said["totals"]["sent"]) == (True, 300, len(wanted))
    records = records_in(collected.cloud.clients.kinesis, elsewhere)
    assert sorted(data for _, data in records) == sorted(wanted)
    assert all(key == json.loads(data)["id"] for key, data in records)
    assert collected.cloud.streamed() == lines, "the live stream got nothing"
    ours = [line for line in log.lines if line.get("replay_id")]
    assert {line["action"] for line in ours} == {"plan", "replay", "report"}
    assert "selection" not in json.dumps(ours), "it can name a person"


def test_a_queue_gets_every_event_with_the_replays_id(sqs, collected):
    queue = sqs.create_queue(QueueName=collected.cloud.name)["QueueUrl"]
    planned = plan(collected, target={"queue": queue})
    carried_out(collected, planned)
    assert report(collected, planned)["clean"] is True
    found: list[Any] = []
    while got := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600
    ).get("Messages"):
        found += got
    assert sorted(it["Body"].encode() for it in found) == sorted(collected.cloud.streamed())
    assert {it["MessageAttributes"]["replay_id"]["StringValue"] for it in found} == {"case-17"}


def test_a_function_whose_time_is_short_goes_on_where_it_left_off(collected, elsewhere):
    planned = plan(collected, target={"stream": elsewhere})
    many = items(collected, planned)
    whole = {**many[0], "item": {"first": planned["first"], "last": planned["last"]}}
    assert turns(collected, whole, seconds=10.0) > 1
    sent = [data for _, data in records_in(collected.cloud.clients.kinesis, elsewhere)]
    assert sent == collected.cloud.streamed()


def test_a_stream_that_is_not_there_fails_the_item_with_what_to_do(collected):
    planned = plan(collected, target={"stream": "nobody-has-this-stream"})
    (event,) = [it for it in items(collected, planned) if it["item"]["first"] == 1]
    said = collected.fails(SinkRefusedError, event, function=collected.replay)
    assert "ReplayStreamArns" in said
    assert "resume the replay" in said


def test_a_batch_that_was_changed_fails_its_item_and_a_missing_result_the_report(collected, elsewhere):
    planned = plan(collected, target={"stream": elsewhere})
    key = next(key for key in collected.cloud.objects() if key.startswith("raw/"))
    collected.cloud.clients.s3.put_object(Bucket=collected.cloud.name, Key=key, Body=b"made up")
    with pytest.raises(ArchiveDamagedError, match="has other bytes than its log entry says"):
        carried_out(collected, planned)
    said = collected.fails(
        ReplayError,
        {"action": "report", "org": "main", "replay_id": "case-17"},
        function=collected.replay,
    )
    assert "is no result of an item (missing)" in said


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"action": "plan", "replay_id": "a/b", "request": {}}, "is not allowed"),
        ({"action": "plan", "replay_id": "x"}, "cannot be read"),
        (
            {"action": "plan", "replay_id": "x", "request": {"org": "other", "target": {"stream": "a"}}},
            "never collected",
        ),
        ({"action": "send", "replay_id": "x"}, "must be one of plan, replay, report"),
        ({"replay_id": "x"}, "must be one of plan, replay, report"),
        ({"action": "replay", "replay_id": "x"}, "is no plan of a replay"),
        ([], "no object"),
    ],
)
def test_an_event_that_is_none_is_refused_and_writes_nothing(collected, event, said):
    before = collected.cloud.objects().keys()
    assert said in collected.fails((SettingsError, ArchiveDamagedError), event, function=collected.replay)
    assert collected.cloud.objects().keys() == before


def test_the_live_stream_gets_old_events_only_if_that_is_said_twice(collected):
    live = collected.cloud.name
    event = {"action": "plan", "replay_id": "x", "request": {"target": {"stream": live}}}
    assert "say it twice" in collected.fails(SettingsError, event, function=collected.replay)
    planned = plan(collected, target={"stream": live}, into_the_live_stream=live)
    carried_out(collected, planned)
    assert len(collected.cloud.streamed()) == 600
