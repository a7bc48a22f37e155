"""The proof: the log from one end to the other, every batch that it names, and nothing else there."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime

import msgspec

from slack_audit.verify.batches import SHOWN, BatchCheck
from slack_audit.verify.coverage import Coverage
from slack_audit.verify.entries import LogCheck
from slack_audit.verify.evidence import Entry, digest_of, entry_of, event_of, lines_of, log_key, log_prefix, number_of
from slack_audit.verify.findings import WARNINGS, Finding, Findings, Kind, clear
from slack_audit.verify.leftovers import Leftovers, Names, Stretches
from slack_audit.verify.uniqueness import Ids, short
from slack_audit.verify.vault import Vault, fetched, first_since, newest_number

Progress = Callable[[int, int], None]
"""Is told how many entries are done, and of how many."""


class Head(msgspec.Struct, frozen=True):
    """An entry's number and the SHA-256 of its bytes, which seals everything up to it."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


class Scope(msgspec.Struct):
    """What was looked at: the entries `first` to `last`, and their batches. Without `since` that is the whole log.

    `days` are the days in which orphans were looked for, all if it is None. `consulted` counts entries outside the
    scope that were read because an object of these days names them, `neighbours` the batches of such entries that
    were read because they share seconds with one of the scope.
    """

    since: datetime | None
    first: int = 0
    last: int | None = None
    days: list[str] | None = None
    consulted: int = 0
    neighbours: int = 0


class Proof(msgspec.Struct, frozen=True):
    """What a verification found. `totals` counts all findings by kind; `findings` are the first of each kind."""

    org: str
    proven: bool
    head: Head | None
    scope: Scope
    coverage: Coverage
    totals: dict[Kind, int]
    findings: list[Finding]

    @property
    def faults(self) -> int:
        """How many findings say that something is missing, repeated or altered."""
        return sum(count for kind, count in self.totals.items() if kind not in WARNINGS)

    @property
    def warnings(self) -> int:
        """How many are only worth a look."""
        return sum(count for kind, count in self.totals.items() if kind in WARNINGS)

    def summary(self) -> dict[str, object]:
        """In a few fields, for a log or an answer."""
        return {
            "org": self.org,
            "proven": self.proven,
            "faults": self.faults,
            "warnings": self.warnings,
            "totals": {kind.value: count for kind, count in self.totals.items()},
            "first": self.scope.first,
            "last": self.scope.last,
            "batches": self.coverage.objects,
            "events": self.coverage.events,
            "head": str(self.head) if self.head else None,
        }


