"""Backfills as a person reads them, and as JSON."""

from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slack_audit.backfill import State

NARROW = 108  # columns: below, how far it has read is told in per cent alone


def share(state: State) -> float | None:
    """How much of its range it has read, 0 to 1; None where its name does not say where it began."""
    length = seconds(state)
    return None if length is None else 1 - state.remaining_seconds / length


def seconds(state: State) -> int | None:
    """How long its range is."""
    if state.from_ is None:
        return None
    return int((_moment(state.to) - _moment(state.from_)).total_seconds()) + 1


def as_json(states: list[State]) -> str:
    """All of them, indented; `done` is the share that is read."""
    said: list[dict[str, Any]] = [{**msgspec.to_builtins(it), "done": share(it)} for it in states]
    return msgspec.json.format(msgspec.json.encode(said), indent=2).decode()


def show(states: list[State], console: Console) -> None:
    """A row for each that has not ended."""
    if not states:
        console.print("No backfill is under way.")
        return
    wide = console.width >= NARROW
    table = Table(box=None, padding=(0, 2 if wide else 1, 0, 0), header_style="dim")
    for title in ("backfill", "range (UTC)", *(["read up to (UTC)"] if wide else [])):
        table.add_column(title, no_wrap=title == "backfill")
    table.add_column("done", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("stream", no_wrap=True)
    for it in states:
        read = [it.read_up_to.replace("T", " ").rstrip("Z")] if wide else []
        state = Text("paused", style="yellow") if it.paused else Text("running", style="green")
        table.add_row(it.name, span_of(it), *read, percent(it), state, "yes" if it.publish else "no")
    console.print(table)


def percent(state: State) -> str:
    """`12.3%`, never 100% before it has ended."""
    done = share(state)
    return "?" if done is None else f"{min(99.9, max(0.0, done * 100)):.1f}%"


def span_of(state: State) -> str:
    """`2025-01-01 to 2025-12-31`, with times where it is not of whole days."""
    first, last = state.from_ or "?", state.to
    if first.endswith("T00:00:00Z") and last.endswith("T23:59:59Z"):
        return f"{first[:10]} to {last[:10]}"
    return f"{first} to\n{last}".replace("T", " ").replace("Z", "")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
