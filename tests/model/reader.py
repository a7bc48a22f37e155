"""A run's side of Slack: whole answers, a crowded second, and what of them is new (steps 4 and 5)."""

from dataclasses import dataclass

from tests.model import scale
from tests.model.ledger import GaveUpError, Ledger, Steps
from tests.model.words import Answer, Event, Key, RefusedError, Window


class OutOfTimeError(Exception):
    """In the middle of a crowded second: the next run starts it again."""


@dataclass
class Reading:
    """A whole answer."""

    events: set[Event]
    date: int
    at: int


class Reader(Ledger):
    """Asks within the calls and the time that are left."""

    final_lag = scale.PROMISE + scale.MARGIN

    def slack_now(self) -> int:
        """The host's clock, corrected by the difference last seen."""
        return self.host_now() + (self.state.clock or 0)

    def lag(self, name: str) -> int:
        return {"live": scale.LIVE_LAG, "late": scale.LATE_LAG}.get(name, self.final_lag)

    def answer(self, name: str, window: Window) -> Steps:
        """What was read ahead, or else Slack's answer; None if no call is left."""
        if self.ahead and self.ahead[0][:2] == (name, window):
            return self.ahead.pop(0)[2]
        self.ahead = []
        if self.budget == 0:
            return None
        return (yield from self.ask(window))

    def ask(self, window: Window, cursor: tuple[int, int] | None = None) -> Steps:
        self.budget = max(0, self.budget - 1)
        try:
            answer: Answer = yield from self.call("slack", self.world.slack.read, window, cursor)
        except GaveUpError as error:
            raise RefusedError from error  # nothing more is captured, but what is committed is published
        self.state = self.state._replace(clock=answer.date - self.host_now())
        return answer

    def is_whole(self, answer: Answer, window: Window) -> bool:
        return answer.cursor is None or window.lo == window.hi

    def reading(self, answer: Answer, window: Window) -> Steps:
        if answer.cursor is None:
            return Reading(set(answer.events), answer.date, answer.at)
        return (yield from self.walk(answer, window))

    def walk(self, first: Answer, window: Window) -> Steps:
        """A crowded second: by cursor to its end, again until that adds nothing. The budget is not asked."""
        reading = Reading(set(), first.date, first.at)
        answer, seen = first, set(first.events)
        while True:
            while answer.cursor is not None:
                if self.deadline - self.host_now() < scale.RESERVE:
                    raise OutOfTimeError
                answer = yield from self.ask(window, answer.cursor)
                seen |= set(answer.events)
            if seen <= reading.events:
                return reading
            reading.events |= seen
            answer = yield from self.ask(window)
            seen = set(answer.events)

    def is_too_young(self, name: str, window: Window, reading: Reading) -> bool:
        """By the answer's own date; then it proves nothing."""
        return window.hi > reading.date - self.lag(name)

    def ask_for(self, name: str, span: int) -> None:
        self.state = self.state._replace(spans={**self.state.spans, name: max(1, span)})

    # ---- step 5: what the archive does not hold yet ----

    def new(self, name: str, window: Window, reading: Reading) -> Steps:
        """The events that the archive does not hold yet."""
        held = yield from self.held(window)
        return [event for event in reading.events if self.belongs(event, window) and event.id not in held]

    def belongs(self, event: Event, window: Window) -> bool:
        return window.lo <= event.second <= window.hi

    def held(self, window: Window) -> Steps:
        ids: set[str] = set()
        for key in (yield from self.call("s3.list", self.world.store.keys, window.lo // scale.DAY)):
            if self.overlaps(key, window) and (yield from self.is_committed(key)):
                batch = yield from self.batch(key)
                ids.update(id_ for _, id_ in batch or ())
        return ids

    def overlaps(self, key: Key, window: Window) -> bool:
        return key.lo <= window.hi and key.hi >= window.lo

    def is_committed(self, key: Key) -> Steps:
        """An object that no entry names is an orphan and holds nothing."""
        entry = yield from self.entry_at(key.number)
        return entry is not None and entry.key == key
