"""An event as one row of typed columns, for tables, sheets and data frames. Slack's own bytes are the last one of them.

The columns are those of the SQL view, and say the same. All are text but `date_create`, `entry` and `line`, which are
whole numbers. A field that is missing, or a list or an object instead, is None: nothing is guessed.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from unicodedata import category

import msgspec

from slack_audit.events import NOT_READABLE
from slack_audit.selection import readable
from slack_audit_cli.committed import Found

NAMES = ("name", "title", "email", "domain")

JOINERS = "\u200c\u200d"  # names in Persian and emoji of families have them, and they move nothing
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # categories of what moves a terminal or turns a line's direction
TWO = tuple(f"{it:02}" for it in range(60))


class Row(msgspec.Struct, frozen=True, gc=False, rename={"pass_": "pass"}):
    """The columns of an event, in their order."""

    id: str
    date_create: int | None
    time: str | None
    action: str | None
    actor_type: str | None
    actor_id: str | None
    actor_name: str | None
    actor_email: str | None
    entity_type: str | None
    entity_id: str | None
    entity_name: str | None
    location_type: str | None
    location_id: str | None
    location_name: str | None
    ip_address: str | None
    user_agent: str | None
    session_id: str | None
    app_id: str | None
    app_name: str | None
    details: str | None
    event: str
    pass_: str | None
    entry: int
    object: str | None
    line: int


COLUMNS = Row.__struct_encode_fields__

# What the columns are read from where all is of the types that it nearly always is of. Whatever should be an object may
# be anything else, which then says nothing: such an event is read field by field.


class _User(msgspec.Struct, gc=False):
    id: str | None = None
    name: str | None = None
    email: str | None = None


class _Actor(msgspec.Struct, gc=False):
    type: str | None = None
    user: _User | None = None


class _Location(msgspec.Struct, gc=False):
    type: str | None = None
    id: str | None = None
    name: str | None = None


class _App(msgspec.Struct, gc=False):
    id: str | None = None
    name: str | None = None


class _Context(msgspec.Struct, gc=False):
    location: _Location | None = None
    ip_address: str | None = None
    ua: str | None = None
    session_id: str | int | None = None
    app: _App | None = None


class _Said(msgspec.Struct, gc=False):
    actor: _Actor | None = None
    entity: Any = None
    context: _Context | None = None
    details: Any = None


_decoder = msgspec.json.Decoder(_Said)
NO_USER, NO_ACTOR, NO_LOCATION, NO_APP, NO_CONTEXT = _User(), _Actor(), _Location(), _App(), _Context()


def row_of(found: Found) -> Row:
    """The columns of an event."""
    event, entry = found.event, found.entry
    said = _said(event.raw)
    actor, context = said.actor or NO_ACTOR, said.context or NO_CONTEXT
    user, location, app = actor.user or NO_USER, context.location or NO_LOCATION, context.app or NO_APP
    return Row(
        event.id,
        event.date_create,
        None if event.date_create is None else clock(event.date_create),
        event.action,
        actor.type,
        user.id,
        user.name,
        user.email,
        *_entity(said.entity),
        location.type,
        location.id,
        location.name,
        context.ip_address,
        context.ua,
        text(context.session_id),
        app.id,
        app.name,
        None if said.details is None else msgspec.json.encode(said.details).decode(),
        event.raw.decode(errors="replace"),
        entry.pass_,
        entry.number,
        entry.key,
        found.line,
    )


def _said(raw: bytes) -> _Said:
    try:
        return _decoder.decode(raw)
    except NOT_READABLE:
        return _field_by_field(readable(raw))


def _field_by_field(said: Any) -> _Said:
    """Of an event of any shape."""
    actor, context = _field(said, "actor"), _field(said, "context")
    return _Said(
        _Actor(text(_field(actor, "type")), _texts(_User, _field(actor, "user"))),
        _field(said, "entity"),
        _Context(
            _texts(_Location, _field(context, "location")),
            text(_field(context, "ip_address")),
            text(_field(context, "ua")),
            text(_field(context, "session_id")),
            _texts(_App, _field(context, "app")),
        ),
        _field(said, "details"),
    )


def _texts[T: msgspec.Struct](kind: type[T], said: Any) -> T:
    return kind(*(text(_field(said, name)) for name in kind.__struct_fields__))


def clock(second: int) -> str:
    """`2026-01-01T00:00:00Z`"""
    days, rest = divmod(second, 86_400)
    return f"{_day(days)}T{TWO[rest // 3_600]}:{TWO[rest // 60 % 60]}:{TWO[rest % 60]}Z"


@lru_cache(4_096)
def _day(days: int) -> str:
    return f"{datetime.fromtimestamp(days * 86_400, UTC):%Y-%m-%d}"


def text(value: Any) -> str | None:
    """What a field says: text as it is, a number as it is written; None for a list or an object."""
    if isinstance(value, str):
        return value
    return None if value is None or isinstance(value, list | dict) else msgspec.json.encode(value).decode()


def visible(said: str) -> str:
    r"""The same with every character that could move a terminal, or turn the direction of a line, as `\u001b`."""
    return said if said.isprintable() else "".join(map(_seen, said))


def _seen(it: str) -> str:
    if category(it) not in UNSEEN or it in JOINERS:
        return it
    units = it.encode("utf-16-be", errors="surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _entity(entity: Any) -> tuple[str | None, str | None, str | None]:
    """Its type, id and name. The field that is named as the entity's type has its id, and the first of its names that
    says something."""
    kind = _field(entity, "type")
    thing = _field(entity, kind) if isinstance(kind, str) else None
    if not isinstance(thing, dict):
        return text(kind), None, None
    identity = text(thing.get("id"))
    for name in NAMES:
        if called := text(thing.get(name)):
            break
    return text(kind), text(thing.get("channel")) if identity is None else identity, called or None


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
