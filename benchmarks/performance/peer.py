"""What the peers' processes have in common. It runs in their environment, and needs nothing but Python."""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.performance.stage import Servers, between

PAGE = 9_999  # events; Slack's largest


def asked() -> argparse.Namespace:
    """What `peers` tells a peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--aws", required=True)
    parser.add_argument("--slack", required=True)
    parser.add_argument("--oldest", type=int, required=True)
    parser.add_argument("--latest", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    return parser.parse_args()


@contextmanager
def told(at: Servers) -> Iterator[None]:
    """Tells what was used in the block, by this process and its children, and whom it called, as the last line."""
    calls, cpu, wall = at.calls(), _cpu(), time.monotonic()
    yield
    cpu, wall = _cpu() - cpu, time.monotonic() - wall
    made = between(calls, at.calls())
    print(json.dumps({"cpu": cpu, "wall": wall, "peak_mb": _peak() / 1024, "calls": made}), flush=True)


def _used() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _cpu() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in _used())


def _peak() -> int:
    """The most of any of them, in kB."""
    return max(usage.ru_maxrss for usage in _used())
