"""The function when something outside does not do as it should: nothing is lost, and whoever must act is told."""

import json
import time

import pytest

from local.slack import DEFAULT_TOKEN
from slack_audit.errors import (
    ActionRefusedError,
    RefusedError,
    SettingsError,
    SinkRefusedError,
    StorageError,
    TokenRefusedError,
    UnavailableError,
)
from tests import proof
from tests.builders import raw_event
from tests.contract.wire import answering
from tests.fakes import KilledError
from tests.integration.conftest import TIMEOUT, Context, Deployment, Log


def outcomes(stack: Deployment) -> list[str]:
    """How Slack's answers to the function's calls ended."""
    return [call.outcome for call in stack.slack.calls()]


def is_leased(stack: Deployment) -> bool:
    return "owner" in stack.item()


# The token


def test_a_token_that_was_changed_is_picked_up_within_the_run(stack):
    stack.backlog(100)
    first = stack.run()
    stack.slack.token("xoxp-the-new-one")
    stack.put_token("xoxp-the-new-one")
    stack.slack.generate(50, start=first["watermark"] + 1, end=int(stack.slack.now))
    stack.later(120)
    assert stack.run()["events"] == 50
    assert outcomes(stack).count("401") == 1
    assert outcomes(stack)[-1] == "200"
    stack.prove()


def test_an_old_token_that_is_still_good_does_its_work_until_slack_ends_it(stack):
    """The function keeps a token for five minutes: a new one need not be read while the old one lives."""
    stack.slack.token(DEFAULT_TOKEN, "xoxp-the-new-one")
    stack.backlog(100)
    first = stack.run()
    stack.put_token("xoxp-the-new-one")
    stack.later(120)
    stack.run()
    assert "401" not in outcomes(stack)
    stack.slack.token("xoxp-the-new-one")
    stack.slack.generate(50, start=first["watermark"] + 130, end=int(stack.slack.now) + 100)
    stack.later(300)
    assert stack.run()["events"] == 50
    assert outcomes(stack).count("401") == 1
    stack.prove()


def test_a_wrong_token_fails_says_what_to_do_and_gives_the_lease_back(stack, capsys):
    stack.slack.token("xoxp-another")
    assert "Put a user token" in stack.fails(TokenRefusedError)
    assert outcomes(stack) == ["401", "401"]
    assert not is_leased(stack)
    plain, of_the_org, status = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert plain["AuthFailures"] == [1]
    assert (of_the_org["RunSuccess"], of_the_org["org"]) == ([0], "main")
    assert (status["status"], status["SlackCalls"]) == ("4xx", [2])


def test_a_wrong_token_does_not_hold_up_what_was_committed_before(stack):
    stack.cloud.clients.kinesis.delete_stream(StreamName=stack.cloud.name)
    stack.backlog(300)
    stack.fails(SinkRefusedError)
    stack.cloud.stream()
    stack.slack.token("xoxp-another")
    stack.later(120)
    stack.fails(TokenRefusedError)
    assert not is_leased(stack)
    stack.prove()


def test_after_a_new_token_was_put_it_goes_on(stack):
    stack.backlog(100)
    stack.slack.token("xoxp-another")
    stack.fails(TokenRefusedError)
    stack.put_token("xoxp-another")
    assert stack.run()["events"] == 100
    stack.prove()


def test_a_secret_that_holds_no_token_fails_and_asks_nothing_of_slack(stack):
    stack.cloud.clients.secrets.put_secret_value(SecretId=stack.cloud.name, SecretString="xoxp-not-as-json")
    assert "put-secret-value" in stack.fails(TokenRefusedError)
    assert stack.slack.calls() == []
    assert not is_leased(stack)


def test_a_refusal_for_good_fails_says_what_to_do_and_goes_on_afterwards(stack):
    stack.backlog(100)
    stack.slack.fault("status", error="team_not_authorized", times=2)
    assert "install it on the organisation" in stack.fails(RefusedError)
    assert not is_leased(stack)
    stack.fails(RefusedError)
    assert stack.run()["events"] == 100
    stack.prove()


# The lease


