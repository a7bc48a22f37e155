"""Measurement after measurement, round after round: so that what disturbs this machine disturbs all of them."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.performance import ROOT
from benchmarks.performance.plan import Measurement

LONGEST = 3_600.0  # seconds
TAIL = 2_000  # characters of what a failed one wrote

type Results = dict[str, list[dict[str, Any]]]


class FailedError(Exception):
    """A measurement did not come to its end; the message says which one, and what it wrote."""


def run(plan: list[Measurement], rounds: int, file: Path, progress: Callable[[str, int, int], None]) -> Results:
    """All of it. `file` has what there is so far, after each. Raises FailedError."""
    results: Results = {}
    order = [it for number in range(rounds) for it in plan if number < (it.rounds or rounds)]
    file.parent.mkdir(parents=True, exist_ok=True)
    for done, measurement in enumerate(order):
        progress(measurement.title, done, len(order))
        for name, told in by_name(measurement, measured(measurement)):
            results.setdefault(name, []).append(told)
        file.write_text(json.dumps(results, indent=1) + "\n")
    progress("", len(order), len(order))
    return results


def by_name(measurement: Measurement, said: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The result, or each of its rows, which is one run and not a drain unless it says otherwise."""
    if not measurement.has_rows:
        yield measurement.name, said
        return
    for row in said["rows"]:
        yield row["name"], {"events": 0, "is_a_run": True, **row}


def measured(measurement: Measurement) -> dict[str, Any]:
    """One process; what its last line says."""
    command = [sys.executable, "-m", f"{measurement.package}.{measurement.module}", *measurement.options]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST, check=False
    )
    if done.returncode:
        said = done.stderr[-TAIL:] or done.stdout[-TAIL:]
        raise FailedError(f"{' '.join(command[1:])} ended with {done.returncode}. It wrote:\n{said}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
