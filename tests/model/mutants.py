"""The protocol with one rule broken. Each is a small subclass, and says by which invariants it must be caught.

Those of "What must be tested of it" in the protocol come first, then those of what earlier models had found.
`Mutant.table` says that only a table that is lost or restored shows the fault, `directed` that a scenario of
test_directed.py shows it and random histories do not.
"""

from tests.model import scale
from tests.model.ledger import Steps, moved
from tests.model.protocol import Run, position
from tests.model.reader import Reading
from tests.model.words import (
    Answer,
    Batch,
    Entry,
    Event,
    Key,
    Pass,
    Passes,
    State,
    UnavailableError,
    Window,
    digest,
)


class WatermarkBeforeBatch(Run):
    def commit(self, name: str, window: Window, batch: Batch, read_at: int) -> Steps:
        key = self.key(window, batch) if batch else None
        entry = self.entry(name, window, moved(self.state.passes, name, window.hi), key, batch, read_at)
        if not (yield from self.append(entry)):
            return False
        if key is not None:
            yield from self.call("s3.put", self.world.store.put_batch, key, batch)
        return True


class TableBeforeLog(Run):
    def append(self, entry: Entry) -> Steps:
        self.follow(entry)
        yield from self.save()
        yield from self.call("s3.put", self.world.store.put_entry, entry)
        return True


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
    early: set[str] | None = None

    def read_ahead(self, name: str, window: Window) -> Steps:
        self.now, self.early = self.early, None
        yield from super().read_ahead(name, window)
        if self.ahead is not None:
            self.early = yield from super().held(self.ahead[1])

    def held(self, window: Window) -> Steps:
        if self.now is not None:
            return self.now
        return (yield from super().held(window))


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


class NoPlan(Run):
    def plan(self, entry: Entry) -> Steps:
        yield from ()


class PlanOfAnotherNumber(Run):
    def counts(self, plan: Entry) -> Steps:
        self.state = self.state._replace(plan=None)
        batch = yield from self.call("s3.get", self.world.store.batch, plan.key)
        if batch is not None:
            yield from self.append(plan._replace(number=self.state.next, previous=self.state.head))
        return False


class NoIfNoneMatchOnTheLog(Run):
    def append(self, entry: Entry) -> Steps:
        put = self.world.store.put_entry
        yield from self.call("s3.put", lambda replaced: put(replaced, replace=True), entry)
        self.follow(entry)
        yield from self.save()
        return True


class MarkBeforeAcknowledgement(Run):
    def send(self, number: int, *, patient: bool) -> Steps:
        self.state = self.state._replace(published=number + 1)
        yield from self.save()
        self.state = self.state._replace(published=number)
        return (yield from super().send(number, patient=patient))


class MarkThatSkips(Run):
    """An entry that the stream does not take is left behind."""

    def send(self, number: int, *, patient: bool) -> Steps:
        yield from super().send(number, patient=patient)
        self.sending = None
        return True


class PartialFailuresIgnored(Run):
    def put(self, records: list[str]) -> Steps:
        try:
            yield "stream", self.world.stream.put, records
        except UnavailableError:
            return records
        return []


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


class PartialItemWrite(Run):
    """Of the passes, a write changes the one that was committed last."""

    def save(self) -> Steps:
        whole = self.state
        self.state = self._merged()
        yield from super().save()
        self.state = whole

    def release(self) -> Steps:
        self.state = self._merged()
        yield from super().release()

    def _merged(self) -> State:
        item, turn = self.world.table.item, self.state.turn or ""
        if item is None or turn not in self.state.passes or not item.state.passes:
            return self.state
        return self.state._replace(passes={**item.state.passes, turn: self.state.passes[turn]})


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


class ReadAheadKept(Run):
    def lose_the_race(self) -> Steps:
        kept = self.ahead
        yield from super().lose_the_race()
        self.ahead = kept

    def choose(self) -> tuple[str, Window | None] | None:
        return super().choose() if self.ahead is None else self.ahead[:2]


class BacklogBeforeCapture(Run):
    def capture(self) -> Steps:
        yield from self.publish(-1)
        yield from super().capture()


class KeyWithoutDigest(Run):
    def key(self, window: Window, batch: Batch) -> Key:
        return super().key(window, batch)._replace(digest=0)


class OrphanTakenForHeld(Run):
    def is_committed(self, key: Key) -> Steps:
        yield from ()
        return True


class LostTableStartsAnew(Run):
    """Goes on at the log's end, with passes that start as those of a new org."""

    def rebuild(self) -> Steps:
        newest = yield from self.newest()
        if newest is not None:
            self.follow(newest._replace(passes=self.standing(self.slack_now() - LIVE_START)))
            self.state = self.state._replace(head=digest(newest))


LIVE_START = 30


class LostTableForgetsBackfills(Run):
    def rebuild(self) -> Steps:
        newest = yield from self.newest()
        if newest is not None:
            passes = {name: state for name, state in newest.passes.items() if state.end is None}
            self.follow(newest._replace(passes=passes))
            self.state = self.state._replace(head=digest(newest))


class LostTableForgetsTheMark(Run):
    """What the log says was published is not asked; the log's end is taken for it."""

    def rebuild(self) -> Steps:
        newest = yield from self.newest()
        if newest is not None:
            self.follow(newest)
            self.state = self.state._replace(published=newest.number + 1)


class YoungBackfill(Run):
    def lag(self, name: str) -> int:
        return 0 if name.startswith("backfill") else super().lag(name)


class StrayArchived(Run):
    def belongs(self, event: Event, window: Window) -> bool:
        return True


class NoPublishingWhenRefused(Run):
    def publishes_though_refused(self) -> bool:
        return False


class StreamDownEndsTheRun(Run):
    def put(self, records: list[str]) -> Steps:
        return (yield from self.call("stream", self.world.stream.put, records))


class AbovesLivesWatermark(Run):
    def limits(self) -> dict[str, int]:
        now = self.started + self.slack_now() - self.host_now()
        return {name: now - self.lag(name) for name in self.state.passes}


class LiveDropsNothing(Run):
    def new(self, name: str, window: Window, reading: Reading) -> Steps:
        if name == "live":
            return [event for event in reading.events if self.belongs(event, window)]
        return (yield from super().new(name, window, reading))


class AboveLivesWatermarkAndLiveDropsNothing(LiveDropsNothing, AbovesLivesWatermark):
    pass
