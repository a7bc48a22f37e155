"""Events as a person reads them, as they come."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from slack_audit.events import Event
from slack_audit.selection import readable
from slack_audit_cli.plain import said

WIDE = 100  # columns: from there on the year is shown


class EventTable:
    """Rows in columns of the same width, whenever they come; the first ones bring the header."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = False

    def add(self, events: Iterable[Event]) -> None:
        """Prints a row for each."""
        rows = [_row(event, "%Y-%m-%d %H:%M:%S" if self._wide else "%m-%d %H:%M:%S") for event in events]
        if not rows:
            return
        table = Table(
            box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=not self._begun, expand=True, pad_edge=False
        )
        table.add_column("time (UTC)", no_wrap=True, width=19 if self._wide else 14)
        for title, ratio in (("action", 5), ("actor", 4), ("entity", 4)):
            table.add_column(title, ratio=ratio, no_wrap=True, overflow="ellipsis")
        table.add_column("from", no_wrap=True, overflow="ellipsis", width=15)
        for row in rows:
            table.add_row(*(said(it) for it in row))
        self._console.print(table)
        self._begun = True

    @property
    def _wide(self) -> bool:
        return self._console.width >= WIDE


def _row(event: Event, clock: str) -> tuple[str, ...]:
    whole = readable(event.raw)
    when = "" if event.date_create is None else f"{datetime.fromtimestamp(event.date_create, UTC):{clock}}"
    actor, entity = _at(whole, "actor"), _at(whole, "entity")
    user, what = _at(actor, _at(actor, "type")), _at(entity, _at(entity, "type"))
    return (
        when,
        event.action or "",
        _first(user, "email", "name", "id"),
        _first(what, "name", "title", "email", "domain", "id") or _text(_at(entity, "type")),
        _text(_at(_at(whole, "context"), "ip_address")),
    )


def _at(value: Any, name: Any) -> Any:
    return value.get(name) if isinstance(value, dict) and isinstance(name, str) else None


def _first(value: Any, *names: str) -> str:
    return next((text for name in names if (text := _text(_at(value, name)))), "")


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