def test_a_lease_that_another_run_holds_is_no_failure(stack, capsys):
    stack.run()
    stack.hold_lease("another", time.time() + 60)
    before = stack.item()
    calls = len(stack.slack.calls())
    capsys.readouterr()
    result = stack.run()
    assert (result["stopped"], result["calls"], result["events"]) == ("lease_busy", 0, 0)
    assert (stack.item(), len(stack.slack.calls())) == (before, calls)
    assert json.loads(capsys.readouterr().out)["LeaseBusy"] == [1]


def test_the_lease_of_a_run_that_died_expires(stack):
    stack.backlog(100)
    stack.run()
    stack.hold_lease("dead", time.time() - 2)
    stack.later(120)
    assert stack.run()["stopped"] == "nothing_due"
    assert not is_leased(stack)
    stack.prove()


@pytest.mark.parametrize("looks", [1, 10, 30, 60])
def test_a_run_that_was_killed_leaves_a_lease_that_outlives_it_by_half_a_minute(stack, looks):
    stack.slack.change(page_limit=50)
    stack.backlog(400)
    with pytest.raises(KilledError):
        stack.run(context=Context(100, looks_until_death=looks))
    if is_leased(stack):
        assert int(stack.item()["lease_until"]["N"]) == pytest.approx(time.time() + 100 + 30, abs=5)
        assert stack.run()["stopped"] == "lease_busy"
        stack.hold_lease("dead", time.time() - 2)
    stack.until_done()
    assert len(stack.archived()) == 400
    stack.prove()


# Calls and time


def test_a_spent_call_budget_is_no_failure_and_the_next_run_goes_on(stack):
    stack.set(SLACK_CALLS_PER_MINUTE="8")
    stack.slack.change(page_limit=50)
    stack.backlog(400)
    first = stack.run()
    assert (first["stopped"], first["calls"]) == ("call_budget", 8)
    assert not is_leased(stack)
    blocked = stack.run()
    assert (blocked["stopped"], blocked["calls"]) == ("call_budget", 0)
    results = stack.until_done(runs=40)
    assert all(result["calls"] <= 8 for result in results)
    assert [result["stopped"] for result in results[:-1]] == ["call_budget"] * (len(results) - 1)
    assert len(stack.archived()) == 400
    stack.prove()


def test_slacks_own_limit_is_kept_without_a_failure(stack):
    stack.slack.change(calls_per_minute=6, page_limit=50)
    stack.backlog(300)
    first = stack.run(context=Context(20))
    assert (first["stopped"], first["rate_limited"]) == ("rate_limited", 1)
    assert int(stack.item()["blocked_until"]["N"]) > time.time()
    again = stack.run()
    assert (again["stopped"], again["calls"]) == ("rate_limited", 0)
    stack.slack.change(calls_per_minute=None)
    stack.until_done()
    stack.prove()


def test_a_short_wait_for_slacks_limit_is_waited_out(stack):
    stack.backlog(100)
    stack.slack.fault("rate_limit", retry_after=1, after=1)
    result = stack.run()
    assert (result["stopped"], result["rate_limited"], result["events"]) == ("nothing_due", 1, 100)
    stack.prove()


def test_a_run_whose_time_is_up_stops_in_order_and_the_next_goes_on(stack):
    stack.slack.change(page_limit=60)  # larger than any second of the backlog
    stack.backlog(500)
    first = stack.run(context=Context(TIMEOUT, seconds_a_look=6))
    assert first["stopped"] == "time"
    assert 0 < first["events"] < 500
    assert not is_leased(stack)
    stack.slack.change(page_limit=None)
    stack.run()
    assert len(stack.archived()) == 500
    stack.prove()


def test_a_run_without_time_does_nothing_and_is_no_failure(stack):
    stack.backlog(100)
    assert stack.run(context=Context(5))["events"] == 0
    assert not is_leased(stack)
    assert stack.run()["events"] == 100
    stack.prove()


def test_a_second_that_cannot_be_read_for_now_is_left_whole_for_a_later_run(stack):
    second = stack.past[0]
    stack.slack.change(page_limit=10)
    stack.slack.add(*[raw_event(second, number) for number in range(300)])
    stack.slack.fault("rate_limit", retry_after=3_600, after=45)  # amid the walk of some 60 calls
    assert stack.run()["stopped"] == "rate_limited"
    assert stack.archived() == []
    assert not is_leased(stack)
    stack.a_minute_without_calls()
    assert stack.run()["events"] == 300
    stack.prove()


