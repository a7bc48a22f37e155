"""The protocol with one rule of reading broken: windows, answers, what is dropped, clocks, turns."""

from tests.model import scale
from tests.model.ledger import Steps
from tests.model.protocol import Run, position
from tests.model.reader import Reading
from tests.model.words import Answer, Event, Key, Pass, Passes, Window


class NewestCommittedFirst(Run):
    def window(self, name: str, lo: int, limit: int) -> Window:
        oldest = super().window(name, lo, limit)
        newest = max(lo, limit - (oldest.hi - oldest.lo))
        return Window(max(newest, limit - limit % scale.DAY), limit)


class CutAnswerKept(Run):
    def is_whole(self, answer: Answer, window: Window) -> bool:
        return bool(answer.events) or super().is_whole(answer, window)

    def reading(self, answer: Answer, window: Window) -> Steps:
        if window.lo != window.hi:
            return Reading(set(answer.events), answer.date, answer.at)
        return (yield from super().reading(answer, window))


class EmptyAnswerIsTheEnd(Run):
    def is_whole(self, answer: Answer, window: Window) -> bool:
        return not answer.events or super().is_whole(answer, window)

    def reading(self, answer: Answer, window: Window) -> Steps:
        if not answer.events:
            return Reading(set(), answer.date, answer.at)
        return (yield from super().reading(answer, window))


class NoCursorInACrowdedSecond(Run):
    def reading(self, answer: Answer, window: Window) -> Steps:
        yield from ()
        return Reading(set(answer.events), answer.date, answer.at)


class OneWalkIsEnough(Run):
    def walk(self, first: Answer, window: Window) -> Steps:
        reading, answer = Reading(set(first.events), first.date, first.at), first
        while answer.cursor is not None:
            answer = yield from self.ask(window, answer.cursor)
            reading.events |= set(answer.events)
        return reading


class BudgetInsideACrowdedSecond(Run):
    def walk(self, first: Answer, window: Window) -> Steps:
        if self.budget == 0:
            self.deadline = self.host_now()
        return (yield from super().walk(first, window))

    def ask(self, window: Window, cursor: tuple[int, int] | None = None) -> Steps:
        if self.budget == 0:
            self.deadline = self.host_now()
        return (yield from super().ask(window, cursor))


class NoDropping(Run):
    def held(self, window: Window) -> Steps:
        yield from ()
        return set()


class DroppingByLivesObjectsOnly(Run):
    def is_committed(self, key: Key) -> Steps:
        committed = yield from super().is_committed(key)
        return committed and self.known[key.number].pass_ == "live"


class DroppingByObjectsInsideOnly(Run):
    def overlaps(self, key: Key, window: Window) -> bool:
        return window.lo <= key.lo and key.hi <= window.hi


class DroppingAtReadAhead(Run):
    now: set[str] | None = None

    def read_ahead(self, name: str, window: Window) -> Steps:
        early: dict[Window, set[str]] = self.__dict__.setdefault("early", {})
        self.now = early.pop(window, None)
        yield from super().read_ahead(name, window)
        for _, ahead, _ in self.ahead:
            if ahead not in early:
                early[ahead] = yield from super().held(ahead)

    def held(self, window: Window) -> Steps:
        if self.now is not None:
            return self.now
        return (yield from super().held(window))


class AheadOfACutAnswer(Run):
    def follows(self, name: str, window: Window) -> bool:
        return name in self.state.passes

    def forget_ahead(self) -> None:
        """Keeps what was asked for behind a window that is not read yet."""


class OrphanTakenForHeld(Run):
    def is_committed(self, key: Key) -> Steps:
        yield from ()
        return True


class StrayArchived(Run):
    def belongs(self, event: Event, window: Window) -> bool:
        return True


class LateStartsAtNow(Run):
    def standing(self, start: int) -> Passes:
        return {**super().standing(start), "late": Pass(self.slack_now())}


class FinalStartsAtNow(Run):
    def standing(self, start: int) -> Passes:
        return {**super().standing(start), "final": Pass(self.slack_now())}


class ShorterFinalLag(Run):
    final_lag = scale.PROMISE - 20


class ExactFinalLag(Run):
    final_lag = scale.PROMISE


class YoungBackfill(Run):
    def lag(self, name: str) -> int:
        return 0 if name.startswith("backfill") else super().lag(name)


class WindowAcrossMidnight(Run):
    def window(self, name: str, lo: int, limit: int) -> Window:
        return Window(lo, min(lo + self.state.spans.get(name, scale.FIRST_SPAN) - 1, limit))


class HostClock(Run):
    def slack_now(self) -> int:
        return self.host_now()

    def is_too_young(self, name: str, window: Window, reading: Reading) -> bool:
        return False


class DateNotAsked(Run):
    """Slack's clock is the one last seen, and the answer's own date is not looked at."""

    def is_too_young(self, name: str, window: Window, reading: Reading) -> bool:
        return False


class LiveAlwaysFirst(Run):
    def turns(self) -> list[str]:
        return sorted(self.state.passes, key=position)


class SpanForgotten(Run):
    def release(self) -> Steps:
        self.state = self.state._replace(spans={})
        yield from super().release()

    def recover(self) -> Steps:
        self.state = self.state._replace(spans={})
        yield from super().recover()


class AboveLivesWatermark(Run):
    def limits(self) -> dict[str, int]:
        now = self.started + self.slack_now() - self.host_now()
        return {name: now - self.lag(name) for name in self.state.passes}


class LiveDropsNothing(Run):
    def new(self, name: str, window: Window, reading: Reading) -> Steps:
        if name == "live":
            return [event for event in reading.events if self.belongs(event, window)]
        return (yield from super().new(name, window, reading))


class AboveLivesWatermarkAndLiveDropsNothing(LiveDropsNothing, AboveLivesWatermark):
    pass
