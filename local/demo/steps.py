"""Steps with a name: a spinner while one runs, a line when it is done. In plain mode the lines only."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text


class Step:
    """One step; `note` is what its line adds when it is done."""

    note = ""


class Steps:
    """Says what is being done."""

    def __init__(self, *, plain: bool) -> None:
        is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.plain = plain or not is_terminal or bool(os.environ.get("CI"))
        self.console = Console(highlight=False, force_terminal=not self.plain, no_color=self.plain or None)

    def say(self, text: str | Text = "") -> None:
        """A line, as it is: a terminal breaks it, we do not, so it can be copied whole."""
        self.console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def step(self, what: str) -> Iterator[Step]:
        """Around one step."""
        step, start = Step(), time.monotonic()
        try:
            with self._running(what):
                yield step
        except BaseException:
            self.say(Text.assemble(("✗ ", "bold red"), what))
            raise
        done = Text.assemble(("✓ ", "bold green"), what, (f"  {time.monotonic() - start:.1f} s", "dim"))
        self.say(done.append(f"  {step.note}", style="cyan") if step.note else done)

    @contextmanager
    def _running(self, what: str) -> Iterator[None]:
        if self.plain:
            self.say(f"… {what}")
            yield
            return
        columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
        with Progress(*columns, console=self.console, transient=True) as progress:
            progress.add_task(what)
            yield
