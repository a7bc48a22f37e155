"""The drift function on the embedded AWS, before the stand-in for Slack."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from local.slack import catalogue
from slack_audit.batches import pack
from slack_audit.drift import Drift
from slack_audit.errors import RateLimitedError, RefusedError, SettingsError, StorageError, UnavailableError
from tests.builders import raw_event
from tests.integration.conftest import Context, Deployment, Log


def kept(stack: Deployment) -> dict[str, bytes]:
    return {key: body for key, body in stack.cloud.objects().items() if key.startswith("catalog/")}


def archive(stack: Deployment, *actions: str, days_ago: int = 1, number: int = 1) -> None:
    """An object with an event of each action."""
    day = (datetime.now(UTC) - timedelta(days=days_ago)).date().isoformat()
    key = f"raw/org=main/dt={day}/1-2-{number}-0123456789ab.ndjson.gz"
    body = pack(raw_event(1, it, action=action) for it, action in enumerate(actions))
    stack.cloud.clients.s3.put_object(Bucket=stack.cloud.name, Key=key, Body=body)


def test_the_first_run_keeps_what_slack_says_and_names_nothing_as_new(stack):
    result = stack.watch()
    assert set(result) == set(Drift.__struct_fields__)
    assert (result["new_actions"], result["gone_actions"], result["schema_changes"]) == ([], [], [])
    assert sorted(kept(stack)) == sorted(result["kept"])
    actions, schemas = (json.loads(kept(stack)[key]) for key in sorted(result["kept"]))
    assert actions == {"actions": {name: list(names) for name, names in catalogue.actions().items()}}
    assert schemas == {"schemas": list(catalogue.schemas())}
    assert [call.path for call in stack.slack.calls()] == ["/audit/v1/actions", "/audit/v1/schemas"]


def test_what_slack_changes_is_kept_named_and_counted(stack: Deployment, log: Log, capsys):
    stack.watch()
    first = kept(stack)
    stack.slack.change(retired_actions=("user_login", "file_shared"))
    time.sleep(1.1)  # keys are by the second
    capsys.readouterr()
    result = stack.watch()
    assert result["gone_actions"] == ["file_shared", "user_login"]
    assert len(kept(stack)) == 3
    assert kept(stack).items() > first.items()
    gone = [(line["action"], line["listed_as"], line["org"]) for line in log.lines if line["message"] == "gone action"]
    assert gone == [("file_shared", ["file"], "main"), ("user_login", ["user"], "main")]
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["GoneActions"], line["NewActions"], line["DriftFailures"]) == ([2], [0], [0])
    stack.slack.change(retired_actions=())
    time.sleep(1.1)
    assert stack.watch()["new_actions"] == ["file_shared", "user_login"]
    assert stack.watch()["kept"] == []


def test_what_events_carry_and_no_list_knows_is_named_and_counted(stack: Deployment, log: Log, capsys):
    archive(stack, "user_login", "never_heard_of", "never_heard_of")
    archive(stack, "another", days_ago=2)
    archive(stack, "too_old", days_ago=3)
    archive(stack, "too_young", days_ago=0)
    result = stack.watch()
    assert result["unknown_actions"] == {"never_heard_of": 2, "another": 1}
    assert (result["objects"], result["events"], result["looked_at_all"]) == (2, 4, True)
    assert log.messages()[-1] == "drift watched"
    assert {name: log.lines[-1][name] for name in result} == result
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["UnknownActions"], line["service"]) == ([2], "slack-audit-collector")
    assert "ada@example.com" not in log.text


def test_what_the_collector_archived_is_understood(stack):
    now = int(time.time())
    stack.set(INITIAL_LOOKBACK_HOURS="49")
    yesterday = now - now % 86_400 - 43_200
    stack.slack.add(*[raw_event(yesterday, number, action="never_heard_of") for number in range(20)])
    stack.until_done()
    assert stack.watch()["unknown_actions"] == {"never_heard_of": 20}
    stack.prove()


def test_an_unknown_name_in_the_filter_fails_after_all_else(stack: Deployment, log: Log, capsys):
    archive(stack, "never_heard_of")
    stack.set(ACTION_FILTER="user_login,user_logn")
    message = stack.fails(SettingsError, function=stack.watch)
    assert "user_logn" in message
    assert f"s3://{stack.cloud.name}/catalog/org=main/actions-" in message
    assert len(kept(stack)) == 2
    line = log.lines[-1]
    assert (line["level"], line["message"], line["reason"]) == ("ERROR", "drift watch failed", message)
    assert line["unknown_actions"] == {"never_heard_of": 1}
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["DriftFailures"], line["UnknownFilterActions"], line["UnknownActions"]) == ([1], [1], [1])


def test_a_filter_of_more_than_thirty_names_is_checked_too(stack):
    names = sorted(catalogue.names())[:40]
    stack.set(ACTION_FILTER=",".join(names))
    assert stack.watch()["unknown_filter_actions"] == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 503}, UnavailableError),
        ({"kind": "html"}, UnavailableError),
        ({"kind": "invalid_json"}, UnavailableError),
        ({"kind": "reset"}, UnavailableError),
        ({"kind": "redirect"}, UnavailableError),
        ({"kind": "truncated"}, UnavailableError),
        ({"kind": "rate_limit"}, RateLimitedError),
        ({"kind": "status", "status": 404}, RefusedError),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else value.__name__,
)
@pytest.mark.parametrize("path", ["actions", "schemas"])
def test_a_slack_that_does_not_answer_fails_the_run_and_the_other_list_is_watched(stack, fault, kind, path):
    stack.slack.fault(**fault, path=path)
    assert f"/{path}" in stack.fails(kind, function=stack.watch)
    (other,) = kept(stack)
    assert other.startswith("catalog/org=main/" + ("schemas" if path == "actions" else "actions"))
    assert len(stack.watch()["kept"]) == 1


def test_nothing_of_it_stops_collection(stack):
    stack.backlog(100)
    stack.slack.fault("status", status=503, path="actions", times=None)
    stack.fails(UnavailableError, function=stack.watch)
    assert stack.run()["events"] == 100
    stack.slack.clear_faults()
    stack.watch()
    stack.later(120)
    assert stack.run()["stopped"] == "nothing_due"
    stack.prove()


def test_it_needs_neither_token_nor_table_nor_stream(stack, monkeypatch):
    for name in ("SLACK_TOKEN_SECRET_ARN", "EVENT_STREAM", "CHECKPOINT_TABLE", "SLACK_CALLS_PER_MINUTE"):
        monkeypatch.delenv(name)
    stack.slack.token("nobody-has-it")
    assert len(stack.watch()["kept"]) == 2


def test_without_time_it_keeps_the_lists_and_says_that_it_did_not_look_at_all(stack: Deployment, log: Log):
    archive(stack, "never_heard_of")
    result = stack.watch(context=Context(5))
    assert (len(result["kept"]), result["objects"], result["looked_at_all"]) == (2, 0, False)
    assert "no time to look at all events" in log.messages()


def test_an_archive_that_is_not_there_fails_the_run(stack):
    stack.set(ARCHIVE_BUCKET=f"{stack.cloud.name}-none")
    assert "NoSuchBucket" in stack.fails(StorageError, function=stack.watch)


@pytest.mark.parametrize("event", [{"org": "another"}, {"org": "a/b"}, {"orgs": []}, {"orgs": ["a/b"]}])
def test_an_event_for_an_org_that_was_never_collected_is_refused(stack, event):
    stack.fails(SettingsError, event, function=stack.watch)
    assert stack.slack.calls() == []
    assert stack.cloud.objects() == {}
