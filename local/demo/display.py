"""Where moments are shown: a display that changes in place, or lines now and then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.live import Live

from local.demo import screen
from local.demo.steps import Steps
from local.demo.watch import Snapshot

PAUSE = 2.0  # seconds between two lines at least
LONGEST_PAUSE = 15.0  # seconds between two lines when nothing changes


class Display(Protocol):
    """Shows moments."""

    def show(self, snapshot: Snapshot, phase: str) -> None:
        """This moment is the newest one."""


@contextmanager
def displayed(steps: Steps) -> Iterator[Display]:
    """The display that suits the output."""
    if steps.plain:
        yield _Lines(steps)
        return
    with Live(console=steps.console, auto_refresh=False) as live:
        yield _Dashboard(live)


class _Dashboard:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._start = time.monotonic()

    def show(self, snapshot: Snapshot, phase: str) -> None:
        """In place of the moment before."""
        elapsed, height = time.monotonic() - self._start, self._live.console.height
        self._live.update(screen.dashboard(snapshot, phase=phase, elapsed=elapsed, height=height), refresh=True)


class _Lines:
    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._last = 0.0
        self._seen: object = None

    def show(self, snapshot: Snapshot, phase: str) -> None:
        """If something changed, or nothing was said for a while."""
        seen = phase, snapshot.logged, snapshot.streamed
        silence = time.monotonic() - self._last
        if silence > (PAUSE if seen != self._seen else LONGEST_PAUSE):
            self._last, self._seen = time.monotonic(), seen
            self._steps.say(screen.line(snapshot, phase))
