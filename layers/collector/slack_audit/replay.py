"""One item of a replay: its entries' wanted events, in order, to the target, and what came of it to the archive.

An event goes out at least once, with the bytes and the id that it has in the archive. An item that is repeated, after
a kill or because the replay is resumed, sends again what it sent before, and writes the same result.
"""

import logging
import random
from collections.abc import Iterable, Iterator
from hashlib import sha256

import msgspec

from slack_audit.batches import Record, cut, records_of, unpack
from slack_audit.deadline import Deadline
from slack_audit.errors import ArchiveDamagedError, SinkUnavailableError
from slack_audit.log import LogEntry, decode, digest, log_key
from slack_audit.ports import Archive, Sink, Target
from slack_audit.replay_plan import Item, Plan, written_once
from slack_audit.verify.vault import Vault, fetched

logger = logging.getLogger(__name__)

TRIES = 12  # in which the target takes nothing, one after the other, before the item fails
BACK_OFF = 0.2  # seconds, doubled with every try
MOST_BACK_OFF = 10.0  # seconds
RESTORE = "Restore it from the bucket's object versions, then resume the replay."


class Place(msgspec.Struct, frozen=True):
    """Where an item goes on: so many wanted records of this entry are with the target."""

    entry: int
    record: int = 0


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What was read and sent of one entry. `sha256` and `read` are of its batch as it was read, `digest` is of the
    lines that were wanted, each with its line break."""

    number: int
    key: str
    sha256: str
    read: int
    selected: int
    sent: int
    digest: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an item. `previous` and `head` are what ties it to the items before and after: the digest that its
    first entry has of the one before it, and that of its last entry."""

    format: int = 1
    item: Item
    previous: str | None
    head: str
    sent: list[Sent]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an item is: done, or where it goes on and what was sent of the entries before that."""

    done: bool
    item: Item
    at: Place | None = None
    sent: list[Sent] = []


class Sealed(msgspec.Struct, frozen=True):
    """An entry and its digest."""

    entry: LogEntry
    digest: str


class Chosen(msgspec.Struct, frozen=True):
    """What is wanted of one entry: its records, and what the entry's line of the result says once they are sent."""

    records: list[Record]
    said: Sent


def result_key(plan: Plan, item: Item) -> str:
    """`replay/org=<org>/<replay id>/results/<first entry, 12 digits>.json`"""
    return plan.key(f"results/{item.first:012}.json")


