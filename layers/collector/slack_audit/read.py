"""One window read whole, or not at all.

Slack's cursor expires and forgets the window, and the order inside a second differs between requests, so pages are
never put together: an answer counts only if it is all of its window. Only a single second that is larger than a page
is walked by cursor, again and again until a walk brings nothing new (protocol: "Why there are no cursors in it").
"""

import logging
import math
import random
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future

import msgspec

from slack_audit.budget import Budget
from slack_audit.crowded import every_event
from slack_audit.deadline import Deadline, ExhaustedError
from slack_audit.errors import (
    RateLimitedError,
    SlowAnswerError,
    SourceError,
    TokenRefusedError,
    UnavailableError,
)
from slack_audit.events import Event
from slack_audit.log import Filters
from slack_audit.pace import Pace
from slack_audit.ports import Answer, Beside, Query, Source
from slack_audit.windows import Window

logger = logging.getLogger(__name__)

TRIES = 5  # of one page, before the run gives up
BACK_OFF = 1.0  # seconds, doubled with every try
RATE_LIMIT_WAIT = 30  # seconds, where Slack says no usable Retry-After (its documentation's example)
BUDGET_WAIT = 10.0  # seconds; a longer wait for the next call is left to the next run
READ_TIMEOUT = 30.0  # seconds for one whole answer
LEAST_TIMEOUT = 3.0  # seconds


def nothing(_seconds: float) -> None:
    """What there is to do while waiting, if nobody says otherwise."""


class Patience(msgspec.Struct, frozen=True):
    """How many seconds a call may wait for the call budget, and how many calls a minute must be left for others."""

    seconds: float = BUDGET_WAIT
    spare: int = 0


PATIENCE = Patience()


class Reading(msgspec.Struct, frozen=True):
    """What one window gave. Not whole: it proves nothing, so its events are not handed on; ask again for less.

    `seconds` are those of the events that were shown, whole or not: they tell how dense the window is. `slack_time` is
    Slack's clock at the earliest of its answers.
    """

    whole: bool
    events: list[Event]
    seconds: list[int]
    slack_time: int | None


