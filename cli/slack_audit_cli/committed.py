"""The archive's events as a person asks for them: only what the log commits, checked, in the order of their time.

The objects of the days asked for are listed, and each is believed only where its log entry names exactly it, so that
an orphan is never shown. What should be there and is not, only the verifier tells.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile

import msgspec

from slack_audit.batches import day_prefix, window_of_key
from slack_audit.errors import ArchiveDamagedError
from slack_audit.events import EARLIEST_SECOND, LATEST_SECOND, Event, event_on_a_line
from slack_audit.log import LogEntry, decode, digest, log_key
from slack_audit.selection import Selection
from slack_audit.verify.evidence import Fault, lines_of
from slack_audit.verify.vault import Vault, fetched
from slack_audit.windows import Window

type Progress = Callable[[int, int], None]  # batches done, batches in all


def untold(_done: int, _total: int) -> None:
    """Nobody is looking."""


VERIFY = "Run slack-audit verify, and restore it from the bucket's object versions."


class Tally(msgspec.Struct):
    """What was looked at on the way: batches and their events, and objects that no log entry names."""

    batches: int = 0
    events: int = 0
    orphans: int = 0


class Found(msgspec.Struct, frozen=True):
    """An event and where it stands: `line` of the object that `entry` names, from 1 on."""

    event: Event
    entry: LogEntry
    line: int

    @property
    def place(self) -> int:
        """Its second; of an event without a usable one the first second of the window that showed it."""
        if self.event.date_create is not None or self.entry.window is None:
            return self.event.date_create or 0
        return self.entry.window.lo


type _Waiting = tuple[int, str, int, int, Found]  # its place among all of them, then itself


class Committed(msgspec.Struct, frozen=True):
    """A batch that the log commits. `sealed` is the entry's own SHA-256, what the next entry has as `previous`."""

    entry: LogEntry
    window: Window
    sealed: str


def must_have_a_log(org: str, vault: Vault) -> None:
    """Nothing found in an archive that was never there would look like an answer. Raises ArchiveDamagedError."""
    if vault.get(log_key(org, 0)) is None:
        raise ArchiveDamagedError(
            f"There is no log of the organisation {org!r}. Check --org, and where the archive is. "
            "If the collector has not run yet, let it run first."
        )


def batches(
    org: str, vault: Vault, selection: Selection, progress: Progress = untold, tally: Tally | None = None
) -> Iterator[Committed]:
    """The committed batches that may hold what is wanted, by window, then number. Raises StorageError.

    Memory holds the keys of the days asked for.
    """
    candidates = _candidates(org, vault, selection)

    def told() -> Iterator[_Candidate]:
        for done, candidate in enumerate(candidates):
            progress(done, len(candidates))
            yield candidate
        progress(len(candidates), len(candidates))

    return _committed(org, vault, told(), selection, tally or Tally())


def events(
    org: str, vault: Vault, selection: Selection, progress: Progress = untold, tally: Tally | None = None
) -> Iterator[Found]:
    """The wanted events, by (`date_create`, id); one without a usable second at the start of its window.

    Memory holds the keys of the days asked for, and what is wanted of the batches whose windows overlap. Raises
    StorageError, also where a batch is not what its entry says, and SelectionError.
    """
    tally = tally or Tally()
    return in_time(batches(org, vault, selection, progress, tally), vault, selection, tally)


def in_time(
    chosen: Iterable[Committed], vault: Vault, selection: Selection, tally: Tally | None = None
) -> Iterator[Found]:
    """The same, of batches in the order of their windows."""
    tally = tally or Tally()
    waiting: list[_Waiting] = []  # in order
    for batch, body in fetched(vault, chosen, _key_of):
        tally.batches += 1
        before = bisect_left(waiting, (batch.window.lo,))  # nothing that comes now can stand before these
        yield from [it[-1] for it in waiting[:before]]
        del waiting[:before]
        number = batch.entry.number
        waiting += [(it.place, it.event.id, number, it.line, it) for it in wanted(batch.entry, body, selection, tally)]
        waiting.sort()  # of runs that are in order already, which costs next to nothing
    yield from [it[-1] for it in waiting]


def wanted(entry: LogEntry, body: bytes | None, selection: Selection, tally: Tally | None = None) -> Iterator[Found]:
    """The wanted events of one batch in the order of its lines. Raises ArchiveDamagedError where it is not what its
    entry says."""
    if body is None:
        raise ArchiveDamagedError(f"{entry.key} is missing. {VERIFY}")
    if digest(body) != entry.sha256:
        raise ArchiveDamagedError(f"{entry.key} has other bytes than its log entry says. {VERIFY}")
    lines = lines_of(body)
    if isinstance(lines, Fault):
        raise ArchiveDamagedError(f"{entry.key} {lines.text}, as its log entry has it. {VERIFY}")
    if tally is not None:
        tally.events += len(lines)
    for line, raw in enumerate(lines, 1):
        event = event_on_a_line(raw)
        if selection.wants(event):
            yield Found(event, entry, line)


class _Candidate(msgspec.Struct, frozen=True, gc=False):
    """An object of these days, by its name."""

    lo: int
    number: int
    key: str


def _candidates(org: str, vault: Vault, selection: Selection) -> list[_Candidate]:
    """By window, then number."""
    found = []
    for key in listed(org, vault, selection):
        named = window_of_key(key)
        if named is not None and selection.overlaps(named[0]):
            found.append(_Candidate(named[0].lo, named[1], key))
    return sorted(found, key=lambda it: (it.lo, it.number))


def _committed(
    org: str, vault: Vault, candidates: Iterable[_Candidate], selection: Selection, tally: Tally
) -> Iterator[Committed]:
    for candidate, body in fetched(vault, candidates, lambda it: log_key(org, it.number)):
        entry = None if body is None else _entry(org, candidate.number, body)
        if body is None or entry is None or entry.key != candidate.key or entry.window is None:
            tally.orphans += 1
        elif selection.wants_entry(entry):
            yield Committed(entry, entry.window, digest(body))


def _entry(org: str, number: int, body: bytes) -> LogEntry:
    key = log_key(org, number)
    entry = decode(body, key)
    if (entry.org, entry.number) != (org, number):
        raise ArchiveDamagedError(f"{key} says that it is entry {entry.number} of {entry.org!r}. {VERIFY}")
    return entry


def listed(org: str, vault: Vault, selection: Selection) -> Iterator[str]:
    """The keys of the days asked for, in one listing, which costs no call for a day without a batch."""
    first = "" if selection.since is None else _day_prefix(org, selection.since)
    keys = vault.keys(f"raw/org={org}/", after=first)
    if selection.until is None:
        return keys
    last = _day_prefix(org, selection.until)
    return takewhile(lambda key: key[: len(last)] <= last, keys)


def _day_prefix(org: str, second: int) -> str:
    """Of a second that an event may have."""
    second = min(max(second, EARLIEST_SECOND), LATEST_SECOND)
    return day_prefix(org, Window(second, second).day)


def _key_of(batch: Committed) -> str:
    return batch.entry.key or ""
