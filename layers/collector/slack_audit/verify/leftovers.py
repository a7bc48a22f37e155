"""Objects that no entry of the log names, and batches beside those that were read."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

import msgspec

from slack_audit.verify.evidence import Entry, ObjectName, Window, entry_of, log_key, name_of, raw_prefix
from slack_audit.verify.findings import Findings, Kind
from slack_audit.verify.uniqueness import DIGEST, short
from slack_audit.verify.vault import Vault, fetched

NO_BATCH = b"\xff" * DIGEST
UNKNOWN = b"\0" * DIGEST


class Names:
    """Which batch each entry names, in a few bytes for each."""

    def __init__(self, first: int) -> None:
        self.first = first
        self._slots = bytearray()

    def note(self, number: int, key: str | None) -> None:
        """Entry `number` names this batch, or none. Numbers come in order; those left out are unknown."""
        self._slots += UNKNOWN * (number - self.first - len(self._slots) // DIGEST)
        self._slots += NO_BATCH if key is None else short(key)

    def of(self, number: int) -> bytes:
        """What is known of an entry."""
        at = (number - self.first) * DIGEST
        return bytes(self._slots[at : at + DIGEST]) or UNKNOWN


class Stretches:
    """The windows of the batches that were read, to find those that overlap one."""

    def __init__(self) -> None:
        self._windows: list[tuple[int, int]] = []
        self._reach: list[int] = []

    def add(self, window: Window) -> None:
        """One more."""
        self._windows.append((window.lo, window.hi))
        self._reach = []

    def overlap(self, window: Window) -> bool:
        """Does any of them share a second with this one?"""
        if not self._reach:
            self._windows.sort()
            self._reach = list(accumulate((hi for _, hi in self._windows), max))
        before = bisect_right(self._windows, window.hi, key=lambda it: it[0])
        return before > 0 and self._reach[before - 1] >= window.lo


class _Found(msgspec.Struct, frozen=True):
    key: str
    name: ObjectName


class Leftovers:
    """Goes through the objects under `raw/`. `consulted` counts the entries that it read for that."""

    def __init__(self, org: str, vault: Vault, findings: Findings, names: Names, next_number: int) -> None:
        self._org = org
        self._vault = vault
        self._findings = findings
        self._names = names
        self._next = next_number
        self.consulted = 0

    def look(self, days: Iterable[str | None]) -> Iterator[Entry]:
        """Finds what no entry names; gives the entries of other numbers whose batches stand there too."""
        for found, body in fetched(self._vault, self._outside(days), lambda it: log_key(self._org, it.name.number)):
            self.consulted += 1
            entry = entry_of(body) if body is not None else None
            if isinstance(entry, Entry) and entry.number == found.name.number and entry.proper_key == found.key:
                yield entry
            elif body is None and found.name.number >= self._next:
                self._is_ahead(found)
            else:
                self._is_orphan(found, readable=isinstance(entry, Entry))

    def _outside(self, days: Iterable[str | None]) -> Iterator[_Found]:
        """The objects whose entries were not read."""
        for day in days:
            for key in self._vault.keys(raw_prefix(self._org, day)):
                name = name_of(key, self._org)
                if name is None:
                    self._findings.add(Kind.FOREIGN, key, "is no batch: its name is not what a batch's is")
                elif not self._names.first <= name.number < self._next:
                    yield _Found(key, name)
                elif (named := self._names.of(name.number)) != short(key):
                    self._is_orphan(_Found(key, name), readable=named != UNKNOWN)

    def _is_orphan(self, found: _Found, *, readable: bool) -> None:
        why = "names another batch, or none" if readable else "is missing or unreadable"
        self._findings.add(Kind.ORPHAN, found.key, f"is named by no log entry: entry {found.name.number} {why}")

    def _is_ahead(self, found: _Found) -> None:
        """Its entry is not there. If the one before is, this may be a commit that is under way."""
        number = found.name.number
        if self._vault.get(log_key(self._org, number - 1)) is not None:
            what = f"belongs to entry {number}, which is not there (yet): the log ends just before it"
            self._findings.add(Kind.AHEAD, found.key, what)
        else:
            what = f"belongs to entry {number}, and neither that nor the entry before it is there"
            self._findings.add(Kind.TRUNCATED, found.key, what)
