"""Watching backfills until they have ended. The work is the stack's: whoever stops watching stops nothing."""

import time
from collections.abc import Callable

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from slack_audit.backfill import State
from slack_audit_cli.backfills.report import percent, seconds

EVERY = 15  # seconds between two looks: the runs come once a minute


class Bars:
    """One for each backfill where a person is looking, a line for each step where nobody is."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._lines = not console.is_terminal
        self._said: dict[str, str] = {}
        self._tasks: dict[str, TaskID] = {}

    def update(self, states: list[State]) -> None:
        """As they stand now. One that was there and is not has ended, or was cancelled."""
        now = {it.name: it for it in states}
        for name, state in now.items():
            if name not in self._tasks:
                self._tasks[name] = self.progress.add_task(name, total=seconds(state))
            done = (seconds(state) or 0) - state.remaining_seconds
            self.progress.update(self._tasks[name], completed=max(0, done))
            self._tell(name, f"{percent(state)}{', paused' if state.paused else ''}")
        for name in [it for it in self._tasks if it not in now]:
            task = self._tasks.pop(name)
            self.progress.update(task, description=f"{name} has ended", completed=self.progress.tasks[task].total)
            self._tell(name, "has ended, or was cancelled")

    def _tell(self, name: str, what: str) -> None:
        if self._lines and self._said.get(name) != what:
            self._said[name] = what
            typer.echo(f"{name}: {what}", err=True)


def follow(look: Callable[[], list[State]], states: list[State]) -> list[State]:
    """Looks again and again until none is running; those that are left are paused. Raises what `look` raises."""
    bars = Bars()
    with bars.progress:
        bars.update(states)
        while any(not it.paused for it in states):
            time.sleep(EVERY)
            states = look()
            bars.update(states)
    return states
