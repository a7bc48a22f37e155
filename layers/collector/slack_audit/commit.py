"""The log and its copy in the table, kept in step: the only place that moves a watermark."""

import logging
from datetime import UTC, datetime

import msgspec

from slack_audit.batches import Batch
from slack_audit.checkpoint import Checkpoint
from slack_audit.errors import CollectorError
from slack_audit.log import Filters, LogEntry, digest, encode, log_key
from slack_audit.passes import Passes, moved, standing_passes
from slack_audit.ports import Archive, Checkpoints
from slack_audit.recover import roll_forward, valid_plan
from slack_audit.windows import Window

logger = logging.getLogger(__name__)

UNSAVED = 16  # entries that the log may be ahead of the table: a look at the table shows about where things stand


class Provenance(msgspec.Struct, frozen=True):
    """What every entry says of its making. `time` is epoch seconds by Slack's clock."""

    filters: Filters
    version: str
    time: float
    calls: int


class Ledger:
    """One org's log and checkpoint, under its lease. `checkpoint` is what this run knows to be true."""

    def __init__(self, org: str, archive: Archive, checkpoints: Checkpoints) -> None:
        self._org = org
        self._archive = archive
        self._checkpoints = checkpoints
        self.checkpoint = Checkpoint()
        self._unsaved = 0

    def acquire(self, owner: str, *, now: float, until: float) -> bool:
        """Takes the lease. False: another run holds it."""
        checkpoint = self._checkpoints.acquire(owner, now=now, until=until)
        if checkpoint is None:
            return False
        self.checkpoint = checkpoint
        return True

    def roll_forward(self) -> None:
        """To where the log is; then a plan counts whose batch an earlier run had written, and any other is dropped."""
        self._follow_the_log(self.checkpoint)
        plan, body = valid_plan(self._org, self.checkpoint, self._archive), self.checkpoint.plan
        if plan is None or body is None:
            self.checkpoint = self.checkpoint.planning(None)
            return
        # Kept until its entry stands: without it, a write that fails here would leave its batch an orphan.
        logger.info("committing what an earlier run had written", extra={"entry": plan.number, "key": plan.key})
        self._append(plan, body)

    def write_genesis(self, start: int, provenance: Provenance) -> None:
        """Entry 0: all standing passes start at the same second."""
        entry = self._entry(None, None, None, standing_passes(start), provenance)
        self._append(entry, encode(entry))

    def commit(self, name: str, window: Window, batch: Batch | None, provenance: Provenance) -> LogEntry | None:
        """Plan, batch, entry: in this order (protocol, steps 5 and 6). What stands in the table is saved with the next
        plan, or the release: the log is the authority, and a run that dies before that is rolled forward.

        None: another run committed this number first, and the checkpoint is where that left the log.
        Raises ValueError for a window that does not follow what the pass has committed: a second would be skipped.
        """
        if window.lo != self.checkpoint.passes[name].watermark + 1:
            raise ValueError(f"{window} does not follow the watermark of {name}: nothing was written")
        entry = self._entry(name, window, batch, moved(self.checkpoint.passes, name, window.hi), provenance)
        body = encode(entry)
        if batch is not None:
            self.save(self.checkpoint.planning(body))
            # Where an object stood there before, it has these very bytes: their digest is in its key.
            self._archive.put_new(batch.key, batch.body)
        return entry if self._append(entry, body) else None

    def change(self, name: str, passes: Passes, provenance: Provenance) -> bool:
        """An entry without a window, which gives a backfill another state. False: another run committed this number
        first, and the checkpoint is where that left the log."""
        entry = self._entry(name, None, None, passes, provenance)
        return self._append(entry, encode(entry))

    def save(self, checkpoint: Checkpoint) -> None:
        """Replaces the checkpoint in the table."""
        self.checkpoint = checkpoint
        self._checkpoints.save(checkpoint)
        self._unsaved = 0

    def release(self) -> None:
        """Saves the checkpoint and gives the lease back."""
        self._checkpoints.release(self.checkpoint)

    def try_to_release(self) -> None:
        """The error that is on its way matters more than a lease that will expire by itself."""
        try:
            self.release()
        except CollectorError as error:
            logger.warning("the lease was not released and will expire", extra={"reason": str(error)})

    def _follow_the_log(self, checkpoint: Checkpoint) -> None:
        """To its end. What an earlier run had not saved is saved before anything else can go wrong; where another run
        was first, that shows whether the lease is still ours."""
        self.checkpoint = roll_forward(self._org, checkpoint, self._archive)
        if self.checkpoint.next != checkpoint.next:
            self.save(self.checkpoint)

    def _append(self, entry: LogEntry, body: bytes) -> bool:
        """Writes the entry, which commits its window. False: another one stands there; follows the log to its end."""
        key = log_key(self._org, entry.number)
        is_new = self._archive.put_new(key, body)
        if not is_new and self._archive.get(key) != body:
            logger.warning("another run committed this entry first", extra={"key": key})
            self._follow_the_log(self.checkpoint.planning(None))
            return False
        self.checkpoint = self.checkpoint.after(entry, digest(body))
        self._unsaved += 1
        # Where it stood there already, a reply of ours was lost, or another run wrote the same: the lease says which.
        if not is_new or self._unsaved == UNSAVED:
            self.save(self.checkpoint)
        return True

    def _entry(
        self, name: str | None, window: Window | None, batch: Batch | None, passes: Passes, provenance: Provenance
    ) -> LogEntry:
        return LogEntry(
            org=self._org,
            number=self.checkpoint.next,
            previous=self.checkpoint.head,
            pass_=name,
            window=window,
            key=batch.key if batch else None,
            count=len(batch.events) if batch else 0,
            bytes=len(batch.body) if batch else 0,
            sha256=batch.sha256 if batch else None,
            filters=provenance.filters,
            calls=provenance.calls,
            version=provenance.version,
            time=datetime.fromtimestamp(provenance.time, UTC).isoformat(timespec="seconds"),
            passes=passes,
            published=self.checkpoint.published,
        )
