"""What a measurement says, to people and to programs: one row for each thing that was done."""

import json
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.performance import ROOT

PARTS = ("layers/collector", "functions", "cli")  # of this tree, whichever is installed


class Cost(NamedTuple):
    """Seconds of the clock and of processors, of all processes that did it, and the most MB (of 2^20 bytes) that one
    of them held. `name` is for programs, `title` for people."""

    name: str
    title: str
    events: int
    wall: float
    cpu: float
    peak_mb: float


def of_command(name: str, title: str, events: int, command: Sequence[str]) -> Cost:
    """Runs `slack-audit <command>` as a process of its own, whose output is thrown away.

    Raises SystemExit where it does not end well.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in PARTS)}
    with tempfile.TemporaryFile() as said:
        typed = [sys.executable, "-m", "slack_audit_cli", *command]
        began = time.perf_counter()
        running = subprocess.Popen(typed, stdout=subprocess.DEVNULL, stderr=said, env=environment)
        _, status, used = os.wait4(running.pid, 0)
        wall = time.perf_counter() - began
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode != 0:
            said.seek(0)
            raise SystemExit(f"{' '.join(typed)} ended with {running.returncode}:\n{said.read().decode()}")
    return Cost(name, title, events, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def asks_for_json(parser: ArgumentParser) -> None:
    """Adds the option that `tell` wants to know."""
    parser.add_argument("--json", nargs="?", const="", metavar="NAME", help="as JSON; its rows are called NAME-…")


def tell(costs: Iterable[Cost], asked: str | None) -> None:
    """Each row as soon as it is there; or all of them as JSON, in one line, where that is asked for."""
    if asked is not None:
        beginning = f"{asked}-" if asked else ""
        rows = [{**it._asdict(), "name": f"{beginning}{it.name}", "calls": {}, "is_a_run": False} for it in costs]
        print(json.dumps({"name": asked, "rows": rows}), flush=True)
        return
    print(f"{'':<45}{'events':>10}{'wall s':>9}{'events/min':>13}{'CPU s':>9}{'events/s of CPU':>17}{'MB at most':>12}")
    for it in costs:
        times = f"{it.wall:>9.1f}{it.events * 60 / it.wall:>13,.0f}{it.cpu:>9.1f}{it.events / it.cpu:>17,.0f}"
        print(f"{it.title:<45}{it.events:>10,}{times}{it.peak_mb:>12,.0f}", flush=True)
