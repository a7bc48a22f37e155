"""The steps of one run: acquire, roll forward, and window by window read, prepare, commit, publish; then release.

A window's batch is written before its log entry, and the entry before the checkpoint: wherever a run dies, the next
one finds what is true in the archive (docs/promises.md).
"""

from collections.abc import Callable

from slack_audit.batches import Batch, batch_of, belonging, in_order
from slack_audit.commit import Ledger, Provenance
from slack_audit.deadline import Deadline, ExhaustedError
from slack_audit.errors import CollectorError, CrowdedSecondError, LeaseLostError, RangeRefusedError, SourceError
from slack_audit.events import EARLIEST_SECOND
from slack_audit.parts import Parts, Policy, Report
from slack_audit.passes import LIVE, Passes, limits, newest_readable, whose_turn
from slack_audit.publish import Publisher
from slack_audit.read import Reader, Reading
from slack_audit.windows import Span, Window

LEASE_GRACE = 30.0  # seconds that the lease outlives the run's deadline
ENTRIES_WHILE_DUE = 2  # published per window while there is more to read
HOUR = 3_600  # seconds


class Run:
    """One run for one org. Call `collect` once; `report` may be asked at any time, also after a failure."""

    def __init__(self, parts: Parts, policy: Policy) -> None:
        self._parts = parts
        self._policy = policy
        self._start = parts.clock.now()
        self._deadline = Deadline(parts.clock)
        self._ledger = Ledger(policy.org, parts.archive, parts.checkpoints)
        self._publisher = Publisher(policy.org, parts.archive, parts.sink, self._deadline)
        self._reader = Reader(
            parts.source, self._deadline, parts.ahead, filters=policy.filters, per_minute=policy.calls_per_minute
        )
        self._reader.meanwhile = self._publish_meanwhile
        self._spans: dict[str, Span] = {}
        self._recovered = False
        self._report = Report(org=policy.org)

    def collect(self) -> Report:
        """Captures what is due, publishes what is not in the stream yet, and says why it stopped.

        Raises CollectorError where it did not do its work or a person must act; what was committed stays committed.
        """
        until = self._start + self._parts.clock.time_left() + LEASE_GRACE
        if not self._ledger.acquire(self._parts.owner, now=self._start, until=until):
            self._report.stopped = "lease_busy"
            return self._report
        self._reader.offset, self._reader.budget = self._ledger.checkpoint.clock, self._ledger.checkpoint.budget
        try:
            refusal = self._capture_and_publish()
        except LeaseLostError:
            raise
        except Exception:
            self._ledger.try_to_release()
            raise
        self._ledger.release()
        if refusal is not None:
            raise refusal
        return self.report()

    def report(self) -> Report:
        """What was done until now."""
        checkpoint, report = self._ledger.checkpoint, self._report
        report.calls, report.rate_limited = self._reader.calls, self._reader.rate_limited
        report.published, report.pointers = self._publisher.events, self._publisher.pointers
        report.failed_records = self._publisher.failed_records
        if (live := checkpoint.passes.get(LIVE)) is not None:
            report.backlog = checkpoint.backlog
            report.publishing = self._publisher.ended or ("behind" if checkpoint.backlog else "done")
            report.watermark = live.watermark
            report.lag = int(self._reader.slack_now()) - live.watermark
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
            self._start = self._deadline.now()  # what has come due while the backlog went out
        self._note_calls()
        return refusal or self._publisher.refusal

    def _try_to_capture(self) -> CollectorError | None:
        try:
            if not self._recovered:
                self._recover()
            self._report.stopped = self._capture()
        except ExhaustedError as exhausted:
            self._report.stopped = exhausted.reason
        except CrowdedSecondError as error:
            if not self._report.windows:
                return error
            self._report.stopped = "time"  # it was reached late: the next run begins with it
        except SourceError as error:
            self._report.stopped = "failed"
            return error
        return None

    def _nothing_better_to_do(self) -> bool:
        """May the backlog go on going out? A window that has come due, or a call that is allowed again, goes first."""
        if not self._deadline.has_time():
            return False
        if self._report.stopped in {"call_budget", "rate_limited"}:
            return self._reader.must_wait()
        return self._report.stopped != "nothing_due" or not self._is_due_by_now()

    def _may_capture_again(self) -> bool:
        """Was publishing interrupted for something that this run can still capture?"""
        waiting = self._ledger.checkpoint.backlog > 0 and self._publisher.ended is None
        return waiting and self._report.stopped not in {"time", "failed"} and self._deadline.has_time()

    def _is_due_by_now(self) -> bool:
        checkpoint = self._ledger.checkpoint
        limit_of = limits(checkpoint.passes, int(self._reader.slack_now()), self._policy.lags)
        return whose_turn(checkpoint.passes, limit_of, checkpoint.turn) is not None

    def _recover(self) -> None:
        """To where the log is; an org without one gets its genesis."""
        self._ledger.roll_forward()
        if self._reader.offset is None:
            self._reader.ask_the_time()
        if self._ledger.checkpoint.next == 0:
            start = self._first_second()
            self._note_calls()
            self._ledger.write_genesis(start, self._provenance())
        self._recovered = True

    def _first_second(self) -> int:
        """Where collection starts. Slack has answered for it: what a person must undo is not written before."""
        while True:
            now = int(self._reader.slack_now())
            start = max(EARLIEST_SECOND, now - self._policy.lookback_hours * HOUR)
            first = min(start, now - 1)
            try:
                self._reader.can_read(Window(first, first))
            except RangeRefusedError:
                if first < int(self._reader.slack_now()):
                    raise
                continue  # our clock was ahead of Slack's; the refusal has corrected it
            return start

    def _capture(self) -> str:
        """Window after window, until nothing is due; says why it ended."""
        while (due := self._next(self._ledger.checkpoint.passes, self._ledger.checkpoint.turn)) is not None:
            name, window = due
            if not self._deadline.has_time():
                return "time"
            try:
                reading = self._reader.window(window)
            except RangeRefusedError:
                if window.hi <= self._limits(self._ledger.checkpoint.passes)[name]:
                    raise
                continue  # our clock was ahead of Slack's; the refusal has corrected it
            if not reading.whole:
                self._ask_for(name, self._span(name).after_cut(window))
            elif not self._is_too_young(name, window, reading):
                self._take(name, window, reading)
        return "nothing_due"

    def _next(self, passes: Passes, last: str | None) -> tuple[str, Window] | None:
        """The pass whose turn it is, and its next window."""
        limit_of = self._limits(passes)
        name = whose_turn(passes, limit_of, last)
        if name is None:
            return None
        return name, passes[name].next_window(self._ledger.checkpoint.span(name), limit_of[name])

    def _limits(self, passes: Passes) -> dict[str, int]:
        """By Slack's clock at the start of the run, so that a run does not chase the present."""
        return limits(passes, int((self._start + (self._reader.offset or 0)) // 1), self._policy.lags)

    def _is_too_young(self, name: str, window: Window, reading: Reading) -> bool:
        """Does the answer's own clock say that the window reached into the lag? Then it proves nothing."""
        if reading.slack_time is None:
            return False
        return window.hi > newest_readable(reading.slack_time, self._policy.lags[name])

    def _take(self, name: str, window: Window, reading: Reading) -> None:
        """Commits a whole answer, and publishes while the next window is already being read."""
        self._ask_for(name, self._span(name).after_whole(window, len(reading.events)))
        following = self._next(self._ledger.checkpoint.moved(name, window.hi), name)
        if following is not None:
            self._reader.read_ahead(following[1])
        batch = self._prepare(window, reading)
        self._note_calls()
        with self._deadline.step():
            entry = self._ledger.commit(name, window, batch, self._provenance())
        if entry is None:
            self._reader.forget_ahead()
            return
        self._publisher.keep_at_hand(entry, batch)
        self._report.windows += 1
        self._report.batches += batch is not None
        self._report.events += entry.count
        if self._reader.has_read_ahead():
            self._publish(patient=False, goes_on=self._reader.is_reading, most=ENTRIES_WHILE_DUE)

    def _prepare(self, window: Window, reading: Reading) -> Batch | None:
        """The window's new events as one object, None if there are none."""
        belong = belonging(reading.events, window)
        events = in_order(belong)
        self._report.out_of_range += len(reading.events) - len(belong)
        self._report.repeats += len(belong) - len(events)
        return batch_of(self._policy.org, window, self._ledger.checkpoint.next, events) if events else None

    def _span(self, name: str) -> Span:
        """What the pass asks for; the checkpoint keeps its seconds between runs."""
        return self._spans.get(name) or Span(self._ledger.checkpoint.span(name))

    def _ask_for(self, name: str, span: Span) -> None:
        self._spans[name] = span
        self._ledger.checkpoint = self._ledger.checkpoint.asking(name, span.seconds)

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
        self._ledger.checkpoint = checkpoint.delivered(mark)

    def _publish_meanwhile(self, seconds: float) -> None:
        """Instead of sleeping: what is committed already goes out."""
        until = self._deadline.now() + seconds
        self._publish(patient=False, goes_on=lambda: self._deadline.now() < until)
