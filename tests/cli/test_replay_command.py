"""slack-audit replay as it is typed: what it asks of Step Functions, what it prints, and what it ends with."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from slack_audit.replay_plan import Stack, request_of
from slack_audit_cli import replays
from slack_audit_cli.app import app
from slack_audit_cli.commands import replay as command
from slack_audit_cli.deployed import Deployed
from slack_audit_cli.opened import Account

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:replay"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:replay:case-17"
REPORT = {
    "done": True,
    "clean": True,
    "report": "s3://archive/replay/org=main/case-17/report.json",
    "org": "main",
    "replay_id": "case-17",
    "selection": {"actors": ["Zoë [bold]☃\x1b[31m\u202e"]},
    "target": {"stream": "investigation"},
    "first": 3,
    "last": 1_003,
    "head": "ab" * 32,
    "items": 64,
    "totals": {"entries": 1_001, "batches": 900, "read": 123_456, "selected": 1_234, "sent": 1_234},
    "differences": 0,
    "findings": [],
}


class States:
    """Step Functions, as far as the command knows it: each look at the execution takes what comes next."""

    def __init__(self, *looks: dict[str, Any]) -> None:
        self.looks = list(looks)
        self.started: list[dict[str, Any]] = []
        self.redriven: list[str] = []
        self.failed: dict[str, Any] = {}
        self.runs = [{"mapRunArn": "old", "startDate": datetime(2026, 1, 1, tzinfo=UTC)}]

    def start_execution(self, **asked: Any) -> dict[str, Any]:
        self.started.append(asked)
        return {"executionArn": EXECUTION}

    def redrive_execution(self, **asked: Any) -> None:
        self.redriven.append(asked["executionArn"])

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn == "item":
            return self.failed
        assert executionArn == EXECUTION
        look = self.looks.pop(0)
        if "raised" in look:
            raise look["raised"]
        return look

    def list_map_runs(self, **_: Any) -> dict[str, Any]:
        return {"mapRuns": self.runs}

    def describe_map_run(self, *, mapRunArn: str) -> dict[str, Any]:  # noqa: N803
        return {"mapRunArn": mapRunArn, "itemCounts": {"succeeded": 3, "total": 64}}

    def list_executions(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"mapRunArn": self.runs[-1]["mapRunArn"], "statusFilter": "FAILED", "maxResults": 1}
        return {"executions": [{"executionArn": "item"}]}


RUNNING = {"status": "RUNNING"}
SUCCEEDED = {"status": "SUCCEEDED", "output": json.dumps(REPORT)}


@pytest.fixture
def run(monkeypatch):
    """Types the command against these looks at the execution."""

    def run_on(states: States, *options: str) -> Result:
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setattr(Account, "client", lambda _account, _service: states)
        named = command.MACHINE
        monkeypatch.setattr(
            command, "deployed", lambda _account, stack: Deployed(stack, {}, {named: f"{MACHINE}-{stack}-{named}"})
        )
        monkeypatch.setattr(replays, "LOOK_EVERY", 0)
        return CliRunner().invoke(app, ["replay", *options])

    return run_on


TO = ("--stack", "audit", "--to-stream", "investigation")


def test_a_replay_is_started_followed_and_its_report_printed(run):
    states = States(RUNNING, RUNNING, SUCCEEDED)
    result = run(states, *TO, "--name", "case-17")
    assert result.exit_code == 0
    assert result.stderr == f"{EXECUTION}\n"
    (started,) = states.started
    assert started["stateMachineArn"] == f"{MACHINE}-audit-ReplayStateMachineArn"
    assert started["name"] == "case-17"
    shown = " ".join(result.stdout.split())
    assert "Replay case-17: CLEAN" in shown
    for said in ("target investigation", "3 to 1003 (1,001) in 64 items", "events read 123,456", "events sent 1,234"):
        assert said in shown
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "[bold]" in result.stdout, "a name is no markup"


def test_every_option_reaches_the_request_and_the_function_takes_it(run):
    states = States(SUCCEEDED)
    words = (
        "--org lab --from 2026-01-01 --to 2026-01-02 --pass live --pass late --action user_* --actor ada@example.com"
    )
    more = "--entity C1 --ip 192.0.2.0/24 --where details --concurrency 3 --into-the-live-stream live"
    result = run(states, "--stack", "audit", "--to-stream", "live", *words.split(), *more.split())
    assert result.exit_code == 0
    asked = json.loads(states.started[0]["input"])
    assert asked == {
        "org": "lab",
        "selection": {
            "since": 1_767_225_600,
            "until": 1_767_398_399,
            "passes": ["live", "late"],
            "actions": ["user_*"],
            "actors": ["ada@example.com"],
            "entities": ["C1"],
            "ips": ["192.0.2.0/24"],
            "where": "details",
        },
        "target": {"stream": "live"},
        "concurrency": 3,
        "into_the_live_stream": "live",
    }
    assert request_of(asked, Stack("archive", "live")).concurrency == 3
    assert states.started[0]["name"].startswith("replay-")


@pytest.mark.parametrize(
    ("options", "target"),
    [
        (["--to-bucket", "s3://cases/case-17"], {"bucket": "cases", "prefix": "case-17/"}),
        (["--to-bucket", "s3://cases/a/b/"], {"bucket": "cases", "prefix": "a/b/"}),
        (["--to-bucket", "s3://cases"], {"bucket": "cases", "prefix": ""}),
        (["--to-queue", "https://sqs.example.com/000000000000/q"], {"queue": "https://sqs.example.com/000000000000/q"}),
    ],
)
def test_a_target_is_what_the_function_takes(run, options, target):
    states = States(SUCCEEDED)
    assert run(states, "--stack", "audit", *options).exit_code == 0
    asked = json.loads(states.started[0]["input"])
    assert asked["target"] == target
    assert request_of(asked, Stack("archive", "live"))


def test_json_is_all_that_stands_on_stdout(run):
    assert json.loads(run(States(SUCCEEDED), *TO, "--json").stdout) == REPORT


def test_detached_it_prints_the_arn_alone(run):
    result = run(States(), *TO, "--detach")
    assert (result.exit_code, result.stdout) == (0, f"{EXECUTION}\n")


def failed(error: str, cause: str) -> dict[str, Any]:
    return {"status": "FAILED", "error": error, "cause": cause}


SAID = json.dumps({"errorType": "SinkRefusedError", "errorMessage": "Stream x refuses\nrecords\x1b[31m."})


def test_a_failed_item_is_named_with_its_own_error_and_how_to_go_on(run):
    states = States(failed("States.ExceedToleratedFailureThreshold", "The threshold was exceeded"))
    states.runs.append({"mapRunArn": "new", "startDate": datetime(2026, 1, 2, tzinfo=UTC)})
    states.failed = {"error": "SinkRefusedError", "cause": SAID}
    result = run(states, *TO)
    assert result.exit_code == 1
    assert "ended as FAILED. SinkRefusedError: Stream x refuses records" in result.stderr
    assert f"slack-audit replay --redrive {EXECUTION}" in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout == ""


def test_a_request_that_was_refused_is_asked_wrongly_and_not_to_be_resumed(run):
    said = json.dumps({"errorType": "SettingsError", "errorMessage": "say it twice"})
    result = run(States(failed("SettingsError", said)), *TO)
    assert result.exit_code == 2
    assert "say it twice" in result.stderr
    assert "--redrive" not in result.stderr


def test_a_replay_is_resumed_and_followed(run):
    states = States(RUNNING, SUCCEEDED)
    assert run(states, "--redrive", EXECUTION).exit_code == 0
    assert (states.redriven, states.started) == ([EXECUTION], [])


def test_a_replay_is_watched_again(run):
    states = States(RUNNING, SUCCEEDED)
    assert run(states, "--follow", EXECUTION).exit_code == 0
    assert (states.redriven, states.started) == ([], [])


def test_ctrl_c_stops_watching_and_says_how_to_go_on(run):
    result = run(States(RUNNING, {"raised": KeyboardInterrupt()}), *TO)
    assert result.exit_code == 130
    assert f"The replay goes on. To watch it again: slack-audit replay --follow {EXECUTION}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--stack, --follow or --redrive"),
        (["--stack", "audit"], "--to-stream, --to-bucket or --to-queue"),
        ([*TO, "--to-queue", "x"], "--to-stream, --to-bucket or --to-queue"),
        (["--stack", "audit", "--follow", EXECUTION], "--stack, --follow or --redrive"),
        (["--stack", "audit", "--to-bucket", "cases/x"], "s3://bucket/prefix/"),
        ([*TO, "--from", "yesterday"], "is no time"),
        ([*TO, "--pass", "nightly"], "no pass"),
        ([*TO, "--org", "../x"], "is no org"),
        ([*TO, "--concurrency", "0"], "--concurrency"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2_and_starts_nothing(run, options, said):
    states = States()
    result = run(states, *options)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert states.started == []
