"""Events that a test or a person brings along: any JSON object, its bytes kept as they are."""

import json
from typing import Any

from local.slack.history import Event


class NotAnEventError(ValueError):
    """A line that is not a JSON object."""


def read_event(raw: bytes, *, at: int | None, now: float) -> Event:
    """The event of this line, in the second `at`, else that of its `date_create`, else Slack's present one."""
    try:
        entry = json.loads(raw)
    except ValueError as error:
        raise NotAnEventError(f"not JSON: {raw[:80]!r}") from error
    if not isinstance(entry, dict) or b"\n" in raw:
        raise NotAnEventError(f"not a JSON object on one line: {raw[:80]!r}")
    created = entry.get("date_create")
    second = created if type(created) is int else int(now)
    return Event(
        second if at is None else at,
        raw,
        _text(entry.get("action")),
        _id_inside(entry, "actor"),
        _id_inside(entry, "entity"),
    )


def _id_inside(entry: dict[str, Any], side: str) -> str:
    """The id of the object that stands under its own type's name, as in `{"type":"user","user":{"id":…}}`."""
    whole = entry.get(side)
    part = whole.get(_text(whole.get("type"))) if isinstance(whole, dict) else None
    return _text(part.get("id")) if isinstance(part, dict) else ""


def _text(value: object) -> str:
    return "" if value is None else str(value)