# Slack's bad minutes


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "status", "status": 503}, id="503"),
        pytest.param({"kind": "html"}, id="a maintenance page"),
        pytest.param({"kind": "no_entries"}, id="not ok with 200"),
        pytest.param({"kind": "invalid_json"}, id="half an answer with 200"),
        pytest.param({"kind": "truncated"}, id="half an answer"),
        pytest.param({"kind": "reset"}, id="a reset"),
        pytest.param({"kind": "redirect"}, id="a redirect"),
    ],
)
def test_a_fault_that_passes_is_waited_out_within_the_run(stack, fault, monkeypatch):
    monkeypatch.setattr("slack_audit.read.BACK_OFF", 0.01)
    stack.backlog(300)
    stack.slack.fault(**fault, after=1)
    result = stack.run()
    assert (result["stopped"], result["events"]) == ("nothing_due", 300)
    stack.prove()


def test_a_slack_that_is_down_fails_the_run_and_the_next_goes_on(stack, monkeypatch):
    stack.backlog(300)
    stack.run()
    stack.slack.fault("status", status=503, times=None)
    stack.later(120)
    monkeypatch.setattr("slack_audit.read.BACK_OFF", 0.01)
    assert "HTTP 503" in stack.fails(UnavailableError)
    assert not is_leased(stack)
    stack.slack.clear_faults()
    stack.run()
    stack.prove()


def test_a_bad_day(stack, monkeypatch):
    monkeypatch.setattr("slack_audit.read.BACK_OFF", 0.01)
    stack.slack.change(page_limit=60, short_pages=0.1, duplicates=0.1)
    for kind in ("status", "html", "truncated", "reset", "no_entries"):
        stack.slack.fault(kind, times=None, probability=0.08)
    stack.backlog(600)
    for _ in range(20):
        try:
            result = stack.run()
        except UnavailableError:
            continue
        if (result["stopped"], result["backlog"]) == ("nothing_due", 0):
            break
    assert len(stack.archived()) == 600
    stack.prove()


# The stream


def test_without_a_stream_the_archive_is_complete_and_the_backlog_goes_out_later(stack):
    stack.cloud.clients.kinesis.delete_stream(StreamName=stack.cloud.name)
    stack.backlog(500)
    message = stack.fails(SinkRefusedError)
    assert stack.cloud.name in message
    assert "the backlog goes out by itself" in message
    assert not is_leased(stack)
    assert len(stack.archived()) == 500
    stack.later(120)
    stack.fails(SinkRefusedError)
    stack.cloud.stream()
    result = stack.run()
    assert (result["events"], result["published"], result["backlog"], result["publishing"]) == (0, 500, 0, "done")
    stack.prove()


def test_a_stream_that_is_down_is_no_failure_and_is_left_alone_after_nine_tries(stack, monkeypatch):
    monkeypatch.setattr("slack_audit.publish.BACK_OFF", 0.001)
    stack.backlog(10)
    with answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n") as kinesis:
        stack.set(AWS_ENDPOINT_URL_KINESIS=kinesis.url)
        result = stack.run()
    assert (result["stopped"], result["publishing"]) == ("nothing_due", "stream_unavailable")
    assert result["backlog"] in {1, 2}, "the hour before now is one window, or two around midnight"
    assert len(kinesis.requests) == 9
    assert len(stack.archived()) == 10
    stack.set(AWS_ENDPOINT_URL_KINESIS=stack.cloud.aws.endpoint)
    stack.cold()
    assert stack.run()["published"] == 10
    stack.prove()


def test_a_backlog_goes_out_in_the_order_of_the_log(stack):
    stack.cloud.clients.kinesis.delete_stream(StreamName=stack.cloud.name)
    stack.slack.change(page_limit=100)
    stack.backlog(500)
    stack.fails(SinkRefusedError)
    stack.cloud.stream()
    stack.run()
    assert stack.cloud.streamed() == stack.archived()


