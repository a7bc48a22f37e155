"""The archive's events as a person asks for them: only what the log commits, checked, in the order of their time.

The objects of the days asked for are listed, and each is believed only where its log entry names exactly it, so that
an orphan is never shown. What should be there and is not, only the verifier tells.
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush

import msgspec

from slack_audit.batches import day_prefix, unpack, window_of_key
from slack_audit.errors import ArchiveDamagedError
from slack_audit.events import Event
from slack_audit.log import LogEntry, decode, digest, log_key
from slack_audit.selection import Selection
from slack_audit.verify.vault import Vault, fetched
from slack_audit.windows import DAY, Window

type Progress = Callable[[int, int], None]  # batches done, batches in all


def untold(_done: int, _total: int) -> None:
    """Nobody is looking."""


VERIFY = "Run slack-audit verify, and restore it from the bucket's object versions."


class Found(msgspec.Struct, frozen=True):
    """An event and where it stands: `line` of the object that `entry` names, from 1 on."""

    event: Event
    entry: LogEntry
    line: int


class Committed(msgspec.Struct, frozen=True):
    """A batch that the log commits. `sealed` is the entry's own SHA-256, what the next entry has as `previous`."""

    entry: LogEntry
    window: Window
    sealed: str


def batches(org: str, vault: Vault, selection: Selection) -> list[Committed]:
    """The committed batches that may hold what is wanted, by window, then number. Raises StorageError."""
    candidates = list(_candidates(org, vault, selection))
    found = []
    for (key, window, number), body in fetched(vault, candidates, lambda it: log_key(org, it[2])):
        entry = decode(body, log_key(org, number)) if body is not None else None
        if body is not None and entry is not None and entry.key == key and selection.wants_entry(entry):
            found.append(Committed(entry, window, digest(body)))
    return sorted(found, key=lambda it: (it.window.lo, it.entry.number))


def events(org: str, vault: Vault, selection: Selection, progress: Progress = untold) -> Iterator[Found]:
    """The wanted events, by (`date_create`, id); one without a usable second at the start of its window.

    Memory holds what is wanted of the batches whose windows overlap. Raises StorageError, also where a batch is not
    what its entry says, and SelectionError.
    """
    return in_time(batches(org, vault, selection), vault, selection, progress)


def in_time(
    chosen: list[Committed], vault: Vault, selection: Selection, progress: Progress = untold
) -> Iterator[Found]:
    """The same, of batches in the order of their windows."""
    waiting: list[tuple[tuple[int, str, int, int], Found]] = []
    for done, (batch, body) in enumerate(fetched(vault, chosen, _key_of)):
        progress(done, len(chosen))
        while waiting and waiting[0][0][0] < batch.window.lo:
            yield heappop(waiting)[1]
        for found in wanted(batch.entry, body, selection):
            second = found.event.date_create
            place = batch.window.lo if second is None else second
            heappush(waiting, ((place, found.event.id, batch.entry.number, found.line), found))
    progress(len(chosen), len(chosen))
    while waiting:
        yield heappop(waiting)[1]


def wanted(entry: LogEntry, body: bytes | None, selection: Selection) -> Iterator[Found]:
    """The wanted events of one batch in the order of its lines. Raises ArchiveDamagedError where it is not what its
    entry says."""
    if body is None:
        raise ArchiveDamagedError(f"{entry.key} is missing. {VERIFY}")
    if digest(body) != entry.sha256:
        raise ArchiveDamagedError(f"{entry.key} has other bytes than its log entry says. {VERIFY}")
    for line, event in enumerate(unpack(body), 1):
        if selection.wants(event):
            yield Found(event, entry, line)


def _candidates(org: str, vault: Vault, selection: Selection) -> Iterator[tuple[str, Window, int]]:
    for key in _listed(org, vault, selection):
        named = window_of_key(key)
        if named is not None and selection.overlaps(named[0]):
            yield key, *named


def _listed(org: str, vault: Vault, selection: Selection) -> Iterator[str]:
    """The keys of the days asked for; from one day on, or all of them, where that has no end."""
    if selection.since is None or selection.until is None:
        first = "" if selection.since is None else day_prefix(org, _day(selection.since))
        yield from vault.keys(f"raw/org={org}/", after=first)
        return
    for at in range(selection.since - selection.since % DAY, selection.until + 1, DAY):
        yield from vault.keys(day_prefix(org, _day(at)))


def _day(second: int) -> str:
    return Window(second, second).day


def _key_of(batch: Committed) -> str:
    return batch.entry.key or ""
