"""What was typed, checked and turned into values. Raises ValueError with what would be right."""

import re
from datetime import UTC, datetime, timedelta

from slack_audit import settings
from slack_audit.errors import SettingsError
from slack_audit.verify.prove import Head

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


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
