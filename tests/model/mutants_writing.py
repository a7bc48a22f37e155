"""The protocol with one rule of writing broken: plan, batch, entry, item, mark, and what a lost table leaves."""

from tests.model import scale
from tests.model.ledger import Steps, moved
from tests.model.protocol import Run
from tests.model.words import Batch, Entry, Key, State, UnavailableError, Window, digest


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


class ReadAheadKept(Run):
    def lose_the_race(self) -> Steps:
        kept = self.ahead
        yield from super().lose_the_race()
        self.ahead = kept

    def follows(self, name: str, window: Window) -> bool:
        return name in self.state.passes


class BacklogBeforeCapture(Run):
    def capture(self) -> Steps:
        yield from self.publish(-1)
        yield from super().capture()


class KeyWithoutDigest(Run):
    def key(self, window: Window, batch: Batch) -> Key:
        return super().key(window, batch)._replace(digest=0)


class LostTableStartsAnew(Run):
    """Goes on at the log's end, with passes that start as those of a new org."""

    def rebuild(self) -> Steps:
        newest = yield from self.newest()
        if newest is not None:
            self.follow(newest._replace(passes=self.standing(self.slack_now() - scale.LOOKBACK)))
            self.state = self.state._replace(head=digest(newest))


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


class NoPublishingWhenRefused(Run):
    def publishes_though_refused(self) -> bool:
        return False


class StreamDownEndsTheRun(Run):
    def put(self, records: list[str]) -> Steps:
        return (yield from self.call("stream", self.world.stream.put, records))


class PlanWithoutItsBatch(Run):
    """Whether its object exists is not asked."""

    def counts(self, plan: Entry) -> Steps:
        yield from ()
        return (plan.number, plan.previous) == (self.state.next, self.state.head)


class PlanOfAnotherHead(Run):
    """The plan's number is compared, the digest of the entry before it is not."""

    def counts(self, plan: Entry) -> Steps:
        return (yield from super().counts(plan._replace(previous=self.state.head)))


class AnyEntryIsOurs(Run):
    """A 412 on the log is taken for success, whatever stands there."""

    def append(self, entry: Entry) -> Steps:
        yield from self.call("s3.put", self.world.store.put_entry, entry)
        self.follow(entry)
        yield from self.save()
        return True


class EndOfABackfillNotLogged(Run):
    def end(self, name: str) -> Steps:
        passes = {other: state for other, state in self.state.passes.items() if other != name}
        self.state = self.state._replace(passes=passes)
        yield from self.save()


class EndOnlyAfterTheLastWindow(Run):
    """Only the run that read a backfill's last window may end it."""

    def choose(self) -> tuple[str, Window | None] | None:
        due = super().choose()
        if due is not None and due[1] is None and due[0] not in self.read_here:
            passes = {**self.state.passes, due[0]: self.state.passes[due[0]]._replace(paused=True)}
            before, self.state = self.state, self.state._replace(passes=passes)
            due = self.choose()
            self.state = before
        return due

    def commit(self, name: str, window: Window, batch: Batch, read_at: int) -> Steps:
        self.read_here.add(name)
        return (yield from super().commit(name, window, batch, read_at))

    def steps(self) -> Steps:
        self.read_here: set[str] = set()
        yield from super().steps()


class PublishFlagOfNow(Run):
    """Whether an entry is published is asked of the pass as it is now, not as it was."""

    def records(self, number: int) -> Steps:
        entry = yield from self.entry_at(number)
        if entry is not None and entry.pass_ not in self.state.passes:
            return []
        return (yield from super().records(number))
