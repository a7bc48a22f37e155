"""Raw event bytes and the few fields that we read from them.

Slack adds fields and changes their types without notice, so nothing but `id`, `date_create` and `action` is looked
at, and no type is taken for granted. The bytes go to the archive and the stream as they came.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from typing import Any

import msgspec

# Slack has no audit events from before March 2018, and times in milliseconds start at ten times the second:
# https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference
EARLIEST_SECOND = 1_519_862_400
LATEST_SECOND = 99_999_999_999


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event: `raw` is its bytes on one line, `date_create` epoch seconds or None where it has no usable one."""

    raw: bytes
    id: str
    date_create: int | None
    action: str | None


class Page(msgspec.Struct, frozen=True):
    """One answer of `/logs`. `next_cursor` is None at the end."""

    events: list[Event]
    next_cursor: str | None


class _Head(msgspec.Struct, gc=False):
    id: Any = None
    date_create: Any = None
    action: Any = None


class _Body(msgspec.Struct):
    entries: list[msgspec.Raw]
    response_metadata: Any = None
    ok: Any = None
    error: Any = None


Names = dict[str, str]
"""The actions of a page, each by itself."""

NOT_READABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # what the decoder raises
_bodies = msgspec.json.Decoder(_Body)
_heads = msgspec.json.Decoder(_Head)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def page_of(body: bytes) -> Page:
    """Reads an answer of `/logs`.

    Raises ValueError for anything that is not a JSON object with a list of entries, or that says it is an error.
    """
    try:
        answer = _bodies.decode(body)
        raws = [bytes(raw) for raw in answer.entries]
    except NOT_READABLE:
        answer, raws = _tolerant(body)
    if answer.error or answer.ok is False:
        raise ValueError("an answer that says it is an error")
    return Page(_events_of(raws, body), _cursor_of(answer.response_metadata))


def _tolerant(body: bytes) -> tuple[_Body, list[bytes]]:
    """Reads an answer whose texts hold halves of surrogate pairs, which the decoder takes for broken.

    Half an emoji in somebody's display name must not stop collection. Where the entries stand is found in a copy of
    the same length, and their bytes are taken from the original.
    """
    copy = without_surrogates(body)
    try:
        answer = _bodies.decode(copy)
    except NOT_READABLE as error:
        raise ValueError(f"not an answer with a list of entries: {error}") from error
    raws, at = [], 0
    for raw in map(bytes, answer.entries):
        at = copy.index(raw, at)
        raws.append(body[at : at + len(raw)])
        at += len(raw)
    return answer, raws


def without_surrogates(text: bytes) -> bytes:
    """The same number of bytes, with a question mark for every escaped surrogate."""
    return re.sub(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", rb"\\u003f", text)


def _events_of(raws: Iterable[bytes], body: bytes) -> list[Event]:
    """Reads the fields of all events that were cut out of `body`, where one look for line breaks serves them all."""
    read = event_of if b"\n" in body or b"\r" in body else event_on_a_line
    names: Names = {}  # actions are few: each is kept once, and is counted faster
    return [read(raw, names) for raw in raws]


def event_of(raw: bytes, names: Names | None = None) -> Event:
    """Reads the fields of one event. One without a usable id gets one that is derived from its bytes."""
    if b"\n" in raw or b"\r" in raw:
        # Between tokens only: JSON has no line breaks inside a string. An event is one line of the archive.
        raw = raw.replace(b"\r", b" ").replace(b"\n", b" ")
    return event_on_a_line(raw, names)


def event_on_a_line(raw: bytes, names: Names | None = None) -> Event:
    """The same for bytes without a line break."""
    head = _head_of(raw)
    identity = head.id if isinstance(head.id, str) and head.id else f"sha256:{sha256(raw).hexdigest()}"
    action = head.action if isinstance(head.action, str) else None
    if names is not None and action is not None:
        action = names.setdefault(action, action)
    return Event(raw, identity, _second(head.date_create), action)


def _head_of(raw: bytes) -> _Head:
    try:
        return _heads.decode(raw)
    except NOT_READABLE:
        return _readable_fields(raw)


def _readable_fields(raw: bytes) -> _Head:
    """One unreadable field must not cost the others."""
    head = _Head()
    try:
        fields = _fields.decode(without_surrogates(raw))
    except NOT_READABLE:
        return head
    for name in set(fields) & set(_Head.__struct_fields__):
        with suppress(*NOT_READABLE):
            setattr(head, name, msgspec.json.decode(fields[name]))
    if isinstance(head.id, str) and "?" in head.id:
        head.id = None  # it may hold half a surrogate pair: its bytes identify the event better
    return head


def _second(value: Any) -> int | None:
    if type(value) is int and EARLIEST_SECOND <= value <= LATEST_SECOND:
        return value
    return None


def _cursor_of(metadata: Any) -> str | None:
    """The last page has "" or null, or no such field at all."""
    cursor = metadata.get("next_cursor") if isinstance(metadata, dict) else None
    if cursor is None or cursor == "":
        return None
    if not isinstance(cursor, str):
        raise ValueError("an answer whose next_cursor is no text")  # noqa: TRY004 - data, not a caller's mistake
    return cursor
