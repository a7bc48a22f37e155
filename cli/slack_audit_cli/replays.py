"""A replay as Step Functions tells of it: started, followed, resumed, and what came of it as a person reads it."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from slack_audit_cli.plain import on_one_line

OVER = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
LOOK_EVERY = 2.0  # seconds
ASKED_WRONGLY = {"SettingsError", "SelectionError"}

type Tell = Callable[[int, int], None]  # items done, items in all


class Outcome(msgspec.Struct, frozen=True):
    """How a replay ended: its report, or the reason why there is none."""

    status: str
    report: dict[str, Any] | None = None
    error: str = ""
    reason: str = ""

    @property
    def asked_wrongly(self) -> bool:
        """Was it refused before anything was sent?"""
        return self.error in ASKED_WRONGLY


class Replays:
    """The executions of a state machine. Raises ClientError and BotoCoreError."""

    def __init__(self, client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def start(self, machine: str, name: str, request: dict[str, Any]) -> str:
        """The execution's ARN."""
        started: str = self._client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(request))[
            "executionArn"
        ]
        return started

    def resume(self, execution: str) -> None:
        """Goes on with what failed, within 14 days."""
        self._client.redrive_execution(executionArn=execution)

    def follow(self, execution: str, tell: Tell) -> Outcome:
        """Waits for its end, however long that takes, and tells how many items are done."""
        while True:
            told = self._client.describe_execution(executionArn=execution)
            run = self._map_run(execution)
            if run is not None:
                tell(run["itemCounts"]["succeeded"], run["itemCounts"]["total"])
            if told["status"] in OVER:
                return self._outcome(told, run)
            self._sleep(LOOK_EVERY)

    def _map_run(self, execution: str) -> Any:
        """The newest one, with its counts; None before the plan is made."""
        runs = self._client.list_map_runs(executionArn=execution)["mapRuns"]
        if not runs:
            return None
        newest = max(runs, key=lambda it: it["startDate"])
        return self._client.describe_map_run(mapRunArn=newest["mapRunArn"])

    def _outcome(self, told: Any, run: Any) -> Outcome:
        if told["status"] == "SUCCEEDED":
            return Outcome("SUCCEEDED", json.loads(told["output"]))
        if told.get("error") == "States.ExceedToleratedFailureThreshold" and run is not None:
            told = {**told, **self._failed_item(run["mapRunArn"])}
        return Outcome(told["status"], error=told.get("error", ""), reason=_reason(told))

    def _failed_item(self, run: str) -> dict[str, Any]:
        """The error of one of the items that failed: the map's own says no more than that one did."""
        failed = self._client.list_executions(mapRunArn=run, statusFilter="FAILED", maxResults=1)["executions"]
        if not failed:
            return {}
        item = self._client.describe_execution(executionArn=failed[0]["executionArn"])
        return {name: item[name] for name in ("error", "cause") if name in item}


def _reason(told: Any) -> str:
    """A function's own sentence, which Step Functions hands on as JSON."""
    cause = told.get("cause") or ""
    try:
        said = json.loads(cause)
    except ValueError:
        return str(cause)
    return str(said.get("errorMessage", cause)) if isinstance(said, dict) else str(cause)


def show(report: dict[str, Any], console: Console) -> None:
    """The report, a line for each thing that it says: none is cut, for they are there to be copied."""
    verdict = "CLEAN" if report["clean"] else "DIFFERS FROM THE LOG"
    console.print(Text(f"Replay {on_one_line(report['replay_id'])}: {verdict}", style="bold"), soft_wrap=True)
    for name, value in _lines(report):
        console.print(Text.assemble((f"{name:<15}", "dim"), on_one_line(value)), soft_wrap=True)


def _lines(report: dict[str, Any]) -> Iterator[tuple[str, object]]:
    totals = report["totals"]
    target = report["target"]
    yield "target", target.get("stream") or target.get("queue") or f"s3://{target['bucket']}/{target.get('prefix', '')}"
    yield "selection", _selection(report["selection"])
    yield "log entries", f"{report['first']} to {report['last']} ({totals['entries']:,}) in {report['items']:,} items"
    yield "head", f"{report['last']}:{report['head']}"
    yield "batches read", f"{totals['batches']:,}"
    yield "events read", f"{totals['read']:,}"
    yield "events wanted", f"{totals['selected']:,}"
    yield "events sent", f"{totals['sent']:,}"
    yield "differences", f"{report['differences']:,}"
    yield "report", report["report"]


def _selection(said: dict[str, Any]) -> str:
    """As it was asked for: options and what they say, times as times."""
    words = {
        name: _time(value) if name in {"since", "until"} else ", ".join(value) if isinstance(value, list) else value
        for name, value in said.items()
    }
    return "; ".join(f"{name} {value}" for name, value in words.items()) or "everything"


def _time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