# What we keep


def test_an_archive_that_is_not_there_fails_before_anything_is_read(stack):
    stack.set(ARCHIVE_BUCKET=f"{stack.cloud.name}-none")
    assert "NoSuchBucket" in stack.fails(StorageError)
    assert not is_leased(stack)
    assert stack.slack.calls() == []


def test_a_table_that_is_not_there_fails_before_anything_is_read(stack):
    stack.set(CHECKPOINT_TABLE=f"{stack.cloud.name}-none")
    assert "ResourceNotFoundException" in stack.fails(StorageError)
    assert stack.slack.calls() == []


def test_a_secret_that_may_not_be_read_is_a_failure(stack):
    stack.cloud.clients.secrets.delete_secret(SecretId=stack.cloud.name, RecoveryWindowInDays=7)
    assert stack.cloud.name in stack.fails(RefusedError)
    assert not is_leased(stack)


def test_a_batch_that_was_altered_is_not_published_and_a_person_is_told(stack):
    stack.cloud.clients.kinesis.delete_stream(StreamName=stack.cloud.name)
    stack.backlog(100)
    stack.fails(SinkRefusedError)
    key = min(key for key in stack.cloud.objects() if key.startswith("raw/"))
    genuine = stack.cloud.objects()[key]
    stack.cloud.clients.s3.put_object(Bucket=stack.cloud.name, Key=key, Body=b"altered")
    stack.cloud.stream()
    assert f"{key} has other bytes" in stack.fails(StorageError)
    assert stack.cloud.streamed() == []
    stack.cloud.clients.s3.put_object(Bucket=stack.cloud.name, Key=key, Body=genuine)
    stack.run()
    stack.prove()


def test_a_log_that_was_altered_stops_the_run(stack):
    stack.backlog(100)
    stack.run()
    newest = f"log/org=main/{len(proof.log_of(stack.cloud.objects())):012}.json"
    stack.cloud.clients.s3.put_object(Bucket=stack.cloud.name, Key=newest, Body=b"{}")
    assert newest in stack.fails(StorageError)
    assert not is_leased(stack)


# What it is told


@pytest.mark.parametrize("event", [{"org": "../main"}, {"org": ""}, {"org": None}, {"org": ["main"]}, [], "main", None])
def test_an_event_for_no_possible_org_is_refused(stack, event):
    stack.fails(SettingsError, event)
    assert stack.slack.calls() == []
    assert stack.cloud.objects() == {}


@pytest.mark.parametrize("event", [{}, {"org": "main"}, {"org": "main", "version": "0", "detail": {}}])
def test_an_event_for_this_org_is_taken(stack, event):
    assert stack.run(event)["stopped"] == "nothing_due"


def test_a_setting_that_is_missing_fails_the_run_and_is_named(stack):
    stack.set(EVENT_STREAM="")
    assert "EVENT_STREAM" in stack.fails(SettingsError)


def test_a_run_that_failed_logs_why_and_what_it_did(stack: Deployment, log: Log):
    stack.cloud.clients.kinesis.delete_stream(StreamName=stack.cloud.name)
    stack.backlog(10)
    reason = stack.fails(SinkRefusedError)
    (line,) = [line for line in log.lines if line["message"] == "run failed"]
    assert (line["level"], line["reason"]) == ("ERROR", reason)
    assert (line["org"], line["events"], line["published"], line["publishing"]) == ("main", 10, 0, "refused")


def test_faults_are_logged_without_any_event(stack: Deployment, log: Log):
    stack.backlog(10)
    stack.slack.fault("status", status=503)
    stack.slack.fault("rate_limit", retry_after=1)
    stack.run()
    assert "slack did not answer, asking again" in log.messages()
    assert "slack limits the rate" in log.messages()
    ids = [json.loads(raw)["id"] for raw in stack.archived()]
    assert not [identity for identity in ids if identity in log.text]


def test_an_action_filter_that_slack_refuses_names_the_unknown_action(stack):
    stack.set(ACTION_FILTER="user_login,no_such_action")
    assert "Slack does not know no_such_action and refuses" in stack.fails(ActionRefusedError)
