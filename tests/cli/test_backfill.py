"""Orders for backfills, sent to the real code that carries them out."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from slack_audit_cli.app import app
from slack_audit_cli.backfills import follow, send
from tests.builders import raw_event
from tests.cli.account import InMemory, given, refused

NAME = "backfill-1764547200-1765411199"


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


class Waits:
    """Stands for `time`: nobody waits, and something may happen meanwhile."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.meanwhile()


@pytest.fixture
def waits(monkeypatch) -> Waits:
    waits = Waits()
    for module in (send, follow):
        monkeypatch.setattr(module, "time", waits)
    return waits


@pytest.fixture
def aws(monkeypatch) -> InMemory:
    """A stack that has collected for a while."""
    aws = given(monkeypatch, InMemory(Orgs="labs"))
    aws.world.with_changes(lags={"live": 60, "late": 2_100, "final": 90_300, "backfill": 90_300})
    aws.world.until_done()
    return aws


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["backfill", *words, "--stack", "audit"])


def started(*more: str) -> Result:
    return typed("start", "--from", "2025-12-01", "--to", "2025-12-10", *more)


def words(text: str) -> str:
    return " ".join(text.split())


def test_an_order_goes_to_the_live_function_and_all_backfills_are_shown(aws):
    result = started()
    (asked,) = aws.asked
    order = {"from": 1_764_547_200, "to": 1_765_411_199, "publish": False}
    assert asked == (aws.outputs["CollectFunctionName"], {"org": "main", "backfill": order})
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{NAME} 2025-12-01 to 2025-12-10 2025-11-30 23:59:59 0.0% running no" in words(result.stdout)
    assert typed("list").stdout == started().stdout == result.stdout, "the same order again changes nothing"


def test_the_life_of_a_backfill(aws):
    started("--publish")
    assert "paused yes" in words(typed("pause", NAME).stdout)
    assert "running yes" in words(typed("resume", NAME).stdout)
    assert typed("cancel", NAME).stdout == "No backfill is under way.\n"


def test_a_paused_stack_is_told(aws):
    aws.parameters["ScheduleState"] = "DISABLED"
    result = started()
    assert (result.exit_code, "The stack is paused" in result.stderr) == (0, True)


def test_json_is_all_there_is_on_stdout(aws):
    result = started("--json", "--org", "labs")
    assert aws.asked[0][1]["org"] == "labs"
    (state,) = json.loads(result.stdout)
    assert (result.stderr, state["name"], state["from"], state["done"]) == ("", NAME, "2025-12-01T00:00:00Z", 0.0)


def test_times_are_told_where_the_range_is_not_of_whole_days(aws):
    said = words(typed("start", "--from", "2025-12-01T06:00:00Z", "--to", "2025-12-01T18:00:00Z").stdout)
    assert "2025-12-01 06:00:00 to" in said
    assert said.endswith("2025-12-01 18:00:00")


def test_on_a_narrow_terminal_no_line_of_the_table_is_broken(aws, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = started().stdout.splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (("pause", "nobody"), "There is no backfill 'nobody': it has ended, was cancelled, or never was. Now: none."),
        (("start", "--from", "2025-12-10", "--to", "2025-12-01"), "2025-12-01T23:59:59Z is before --from"),
        (("start", "--from", "2026-01-01", "--to", "2027-01-01"), "after today (UTC)"),
        (("start", "--from", "tomorrow", "--to", "2027-01-01"), "'tomorrow' is no time"),
        (("start", "--from", "2026-01-01"), "Missing option '--to'"),
        (("list", "--org", "sales"), "the stack audit collects main, labs"),
        (("list", "--org", "../x"), "is no org"),
    ],
)
def test_an_order_that_is_refused_ends_with_2_and_the_reason(aws, order, said):
    result = typed(*order)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in words(result.stderr.replace("│", ""))


# ---- a busy lease ----


def test_an_order_that_meets_a_busy_lease_is_sent_again(aws, waits):
    aws.world.table.owner, aws.world.table.until = "another", aws.world.clock.time + 1_000_000

    def free() -> None:
        aws.world.table.owner = None

    waits.meanwhile = free
    result = started()
    assert (result.exit_code, waits.waited) == (0, [5])
    assert "held the lease all the time" in result.stderr
    assert "It is sent again in 5 s." in result.stderr


def test_it_gives_up_after_a_few_times(aws, waits):
    aws.refuses["Invoke"] = [refused("TooManyRequestsException", "Invoke") for _ in range(9)]
    result = started()
    assert (result.exit_code, waits.waited, len(aws.refuses["Invoke"])) == (2, [5, 10, 20], 5)
    assert "The order was not carried out. The collect function runs as often at once as it may." in result.stderr


# ---- the function fails ----


@pytest.mark.parametrize(
    ("payload", "failed", "said"),
    [
        (
            b'{"errorMessage":"a mistake","errorType":"KeyError"}',
            True,
            "The collect function failed (KeyError: a mistake)",
        ),
        (b'{"errorMessage":"Task timed out after 300.00 seconds"}', True, "Sending the order again does no harm."),
        (b'{"errorMessage":"Could not read","errorType":"StorageError"}', True, "carried out. Could not read"),
        (b"null", False, "it is of an older version, or another function"),
        (b"<html>", True, "it is of an older version, or another function"),
    ],
)
def test_what_the_function_failed_with_is_told(aws, payload, failed, said):
    reply = {"Payload": SimpleNamespace(read=lambda: payload), **({"FunctionError": "Unhandled"} if failed else {})}
    aws.invoke = lambda **_: reply
    result = started()
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_permission_that_is_missing_ends_with_2(aws):
    aws.refuses["Invoke"] = [refused("AccessDeniedException", "Invoke")]
    assert "It needs lambda:InvokeFunction." in started().stderr


# ---- --follow ----


def test_following_ends_when_all_have_ended(aws, waits):
    aws.world.slack.add([raw_event(1_764_600_000 + n, n) for n in range(5)])
    waits.meanwhile = lambda: aws.world.run(seconds=60)
    result = started("--follow")
    assert (result.exit_code, result.stdout) == (0, "No backfill is under way.\n")
    assert result.stderr.startswith(f"{NAME}: 0.0%\n")
    assert result.stderr.endswith(f"{NAME}: has ended, or was cancelled\n")
    assert sum(key.startswith("raw/org=main/dt=2025-12-01/") for key in aws.world.archive.objects) == 1


def test_following_ends_with_1_where_the_rest_is_paused(aws, waits):
    started()
    waits.meanwhile = lambda: aws.world.order(pause=NAME)
    result = typed("list", "--follow", "--json")
    assert (result.exit_code, waits.waited) == (1, [15])
    assert json.loads(result.stdout)[0]["paused"] is True
    assert f"{NAME}: 0.0%, paused\nWhat is left is paused" in result.stderr


def test_following_that_cannot_go_on_says_that_the_backfill_does(aws, waits):
    def broken() -> None:
        aws.refuses["Invoke"] = [refused("ExpiredTokenException", "Invoke")]

    waits.meanwhile = broken
    result = started("--follow")
    assert (result.exit_code, "goes on all the same" in result.stderr) == (2, True)
