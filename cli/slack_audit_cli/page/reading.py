"""An event as a row of the report has it: who did what, to what, from where. No field's type is taken for granted."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from slack_audit.events import EARLIEST_SECOND, NOT_READABLE
from slack_audit.passes import FINAL, LATE
from slack_audit.selection import NoObject, readable
from slack_audit_cli.committed import Found
from slack_audit_cli.page.kinds import AGENT, REMEMBERED, section_of

LONGEST = 160  # characters of a name
LONGEST_DETAIL = 300
LONGEST_RAW = 16_384
NOBODY, NOTHING = "(nobody)", "(none)"
NAMES = ("name", "title", "template_name", "email", "timestamp", "id")
FIRST = (
    "reason",
    "ip_address_details",
    "new_scopes",
    "previous_scopes",
    "new_value",
    "previous_value",
    "export_type",
    "external_organization_name",
    "external_user_email",
    "location",
    "previous_ip_address",
)
# What plays with how a text is shown: control characters, marks of direction, halves of surrogate pairs, and the
# separators that a browser may take for a line break.
PLAYING = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class Who(msgspec.Struct, frozen=True, gc=False):
    """Something with an id, and what people call it."""

    key: str
    label: str


class Told(msgspec.Struct, frozen=True, gc=False):
    """What is counted of an event. `delay` is seconds from the event to its log entry, None if it was not late."""

    second: int | None
    action: str
    actor: Who
    ip: str
    location: Who
    section: str
    reasons: tuple[str, ...]
    delay: int | None


# Only as much is read of each event as is counted of it. What should be an object may be anything else.
NULL = msgspec.Raw(b"null")


class _Context(msgspec.Struct, gc=False):
    ip_address: Any = None
    location: msgspec.Raw = NULL
    acting_agent: Any = None


class _Said(msgspec.Struct, gc=False):
    actor: msgspec.Raw = NULL
    context: _Context | NoObject = None
    details: msgspec.Raw = NULL


_decoder = msgspec.json.Decoder(_Said)
NO_CONTEXT = _Context()


def told_of(found: Found) -> Told:
    """What is counted of it."""
    try:
        said = _decoder.decode(found.event.raw)
    except NOT_READABLE:
        return _told_of_odd(found, readable(found.event.raw))
    context = said.context if isinstance(said.context, _Context) else NO_CONTEXT
    who, where = _somebody_in(bytes(said.actor)), _place_in(bytes(context.location))
    return _told(found, who, where, context.ip_address, context.acting_agent, lambda: readable(bytes(said.details)))


def _told_of_odd(found: Found, said: Any) -> Told:
    context = field(said, "context")
    ip, agent = field(context, "ip_address"), field(context, "acting_agent")
    who, where = _somebody(field(said, "actor")), _place(field(context, "location"))
    return _told(found, who, where, ip, agent, lambda: field(said, "details"))


def _told(found: Found, who: Who, where: Who, ip: Any, agent: Any, details: Callable[[], Any]) -> Told:
    action = visible(found.event.action) if found.event.action is not None else NOTHING
    section = section_of(action)
    return Told(
        second=found.event.date_create,
        action=action,
        actor=who,
        ip=_text(ip) or NOTHING,
        location=where,
        section=section or (AGENT if _text(agent) else ""),
        reasons=_reasons(details()) if section == "anomalies" else (),
        delay=_delay(found),
    )


def entity_of(said: Any) -> str:
    """What it was done to: its type and its name."""
    entity = field(said, "entity")
    kind = _text(field(entity, "type"))
    thing = field(entity, kind)
    name = next((text for it in NAMES if (text := _text(field(thing, it)))), "")
    return f"{kind} {name}".strip()


def detail_of(said: Any) -> str:
    """The free part of an event on one line, what matters first; without one, the client."""
    details = field(said, "details")
    if not isinstance(details, dict) or not details:
        return _text(field(field(said, "context"), "ua"))
    keys = sorted(details, key=lambda it: FIRST.index(it) if it in FIRST else len(FIRST))
    parts = [f"{key}: {_shown(details[key])}" for key in keys if details[key] not in (None, "", [], {}, [""])]
    return visible(" · ".join(parts), LONGEST_DETAIL)


def raw_of(found: Found) -> str:
    """The event's own text. What plays with how it is shown is written as JSON escapes it, which says the same."""
    text = found.event.raw.decode(errors="backslashreplace")
    if len(text) <= LONGEST_RAW:
        return PLAYING.sub(_escape, text)
    return f"{PLAYING.sub(_escape, text[:LONGEST_RAW])}… (cut: line {found.line} of {found.entry.key} has all of it)"


def visible(text: str, longest: int = LONGEST) -> str:
    """As a person may be shown it: of bounded length, and with nothing in it that plays with how it is shown."""
    if len(text) <= longest and text.isprintable():
        return text  # most are, and this is told fastest
    return PLAYING.sub(_escape, text if len(text) <= longest else f"{text[:longest]}…")


def field(value: Any, name: str) -> Any:
    """A field of an object; None for anything else."""
    return value.get(name) if isinstance(value, dict) else None


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value if len(value) <= LONGEST and value.isprintable() else visible(value)
    return str(value)[:LONGEST] if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _somebody(actor: Any) -> Who:
    kind = field(actor, "type")
    user = field(actor, kind if isinstance(kind, str) else "user")
    return _person(_text(field(user, "id")), _text(field(user, "name")), _text(field(user, "email")))


@lru_cache(REMEMBERED)
def _somebody_in(actor: bytes) -> Who:
    return _somebody(readable(actor))


def _person(key: str, name: str, email: str) -> Who:
    label = f"{name} · {email or key}" if name else email or key
    return Who(key or label or NOBODY, label or NOBODY)


def _place(location: Any) -> Who:
    return _where(_text(field(location, "id")), _text(field(location, "name")), _text(field(location, "type")))


@lru_cache(REMEMBERED)
def _place_in(location: bytes) -> Who:
    return _place(readable(location))


def _where(key: str, name: str, kind: str) -> Who:
    label = f"{name or key} ({kind})" if kind not in ("", "workspace") else name or key
    return Who(key or label or NOTHING, label or NOTHING)


def _reasons(details: Any) -> tuple[str, ...]:
    """A list for anomalies, a text elsewhere."""
    said = field(details, "reason")
    reasons = said if isinstance(said, list) else [said]
    return tuple(dict.fromkeys(text for it in reasons if (text := _text(it))))


def _shown(value: Any) -> str:
    """A text as it is, texts with commas, and all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(it, str) for it in value):
        return ", ".join(value)
    try:
        return msgspec.json.encode(value).decode()
    except (ValueError, OverflowError, RecursionError):
        return "(cannot be shown here)"


def _delay(found: Found) -> int | None:
    second = found.event.date_create
    if found.entry.pass_ not in (LATE, FINAL) or second is None:
        return None
    return max(0, _written(found.entry.time) - second)


@lru_cache
def _written(time: str) -> int:
    """When an entry was written, as far as it says so readably."""
    try:
        return int(datetime.fromisoformat(time).timestamp())
    except ValueError:
        return EARLIEST_SECOND