class Replay:
    """Carries out the items of a plan."""

    def __init__(self, plan: Plan, *, vault: Vault, archive: Archive, target: Target, deadline: Deadline) -> None:
        self._plan = plan
        self._vault = vault
        self._archive = archive
        self._target = target
        self._deadline = deadline
        self._fruitless = 0

    def go_on(self, progress: Progress) -> Progress:
        """Sends for as long as there is time: at least one call, so that a slow target is slow and no failure.

        Raises StorageError, SelectionError, and SinkError where the target refuses for good or takes nothing.
        """
        item = progress.item
        entries = list(sealed(self._plan.org, bodies(self._plan.org, item, self._vault)))
        start = progress.at or Place(item.first)
        sent = list(progress.sent)
        for chosen in self._chosen(entries, start.entry):
            number = chosen.said.number
            place = self._send(chosen, start.record if number == start.entry else 0)
            if place is not None:
                if place == start:
                    raise SinkUnavailableError(f"{self._plan.target} took nothing for as long as there was time.")
                return Progress(done=False, item=item, at=place, sent=sent)
            sent.append(chosen.said)
            if number < item.last and not self._deadline.has_time():
                return Progress(done=False, item=item, at=Place(number + 1), sent=sent)
        result = Result(item=item, previous=entries[0].entry.previous, head=entries[-1].digest, sent=sent)
        written_once(self._archive, result_key(self._plan, item), msgspec.json.encode(result))
        return Progress(done=True, item=item)

    def _chosen(self, entries: list[Sealed], first: int) -> Iterator[Chosen]:
        """What is wanted of each entry from `first` on that may hold it. Their batches are fetched ahead."""
        wanted = [it.entry for it in entries if it.entry.number >= first and self._plan.selection.wants_entry(it.entry)]
        for entry, body in fetched(self._vault, wanted, lambda it: it.key or ""):
            yield self._choose(entry, body)

    def _choose(self, entry: LogEntry, body: bytes | None) -> Chosen:
        key = entry.key or ""
        if body is None:
            raise ArchiveDamagedError(f"{key} is missing. {RESTORE}")
        if digest(body) != entry.sha256:
            raise ArchiveDamagedError(f"{key} has other bytes than its log entry says. {RESTORE}")
        events = list(unpack(body))
        records = records_of(events, self._archive.uri(key), self._target(key).limits)
        # The records of all events, then the wanted ones: a pointer names the event's line in the whole batch.
        chosen = [it for it in zip(events, records, strict=True) if self._plan.selection.wants(it[0])]
        lines = sha256(b"".join(event.raw + b"\n" for event, _ in chosen)).hexdigest()
        said = Sent(
            number=entry.number,
            key=key,
            sha256=digest(body),
            read=len(events),
            selected=len(chosen),
            sent=len(chosen),
            digest=lines,
        )
        return Chosen([record for _, record in chosen], said)

    def _send(self, chosen: Chosen, done: int) -> Place | None:
        """Sends what is left of an entry. None: the target has all of it. Otherwise where to go on."""
        sink = self._target(chosen.said.key)
        for call in cut(chosen.records[done:], sink.limits):
            if not self._put(sink, call):
                return Place(chosen.said.number, done)
            done += len(call)
            if done < len(chosen.records) and not self._deadline.has_time():
                return Place(chosen.said.number, done)
        return None

    def _put(self, sink: Sink, records: list[Record]) -> bool:
        """One call, and what it refuses again until it is taken. False: there is no time left for that."""
        tries = 0
        while records:
            refused = self._try(sink, records)
            self._fruitless = 0 if len(refused) < len(records) else self._fruitless + 1
            records = refused
            if not records:
                break
            if self._fruitless == TRIES:
                raise SinkUnavailableError(
                    f"{self._plan.target} took nothing in {TRIES} tries. Look what holds it up, then resume the replay."
                )
            wait = min(BACK_OFF * 2**tries, MOST_BACK_OFF) * (0.5 + random.random() / 2)
            tries += 1
            if not self._deadline.has_time(wait):
                return False
            self._deadline.sleep(wait)
        return True

    def _try(self, sink: Sink, records: list[Record]) -> list[Record]:
        try:
            with self._deadline.step():
                return sink.put(records)
        except SinkUnavailableError as error:
            logger.warning("the target did not answer", extra={"reason": str(error)})
            return records


def bodies(org: str, item: Item, vault: Vault) -> Iterator[tuple[int, bytes | None]]:
    """The log's entries as they stand there, by their numbers, fetched ahead."""
    return fetched(vault, range(item.first, item.last + 1), lambda number: log_key(org, number))


def sealed(org: str, found: Iterable[tuple[int, bytes | None]]) -> Iterator[Sealed]:
    """Entries of the log in order. Raises ArchiveDamagedError where one is missing, or does not seal the one before."""
    before: str | None = None
    for number, body in found:
        key = log_key(org, number)
        if body is None:
            raise ArchiveDamagedError(f"{key} is missing. {RESTORE}")
        entry = decode(body, key)
        if (entry.org, entry.number) != (org, number):
            raise ArchiveDamagedError(f"{key} says that it is entry {entry.number} of org {entry.org}. {RESTORE}")
        if before is not None and entry.previous != before:
            raise ArchiveDamagedError(f"{key} does not seal the entry before it: one of the two was changed. {RESTORE}")
        before = digest(body)
        yield Sealed(entry, before)
