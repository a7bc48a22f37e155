"""Whose turn it is, and for which window: no pass starves another, and none waits long behind a backfill."""

import logging
from collections import deque
from collections.abc import Mapping

import msgspec

from slack_audit.commit import Ledger
from slack_audit.deadline import Deadline
from slack_audit.errors import CollectorError
from slack_audit.held import Holdings
from slack_audit.parts import Policy
from slack_audit.passes import (
    BACKFILL,
    LIVE,
    Pass,
    Place,
    finished,
    kind_of,
    limits,
    moved,
    newest_readable,
    whose_turn,
)
from slack_audit.read import BUDGET_WAIT, Reader, Reading
from slack_audit.spans import Span
from slack_audit.windows import Window

logger = logging.getLogger(__name__)

PERIOD = 60.0  # seconds after which Slack's clock is taken anew, in a run that still has something to read
SPARE_CALLS = 4  # a minute, which no backfill takes: live, late, final, and one for a mishap
FEW_CALLS = 8  # a minute, below which none are spared: a backfill would get no turn at all


class Turn(msgspec.Struct, frozen=True):
    """A pass and its next window, which is bounded if it was looked into already. So many calls a minute must be left
    for others."""

    name: str
    window: Window
    spare: int
    is_bounded: bool = False


class Turns:
    """Plans one run's windows. `aside` are the passes that cannot go on in this run, and why."""

    def __init__(self, policy: Policy, ledger: Ledger, reader: Reader, holdings: Holdings, deadline: Deadline) -> None:
        self._policy = policy
        self._ledger = ledger
        self._reader = reader
        self._holdings = holdings
        self._deadline = deadline
        self._taken_at = deadline.now()
        self._spans: dict[str, Span] = {}
        self._planned: deque[Turn] = deque()
        self.aside: dict[str, CollectorError] = {}

    def take_the_clock(self) -> None:
        """From now on, what has come due until now counts."""
        self._taken_at = self._deadline.now()

    def next(self) -> Turn | None:
        """The turn that comes now; None if nothing is due, or nothing that there are calls for.

        A run does not chase the present: what is due is due by the clock as it was taken. But while there is something
        to read, the clock is taken anew every minute, so that live does not wait for a backfill to end.
        What was planned and is being read comes first, as long as it follows what was committed.
        """
        checkpoint = self._ledger.checkpoint
        if self._planned:
            planned = self._planned.popleft()
            if self._follows(planned):
                return planned
            self.forget_ahead()
        return self._due(checkpoint.passes, checkpoint.place)

    def read_ahead(self, turn: Turn) -> None:
        """Starts the calls of the turns that come next if this one's window is committed, as many as keep up with the
        call budget. Raises StorageError."""
        while len(self._planned) < self._reader.windows_ahead():
            following = self.after(turn, *self._planned)
            if following is None:
                return
            following = self.bounded(following)
            if not self._reader.read_ahead(following.window, spare=following.spare):
                return
            self._planned.append(following)

    def after(self, *turns: Turn) -> Turn | None:
        """The turn that comes next if the windows of these are committed."""
        passes, place = self._ledger.checkpoint.passes, self._ledger.checkpoint.place
        for turn in turns:
            passes = moved(passes, turn.name, turn.window.hi)
            place = place.after(turn.name)
        return self._due(passes, place)

    def forget_ahead(self) -> None:
        """What comes next has changed: nothing that was planned or read ahead is used."""
        self._planned.clear()
        self._reader.forget_ahead()

    def _follows(self, turn: Turn) -> bool:
        """Is it the pass's next window still?"""
        state = self._ledger.checkpoint.passes.get(turn.name)
        return state is not None and turn.name not in self.aside and turn.window.lo == state.watermark + 1

    def _due(self, passes: Mapping[str, Pass], place: Place) -> Turn | None:
        """By the clock as it was taken, or as it is now where that was long ago and there is something to read."""
        turn = self._at(passes, place)
        if turn is not None and self._deadline.now() - self._taken_at >= PERIOD:
            self.take_the_clock()
            return self._at(passes, place)
        return turn

    def _at(self, passes: Mapping[str, Pass], place: Place) -> Turn | None:
        limit_of = {name: limit for name, limit in self._limits(passes).items() if self._has_calls(name)}
        name = whose_turn(passes, limit_of, place)
        if name is None:
            return None
        return Turn(name, passes[name].next_window(self._span(name), limit_of[name]), self._spare(name))

    def begin(self, turn: Turn) -> None:
        """Its turn counts, whatever becomes of it: a pass that fails, or feels its way, does not hold up the others."""
        self._ledger.checkpoint = self._ledger.checkpoint.passing_over(turn.name)

    def stay_at(self, place: Place) -> None:
        """The next run begins where this one stood."""
        self._ledger.checkpoint = self._ledger.checkpoint.standing_at(place)

    def bounded(self, turn: Turn) -> Turn:
        """With a window that does not overlap more objects than can be looked into. Raises StorageError."""
        if turn.name == LIVE or turn.is_bounded:
            return turn
        with self._deadline.step():
            return msgspec.structs.replace(turn, window=self._holdings.bounded(turn.window), is_bounded=True)

    def why_none(self) -> str:
        """Why there is no turn: what a run's report says."""
        checkpoint = self._ledger.checkpoint
        if whose_turn(checkpoint.passes, self._limits(checkpoint.passes), checkpoint.place) is None:
            return "nothing_due"
        return "rate_limited" if self._reader.is_blocked() else "call_budget"

    def is_due_by_now(self) -> bool:
        """Has something come due, by the clock of this moment, that a call is allowed for?"""
        taken_at, self._taken_at = self._taken_at, self._deadline.now()
        checkpoint = self._ledger.checkpoint
        turn = self._at(checkpoint.passes, checkpoint.place)
        self._taken_at = taken_at
        return turn is not None and not self._reader.must_wait(turn.spare)

    def may_read(self, turn: Turn) -> bool:
        """Does the window still end within its pass's limit, by what is known of Slack's clock now?"""
        return turn.window.hi <= self._limits(self._ledger.checkpoint.passes)[turn.name]

    def is_too_young(self, turn: Turn, slack_time: int | None) -> bool:
        """Does the answer's own clock say that the window reached into the lag? Then it proves nothing."""
        return slack_time is not None and turn.window.hi > newest_readable(slack_time, self.lag(turn.name))

    def lag(self, name: str) -> int:
        """The pass's distance to Slack's clock, in seconds."""
        return self._policy.lags[kind_of(name)]

    def set_aside(self, name: str, error: CollectorError) -> None:
        """The pass cannot go on in this run."""
        logger.error("a pass is set aside for this run", extra={"pass": name, "reason": str(error)})
        self.aside[name] = error

    def finished(self) -> list[str]:
        """The backfills that have read everything."""
        return finished(self._ledger.checkpoint.passes)

    def note(self, turn: Turn, reading: Reading) -> None:
        """What the answer says of how much to ask for next."""
        span = self._span(turn.name)
        learn = span.after_whole if reading.whole else span.after_cut
        self._ask_for(turn.name, learn(turn.window, reading.seconds))
        self._reader.pace = self._reader.pace.after_answer(whole=reading.whole, filled=len(reading.seconds) / span.page)
        if not reading.whole:
            self.forget_ahead()

    def _limits(self, passes: Mapping[str, Pass]) -> dict[str, int]:
        taken_at = min(self._taken_at, self._deadline.now())  # a clock that was set back: what was due is too young now
        slack_now = int((taken_at + (self._reader.offset or 0)) // 1)
        limit_of = limits(passes, slack_now, self._policy.lags)
        return {name: limit for name, limit in limit_of.items() if name not in self.aside}

    def _has_calls(self, name: str) -> bool:
        """A backfill takes only what is left, where there is enough; others wait for a call, if they must."""
        spare = self._spare(name)
        return spare == 0 or self._reader.wait_for_budget(spare) <= BUDGET_WAIT

    def _spare(self, name: str) -> int:
        calls = self._policy.calls_per_minute
        return min(SPARE_CALLS, calls // 4) if kind_of(name) == BACKFILL and calls >= FEW_CALLS else 0

    def _span(self, name: str) -> Span:
        """What the pass asks for; the checkpoint keeps its seconds between runs."""
        return self._spans.get(name) or Span(self._ledger.checkpoint.span(name))

    def _ask_for(self, name: str, span: Span) -> None:
        self._spans[name] = span
        self._ledger.checkpoint = self._ledger.checkpoint.asking(name, span.seconds)
