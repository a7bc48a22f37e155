"""Slack asked directly: what is asked, what is printed, and how it keeps to the rates."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from local.slack.settings import DEFAULT_TOKEN
from slack_audit.errors import CrowdedSecondError, RateLimitedError, SelectionError, UnavailableError
from slack_audit.events import Event
from slack_audit.log import Filters
from slack_audit.ports import Answer, Query
from slack_audit.windows import Window
from slack_audit_cli.app import app
from slack_audit_cli.fetching.ask import Asked, OutOfPatienceError, Pace
from tests.builders import DAY_START, event, raw_event
from tests.cli.account import InMemory, given
from tests.fakes import Clock, Faults, Slack

HOUR = 3_600
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("A_TOKEN", DEFAULT_TOKEN)


# ---- asking, with a clock that is moved by hand ----


class World:
    """A Slack, and somebody who asks it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.deadline = 1e12
        self.slack = Slack(self.clock, Faults())
        self.told: list[str] = []

    def asks(self, *, per_minute: int = 40, patience: float = 300, **filters: str) -> Asked:
        return Asked(self.slack, self.clock, Filters(**filters), Pace(per_minute, patience), self.told.append)

    def limited(self, *numbers: int, retry_after: int = 30) -> None:
        for number in numbers:
            self.slack.faults.fail("slack.read", number, RateLimitedError("wait", retry_after=retry_after))


@pytest.fixture
def world() -> World:
    return World()


def ids(events: list[Event]) -> list[str]:
    return [it.id for it in events]


def test_everything_of_a_range_is_read_by_whole_windows_oldest_first(world):
    world.slack.page = 50
    raws = [raw_event(DAY_START + at, at) for at in range(0, 1_900, 2)]
    world.slack.add(raws)
    found = [it for batch in world.asks().everything(Window(DAY_START, DAY_START + 1_900)) for it in batch]
    assert [it.raw for it in found] == raws
    assert not [it.cursor for it in world.slack.queries if it.cursor]


def test_a_crowded_second_is_walked_until_it_is_whole(world):
    world.slack.page = 10
    world.slack.add(raw_event(DAY_START, n) for n in range(35))
    (found,) = [batch for batch in world.asks().everything(Window(DAY_START, DAY_START + 9)) if batch]
    assert len(found) == 35


def test_the_newest_are_as_many_as_asked_for_and_every_page_repeats_the_filters(world):
    world.slack.page = 10
    world.slack.add(raw_event(DAY_START + n, n, action="user_login" if n % 2 else "file_shared") for n in range(100))
    window = Window(DAY_START, DAY_START + 1_000)
    found = world.asks(action="user_login").newest(window, 25)
    assert ids(found) == [f"{DAY_START + n}-{n}" for n in range(99, 49, -2)]
    assert [(it.limit, it.filters.action, it.window) for it in world.slack.queries] == [
        (25, "user_login", window),
        (15, "user_login", window),
        (5, "user_login", window),
    ]


def test_more_actions_than_fit_into_a_call_are_asked_in_more_calls(world):
    names = [f"action_{n}" for n in range(65)]
    world.slack.add(raw_event(DAY_START + n, n, action=name) for n, name in enumerate(names))
    asked = world.asks(action=",".join(names))
    assert ids(asked.newest(None, 3)) == [f"{DAY_START + n}-{n}" for n in (64, 63, 62)]
    assert asked.calls == 3


def test_a_cursor_that_does_not_move_is_no_endless_walk(world):
    class Stuck(Slack):
        def read(self, query: Query, timeout: float) -> Answer:
            return Answer([event(DAY_START)], "the same", self.now)

    world.slack = Stuck(world.clock, Faults())
    with pytest.raises(UnavailableError, match="came twice"):
        world.asks().newest(None, 10)


def test_a_range_ends_with_the_last_second_that_is_over_by_slacks_clock(world):
    world.slack.offset = -100
    assert world.asks().range(DAY_START, None) == Window(DAY_START, DAY_START + 1_899)
    assert world.asks().range(DAY_START, DAY_START + 5) == Window(DAY_START, DAY_START + 5)
    assert world.asks().range(DAY_START, DAY_START + 9_999).hi == DAY_START + 1_899
    with pytest.raises(SelectionError, match="nothing of that range is over yet"):
        world.asks().range(DAY_START + 1_950, None)


def test_it_keeps_under_its_calls_a_minute(world):
    world.slack.page = 20
    world.slack.add(raw_event(DAY_START + at, at) for at in range(1_900))
    times: list[float] = []
    world.slack.faults.before = lambda _name: times.append(world.clock.time)
    asked = world.asks(per_minute=20)
    assert sum(map(len, asked.everything(Window(DAY_START, DAY_START + 1_900)))) == 1_900
    assert asked.calls > 90
    assert max(sum(at <= other < at + 60 for other in times) for at in times) <= 20
    assert any("Waiting before the next call" in it for it in world.told)


