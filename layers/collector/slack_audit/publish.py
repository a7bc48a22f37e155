"""From the log to the stream, in order, behind a mark of its own.

The mark moves only when every record of an entry was accepted, so a repeat is possible and a gap is not.
"""

import logging
import random
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from slack_audit.archived import entry_at, events_in
from slack_audit.batches import Batch, Record, cut, records_of
from slack_audit.deadline import Deadline
from slack_audit.errors import ArchiveDamagedError, SinkRefusedError, SinkUnavailableError, StorageError
from slack_audit.events import Event
from slack_audit.log import LogEntry
from slack_audit.passes import LIVE
from slack_audit.ports import Archive, Beside, Sink

logger = logging.getLogger(__name__)

CALLS_AT_ONCE = 4  # to the stream, of one entry; the entries go one after another
LONGEST_CALL = 30.0  # seconds; the client gives up before
TRIES = 9  # in which the stream takes nothing, one after the other, before publishing ends for this run
BACK_OFF = 0.1  # seconds, doubled with every try
MOST_BACK_OFF = 5.0  # seconds


class Publisher:
    """Sends committed batches for as long as it may. Remembers what it has accepted of an entry within one run."""

    def __init__(self, org: str, archive: Archive, sink: Sink, sending: Beside, deadline: Deadline) -> None:
        self._org = org
        self._archive = archive
        self._sink = sink
        self._sending = sending
        self._deadline = deadline
        self._entries: dict[int, LogEntry] = {}
        self._newest: Batch | None = None
        self._number: int | None = None
        self._watermark: int | None = None
        self._calls: list[list[Record]] = []
        self._tries = 0
        self._fruitless = 0
        self.events = 0
        self.failed_records = 0
        self.pointers = 0
        self.streamed: int | None = None  # live's watermark as of the last entry that went out in full
        self.ended: str | None = None
        self.refusal: SinkRefusedError | StorageError | None = None

    def keep_at_hand(self, entry: LogEntry, batch: Batch | None) -> None:
        """The newest entry and its batch, so that they need not be read back from the archive."""
        self._entries[entry.number] = entry
        self._newest = batch

    def publish(
        self, mark: int, newest: int, *, patient: bool, goes_on: Callable[[], bool], most: int | None = None
    ) -> int:
        """Sends the entries from `mark` up to `newest`, at most `most` of them, and returns the new mark.

        It stops where `goes_on` says no between two calls. Patient, it backs off and sends what was refused again;
        otherwise it leaves that for its next turn.
        """
        end = newest if most is None else min(newest, mark + most - 1)
        while mark <= end and self.ended is None:
            self._open(mark)
            if self.ended is not None or not self._send(patient, goes_on):
                break
            self.streamed = self._watermark
            self._entries.pop(mark, None)
            self._number = None
            mark += 1
            if not goes_on():
                break
        return mark

    def _open(self, number: int) -> None:
        """Makes the entry's records ready, unless they are."""
        if self._number == number:
            return
        try:
            with self._deadline.step():
                entry, events = self._load(number)
        except StorageError as error:
            self._number = number
            self._end("damaged" if isinstance(error, ArchiveDamagedError) else "unreadable", error)
            return
        records = records_of(events, self._archive.uri(entry.key or ""), self._sink.limits)
        self.pointers += sum(record.data is not event.raw for record, event in zip(records, events, strict=True))
        self._number, self._calls = number, list(cut(records, self._sink.limits))
        self._watermark = entry.passes[LIVE].watermark if LIVE in entry.passes else None

    def _load(self, number: int) -> tuple[LogEntry, list[Event]]:
        entry = self._entries.get(number) or entry_at(self._org, number, self._archive)
        if entry.key is None or entry.pass_ is None or not entry.passes[entry.pass_].publish:
            return entry, []
        if self._newest is not None and self._newest.key == entry.key:
            return entry, self._newest.events
        return entry, list(events_in(entry.key, entry.sha256, self._archive))

    def _send(self, patient: bool, goes_on: Callable[[], bool]) -> bool:
        """Sends what is left of the open entry. True: all of it was accepted."""
        while self._calls:
            calls = self._calls[:CALLS_AT_ONCE]
            refused = [records for records in self._put(calls) if records]
            missing = sum(map(len, refused))
            accepted = sum(map(len, calls)) - missing
            self.events += accepted
            # A shard that throttles takes a part of every call, and is not given up for that.
            self._fruitless = 0 if accepted else self._fruitless + 1
            self._calls[:CALLS_AT_ONCE] = refused
            if refused and not self._again(missing, patient):
                return False
            if not refused:
                self._tries = 0
            if self._calls and not goes_on():
                return False
        return True

    def _put(self, calls: list[list[Record]]) -> list[list[Record]]:
        """What was refused of each call, all of them made at once."""
        with self._deadline.step():
            under_way = [self._sending(partial(self._sink.put, records)) for records in calls]
            return [self._refused(call, records) for call, records in zip(under_way, calls, strict=True)]

    def _refused(self, call: Future[list[Record]], records: list[Record]) -> list[Record]:
        try:
            return call.result(LONGEST_CALL)
        except (SinkUnavailableError, TimeoutError) as error:
            logger.warning("the stream did not answer", extra={"reason": str(error)})
        except SinkRefusedError as refusal:
            self._end("refused", refusal)
        return records

    def _again(self, refused: int, patient: bool) -> bool:
        """Shall what was refused be sent again now?"""
        self.failed_records += refused
        self._tries += 1
        if self._fruitless == TRIES and self.ended is None:
            self._end("stream_unavailable")
        if self.ended is not None or not patient:
            return False
        wait = min(BACK_OFF * 2 ** (self._tries - 1), MOST_BACK_OFF)
        self._deadline.sleep(wait * (0.5 + random.random() / 2))
        return True

    def _end(self, why: str, refusal: SinkRefusedError | StorageError | None = None) -> None:
        """No more publishing in this run; collecting goes on."""
        logger.error("publishing ends for this run", extra={"why": why, "entry": self._number})
        self.ended, self.refusal = why, refusal
