"""What stands in an archive, read anew from docs/consumers.md: this shares no code with what wrote it.

Reading never trusts: whatever is not as documented becomes a `Fault`, a text that says what is wrong.
"""

import re
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec

DAY = 86_400  # seconds
FORMAT = 1
EARLIEST_SECOND = 1_519_862_400  # 2018-03-01: what is before or after is no usable second
LATEST_SECOND = 99_999_999_999
MOST_UNPACKED = 1 << 30  # bytes: an object that unpacks to more is none of the collector's
GZIP = 31  # zlib's window bits for a gzip header

Count = Annotated[int, msgspec.Meta(ge=0, lt=1_000_000_000_000)]
Second = Annotated[int, msgspec.Meta(ge=0, le=LATEST_SECOND)]
Watermark = Annotated[int, msgspec.Meta(ge=-1, le=LATEST_SECOND)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Window(msgspec.Struct, frozen=True):
    """A closed range of seconds."""

    lo: Second
    hi: Second

    @property
    def day(self) -> str:
        """The UTC day of its first second."""
        return datetime.fromtimestamp(self.lo, UTC).date().isoformat()


class Pass(msgspec.Struct, frozen=True):
    """One pass after an entry."""

    watermark: Watermark
    end: Second | None
    publish: bool
    paused: bool


class Filters(msgspec.Struct, frozen=True):
    """As they were sent to Slack."""

    action: str
    actor: str
    entity: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename={"pass_": "pass"}):
    """One entry of the log."""

    format: Literal[1]
    org: str
    number: Count
    previous: Digest | None
    pass_: str | None
    window: Window | None
    key: str | None
    count: Count
    bytes: Count
    sha256: Digest | None
    filters: Filters
    calls: Count
    version: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    passes: dict[str, Pass]
    published: Count

    @property
    def proper_key(self) -> str | None:
        """Where its batch must stand, by its window, its number and its digest; None if it has no batch."""
        if self.window is None or self.sha256 is None:
            return None
        return batch_key(self.org, self.window, self.number, self.sha256)


class Fault(msgspec.Struct, frozen=True):
    """Why something could not be read. `newer`: it is of a later format than this version knows."""

    text: str
    newer: bool = False


class Event(msgspec.Struct, frozen=True, gc=False):
    """What places an event: `second` is None where it has no usable one."""

    id: str
    second: int | None


class ObjectName(msgspec.Struct, frozen=True):
    """What a batch's key says."""

    day: str
    window: Window
    number: int


class _Format(msgspec.Struct):
    format: int


class _Head(msgspec.Struct, gc=False):
    id: Any = None
    date_create: Any = None


_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_entries = msgspec.json.Decoder(Entry)
_heads = msgspec.json.Decoder(_Head)
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])


# ---- names ----


def log_prefix(org: str) -> str:
    """Where the log of an org stands."""
    return f"log/org={org}/"


def log_key(org: str, number: int) -> str:
    """Where an entry stands."""
    return f"{log_prefix(org)}{number:012d}.json"


def number_of(key: str, org: str) -> int | None:
    """The number of an entry's key, None for a key that is none."""
    found = re.fullmatch(rf"{re.escape(log_prefix(org))}([0-9]{{12}})\.json", key)
    return int(found[1]) if found else None


def raw_prefix(org: str, day: str | None = None) -> str:
    """Where an org's batches stand, of one day or of all."""
    return f"raw/org={org}/" + (f"dt={day}/" if day else "")


def batch_key(org: str, window: Window, number: int, digest: str) -> str:
    """Where the batch stands that an entry commits."""
    return f"{raw_prefix(org, window.day)}{window.lo}-{window.hi}-{number}-{digest[:12]}.ndjson.gz"


def name_of(key: str, org: str) -> ObjectName | None:
    """What a batch's key says, None for a key that is none."""
    pattern = r"dt=([0-9]{4}-[0-9]{2}-[0-9]{2})/([0-9]{1,11})-([0-9]{1,11})-([0-9]{1,12})-[0-9a-f]{12}\.ndjson\.gz"
    found = re.fullmatch(re.escape(raw_prefix(org)) + pattern, key)
    return ObjectName(found[1], Window(int(found[2]), int(found[3])), int(found[4])) if found else None


# ---- contents ----


def digest_of(body: bytes) -> str:
    """SHA-256, hexadecimal."""
    return sha256(body).hexdigest()


def entry_of(body: bytes) -> Entry | Fault:
    """A log entry."""
    try:
        return _entries.decode(body)
    except _UNREADABLE as error:
        with suppress(*_UNREADABLE):
            said = msgspec.json.decode(body, type=_Format).format
            if said != FORMAT:
                return Fault(f"has format {said}, and this version reads {FORMAT}", newer=said > FORMAT)
        return Fault(f"is no log entry ({error})")


def lines_of(body: bytes) -> list[bytes] | Fault:
    """The lines of a batch, one for each event."""
    unpacker = zlib.decompressobj(GZIP)
    try:
        text = unpacker.decompress(body, MOST_UNPACKED)
    except zlib.error as error:
        return Fault(f"cannot be unpacked ({error})")
    if not unpacker.eof or unpacker.unused_data:
        return Fault("is not one whole gzip stream of at most 1 GiB")
    lines = text.split(b"\n")
    if lines.pop():
        return Fault("does not end with a line break")
    return lines


def event_of(line: bytes) -> Event:
    """An event's identity and second. One without a usable id has the one that is derived from its bytes."""
    head = _head_of(line)
    has_id = isinstance(head.id, str) and head.id
    second = head.date_create
    usable = type(second) is int and EARLIEST_SECOND <= second <= LATEST_SECOND
    return Event(head.id if has_id else f"sha256:{digest_of(line)}", second if usable else None)


def _head_of(line: bytes) -> _Head:
    try:
        return _heads.decode(line)
    except _UNREADABLE:
        return _head_in_parts(line)


def _head_in_parts(line: bytes) -> _Head:
    """What can be read of an odd event, one field at a time. Halves of surrogate pairs read as question marks, and an
    id with one counts as unreadable."""
    head = _Head()
    try:
        parts = _parts.decode(re.sub(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", rb"\\u003f", line))
    except _UNREADABLE:
        return head
    with suppress(*_UNREADABLE):
        head.date_create = msgspec.json.decode(parts.get("date_create", b"null"))
    with suppress(*_UNREADABLE):
        head.id = msgspec.json.decode(parts.get("id", b"null"))
    if isinstance(head.id, str) and "?" in head.id:
        head.id = None
    return head