def test_what_slack_says_to_wait_is_waited_and_told(world):
    world.slack.add([raw_event(DAY_START)])
    world.limited(1, 2)
    assert len(world.asks().newest(None, 5)) == 1
    assert world.told == ["Slack limits the rate: waiting 30 s."] * 2


def test_a_rate_limit_in_the_middle_of_a_range_costs_nothing_but_time(world):
    world.slack.page = 20
    world.slack.add(raw_event(DAY_START + at, at) for at in range(1_900))
    world.limited(30, 31, 60)
    assert sum(map(len, world.asks().everything(Window(DAY_START, DAY_START + 1_900)))) == 1_900


def test_patience_ends(world):
    world.limited(*range(1, 9), retry_after=40)
    with pytest.raises(OutOfPatienceError, match=r"says to wait 40 s, of which --patience leaves 18 s"):
        world.asks(patience=100).newest(None, 5)
    assert sum(world.clock.slept) == 82
    with pytest.raises(OutOfPatienceError):
        list(world.asks(patience=0).everything(Window(DAY_START, DAY_START + 9)))


def test_a_second_that_cannot_be_read_whole_is_told(world):
    class Restless(Slack):
        """Shows other events in every walk."""

        def _page(self, query: Query) -> Answer:
            number = len(self.queries)
            return Answer([event(DAY_START, n) for n in range(number, number + 5)], None if query.cursor else "1", None)

    world.slack = Restless(world.clock, Faults())
    with pytest.raises(CrowdedSecondError):
        list(world.asks(per_minute=10_000).everything(Window(DAY_START, DAY_START)))


# ---- the command ----


@pytest.fixture
def typed(slack):
    now = int(time.time())
    slack.generate(300, start=now - 5 * HOUR, end=now - 60)

    def typed(*words: str, token_from: str = "env:A_TOKEN") -> Result:
        return CliRunner().invoke(app, ["fetch", "--token-from", token_from, "--slack-api-url", slack.url, *words])

    return typed


def words(text: str) -> str:
    return " ".join(text.split())


def test_bytes_are_as_slack_sent_them_and_everything_else_goes_to_stderr(typed, slack):
    result = typed("--oldest", "6h")
    assert result.exit_code == 0
    assert sorted(result.stdout_bytes.splitlines()) == sorted(slack.events())
    seconds = [json.loads(line)["date_create"] for line in result.stdout_bytes.splitlines()]
    assert seconds == sorted(seconds)
    assert result.stderr.startswith("300 events by ")
    assert result.stderr.endswith("calls. No evidence: none of it was archived.\n")


def test_without_a_range_and_a_limit_it_is_the_newest_100(typed, slack):
    lines = typed().stdout_bytes.splitlines()
    assert len(lines) == 100
    assert set(lines) <= set(slack.events())
    (call,) = slack.calls()
    assert "oldest" not in repr(call)


def test_slacks_own_filters_are_sent(typed, slack):
    (wanted, *_) = [it for it in map(json.loads, slack.events()) if it["action"] == "user_login"]
    user = wanted["actor"]["user"]["id"]
    result = typed("--action", "user_login", "--action", "user_logout,user_login", "--actor", user, "--oldest", "1d")
    found = [json.loads(line) for line in result.stdout_bytes.splitlines()]
    assert wanted in found
    assert {it["action"] for it in found} <= {"user_login", "user_logout"}
    assert {it["actor"]["user"]["id"] for it in found} == {user}
    assert "action=user_login%2Cuser_logout" in repr(slack.calls()) or "user_login,user_logout" in repr(slack.calls())


def test_a_person_gets_a_table(typed, monkeypatch):
    said = typed("--limit", "3", "--format", "table").stdout.splitlines()
    assert words(said[0]) == "time (UTC) action actor entity from"
    assert len(said) == 4
    monkeypatch.setenv("COLUMNS", "80")
    said = typed("--limit", "30", "--format", "table").stdout.splitlines()
    assert (len(said), max(map(len, said)) <= 80) == (31, True)


def test_a_table_of_more_than_one_window_has_one_header(typed, slack):
    slack.change(page_limit=40)
    lines = typed("--oldest", "6h", "--format", "table").stdout.splitlines()
    assert len(lines) == 301
    assert sum("time (UTC)" in line for line in lines) == 1


