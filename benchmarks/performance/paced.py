"""A backlog drained in real time: Slack answers in 1 to 4 seconds, every call of AWS takes 50 ms, 40 calls a minute.

    python -m benchmarks.performance.paced                takes about five minutes

Runs start as the schedule starts them, every minute, unless the one before is still under way. `share` is the part of
the call budget that was used: the calls of all whole minutes from the first call on, of 40 in each. The first minute
proves little, for 40 calls are allowed at once after a minute without any: there must be three at least.
"""

import argparse
import os
import time
from typing import Any

from benchmarks.performance.drain import PAGE, until_drained
from benchmarks.performance.measured import peak_mb, quiet, tell, used
from benchmarks.performance.processes import told
from benchmarks.performance.stage import (
    HOUR,
    RATE,
    Servers,
    between,
    environment,
    in_one_heap,
    invoked,
    servers,
    without_a_proxy,
)

PER_MINUTE = 40  # calls; the template's default for SlackCallsPerMinute
SLACKS_LIMIT = 50  # for the whole organisation
ANSWERS = (1.0, 4.0)  # seconds
SINKS = 0.05  # seconds
LEAST = 3  # whole minutes
MINUTE = 60


def main() -> None:
    """Measures one drain."""
    in_one_heap()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.5, help="that full pages would take (4.5)")
    asked = parser.parse_args()
    events = int(asked.minutes * PER_MINUTE * PAGE)
    hours = max(1, round(events / RATE / HOUR))
    slack = ["--events", str(events), "--hours", str(hours), "--calls-per-minute", str(SLACKS_LIMIT)]
    slack += ["--delay", *map(str, ANSWERS)]
    settings = {"LATE_PASS_MINUTES": "0", "FINAL_PASS_HOURS": "0", "SLACK_CALLS_PER_MINUTE": str(PER_MINUTE)}
    without_a_proxy()
    with servers(slack, ["--delay", str(SINKS)]) as at, quiet("paced"):
        os.environ.update(environment(at, INITIAL_LOOKBACK_HOURS=str(hours), **settings))
        measured = _measure(at, events)
    tell(**measured)


def _measure(at: Servers, events: int) -> dict[str, Any]:
    from collect.app import lambda_handler  # noqa: PLC0415 - as in Lambda, after the environment is there

    invoked(lambda_handler, check=True)
    calls, before = at.calls(), used()
    runs = until_drained(lambda_handler, in_between=Schedule().wait)
    cost, peak = used().since(before), peak_mb()
    made = between(calls, at.calls())
    records = made.pop("records")
    from benchmarks.performance.proof import prove  # noqa: PLC0415 - it needs memory of its own

    repeats = prove(at, events, records=events, arrived=records)
    minutes = by_minute(_moments(at, calls["slack"]))
    if len(minutes) < LEAST:
        raise RuntimeError(f"the backlog was drained in {len(minutes)} whole minutes: there must be {LEAST}")
    return {
        "name": "paced",
        "events": events,
        "cost": cost,
        "peak": peak,
        "calls": made,
        "repeats": repeats,
        "runs": len(runs),
        "fill": round(events / PAGE / made["slack"], 4),
        "share": round(sum(minutes) / (PER_MINUTE * len(minutes)), 4),
        "minutes": minutes,
        "rate_limited": sum(run["rate_limited"] for run in runs),
    }


def _moments(at: Servers, before: int) -> list[float]:
    """When Slack was called, from the first call of the drain to the last one that brought events."""
    calls = told(f"{at.slack}/_standin/calls")[before:]
    last = max(place for place, call in enumerate(calls) if call["entries"])
    return [call["time"] for call in calls[: last + 1]]


def by_minute(moments: list[float]) -> list[int]:
    """How many of the moments lie in each whole minute from the first one to the last one."""
    since = [moment - moments[0] for moment in moments]
    whole = int(since[-1] // MINUTE)
    return [sum(number * MINUTE <= it < (number + 1) * MINUTE for it in since) for number in range(whole)]


class Schedule:
    """Every minute from now on."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def wait(self) -> None:
        """Until the next minute begins."""
        time.sleep(MINUTE - (time.monotonic() - self._began) % MINUTE)


if __name__ == "__main__":
    main()
