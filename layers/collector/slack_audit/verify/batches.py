"""The batches: each must be what its log entry says, and hold what its window may hold."""

import msgspec

from slack_audit.verify.evidence import Entry, Event, Fault, Window, digest_of, event_of, lines_of
from slack_audit.verify.findings import Findings, Kind, clear
from slack_audit.verify.uniqueness import Ids, short

SHOWN = 80  # characters of an id in a message


class Contents(msgspec.Struct, frozen=True):
    """Figures of a batch. `exempt` counts events without a usable second, `unpacked` bytes."""

    events: int
    exempt: int
    unpacked: int


class BatchCheck:
    """Looks into one batch after the other, and keeps their ids."""

    def __init__(self, findings: Findings, ids: Ids) -> None:
        self._findings = findings
        self._ids = ids

    def check(self, entry: Entry, body: bytes | None) -> Contents | None:
        """The figures of an entry's batch; None if it is not there, or not the one."""
        key = entry.proper_key or ""
        if body is None:
            what = f"is missing, with the {entry.count} events of entry {entry.number}"
            self._findings.add(Kind.MISSING, key, what)
            return None
        if digest_of(body) != entry.sha256:
            size = "" if len(body) == entry.bytes else f" and {len(body)} bytes instead of {entry.bytes}"
            self._findings.add(Kind.ALTERED, key, f"has another SHA-256 than entry {entry.number} says{size}")
            return None
        if len(body) != entry.bytes:
            what = f"has {len(body)} bytes; entry {entry.number} says {entry.bytes}"
            self._findings.add(Kind.COUNT, key, what)
        return self._look_into(entry, key, body)

    def _look_into(self, entry: Entry, key: str, body: bytes) -> Contents | None:
        lines = lines_of(body)
        if isinstance(lines, Fault) or entry.window is None:
            self._findings.add(Kind.UNREADABLE, key, lines.text if isinstance(lines, Fault) else "has no window")
            return None
        if len(lines) != entry.count:
            what = f"holds {len(lines)} events; entry {entry.number} says {entry.count}"
            self._findings.add(Kind.COUNT, key, what)
        events = [event_of(line) for line in lines]
        placed = [event for event in events if event.second is not None]
        self._ids.add([short(event.id) for event in placed], entry.number)
        self._check_places(key, entry.window, events)
        return Contents(len(lines), len(lines) - len(placed), sum(map(len, lines)) + len(lines))

    def _check_places(self, key: str, window: Window, events: list[Event]) -> None:
        last = (0, "")
        for event in events:
            place = (event.second or 0, event.id)
            if place < last:
                what = "stands after one that is later, or has a larger id"
                self._findings.add(Kind.ORDER, f"{key}, event {clear(event.id, SHOWN)}", what)
            last = place
            if event.second is not None and not window.lo <= event.second <= window.hi:
                what = f"is of the second {event.second}, the window is {window.lo} to {window.hi}"
                self._findings.add(Kind.OUTSIDE, f"{key}, event {clear(event.id, SHOWN)}", what)
