"""The check: what each thing's failure means, and that nothing is collected or left behind by it."""

import pytest

from slack_audit.check import BODY, Checked, Finding, Outcome, Outside, check, checks_key, kind_of
from slack_audit.errors import (
    CollectorError,
    RateLimitedError,
    RefusedError,
    SinkRefusedError,
    SinkUnavailableError,
    StorageError,
    StorageRefusedError,
    TokenMissingError,
    TokenRefusedError,
    UnavailableError,
)
from slack_audit.log import Filters
from tests.builders import DAY_START, NO_FILTERS, raw_event
from tests.fakes import Checkpoints, World

KEY = "checks/org=main/write-once"
ALL = ["token", "slack", "clock", "archive", "listing", "table", "stream"]


def looked(world: World, filters: Filters = NO_FILTERS, token: str | CollectorError = "xoxp-unreal") -> Checked:
    """What the check finds in this world."""
    asked: list[bool] = []

    def secret(fresh: bool) -> str:
        asked.append(fresh)
        if isinstance(token, CollectorError):
            raise token
        return token

    checked = check("main", filters, Outside(secret, *world.parts_of_a_check()))
    assert asked == [True], "the secret itself is read, not what a warm function remembers"
    return checked


def outcomes(checked: Checked) -> dict[str, str]:
    return {it.name: it.outcome.value for it in checked.findings}


def finding(checked: Checked, name: str) -> Finding:
    (found,) = [it for it in checked.findings if it.name == name]
    return found


def test_where_all_is_well_everything_was_looked_at():
    checked = looked(World())
    assert outcomes(checked) == dict.fromkeys(ALL, "ok")
    assert checked.ok
    assert not [it.advice for it in checked.findings if it.advice]


def test_nothing_is_collected_and_one_object_is_left_behind():
    world = World()
    world.slack.add([raw_event(DAY_START + 10)])
    before = world.table.item, world.table.owner
    looked(world)
    looked(world)
    assert world.archive.objects == {KEY: BODY}
    assert (world.table.item, world.table.owner) == before
    assert world.stream.records == []
    assert checks_key("main") == KEY


def test_slack_is_asked_once_for_one_event():
    world = World()
    looked(world, Filters(actor="W1"))
    (query,) = world.slack.queries
    assert (query.window, query.limit, query.filters.actor) == (None, 1, "W1")


def test_every_name_of_a_long_action_filter_is_asked_for():
    world = World()
    looked(world, Filters(action=",".join(f"action_{number}" for number in range(31))))
    assert [len(query.filters.action.split(",")) for query in world.slack.queries] == [30, 1]


def test_the_check_works_while_a_run_holds_the_lease():
    world = World()
    assert Checkpoints(world.table, world.faults).acquire("a-run", now=world.clock.time, until=world.clock.time + 300)
    assert looked(world).ok
    assert world.table.owner == "a-run"


# ---- the token ----


def test_a_token_that_was_not_put_yet_is_missing_and_nothing_is_wrong():
    world = World()
    checked = looked(world, token=TokenMissingError("nobody has put one"))
    assert outcomes(checked) == {"token": "missing"} | dict.fromkeys(ALL[3:], "ok")
    assert checked.ok
    assert finding(checked, "token").what == "nobody has put one"
    assert world.slack.queries == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TokenRefusedError("not JSON"), "failed"),
        (RefusedError("AccessDenied"), "failed"),
        (UnavailableError("no answer"), "unknown"),
    ],
)
def test_a_secret_that_cannot_be_read(error, outcome):
    world = World()
    checked = looked(world, token=error)
    assert outcomes(checked)["token"] == outcome
    assert world.slack.queries == []
    assert checked.ok is (outcome != "failed")