def test_hostile_events_never_control_the_terminal(typed, slack):
    now = int(time.time())
    user = {"id": "W1", "name": "\x1b[2J\u202e[bold]x", "email": 7}
    slack.add(
        raw_event(now - 30, action="\x1b]0;title\x07", actor={"type": "user", "user": user}, entity=[], context="x")
    )
    slack.add(raw_event(now - 29, actor=None, entity={"type": 5}), at=now - 29)
    result = typed("--limit", "2", "--format", "table")
    assert result.exit_code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "status", "status": 401}, "the token is not accepted"),
        ({"kind": "status", "status": 403, "body": '{"ok":false,"error":"team_not_authorized"}'}, "on a workspace"),
        ({"kind": "rate_limit", "retry_after": "60", "times": 9}, "says to wait 60 s, of which --patience leaves 5 s"),
    ],
)
def test_what_slack_refuses_ends_with_2(typed, slack, fault, said):
    slack.fault(**{"times": 2, **fault})
    result = typed("--patience", "5")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Slack did not give all of it, only what is printed." in result.stderr
    assert DEFAULT_TOKEN not in result.output


def test_what_was_cut_off_says_where_to_go_on(typed, slack):
    slack.change(page_limit=40)
    slack.fault("status", status=403, after=6, times=9)
    result = typed("--oldest", "6h")
    printed = result.stdout_bytes.splitlines()
    assert result.exit_code == 2
    assert 0 < len(printed) < 300
    (since,) = re.findall(r"--oldest (\S+) goes on\.", result.stderr)
    slack.clear_faults()
    rest = typed("--oldest", since).stdout_bytes.splitlines()
    assert sorted(printed + rest) == sorted(slack.events())


def test_an_action_that_slack_does_not_know_ends_with_2(typed):
    result = typed("--action", "user_flew")
    assert (result.exit_code, "A name in ActionFilter is unknown to Slack" in result.stderr) == (2, True)


def test_a_fault_that_passes_is_told_and_asked_again(typed, slack):
    slack.fault("status", status=503)
    result = typed("--limit", "3")
    assert (result.exit_code, len(result.stdout_bytes.splitlines())) == (0, 3)
    assert "slack did not answer, asking again: Slack answered org" in result.stderr


def test_a_stack_names_its_token_and_its_slack(slack, cloud, monkeypatch):
    slack.generate(5, start=int(time.time()) - HOUR, end=int(time.time()) - 60)
    aws = given(monkeypatch, InMemory(Orgs="labs", SlackApiUrl=slack.url))
    aws.outputs["SlackTokenSecretArn"] = cloud.secret(json.dumps({"token": DEFAULT_TOKEN}))
    in_memory = aws.client
    monkeypatch.setattr(
        aws, "client", lambda name: cloud.clients.secrets if name == "secretsmanager" else in_memory(name)
    )
    result = CliRunner().invoke(app, ["fetch", "--stack", "audit"])
    assert (result.exit_code, len(result.stdout_bytes.splitlines())) == (0, 5)
    other = CliRunner().invoke(app, ["fetch", "--stack", "audit", "--org", "labs"])
    assert (other.exit_code, "The secret audit/labs gives no token" in other.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "name one of the two"),
        (["--token-from", "env:A_TOKEN", "--stack", "audit"], "name one of the two"),
        (["--token-from", "xoxp-typed-by-mistake"], "a token does not belong into a command"),
        (["--token-from", "env:A_TOKEN", "--oldest", "soon"], "'soon' is no time"),
        (["--token-from", "env:A_TOKEN", "--oldest", "1d", "--latest", "2d"], "Z is before --oldest"),
        (["--token-from", "env:A_TOKEN", "--limit", "0"], "Invalid value for '--limit'"),
        (["--token-from", "env:A_TOKEN", "--slack-api-url", "http://slack.example.com"], "is not allowed"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(options, said):
    result = CliRunner().invoke(app, ["fetch", *options])
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in words(result.stderr.replace("│", ""))
    assert "xoxp-typed" not in result.stderr


def test_head_ends_it_quietly(slack):
    slack.generate(20_000, start=int(time.time()) - HOUR, end=int(time.time()) - 60)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'cli'}:{ROOT / 'layers' / 'collector'}",
        "A_TOKEN": DEFAULT_TOKEN,
    }
    line = (
        f"{sys.executable} -m slack_audit_cli fetch --token-from env:A_TOKEN --slack-api-url {slack.url} --oldest 1d"
        " | head -1; echo ${PIPESTATUS[0]}"
    )
    ran = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, check=True)
    first, code = ran.stdout.splitlines()
    assert (json.loads(first)["action"] != "", code, ran.stderr) == (True, "141", "")
