"""What a measurement says, to people and to programs: one row for each thing that was done."""

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MINUTE = 60


class Cost(NamedTuple):
    """Seconds of the clock and of processors, of all processes that did it, and the most MB (of 2^20 bytes) that one
    of them held. `name` is for programs, `title` for people."""

    name: str
    title: str
    events: int
    wall: float
    cpu: float
    peak_mb: float

    @property
    def a_minute(self) -> float:
        """Events in a minute of the clock."""
        return self.events * MINUTE / self.wall


def of_command(name: str, title: str, events: int, command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Runs `python -m <command>` as a process of its own, whose output is thrown away. Ends all where it fails."""
    began = time.perf_counter()
    running = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.DEVNULL, env=dict(environment))
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {running.returncode}")
    wall = time.perf_counter() - began
    return Cost(name, title, events, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def asks_for_json(parser: ArgumentParser) -> None:
    """Adds the option that `tell` is given."""
    parser.add_argument(
        "--json", nargs="?", const="", metavar="NAME", help="one line of JSON; its rows are called NAME-…, if there is one"
    )


def tell(costs: Iterable[Cost], asked: str | None) -> None:
    """Each row as soon as it is there; or all of them, as JSON, in the last line."""
    if asked is not None:
        prefix = f"{asked}-" if asked else ""
        rows = [{**it._asdict(), "name": f"{prefix}{it.name}", "calls": {}} for it in costs]
        print(json.dumps({"name": asked, "rows": rows}), flush=True)
        return
    print(f"{'':<34}{'events':>10}{'wall s':>9}{'events/min':>13}{'CPU s':>9}{'events/s of CPU':>17}{'MB at most':>12}")
    for it in costs:
        figures = f"{it.events:>10,}{it.wall:>9.1f}{it.a_minute:>13,.0f}{it.cpu:>9.1f}{it.events / it.cpu:>17,.0f}"
        print(f"{it.title:<34}{figures}{it.peak_mb:>12,.0f}", flush=True)