@pytest.mark.parametrize(
    ("token", "outcome", "says"),
    [
        ("xoxp-1-2-3", Outcome.OK, "user token"),
        ("xoxe.xoxp-1-2", Outcome.WARNING, "rotation ends after 12 hours"),
        ("xoxb-1-2", Outcome.FAILED, "a bot token"),
        ("xoxe.xoxb-1-2", Outcome.FAILED, "a bot token"),
        ("xoxe-1-2", Outcome.FAILED, "a refresh token"),
        ("xapp-1-2", Outcome.FAILED, "an app-level token"),
        ("hunter2-and-more", Outcome.WARNING, "does not begin as Slack's"),
    ],
)
def test_the_kind_of_a_token_is_told_by_its_beginning_and_nothing_else_of_it_is_shown(token, outcome, says):
    found = kind_of(token)
    assert (found.name, found.outcome) == ("token", outcome)
    assert says in found.what
    assert token not in f"{found}"
    assert bool(found.advice) is (outcome is not Outcome.OK)


# ---- Slack ----


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TokenRefusedError("HTTP 401"), "failed"),
        (RefusedError("missing_scope"), "failed"),
        (RateLimitedError("HTTP 429"), "unknown"),
        (UnavailableError("HTTP 503"), "unknown"),
    ],
)
def test_what_slack_refuses_is_wrong_and_what_passes_cannot_be_told(error, outcome):
    world = World()
    world.faults.fail("slack.read", 1, error)
    checked = looked(world)
    assert outcomes(checked)["slack"] == outcome
    assert "clock" not in outcomes(checked)
    assert finding(checked, "slack").what == str(error)
    assert ("check SlackApiUrl" in finding(checked, "slack").advice) is (outcome == "unknown")


@pytest.mark.parametrize(
    ("offset", "outcome", "says"),
    [
        (0, "ok", "less than 5 seconds apart"),
        (4, "ok", "less than 5 seconds apart"),
        (-4, "ok", "less than 5 seconds apart"),
        (5, "warning", "5 seconds ahead of ours"),
        (-5, "warning", "5 seconds behind ours"),
        (-3_600, "warning", "3600 seconds behind ours"),
    ],
)
def test_a_clock_is_told_from_five_seconds_on(offset, outcome, says):
    world = World()
    world.clock.time += 0.5  # in the middle of a second: Slack tells whole ones
    world.slack.offset = offset
    checked = looked(world)
    assert outcomes(checked)["clock"] == outcome
    assert says in finding(checked, "clock").what
    assert checked.ok


def test_a_slack_that_does_not_tell_its_time_is_told():
    world = World()
    world.slack.says_the_time = False
    assert outcomes(looked(world))["clock"] == "warning"


# ---- archive, table, stream ----


@pytest.mark.parametrize(
    ("call", "number", "name"),
    [
        ("archive.put_new", 1, "archive"),
        ("archive.get", 1, "archive"),
        ("archive.keys", 1, "listing"),
        ("archive.keys", 2, "listing"),
        ("checkpoints.try_to_write", 1, "table"),
    ],
)
@pytest.mark.parametrize(
    ("error", "outcome"), [(StorageRefusedError("AccessDenied"), "failed"), (StorageError("timed out"), "unknown")]
)
def test_a_store_that_refuses_is_wrong_and_the_others_are_looked_at_all_the_same(call, number, name, error, outcome):
    world = World()
    world.faults.fail(call, number, error)
    checked = looked(world)
    assert outcomes(checked) == dict.fromkeys(ALL, "ok") | {name: outcome}
    assert checked.ok is (outcome != "failed")


def test_both_prefixes_are_listed():
    world = World()
    world.archive.keys = lambda prefix, **_: listed.append(prefix) or []
    listed: list[str] = []
    looked(world)
    assert listed == ["raw/org=main/", "log/org=main/"]


def test_an_object_that_somebody_changed_is_wrong():
    world = World()
    world.archive.objects[KEY] = b"something else"
    checked = looked(world)
    assert outcomes(checked)["archive"] == "failed"
    assert "s3://archive/checks/org=main/write-once" in finding(checked, "archive").what


@pytest.mark.parametrize(
    ("error", "outcome"), [(SinkRefusedError("not found"), "failed"), (SinkUnavailableError("timed out"), "unknown")]
)
def test_a_stream_that_cannot_be_looked_at(error, outcome):
    world = World()
    world.faults.fail("stream.state", 1, error)
    assert outcomes(looked(world))["stream"] == outcome


def test_a_stream_that_takes_no_records_is_wrong():
    world = World()
    world.stream.takes = False
    checked = looked(world)
    assert outcomes(checked)["stream"] == "failed"
    assert not checked.ok
