"""What a process has used, and the line in which a measurement says it."""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.performance import ROOT

LOGS = ROOT / "build" / "performance"
_STATUS = Path("/proc/self/status")
_TAIL = 4_000  # characters of what was written, where it failed


class Used(NamedTuple):
    """Seconds since the process began (CPU) and since some moment (wall)."""

    cpu: float
    wall: float

    def since(self, before: "Used") -> "Used":
        """What was used in between."""
        return Used(self.cpu - before.cpu, self.wall - before.wall)


def used() -> Used:
    """User and system time of this process alone, all its threads; and the time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Used(usage.ru_utime + usage.ru_stime, time.monotonic())


def peak_mb() -> float:
    """The most memory that this process ever had, in MB of 2^20 bytes.

    By Linux's VmHWM: `ru_maxrss` also counts what the parent had before this process was one of its own.
    """
    if _STATUS.exists():
        lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tell(name: str, *, events: int, cost: Used, peak: float, calls: Mapping[str, int], **more: Any) -> None:
    """The last line of a measurement."""
    told = {
        "name": name,
        "events": events,
        "cpu": round(cost.cpu, 4),
        "wall": round(cost.wall, 4),
        "peak_mb": round(peak, 1),
        "calls": dict(calls),
    }
    print(json.dumps({**told, **more}), flush=True)


@contextmanager
def quiet(name: str = "output") -> Iterator[None]:
    """What is written to the standard output goes to build/performance/<name>.log, as it goes to a log in Lambda; its
    end is shown if the block fails."""
    file = LOGS / f"{name}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = os.dup(1)
    with file.open("wb") as log:
        sys.stdout.flush()
        os.dup2(log.fileno(), 1)
    try:
        yield
    except BaseException:
        sys.stdout.flush()
        sys.stderr.write(file.read_text(errors="replace")[-_TAIL:])
        raise
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
