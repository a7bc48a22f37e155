"""What was typed, checked and turned into values. Raises ValueError with what would be right."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import typer

from slack_audit import settings
from slack_audit.errors import SelectionError, SettingsError
from slack_audit.selection import Selection, checked
from slack_audit.verify.prove import Head
from slack_audit_cli.options import Which

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def typed[T](option: str, read: Callable[[str], T], text: str) -> T:
    """What an option says; raises typer.BadParameter, which names the option."""
    try:
        return read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def selection(which: Which, now: datetime) -> Selection:
    """Which events are wanted; raises typer.BadParameter."""
    since = None if which.from_ is None else typed("--from", lambda text: moment(text, now), which.from_)
    until = None if which.to is None else typed("--to", lambda text: last_moment(text, now), which.to)
    in_order(since, until)
    try:
        return checked(
            Selection(
                since=None if since is None else int(since.timestamp()),
                until=None if until is None else int(until.timestamp()),
                passes=tuple(which.passes or ()),
                actions=tuple(which.actions or ()),
                actors=tuple(which.actors or ()),
                entities=tuple(which.entities or ()),
                ips=tuple(which.ips or ()),
                where=which.where or "",
            )
        )
    except SelectionError as error:
        raise typer.BadParameter(str(error), param_hint="the selection") from error


def in_order(since: datetime | None, until: datetime | None, first: str = "--from", last: str = "--to") -> None:
    """Raises typer.BadParameter where a range ends before it starts."""
    if since is not None and until is not None and until < since:
        raise typer.BadParameter(f"{until:%Y-%m-%dT%H:%M:%SZ} is before {first}", param_hint=last)


def last_moment(text: str, now: datetime) -> datetime:
    """The same as `moment`, but a day is meant with all of it."""
    at = moment(text, now)
    return at + timedelta(days=1, seconds=-1) if _is_day(text) else at


def _is_day(text: str) -> bool:
    """In any way that ISO 8601 has: 2026-01-31, 20260131, 2026-W05-6."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def moment(text: str, now: datetime) -> datetime:
    """`2d`, `36h` (ago), `2026-01-01` or `2026-01-01T12:00:00+02:00`; without an offset it is UTC."""
    if ago := re.fullmatch(r"([0-9]{1,4})([mhdw])", text):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        said = datetime.fromisoformat(text)
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time: say 2d or 36h (ago), 2026-01-01 or 2026-01-01T12:00:00Z") from None


def head(text: str) -> Head:
    """`<number>:<SHA-256>`, as a verification prints it."""
    found = re.fullmatch(r"([0-9]{1,12}):([0-9a-f]{64})", text)
    if not found:
        raise ValueError(f"{text!r} is no head: it is a number, a colon and 64 hexadecimal digits, as verify prints it")
    return Head(int(found[1]), found[2])


def org(text: str) -> str:
    """The short name of an org, as the stack's parameter `Org` allows it."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", text):
        raise ValueError(f"{text!r} is no org: letters, digits, - and _, at most 63, none of these first")
    return text


def slack_api_url(text: str) -> str:
    """The base of the Audit Logs API, as the stack's parameter `SlackApiUrl` allows it: the token goes there."""
    try:
        return settings.slack_api_url(text)
    except SettingsError as error:
        raise ValueError(str(error)) from None
