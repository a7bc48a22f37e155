"""Slack asked as the collector asks it: by whole windows of time, within its rate limit and within ours."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future

import msgspec

from slack_audit.batches import belonging, in_order
from slack_audit.deadline import Deadline, ExhaustedError
from slack_audit.errors import CollectorError, SelectionError, UnavailableError
from slack_audit.events import EARLIEST_SECOND, Event
from slack_audit.log import Filters
from slack_audit.passes import FIRST_SPAN
from slack_audit.ports import Clock, Query, Source
from slack_audit.read import Reader, Reading
from slack_audit.spans import Span
from slack_audit.windows import PAGE_LIMIT, Window

SPARE = 4  # calls a minute that are kept for a second try of one that failed
WORTH_TELLING = 3.0  # seconds


class OutOfPatienceError(CollectorError):
    """Slack says to wait longer than the caller wants to."""


class Pace(msgspec.Struct, frozen=True):
    """How fast: calls a minute, and seconds in all that may be waited because Slack limits the rate."""

    per_minute: int
    patience: float


class Asked:
    """One caller's questions to Slack. `told` is what a person hears while it waits."""

    def __init__(
        self, source: Source, clock: Clock, filters: Filters, pace: Pace, told: Callable[[str], object]
    ) -> None:
        self._clock = clock
        self._filters = filters
        self._told = told
        self._patience = pace.patience
        self._spare = min(SPARE, pace.per_minute // 4)
        self._reader = Reader(source, Deadline(clock), at_once, filters=filters, per_minute=pace.per_minute)
        self._reader.meanwhile = self._while_waiting
        self.read_up_to: int | None = None  # everything of the range up to this second is read and handed on

    @property
    def calls(self) -> int:
        """How many were made."""
        return self._reader.calls

    def range(self, oldest: int | None, latest: int | None) -> Window:
        """The seconds that are over by Slack's clock, which takes a call. Raises SourceError and SelectionError."""
        self._reader.ask_the_time()
        over = int(self._reader.slack_now()) - 1
        window = Window(EARLIEST_SECOND if oldest is None else oldest, over if latest is None else min(latest, over))
        if window.hi < window.lo:
            raise SelectionError("By Slack's clock, nothing of that range is over yet. Choose an earlier --oldest.")
        return window

    def everything(self, asked: Window) -> Iterator[list[Event]]:
        """Every event of the range, oldest first, window by window: one counts only if its answer is all of it.

        Raises SourceError, CrowdedSecondError and OutOfPatienceError.
        """
        span, lo = Span(FIRST_SPAN), asked.lo
        while lo <= asked.hi:
            window = span.window(lo, asked.hi)
            reading = self._reading(window)
            if reading.whole:
                self.read_up_to = window.hi
                yield in_order(belonging(reading.events, window))
                span, lo = span.after_whole(window, reading.seconds), window.hi + 1
            else:
                span = span.after_cut(window, reading.seconds)

    def newest(self, window: Window | None, most: int) -> list[Event]:
        """The newest events of the window, of all time without one; newest first, and never more than that.

        Larger than a page it follows Slack's cursor, which may leave out an event of a second that two pages share.
        Raises SourceError, ExhaustedError and OutOfPatienceError.
        """
        found: dict[str, Event] = {}
        for filters in self._filters.calls():
            found |= self._newest_of(Query(window, filters, limit=min(most, PAGE_LIMIT)), most)
        return sorted(found.values(), key=lambda it: (it.date_create or 0, it.id), reverse=True)[:most]

    def _newest_of(self, query: Query, most: int) -> dict[str, Event]:
        answer = self._reader.page(query)
        found = {event.id: event for event in answer.events}
        seen = set()
        while len(found) < most and (cursor := answer.next_cursor) is not None:
            if cursor in seen:
                raise UnavailableError("Slack's cursor does not move: it came twice. Ask again, or for a range.")
            seen.add(cursor)
            more = msgspec.structs.replace(query, limit=min(most - len(found), PAGE_LIMIT), cursor=cursor)
            answer = self._reader.page(more)
            found |= {event.id: event for event in answer.events}
        return found

    def _reading(self, window: Window) -> Reading:
        """What one window gave, after every wait that it takes. What Slack says to wait, patience bounds."""
        while True:
            self._keep_the_pace()
            try:
                return self._reader.window(window)
            except ExhaustedError:  # of calls: a rate limit came in between, and was waited out
                continue

    def _keep_the_pace(self) -> None:
        wait = self._reader.wait_for_budget(self._spare)
        if wait > 0:
            self._while_waiting(wait)
            self._clock.sleep(wait)

    def _while_waiting(self, seconds: float) -> None:
        """What is waited because Slack says so, costs patience; our own pace and a second try do not."""
        if self._reader.is_blocked():
            if seconds > self._patience:
                raise OutOfPatienceError(
                    f"Slack limits the rate and says to wait {seconds:.0f} s, of which --patience leaves "
                    f"{self._patience:.0f} s. Ask again later, for less, or with more patience."
                )
            self._patience -= seconds
        if seconds >= WORTH_TELLING:
            why = "Slack limits the rate: waiting" if self._reader.is_blocked() else "Waiting before the next call:"
            self._told(f"{why} {seconds:.0f} s.")


def at_once[T](call: Callable[[], T]) -> Future[T]:
    """Nothing is read ahead here: a call that is asked for is made."""
    future: Future[T] = Future()
    future.set_result(call())
    return future