class Reader:
    """Asks Slack within the time and the calls that are left. Keeps count of both, and of Slack's clock."""

    def __init__(self, source: Source, deadline: Deadline, ahead: Beside, *, filters: Filters, per_minute: int) -> None:
        self._source = source
        self._deadline = deadline
        self._ahead = ahead
        self._filters = filters.calls()
        self._per_minute = per_minute
        self._token_renewed = False
        self._early: deque[tuple[Query, Future[Answer]]] = deque()
        self._uncounted = 0
        self.budget = Budget()
        self.offset: int | None = None
        self.meanwhile: Callable[[float], None] = nothing  # what the run does instead of sleeping
        self.calls = 0
        self.rate_limited = 0
        self.waited = 0.0  # seconds, for the call budget and for what Slack said to wait
        self.pace = Pace()
        self._took: deque[float] = deque()  # seconds of calls, noted where they end: in threads that may not touch more
        self._answered: Counter[str] = Counter()

    def slack_now(self) -> float:
        """Slack's clock: the host's, corrected by the difference last seen."""
        return self._deadline.now() + (self.offset or 0)

    def ask_the_time(self) -> None:
        """One small call, only for Slack's clock (and it shows whether the token and the filters are accepted)."""
        self._page(Query(None, self._filters[0], limit=1))

    def window(self, window: Window, *, spare: int = 0) -> Reading:
        """Reads a window: one call, or more where more actions are asked for than fit into one. So many calls a minute
        are left for others.

        Raises SourceError, CrowdedSecondError and ExhaustedError.
        """
        if self._early and self._early[0][0].window != window:
            self.forget_ahead()
        whole = Reading(True, [], [], None)
        for number, filters in enumerate(self._filters):
            # A window that was begun is not given up for want of calls: it would never be read whole.
            patience = Patience(math.inf if number else BUDGET_WAIT, spare)
            reading = self._reading(Query(window, filters), window, patience)
            if not reading.whole:
                return reading
            first_time = reading.slack_time if number == 0 else whole.slack_time
            whole = Reading(True, whole.events + reading.events, whole.seconds + reading.seconds, first_time)
        return whole

    def _reading(self, query: Query, window: Window, patience: Patience) -> Reading:
        """What one call gives of a window."""
        try:
            answer = self._page(query, patience)
        except SlowAnswerError:
            if window.seconds == 1:
                raise
            return Reading(False, [], [], None)
        events = answer.events
        if answer.next_cursor is not None:
            if window.seconds > 1:
                return Reading(False, [], _seconds(events), answer.slack_time)
            events = every_event(query, answer, lambda again: self._page(again, None))
        return Reading(True, events, _seconds(events), answer.slack_time)

    def read_ahead(self, window: Window, *, spare: int = 0) -> bool:
        """Starts the call for the window that follows what is read ahead already, if calls and time allow: did it?
        Nothing is decided by it."""
        if self.must_wait(spare) or not self._deadline.has_time():
            return False
        query = Query(window, self._filters[0])
        timeout = self._timeout()
        self._spend()
        self._early.append((query, self._ahead(lambda: self._ask(query, timeout))))
        return True

    def windows_ahead(self) -> int:
        """How many windows to read ahead."""
        while self._took:
            self.pace = self.pace.after_call(self._took.popleft())
        return self.pace.ahead(self.budget.allowance(self._deadline.now(), self._per_minute))

    def wait_for_budget(self, spare: int = 0) -> float:
        """Seconds until a call is allowed that leaves so many calls a minute `spare` for others."""
        now = self._deadline.now()
        return self.budget.wait(now, max(1, self.budget.allowance(now, self._per_minute) - spare))

    def must_wait(self, spare: int = 0) -> bool:
        """Is no call allowed right now, or none that would leave so many `spare` for others?"""
        return self.wait_for_budget(spare) > 0

    def is_blocked(self) -> bool:
        """Did Slack say to wait, and that is not over yet?"""
        return self.budget.is_blocked(self._deadline.now())

    def can_read(self, window: Window) -> None:
        """One small call: raises SourceError where Slack will not answer for this window."""
        self._page(Query(window, self._filters[0], limit=1))

    def page(self, query: Query) -> Answer:
        """One page, which proves nothing: for whoever only wants to look. Waits for the call budget, however long.

        Raises SourceError and ExhaustedError.
        """
        return self._page(query, Patience(math.inf))

    def count_calls(self) -> int:
        """The calls whose answers were used since this was last asked."""
        calls, self._uncounted = self._uncounted, 0
        return calls

    def calls_by_status(self) -> dict[str, int]:
        """All calls of the run by what came of them: `200`, `429`, `4xx`, `5xx` or `other` for an answer that was
        looked at, `none` for all others."""
        none = self.calls - self._answered.total()
        return {**self._answered, **({"none": none} if none else {})}

    def has_read_ahead(self) -> bool:
        """Was a call started ahead that nobody has used yet?"""
        return bool(self._early)

    def is_reading(self) -> bool:
        """Is the call for the next window, started ahead, still under way?"""
        return bool(self._early) and not self._early[0][1].done()

    def forget_ahead(self) -> None:
        """Whatever was read ahead is not used: the world has changed since, or the windows that come next."""
        for _, early in self._early:
            early.cancel()
        self._early.clear()

    def _page(self, query: Query, patience: Patience | None = PATIENCE) -> Answer:
        """One page, with every wait that is worth it. Without patience, the call budget is not looked at."""
        tries, wait = 0, 0.0
        failure: SourceError | None = None
        while True:
            try:
                self._sleep(wait, "time")
                return self._call(query, patience)
            except ExhaustedError as exhausted:
                if failure is not None and exhausted.reason != "time":
                    raise failure from exhausted  # a small budget must not hide what is wrong
                raise
            except RateLimitedError as limit:
                self.forget_ahead()  # they were refused as well, and what they say of waiting grows old
                self._wait_out(limit)
                wait = 0.0
            except (TokenRefusedError, UnavailableError) as error:
                failure, tries = error, tries + 1
                wait = self._before_another_try(error, tries)

    def _before_another_try(self, error: SourceError, tries: int) -> float:
        """Seconds to wait first. Raises the error where asking again is of no use."""
        if isinstance(error, TokenRefusedError):
            if self._token_renewed:
                raise error
            self._token_renewed = True
            self.forget_ahead()  # they were asked with the old one
            self._source.renew_token()
            return 0.0
        if tries == TRIES or (isinstance(error, SlowAnswerError) and tries > 1):
            raise error
        logger.warning("slack did not answer, asking again", extra={"try": tries, "reason": str(error)})
        return BACK_OFF * float(2 ** (tries - 1)) * (0.5 + random.random() / 2)

    def _call(self, query: Query, patience: Patience | None) -> Answer:
        if self._early and self._early[0][0] == query:
            return self._read_ahead_answer(self._early.popleft()[1])
        if patience is not None:
            self._await_budget(patience)
        if not self._deadline.has_time():
            raise ExhaustedError("time")
        self._spend()
        self._uncounted += 1
        try:
            answer = self._looked_at(lambda timeout: self._ask(query, timeout))
        except SourceError as error:
            self._notice(error.slack_time)
            raise
        self._notice(answer.slack_time)
        return answer

    def _ask(self, query: Query, timeout: float) -> Answer:
        """One call, whose time is noted."""
        start = self._deadline.now()
        try:
            return self._source.read(query, timeout)
        finally:
            self._took.append(self._deadline.now() - start)

    def _read_ahead_answer(self, early: Future[Answer]) -> Answer:
        """It may have come a while ago, so its clock says nothing of now."""
        self._uncounted += 1
        try:
            return self._looked_at(early.result)
        except TimeoutError as error:
            raise SlowAnswerError("What was read ahead did not come in time. It is asked for again.") from error

    def _looked_at(self, answer_of: Callable[[float], Answer]) -> Answer:
        """The answer within the time that there is for it, counted by its status."""
        try:
            with self._deadline.step():
                answer = answer_of(self._timeout())
        except SourceError as error:
            if error.status is not None:
                self._answered[_named(error.status)] += 1
            raise
        self._answered["200"] += 1
        return answer

    def _notice(self, slack_time: int | None) -> None:
        """Rounded down, so that what we take for Slack's clock is never ahead of it."""
        if slack_time is not None:
            self.offset = int((slack_time - self._deadline.now()) // 1)

    def _wait_out(self, limit: RateLimitedError) -> None:
        self.rate_limited += 1
        wait = limit.retry_after or RATE_LIMIT_WAIT
        self.budget = self.budget.blocked(self._deadline.now() + wait)
        logger.warning("slack limits the rate", extra={"wait": wait})
        self._sleep(wait, "rate_limited")

    def _await_budget(self, patience: Patience) -> None:
        wait = self.wait_for_budget(patience.spare)
        reason = "rate_limited" if self.is_blocked() else "call_budget"
        if wait > patience.seconds:
            raise ExhaustedError(reason)
        self._sleep(wait, reason)

    def _sleep(self, seconds: float, reason: str) -> None:
        if seconds <= 0:
            return
        if not self._deadline.has_time(seconds):
            raise ExhaustedError(reason)
        if reason != "time":
            self.waited += seconds
        until = self._deadline.now() + seconds
        self.meanwhile(seconds)
        self._deadline.sleep(max(0.0, until - self._deadline.now()))

    def _spend(self) -> None:
        self.calls += 1
        self.budget = self.budget.spent(self._deadline.now())

    def _timeout(self) -> float:
        return max(LEAST_TIMEOUT, min(READ_TIMEOUT, self._deadline.spare()))


def _named(status: int) -> str:
    """A status as it is counted: few names, for each of them costs."""
    if status in {200, 429}:
        return str(status)
    return f"{status // 100}xx" if 400 <= status < 600 else "other"


def _seconds(events: list[Event]) -> list[int]:
    """When they happened, as far as they say so."""
    return [event.date_create for event in events if event.date_create is not None]
