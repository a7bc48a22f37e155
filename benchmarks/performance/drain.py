"""A backlog drained by the collect function's own handler, run after run, until nothing is due.

    python -m benchmarks.performance.drain --events 1000000                 by the live pass, into S3, DynamoDB, Kinesis
    python -m benchmarks.performance.drain --events 1000000 --no-kinesis    by a backfill that does not publish
    python -m benchmarks.performance.drain --passes all                     live, late and final read everything

Without Kinesis, what drains the backlog is a backfill with `publish` false, which is how a person fills the archive
alone; the live pass begins behind it and has nothing to read. Slack's share of calls is no limit here.

`cpu` is of the drain alone. What imports and the first calls cost (the function's own check, which calls every service
once) is told as `cpu_import` and `cpu_first`; `peak_mb` is of everything. Then the archive is proven: every event of
the history once, and as many records in the stream.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

from benchmarks.performance.measured import peak_mb, quiet, tell, used
from benchmarks.performance.stage import (
    HOUR,
    MOMENT,
    RATE,
    Servers,
    between,
    environment,
    in_one_heap,
    invoked,
    servers,
    without_a_proxy,
)

OLDER = 26  # hours: what final and a backfill have to keep away from now, and one
MOST_RUNS = 200
PAGE = 9_999  # events; Slack's largest

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def main() -> None:
    """Measures one drain."""
    in_one_heap()
    asked = _asked()
    older = OLDER if asked.passes == "all" or not asked.kinesis else 0
    slack = ["--events", str(asked.events), "--hours", str(asked.hours), "--older", str(older)]
    slack += ["--delay", *map(str, asked.slack_delay), *(["--gzip"] if asked.gzip else [])]
    without_a_proxy()
    with servers(slack, ["--delay", str(asked.aws_delay)]) as at, quiet("drain"):
        lookback = asked.hours + older if asked.kinesis else 0
        os.environ.update(environment(at, **_settings(asked, lookback)))
        told = _measure(asked, at)
    tell(**told)


def _settings(asked: argparse.Namespace, lookback: int) -> dict[str, str]:
    settings = {"INITIAL_LOOKBACK_HOURS": str(lookback), "SLACK_CALLS_PER_MINUTE": str(asked.calls_per_minute)}
    if asked.passes == "live":
        settings |= {"LATE_PASS_MINUTES": "0", "FINAL_PASS_HOURS": "0"}
    return settings


def _measure(asked: argparse.Namespace, at: Servers) -> dict[str, Any]:
    start = used()
    from collect.app import lambda_handler  # noqa: PLC0415 - its import is measured

    imported = used()
    if not invoked(lambda_handler, check=True)["ok"]:
        raise RuntimeError("the function's check finds that it cannot collect")
    if not asked.kinesis:
        _order_a_backfill(lambda_handler, asked.hours)
    calls, before = at.calls(), used()
    runs = until_drained(lambda_handler)
    cost, peak = used().since(before), peak_mb()
    made = between(calls, at.calls())
    records = made.pop("records")
    from benchmarks.performance.proof import prove  # noqa: PLC0415 - it imports what the drain's import is measured by

    repeats = prove(at, asked.events, records=asked.events if asked.kinesis else 0, arrived=records)
    return {
        "name": "drain",
        "events": asked.events,
        "cost": cost,
        "peak": peak,
        "calls": made,
        "kinesis": asked.kinesis,
        "passes": asked.passes,
        "repeats": repeats,
        **_sums(runs),
        "fill": round(asked.events / PAGE / made["slack"], 4),
        "cpu_import": round(imported.since(start).cpu, 4),
        "cpu_first": round(before.since(imported).cpu, 4),
    }


def _sums(runs: list[dict[str, Any]]) -> dict[str, int]:
    return {"runs": len(runs), **{name: sum(run[name] for run in runs) for name in ("windows", "batches")}}


def _order_a_backfill(handler: Handler, hours: int) -> None:
    """After a run, which makes the log: the backfill's range is the history's."""
    invoked(handler)
    end = MOMENT - OLDER * HOUR
    invoked(handler, backfill={"from": end - hours * HOUR, "to": end - 1, "publish": False})


def at_once() -> None:
    """The next run starts when the one before has ended."""


def until_drained(handler: Handler, in_between: Callable[[], None] = at_once) -> list[dict[str, Any]]:
    """Run after run. Raises RuntimeError where that comes to no end."""
    runs: list[dict[str, Any]] = []
    while len(runs) < MOST_RUNS:
        runs.append(invoked(handler))
        last = runs[-1]
        if last["stopped"] == "nothing_due" and not last["backlog"] and not last["backfill_remaining"]:
            return runs
        in_between()
    raise RuntimeError(f"{MOST_RUNS} runs did not drain the backlog: {runs[-1]}")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--hours", type=int, help=f"over which they are spread (as many as make {RATE} a second)")
    parser.add_argument("--kinesis", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--passes", choices=["live", "all"], default="live")
    parser.add_argument("--gzip", action="store_true", help="Slack's answers are compressed")
    parser.add_argument(
        "--slack-delay", type=float, nargs="+", default=[0.0], help="seconds: one number, or from and to"
    )
    parser.add_argument("--aws-delay", type=float, default=0.0, help="seconds a call of AWS takes")
    parser.add_argument("--calls-per-minute", type=int, default=1_000_000)
    asked = parser.parse_args()
    if asked.passes == "all" and not asked.kinesis:
        parser.error("without Kinesis it is a backfill that reads, and no other pass")
    asked.hours = asked.hours or max(1, round(asked.events / RATE / HOUR))
    return asked


if __name__ == "__main__":
    main()
