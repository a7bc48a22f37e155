"""The steps of one run: acquire, roll forward, and window by window read, prepare, commit, publish; then release.

A window's batch is written before its log entry, and the entry before the checkpoint: wherever a run dies, the next
one finds what is true in the archive (docs/promises.md).
"""

from collections.abc import Callable

from slack_audit.backfill import remaining, unreadable
from slack_audit.commit import Ledger, Provenance
from slack_audit.deadline import LEASE_GRACE, Deadline, ExhaustedError
from slack_audit.errors import (
    ActionRefusedError,
    CollectorError,
    CrowdedSecondError,
    LeaseLostError,
    RangeRefusedError,
    SourceError,
    StorageError,
)
from slack_audit.genesis import first_second
from slack_audit.held import Holdings
from slack_audit.parts import Parts, Policy, Report
from slack_audit.passes import BACKFILL, LIVE, kind_of, without
from slack_audit.prepare import Prepared, prepared
from slack_audit.publish import Publisher
from slack_audit.read import Reader, Reading, nothing
from slack_audit.refused import naming_the_actions
from slack_audit.tally import Tally
from slack_audit.turns import Turn, Turns

ENTRIES_WHILE_DUE = 2  # published per window while there is more to read
WHILE_AT_HAND = 1.0  # seconds a window: less than Slack's 50 calls a minute leave, and a batch is not read back
ON_TIME = 900  # seconds behind its limit from which a pass is catching up


