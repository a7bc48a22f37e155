"""Where organisations stand, as a person reads it and as JSON."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from slack_audit_cli.proofs import span
from slack_audit_cli.status.state import OrgState, PassState

CLOCK = "%Y-%m-%d %H:%M:%S"


class Status(msgspec.Struct, frozen=True):
    """All of it at one moment. `where` is what a person calls it; a paused stack starts no runs."""

    where: str
    at: int
    orgs: list[OrgState]
    paused: bool = False

    @property
    def is_wrong(self) -> bool:
        """Is there something that a person should look at?"""
        return not self.orgs or any(it.problems for it in self.orgs)


def as_json(status: Status) -> str:
    """All of it, indented."""
    said: dict[str, Any] = {**msgspec.to_builtins(status), "wrong": status.is_wrong}
    return msgspec.json.format(msgspec.json.encode(said), indent=2).decode()


class Shown:
    """The same for a terminal, as wide as that is."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        status = self._status
        yield Text(f"{status.where} at {_moment(status.at, CLOCK)} UTC", style="bold")
        if status.paused:
            yield Text("! The collection is paused (ScheduleState=DISABLED). It goes on where it stopped.", "yellow")
        for org in status.orgs:
            yield Text()
            yield Group(*_org(org, status.at))
        yield Text()
        yield _conclusion(status)


def _org(org: OrgState, now: int) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(org.org, style="bold")]
    if org.passes:
        parts += [_passes(org), _figures(org, now)]
    return parts + [Text(f"✗ {it}", style="bold red") for it in org.problems]


def _passes(org: OrgState) -> Table:
    """Of a backfill, JSON has the whole name, and so has backfill list; here its end tells it from others."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("pass", "read up to (UTC)"):
        table.add_column(title, no_wrap=True)
    keeps = any(it.keeps for it in org.passes)
    for title in ("behind", *(["keeps"] if keeps else [])):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("state")
    for it in org.passes:
        row = [it.name.partition("-")[0], _moment(it.read_up_to, CLOCK), span(it.behind)]
        table.add_row(*row, *([span(it.keeps or 0)] if keeps else []), _state(it))
    return table


def _state(it: PassState) -> Text:
    style = {"paused": "yellow", "off": "dim"}.get(it.state, "green")
    said = Text(it.state, style=style)
    if it.end is not None:
        said.append(f", to {_moment(it.end, '%Y-%m-%d %H:%M')}", style="default")
    return said


def _figures(org: OrgState, now: int) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("stream", _stream(org))
    if org.written is not None:
        when = f"{datetime.fromisoformat(org.written).astimezone(UTC):{CLOCK}}"
        table.add_row("log", f"newest entry {org.entries - 1:,}, written {when} by version {org.version}")
        return table
    table.add_row("last run", _ago("did its work", org.succeeded, now))
    table.add_row("newest event", _ago("was archived", org.newest_event, now))
    table.add_row("lease", _lease(org.lease_until, now))
    if org.limited_until is not None:
        table.add_row("slack", Text(f"says to wait until {_moment(org.limited_until, '%H:%M:%S')}", style="yellow"))
    if org.plan:
        table.add_row(
            "plan", f"entry {org.entries:,} is being written, or was by a run that died: the next one ends it"
        )
    return table


def _stream(org: OrgState) -> str:
    """What the newest entry says of the stream is as of when it was written."""
    waiting = org.entries - org.published
    if org.written is not None:
        return f"held all entries below {org.published:,} when the newest was written"
    if not waiting:
        return f"holds all {org.entries:,} entries"
    behind = "" if org.stream_behind is None else f", {span(max(0, org.stream_behind))} behind"
    return f"holds the entries below {org.published:,} of {org.entries:,}: {waiting:,} wait{behind}"


def _ago(what: str, at: int | None, now: int) -> str:
    return "not known" if at is None else f"{what} {span(max(0, now - at))} ago"


def _lease(until: int | None, now: int) -> str:
    if until is None:
        return "free: no run is under way"
    when = _moment(until, "%H:%M:%S")
    return f"held until {when} at most" if until >= now else f"left by a run that died, ended at {when}"


def _moment(second: int, form: str) -> str:
    return f"{datetime.fromtimestamp(second, UTC):{form}}"


def _conclusion(status: Status) -> Text:
    wrong = [it.org for it in status.orgs if it.problems]
    if not status.orgs:
        return Text("There is no log of any organisation.", style="bold red")
    if wrong:
        return Text(f"To be looked at: {', '.join(wrong)}.", style="bold red")
    return Text("Nothing is wrong.", style="bold green")
