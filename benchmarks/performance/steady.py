"""Warm runs of the collect function, a minute apart, of all three passes: what one of them needs.

    python -m benchmarks.performance.steady                     with 0, 10 and 1,000 events a minute, a process for each
    python -m benchmarks.performance.steady --events 10 --kept  one of them, over connections that stay

Everything goes over TLS. `steady-10` is a run with about 10 new events, whose connections the other side closed since
the run before, as it does when nobody used them for a minute; for `steady-10-kept` they stayed open. The minutes pass
on a clock of the benchmark's own. `cpu` is of one run, the middle one of `--runs`; `calls` are one run's on average.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from types import SimpleNamespace
from typing import Any
from unittest import mock

import certifi

from benchmarks.load.clock import SharedClock
from benchmarks.performance import ROOT, tls
from benchmarks.performance.measured import peak_mb, quiet, used
from benchmarks.performance.processes import started
from benchmarks.performance.stage import MOMENT, Servers, between, environment, invoked, without_a_proxy
from benchmarks.performance.tls import protected

MINUTE = 60
IDLE = 0.4  # seconds after which the other side hangs up
PASSES = 3
SETTINGS = {"INITIAL_LOOKBACK_HOURS": "2", "FINAL_PASS_HOURS": "1"}  # all that is behind now is read soon
WARMING = 65  # runs before what is measured: behind, too, every pass then reads what runs of a minute archived
MOST = 500  # runs that it may take to get to now

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def main() -> None:
    """Measures one, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, help="a minute")
    parser.add_argument("--runs", type=int, default=41)
    parser.add_argument("--kept", action="store_true", help="connections stay open from run to run")
    asked = parser.parse_args()
    if asked.events is None:
        rows = [_in_a_process(events, asked.runs, kept) for events, kept in ((0, 0), (0, 1), (10, 0), (1_000, 0))]
        print(json.dumps({"name": "steady", "rows": rows}), flush=True)
        return
    without_a_proxy()
    with tempfile.TemporaryDirectory(prefix="slack-audit-") as folder:
        row = measure(Path(folder), asked.events, asked.runs, kept=asked.kept)
    print(json.dumps(row), flush=True)


def _in_a_process(events: int, runs: int, kept: int) -> Any:
    command = [sys.executable, "-m", "benchmarks.performance.steady", f"--events={events}", f"--runs={runs}"]
    done = subprocess.run([*command, *["--kept"] * kept], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(folder: Path, events: int, runs: int, *, kept: bool) -> dict[str, Any]:
    """One row."""
    with minutes(folder, events, idle=3_600.0 if kept else IDLE) as (plain, clock, handler), quiet():
        _get_to_now(handler, clock)
        before = plain.calls()
        costs, told = [], []
        for _ in range(runs):
            clock.go_on(MINUTE)
            time.sleep(0 if kept else 1.5 * IDLE)
            start = used()
            told.append(invoked(handler))
            costs.append(used().since(start))
        calls = between(before, plain.calls())
    if any(it["windows"] != PASSES or it["backlog"] for it in told):
        raise RuntimeError(f"a run did not read a window of each pass, or did not publish: {told}")
    return {
        "name": f"steady-{events}{'-kept' if kept else ''}",
        "cpu": round(median(it.cpu for it in costs), 5),
        "wall": round(median(it.wall for it in costs), 5),
        "peak_mb": round(peak_mb(), 1),
        "calls": {service: round(number / runs, 2) for service, number in calls.items()},
        "events": round(mean(it["events"] for it in told), 1),
        "runs": runs,
    }


@contextmanager
def minutes(folder: Path, events: int, *, idle: float) -> Iterator[tuple[Servers, SharedClock, Handler]]:
    """The servers, a clock that moves them and the function, and its handler."""
    tls.make(folder)
    clock = SharedClock.made(folder / "clock", MOMENT)
    with (
        started("wire") as aws,
        started("minutes", str(folder / "clock"), "--rate", str(events)) as slack,
        protected(aws, folder, idle=idle) as safe_aws,
        protected(slack, folder, idle=idle) as safe_slack,
        mock.patch.object(certifi, "where", return_value=str(folder / tls.AUTHORITIES)),
    ):
        for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
            os.environ.pop(name, None)
        os.environ.update(environment(Servers(safe_aws, safe_slack), **SETTINGS))
        yield Servers(aws, slack), clock, _handler(clock)


def _handler(clock: SharedClock) -> Handler:
    """The function's, by the clock."""
    from collect.app import lambda_handler  # noqa: PLC0415 - the environment must be there

    watch = SimpleNamespace(time=clock.now, sleep=clock.go_on, monotonic=time.monotonic)
    for module in ("clock", "secrets"):
        vars(sys.modules[f"slack_audit.adapters.{module}"])["time"] = watch
    return lambda_handler


def _get_to_now(handler: Handler, clock: SharedClock) -> None:
    """Reads all that lies behind, and an hour more, minute by minute."""
    for _ in range(MOST):
        told = invoked(handler)
        if told["stopped"] == "nothing_due" and not told["backlog"]:
            break
        clock.go_on(MINUTE)
    else:
        raise RuntimeError(f"{MOST} runs did not get to now: {told}")
    for _ in range(WARMING):
        clock.go_on(MINUTE)
        invoked(handler)


if __name__ == "__main__":
    main()