class Run:
    """One run for one org. Call `collect` once; `report` and `tally` may be asked at any time, also after a failure."""

    def __init__(self, parts: Parts, policy: Policy) -> None:
        self._parts = parts
        self._policy = policy
        self._deadline = Deadline(parts.clock)
        self._ledger = Ledger(policy.org, parts.archive, parts.checkpoints)
        self._publisher = Publisher(policy.org, parts.archive, parts.sink, parts.sending, self._deadline)
        self._reader = Reader(
            parts.source, self._deadline, parts.ahead, filters=policy.filters, per_minute=policy.calls_per_minute
        )
        self._holdings = Holdings(policy.org, parts.archive)
        self._turns = Turns(policy, self._ledger, self._reader, self._holdings, self._deadline)
        self._recovered = False
        self._report = Report(org=policy.org)
        self.tally = Tally()

    def collect(self) -> Report:
        """Captures what is due, publishes what is not in the stream yet, and says why it stopped.

        Raises CollectorError where it did not do its work or a person must act; what was committed stays committed.
        """
        self._reader.meanwhile = self._publish_meanwhile
        try:
            return self._under_the_lease()
        finally:
            # The reader does not hold the run any longer: otherwise the events of run after run would stay in memory,
            # until Python looks for circles, which it does seldom.
            self._reader.meanwhile = nothing

    def _under_the_lease(self) -> Report:
        now = self._parts.clock.now()
        until = now + self._parts.clock.time_left() + LEASE_GRACE
        if not self._ledger.acquire(self._parts.owner, now=now, until=until):
            self._report.stopped = "lease_busy"
            return self._report
        self._reader.offset, self._reader.budget = self._ledger.checkpoint.clock, self._ledger.checkpoint.budget
        try:
            refusal = self._capture_and_publish()
        except LeaseLostError:
            raise
        except Exception:
            self._report.stopped = "failed"
            self._note_calls()
            self._ledger.try_to_release()
            raise
        if refusal is None:
            self._ledger.checkpoint = self._ledger.checkpoint.succeeding(self._parts.clock.now())
        self._ledger.release()
        if refusal is not None:
            raise refusal
        return self.report()

    def report(self) -> Report:
        """What was done until now."""
        checkpoint, report = self._ledger.checkpoint, self._report
        report.calls, report.rate_limited = self._reader.calls, self._reader.rate_limited
        report.calls_by_status, report.rate_limit_wait = self._reader.calls_by_status(), round(self._reader.waited)
        report.published, report.pointers = self._publisher.events, self._publisher.pointers
        report.failed_records = self._publisher.failed_records
        if (live := checkpoint.passes.get(LIVE)) is not None:
            report.backlog = checkpoint.backlog
            report.publishing = self._publisher.ended or ("behind" if checkpoint.backlog else "done")
            report.watermark = live.watermark
            slack_now = self._reader.slack_now()
            report.lag, report.publish_lag = checkpoint.lag(slack_now), checkpoint.publish_lag(slack_now)
            report.backfill_remaining = remaining(checkpoint.passes)
        return report

    def _capture_and_publish(self) -> CollectorError | None:
        """The error that a person must see, once everything is done that can be done in spite of it."""
        refusal: CollectorError | None = None
        while refusal is None:
            refusal = self._try_to_capture()
            if self._deadline.has_time():
                self._publish(patient=True, goes_on=self._nothing_better_to_do)
            if not self._may_capture_again():
                break
            self._turns.take_the_clock()  # what has come due while the backlog went out
        self._note_calls()
        if self._turns.aside:
            self._report.stopped = "failed"
        return refusal or next(iter(self._turns.aside.values()), None) or self._publisher.refusal

    def _try_to_capture(self) -> CollectorError | None:
        try:
            if not self._recovered:
                self._recover()
            self._report.stopped = self._capture()
        except ExhaustedError as exhausted:
            self._report.stopped = exhausted.reason
        except SourceError as error:
            self._report.stopped = "failed"
            if isinstance(error, ActionRefusedError) and self._deadline.has_time():
                return naming_the_actions(error, self._policy.filters, self._parts.catalog)
            return error
        return None

    def _nothing_better_to_do(self) -> bool:
        """May the backlog go on going out? A window that has come due, or a call that is allowed again, goes first."""
        if not self._deadline.has_time():
            return False
        return self._report.stopped in {"time", "failed"} or not self._turns.is_due_by_now()

    def _may_capture_again(self) -> bool:
        """Was publishing interrupted for something that this run can still capture?"""
        waiting = self._ledger.checkpoint.backlog > 0 and self._publisher.ended is None
        return waiting and self._report.stopped not in {"time", "failed"} and self._deadline.has_time()

    def _recover(self) -> None:
        """To where the log is; an org without one gets its genesis."""
        self._ledger.roll_forward()
        if self._reader.offset is None:
            self._reader.ask_the_time()
        if self._ledger.checkpoint.next == 0:
            start = first_second(self._reader, self._policy.lookback_hours)
            self._note_calls()
            self._ledger.write_genesis(start, self._provenance())
        self._recovered = True

    def _capture(self) -> str:
        """Window after window, until nothing is due; says why it ended."""
        while True:
            self._end_backfills()
            turn = self._turns.next()
            if turn is None:
                return self._turns.why_none()
            if not self._deadline.has_time():
                return "time"
            place = self._ledger.checkpoint.place
            self._turns.begin(turn)
            try:
                self._read(turn)
            except ExhaustedError:
                self._turns.stay_at(place)
                raise
            except CrowdedSecondError as error:
                if self._report.windows:
                    self._turns.stay_at(place)  # it was reached late: the next run begins with it
                    return "time"
                self._turns.set_aside(turn.name, error)

    def _end_backfills(self) -> None:
        """What has read everything up to its end leaves the passes, by an entry of its own."""
        for name in self._turns.finished():
            self._note_calls()
            if not self._ledger.change(name, without(self._ledger.checkpoint.passes, name), self._provenance()):
                self._start_over()

    def _read(self, turn: Turn) -> None:
        """One window: committed if its answer proves something; otherwise another one is asked for next."""
        try:
            turn = self._turns.bounded(turn)
            reading = self._reader.window(turn.window, spare=turn.spare)
        except StorageError as error:
            self._turns.set_aside(turn.name, error)
            return
        except RangeRefusedError as error:
            if not self._turns.may_read(turn):
                return  # our clock was ahead of Slack's; the refusal has corrected it
            if kind_of(turn.name) != BACKFILL:
                raise
            self._turns.set_aside(turn.name, RangeRefusedError(f"{error} {unreadable(turn.name)}"))
            return
        if not reading.whole:
            self._turns.note(turn, reading)
        elif not self._turns.is_too_young(turn, reading.slack_time):
            self._take(turn, reading)

    def _take(self, turn: Turn, reading: Reading) -> None:
        """Commits a whole answer, and publishes while the next window is already being read."""
        self._turns.note(turn, reading)
        try:
            self._turns.read_ahead(turn)
            ready = self._prepare(turn, reading)
        except StorageError as error:
            self._turns.set_aside(turn.name, error)
            return
        self._note_calls()
        with self._deadline.step():
            entry = self._ledger.commit(turn.name, turn.window, ready.batch, self._provenance())
        if entry is None:
            self._start_over()
            return
        self._publisher.keep_at_hand(entry, ready.batch)
        self._holdings.add(entry)
        self._note_found(turn, reading, ready)
        if self._reader.has_read_ahead():
            until = self._deadline.now() + WHILE_AT_HAND
            self._publish(
                patient=False,
                goes_on=lambda: self._reader.is_reading() or self._deadline.now() < until,
                most=ENTRIES_WHILE_DUE,
            )

    def _prepare(self, turn: Turn, reading: Reading) -> Prepared:
        with self._deadline.step():
            return prepared(
                self._policy.org,
                turn.name,
                turn.window,
                reading.events,
                holdings=self._holdings,
                number=self._ledger.checkpoint.next,
            )

    def _note_found(self, turn: Turn, reading: Reading, ready: Prepared) -> None:
        """Delays tell nothing of Slack where the pass was catching up."""
        seen_at = reading.slack_time or int(self._reader.slack_now())
        kind = kind_of(turn.name)
        on_time = kind != BACKFILL and seen_at - self._turns.lag(turn.name) - turn.window.lo <= ON_TIME
        self._report.note_window(kind, ready, ready.longest_delay(seen_at) if on_time else None)
        if ready.batch is not None:
            self.tally.note(kind, ready.batch.events)
            if kind != BACKFILL:
                self._ledger.checkpoint = self._ledger.checkpoint.enriched(self._parts.clock.now())

    def _start_over(self) -> None:
        """Another run has committed: whatever was read ahead or listed is of a world that has changed."""
        self._turns.forget_ahead()
        self._holdings.forget()

    def _note_calls(self) -> None:
        """Slack's clock and the calls go with the next write of the checkpoint."""
        self._ledger.checkpoint = self._ledger.checkpoint.timed(self._reader.offset, self._reader.budget)

    def _provenance(self) -> Provenance:
        return Provenance(
            self._policy.filters, self._policy.version, self._reader.slack_now(), self._reader.count_calls()
        )

    def _publish(self, *, patient: bool, goes_on: Callable[[], bool], most: int | None = None) -> None:
        checkpoint = self._ledger.checkpoint
        mark = self._publisher.publish(
            checkpoint.published, checkpoint.next - 1, patient=patient, goes_on=goes_on, most=most
        )
        self._ledger.checkpoint = checkpoint.delivered(mark, self._publisher.streamed)

    def _publish_meanwhile(self, seconds: float) -> None:
        """Instead of sleeping: what is committed already goes out."""
        until = self._deadline.now() + seconds
        self._publish(patient=False, goes_on=lambda: self._deadline.now() < until)
