"""A window's new events as one object of the archive, and as records of the stream."""

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from operator import attrgetter

import msgspec
from isal import isal_zlib

from slack_audit.events import Event, event_on_a_line
from slack_audit.windows import Window

COMPRESSION_LEVEL = 1  # of ISA-L: within 6 % of zlib's 6 in size, at a tenth of its time (docs/adr/0033)
GZIP = 31  # the window bits for a gzip header, which is written without time stamp and name


class Batch(msgspec.Struct, frozen=True):
    """The new events of one window. `body` is the object: gzip, a line per event; `sha256` is of that body."""

    key: str
    body: bytes
    sha256: str
    events: list[Event]


def in_order(events: Sequence[Event]) -> list[Event]:
    """By `date_create`, then id, and each id once: the first one seen stays."""
    unique = {event.id: event for event in reversed(events)}
    by_second: dict[int, list[Event]] = {}  # seconds are few and come nearly in order: much faster than one long sort
    for event in unique.values():
        by_second.setdefault(event.date_create or 0, []).append(event)
    for same in by_second.values():
        same.sort(key=attrgetter("id"))
    return [event for second in sorted(by_second) for event in by_second[second]]


def belonging(events: Iterable[Event], window: Window) -> list[Event]:
    """Those that the window archives. An event of another second is brought by that second's own window; one without
    a usable second has none, and stays with the window that showed it."""
    lo, hi = window.lo, window.hi
    return [event for event in events if event.date_create is None or lo <= event.date_create <= hi]


def batch_of(org: str, window: Window, number: int, events: list[Event]) -> Batch:
    """The object for these events. The same events always give the same bytes, hence the same key."""
    body = pack([event.raw for event in events])
    digest = sha256(body).hexdigest()
    return Batch(batch_key(org, window, number, digest), body, digest, events)


def batch_key(org: str, window: Window, number: int, digest: str) -> str:
    """`raw/org=<org>/dt=<day>/<lo>-<hi>-<number>-<first 12 of SHA-256>.ndjson.gz`"""
    return f"{day_prefix(org, window.day)}{window.lo}-{window.hi}-{number}-{digest[:12]}.ndjson.gz"


def window_of_key(key: str) -> tuple[Window, int] | None:
    """The window and the number of the log entry that a batch's key names; None where it is no batch's key."""
    parts = re.fullmatch(r"raw/org=[^/]+/dt=[0-9-]+/([0-9]+)-([0-9]+)-([0-9]+)-[0-9a-f]{12}\.ndjson\.gz", key)
    return (Window(int(parts[1]), int(parts[2])), int(parts[3])) if parts else None


def day_prefix(org: str, day: str) -> str:
    """`raw/org=<org>/dt=<day>/`"""
    return f"raw/org={org}/dt={day}/"


def pack(lines: Iterable[bytes]) -> bytes:
    """Newline-delimited lines, compressed; nothing in it depends on when that was done."""
    compressor = isal_zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, GZIP)
    return compressor.compress(b"\n".join([*lines, b""])) + compressor.flush()


def unpack(body: bytes) -> Iterator[Event]:
    """The events of an object, in the order of its lines, one at a time: all at once are half as many bytes again."""
    for line in BytesIO(zlib.decompress(body, GZIP)):
        if raw := line.removesuffix(b"\n"):
            yield event_on_a_line(raw)


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record of the stream. `key` is its partition key."""

    key: str
    data: bytes

    @property
    def size(self) -> int:
        """What it counts against the stream's limits: data and partition key, in bytes."""
        return len(self.data) + (len(self.key) if self.key.isascii() else len(self.key.encode()))


NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def is_text(data: bytes) -> bool:
    """Is it UTF-8 without the characters that XML 1.0, and so a queue, does not take?"""
    try:
        return NO_TEXT.search(data.decode()) is None
    except UnicodeDecodeError:
        return False


class SinkLimits(msgspec.Struct, frozen=True):
    """What one call to the stream may carry. `text`: only what `is_text` is true of."""

    records: int = 500
    call_bytes: int = 4_718_592  # 4.5 MiB
    record_bytes: int = 1_048_576  # 1 MiB
    key_characters: int = 256
    text: bool = False


def records_of(events: Sequence[Event], uri: str, limits: SinkLimits) -> list[Record]:
    """A record per event. `uri` is the batch's address, for the pointers that stand in for what is too large."""
    return [_record_of(event, uri, line, limits) for line, event in enumerate(events, 1)]


def _record_of(event: Event, uri: str, line: int, limits: SinkLimits) -> Record:
    key = event.id
    if len(key) > limits.key_characters or (limits.text and not is_text(key.encode())):
        key = sha256(key.encode()).hexdigest()
    record = Record(key, event.raw)
    fits = record.size <= limits.record_bytes and (not limits.text or is_text(event.raw))
    return record if fits else Record(key, pointer_to(event, key, uri, line))


def pointer_to(event: Event, key: str, uri: str, line: int) -> bytes:
    """JSON that says where an event stands which the stream or queue cannot carry: object, line (from 1), digest."""
    where = {
        "id": key,
        "date_create": event.date_create,
        "s3_uri": uri,
        "line": line,
        "bytes": len(event.raw),
        "sha256": sha256(event.raw).hexdigest(),
    }
    return msgspec.json.encode({"slack_audit_pointer": where})


def cut(records: Sequence[Record], limits: SinkLimits) -> Iterator[list[Record]]:
    """The records in order, in calls that the stream accepts."""
    call: list[Record] = []
    size = 0
    for record in records:
        if call and (len(call) == limits.records or size + record.size > limits.call_bytes):
            yield call
            call, size = [], 0
        call.append(record)
        size += record.size
    if call:
        yield call