def prove(
    org: str,
    vault: Vault,
    *,
    since: datetime | None = None,
    head: Head | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Proof:
    """Verifies the whole log, or its entries from `since` on. `head` is one that was kept from an earlier proof."""
    return _Verification(org, vault, Scope(since), progress).run(head)


class _Verification:
    def __init__(self, org: str, vault: Vault, scope: Scope, progress: Progress) -> None:
        self._org = org
        self._vault = vault
        self._scope = scope
        self._progress = progress
        self._findings = Findings()
        self._coverage = Coverage()
        self._log = LogCheck(org, self._findings)
        self._ids = Ids()
        self._batches = BatchCheck(self._findings, self._ids)
        self._stretches = Stretches()
        self._days: set[str] = set()
        self._head: Head | None = None

    def run(self, kept: Head | None) -> Proof:
        newest = newest_number(lambda number: self._vault.get(self._key(number)) is not None)
        self._start(newest)
        names = Names(self._scope.first)
        with closing(self._ids):
            self._read_log_and_batches(names, total=(newest or 0) + 1 - self._scope.first)
            self._look_for_leftovers(names)
            self._look_for_repeats()
        self._check_kept(kept)
        totals = dict(self._findings.totals)
        proven = not set(totals) - WARNINGS
        kept_findings = self._findings.kept()
        return Proof(self._org, proven, self._head, self._scope, self._coverage, totals, kept_findings)

    # where it begins

    def _start(self, newest: int | None) -> None:
        if self._scope.since is None or newest is None:
            return
        self._scope.first = first = first_since(self._scope.since, newest, self._time_of)
        if first > 0 and (before := self._log.starts_after(first - 1, self._vault.get(self._key(first - 1)))):
            self._coverage.starts_from(before)

    def _time_of(self, number: int) -> datetime | None:
        entry = self._entry(number)
        return entry.time if entry else None

    def _entry(self, number: int) -> Entry | None:
        body = self._vault.get(self._key(number))
        entry = entry_of(body) if body is not None else None
        return entry if isinstance(entry, Entry) else None

    def _key(self, number: int) -> str:
        return log_key(self._org, number)

    # log and batches

    def _read_log_and_batches(self, names: Names, total: int) -> None:
        with_batch = (entry for entry in self._entries(names, total) if entry.proper_key)
        for entry, body in fetched(self._vault, with_batch, lambda entry: entry.proper_key or ""):
            contents = self._batches.check(entry, body)
            if contents is not None and entry.window is not None:
                figures = msgspec.structs.asdict(contents)
                self._coverage.add_object(entry.window.day, stored=entry.bytes, **figures)
                if self._scope.first:  # of a whole log, no batch stands beside
                    self._stretches.add(entry.window)
        if self._head is None:
            self._nothing_was_read()

    def _entries(self, names: Names, total: int) -> Iterator[Entry]:
        """Every entry of the scope that can be read, after it was checked."""
        for number, body in fetched(self._vault, self._numbers(), self._key):
            if body is None:
                continue  # gone since it was listed: the next one shows the gap
            if number > self._log.next:
                self._log.skips_to(number)
            entry = self._log.follow(body)
            self._scope.last, self._head = number, Head(number, digest_of(body))
            self._progress(number + 1 - self._scope.first, total)
            if entry is not None:
                names.note(number, entry.proper_key)
                self._coverage.add(entry)
                self._days |= {entry.window.day} if entry.window else set()
                yield entry

    def _numbers(self) -> Iterator[int]:
        after = self._key(self._scope.first - 1) if self._scope.first else ""
        for key in self._vault.keys(log_prefix(self._org), after):
            number = number_of(key, self._org)
            if number is None:
                self._findings.add(Kind.FOREIGN, key, "is no log entry: its name is not what an entry's is")
            else:
                yield number

    def _nothing_was_read(self) -> None:
        if self._scope.since is None or self._scope.first == 0:
            self._findings.add(Kind.NO_LOG, log_prefix(self._org), "there is no log")
            return
        newest = self._scope.first - 1
        what = f"is the newest entry: nothing was written since {self._scope.since.isoformat()}"
        self._findings.add(Kind.SILENT, self._key(newest), what)

    # what else there is

    def _look_for_leftovers(self, names: Names) -> None:
        """Also the batches outside the scope that could hold one of its events."""
        whole = self._scope.first == 0
        self._scope.days = None if whole else sorted(self._days)
        leftovers = Leftovers(self._org, self._vault, self._findings, names, self._log.next)
        others = leftovers.look([None] if whole else sorted(self._days))
        beside = (it for it in others if it.number < names.first and it.window and self._stretches.overlap(it.window))
        for entry, body in fetched(self._vault, beside, lambda entry: entry.proper_key or ""):
            self._batches.check(entry, body)
            self._scope.neighbours += 1
        self._scope.consulted = leftovers.consulted

    def _look_for_repeats(self) -> None:
        for digest, before, again in self._ids.repeated():
            # To name one costs two looks, so only those that are kept are named.
            where = f"event {self._id_of(digest, again)}" if self._findings.wants(Kind.REPEATED) else ""
            what = (
                f"is archived by entry {before} and again by entry {again}"
                if before != again
                else (f"is archived twice by entry {again}")
            )
            self._findings.add(Kind.REPEATED, where, what)

    def _id_of(self, digest: bytes, number: int) -> str:
        entry = self._entry(number)
        body = self._vault.get(entry.proper_key) if entry and entry.proper_key else None
        lines = lines_of(body) if body is not None else []
        ids = (event_of(line).id for line in lines) if isinstance(lines, list) else iter(())
        return next((clear(identity, SHOWN) for identity in ids if short(identity) == digest), "that is gone")

    def _check_kept(self, kept: Head | None) -> None:
        if kept is None:
            return
        body = self._vault.get(self._key(kept.number))
        if body is None or digest_of(body) != kept.digest:
            what = "is missing" if body is None else "has another digest"
            self._findings.add(Kind.HEAD, self._key(kept.number), f"{what}; the kept head says {kept.digest}")
