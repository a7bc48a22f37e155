"""An event as one row of typed columns, for tables, sheets and data frames. Slack's own bytes are the last one of them.

The columns are those of the SQL view, and say the same. All are text but `date_create`, `entry` and `line`, which are
whole numbers. A field that is missing, or a list or an object instead, is None: nothing is guessed.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from unicodedata import category

import msgspec

from slack_audit.selection import readable
from slack_audit_cli.committed import Found

COLUMNS = (
    "id",
    "date_create",
    "time",
    "action",
    "actor_type",
    "actor_id",
    "actor_name",
    "actor_email",
    "entity_type",
    "entity_id",
    "entity_name",
    "location_type",
    "location_id",
    "location_name",
    "ip_address",
    "user_agent",
    "session_id",
    "app_id",
    "app_name",
    "details",
    "event",
    "pass",
    "entry",
    "object",
    "line",
)

IDS = ("id", "channel")
NAMES = ("name", "title", "email", "domain")

type Row = dict[str, str | int | None]

JOINERS = "\u200c\u200d"  # names in Persian and emoji of families have them, and they move nothing
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # categories of what moves a terminal or turns a line's direction


def row_of(found: Found) -> Row:
    """The columns of an event, in their order."""
    event, entry = found.event, found.entry
    said = readable(event.raw)
    actor, entity, context = (_field(said, name) for name in ("actor", "entity", "context"))
    return {
        "id": event.id,
        "date_create": event.date_create,
        "time": None if event.date_create is None else clock(event.date_create),
        "action": event.action,
        **_actor(actor),
        **_entity(entity),
        **_location(_field(context, "location")),
        "ip_address": text(_field(context, "ip_address")),
        "user_agent": text(_field(context, "ua")),
        "session_id": text(_field(context, "session_id")),
        **_app(_field(context, "app")),
        "details": _as_json(_field(said, "details")),
        "event": event.raw.decode(errors="replace"),
        "pass": entry.pass_,
        "entry": entry.number,
        "object": entry.key,
        "line": found.line,
    }


@lru_cache(4_096)
def clock(second: int) -> str:
    """`2026-01-01T00:00:00Z`"""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}"


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


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _as_json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _actor(actor: Any) -> Row:
    user = _field(actor, "user")
    return {
        "actor_type": text(_field(actor, "type")),
        "actor_id": text(_field(user, "id")),
        "actor_name": text(_field(user, "name")),
        "actor_email": text(_field(user, "email")),
    }


def _entity(entity: Any) -> Row:
    """The field that is named as the entity's type has its id, and the first of its names that says something."""
    kind = _field(entity, "type")
    thing = _field(entity, kind) if isinstance(kind, str) else None
    ids, names = ((text(_field(thing, name)) for name in of) for of in (IDS, NAMES))
    return {
        "entity_type": text(kind),
        "entity_id": next((it for it in ids if it is not None), None),
        "entity_name": next((it for it in names if it), None),
    }


def _location(location: Any) -> Row:
    return {
        "location_type": text(_field(location, "type")),
        "location_id": text(_field(location, "id")),
        "location_name": text(_field(location, "name")),
    }


def _app(app: Any) -> Row:
    return {"app_id": text(_field(app, "id")), "app_name": text(_field(app, "name"))}
