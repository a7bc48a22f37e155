"""One run by the protocol, step by step, as a generator: it yields every outside call and is sent the reply.

Small methods, because each rule is broken by a mutant that overrides it (mutants.py).
"""

from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.model.words import (
    DAY,
    ENTRIES_WHILE_DUE,
    FIRST_SPAN,
    LATE_LAG,
    LEASE_GRACE,
    LEAST_UNREAD,
    LIVE_LAG,
    LOOKBACK,
    MARGIN,
    PAGE,
    PROMISE,
    RECORDS,
    RESERVE,
    RUN_TIME,
    STANDING,
    TRIES,
    Answer,
    Batch,
    Entry,
    Event,
    Key,
    LeaseLostError,
    Pass,
    Passes,
    RefusedError,
    State,
    UnavailableError,
    Window,
    digest,
    marked,
)
from tests.model.world import World

Steps = Generator[tuple[Any, ...], Any, Any]
Command = tuple[str, str, Pass | None]  # create, pause, resume or cancel; the backfill's name; what to create


class GaveUpError(Exception):
    """A store does not answer, or not with what the log says: the run ends."""


class OutOfTimeError(Exception):
    """In the middle of a crowded second: the next run starts it again."""


@dataclass
class Reading:
    """A whole answer."""

    events: set[Event]
    date: int
    at: int


class Run:
    """`steps` is the run. `budget` is how often it may ask Slack."""

    final_lag = PROMISE + MARGIN

    def __init__(
        self,
        owner: str,
        world: World,
        host_now: Callable[[], int],
        *,
        budget: int = 60,
        reads_ahead: bool = True,
        command: Command | None = None,
    ) -> None:
        self.owner, self.world, self.host_now = owner, world, host_now
        self.budget, self.reads_ahead, self.command = budget, reads_ahead, command
        self.deadline = host_now() + RUN_TIME
        self.until = self.deadline + LEASE_GRACE
        self.state = State()
        self.known: dict[int, Entry] = {}  # entries that this run has seen in the log
        self.at_hand: dict[Key, Batch] = {}
        self.ahead: tuple[str, Window, Answer] | None = None
        self.sending: tuple[int, list[str]] | None = None  # entry, and what is left of it
        self.stream_failed = 0
        self.slowest = 0

    # ---- the steps ----

    def steps(self) -> Steps:
        try:
            state = yield from self.call("table", self.world.table.acquire, self.owner, self.host_now(), self.until)
            if state is None:
                return
            self.state = state
            yield from self.work()
        except LeaseLostError:
            return
        except GaveUpError:
            pass  # what is known is released all the same
        yield from self.release()

    def work(self) -> Steps:
        refused = False
        try:
            yield from self.recover()
            yield from self.obey()
        except RefusedError:
            refused = True
        while True:
            self.started = self.host_now()
            if not refused:
                refused = yield from self.try_to_capture()
            if refused and not self.publishes_though_refused():
                return
            goes_on = yield from self.publish(None)
            if refused or not goes_on:
                return

    def try_to_capture(self) -> Steps:
        try:
            yield from self.capture()
        except (RefusedError, OutOfTimeError):
            return True
        return False

    def call(self, kind: str, function: Callable[..., Any], *arguments: Any) -> Steps:
        """One outside call, again where it had no answer."""
        for _ in range(TRIES):
            before = self.host_now()
            try:
                return (yield kind, function, *arguments)
            except UnavailableError:
                continue
            finally:
                self.slowest = max(self.slowest, self.host_now() - before)
        raise GaveUpError(kind)

    def has_time(self) -> bool:
        return self.deadline - self.host_now() > RESERVE + self.slowest

    # ---- recover: step 2 ----

    def recover(self) -> Steps:
        plan = self.state.plan
        yield from self.roll_forward()
        if plan is not None and (yield from self.counts(plan)):
            yield from self.append(plan)
        self.state = self.state._replace(plan=None)
        self.started = self.host_now()
        if self.state.clock is None:
            yield from self.ask(Window(0, 0))
        if self.state.next == 0:
            yield from self.append(self.entry(None, None, self.standing(self.slack_now() - LOOKBACK)))

    def roll_forward(self) -> Steps:
        if self.state.next == 0:
            yield from self.rebuild()
        while (entry := (yield from self.entry_at(self.state.next))) is not None:
            self.follow(entry)

    def rebuild(self) -> Steps:
        """From the newest entry alone."""
        newest = yield from self.newest()
        if newest is not None:
            self.follow(newest)

    def newest(self) -> Steps:
        """The log has no gap, so its end is found by doubling and halving steps."""
        last, step = -1, 1
        while (yield from self.entry_at(last + step)) is not None:
            last, step = last + step, step * 2
        while step > 1:
            step //= 2
            if (yield from self.entry_at(last + step)) is not None:
                last += step
        return self.known.get(last)

    def counts(self, plan: Entry) -> Steps:
        if (plan.number, plan.previous) != (self.state.next, self.state.head):
            return False
        batch = yield from self.call("s3.get", self.world.store.batch, plan.key)
        return batch is not None and digest(batch) == plan.digest

    def standing(self, start: int) -> Passes:
        return {name: Pass(start - 1) for name in STANDING}

    def follow(self, entry: Entry) -> None:
        """What is known after a committed entry."""
        self.known[entry.number] = entry
        self.state = self.state._replace(
            next=entry.number + 1,
            head=digest(entry),
            turn=entry.pass_,
            passes=entry.passes,
            published=max(self.state.published, entry.published),
            plan=None,
        )

    def entry_at(self, number: int) -> Steps:
        if number not in self.known:
            entry = yield from self.call("s3.get", self.world.store.entry, number)
            if entry is None:
                return None
            self.known[number] = entry
        return self.known[number]

    # ---- backfills are made, paused and ended by entries ----

    def obey(self) -> Steps:
        while self.command is not None:
            what, name, new = self.command
            passes = dict(self.state.passes)
            if what == "create" and new is not None and name not in passes:
                passes[name] = new
            elif what in {"pause", "resume"} and name in passes:
                passes[name] = passes[name]._replace(paused=what == "pause")
            elif what == "cancel":
                passes.pop(name, None)
            if passes == self.state.passes or (yield from self.append(self.entry(name, None, passes))):
                self.command = None

    def end(self, name: str) -> Steps:
        passes = {other: state for other, state in self.state.passes.items() if other != name}
        yield from self.append(self.entry(name, None, passes))

    # ---- choose: step 3 ----

    def slack_now(self) -> int:
        """The host's clock, corrected by the difference last seen."""
        return self.host_now() + (self.state.clock or 0)

    def limits(self) -> dict[str, int]:
        """The newest second that each pass may read, by Slack's clock as the run found it."""
        now = self.started + self.slack_now() - self.host_now()
        live = self.state.passes["live"].watermark
        return {
            name: now - LIVE_LAG if name == "live" else min(now - self.lag(name), live) for name in self.state.passes
        }

    def lag(self, name: str) -> int:
        return {"live": LIVE_LAG, "late": LATE_LAG}.get(name, self.final_lag)

    def choose(self) -> tuple[str, Window | None] | None:
        """The due pass that follows the newest entry's; without a window, a backfill that has reached its end."""
        limits = self.limits()
        for name in self.turns():
            state = self.state.passes[name]
            end = DAY**3 if state.end is None else state.end
            if state.watermark >= end and not state.paused:
                return name, None
            if self.is_due(state, limits[name], end):
                return name, self.window(name, state.watermark + 1, min(limits[name], end))
        return None

    def turns(self) -> list[str]:
        cycle = sorted(self.state.passes, key=position)
        turn = position(self.state.turn or "")
        return [name for name in cycle if position(name) > turn] + [name for name in cycle if position(name) <= turn]

    def is_due(self, state: Pass, limit: int, end: int) -> bool:
        unread = min(limit, end) - state.watermark
        return not state.paused and unread >= (1 if limit >= end else LEAST_UNREAD)

    def window(self, name: str, lo: int, limit: int) -> Window:
        span = self.state.spans.get(name, FIRST_SPAN)
        return Window(lo, min(lo + span - 1, limit, lo - lo % DAY + DAY - 1))

    # ---- capture: steps 3 to 7 ----

    def capture(self) -> Steps:
        while self.has_time() and (due := self.choose()) is not None:
            name, window = due
            if window is None:
                yield from self.end(name)
                continue
            answer = yield from self.answer(name, window)
            if answer is None:
                return
            if not self.is_whole(answer, window):
                self.ask_for(name, (window.hi - window.lo) // 2 + 1)
                continue
            reading = yield from self.reading(answer, window)
            if not self.is_too_young(name, window, reading):
                yield from self.take(name, window, reading)

    def answer(self, name: str, window: Window) -> Steps:
        """What was read ahead, or else Slack's answer; None if no call is left."""
        ahead, self.ahead = self.ahead, None
        if ahead is not None and ahead[:2] == (name, window):
            return ahead[2]
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
                if self.deadline - self.host_now() < RESERVE:
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

    def take(self, name: str, window: Window, reading: Reading) -> Steps:
        span = self.state.spans.get(name, FIRST_SPAN)
        filled = int((window.hi - window.lo + 1) * 0.9 * PAGE / len(reading.events)) if reading.events else DAY
        self.ask_for(name, min(2 * span, filled))
        yield from self.read_ahead(name, window)
        events = yield from self.new(name, window, reading)
        batch = tuple(sorted((event.second, event.id) for event in events))
        if (yield from self.commit(name, window, batch, reading)):
            yield from self.publish(ENTRIES_WHILE_DUE)

    def read_ahead(self, name: str, window: Window) -> Steps:
        """The next window's call, as if this one were committed. Nothing is decided by it."""
        if not self.reads_ahead or self.budget == 0 or not self.has_time():
            return
        state = self.state
        self.state = state._replace(passes=moved(state.passes, name, window.hi), turn=name)
        following = self.choose()
        self.state = state
        if following is not None and following[1] is not None:
            with suppress(RefusedError):  # asked again in its turn, it says so again
                self.ahead = following[0], following[1], (yield from self.ask(following[1]))

    # ---- prepare: step 5 ----

    def new(self, name: str, window: Window, reading: Reading) -> Steps:
        """The events that the archive does not hold yet."""
        held = yield from self.held(window)
        return [event for event in reading.events if self.belongs(event, window) and event.id not in held]

    def belongs(self, event: Event, window: Window) -> bool:
        return window.lo <= event.second <= window.hi

    def held(self, window: Window) -> Steps:
        ids: set[str] = set()
        for key in (yield from self.call("s3.list", self.world.store.keys, window.lo // DAY)):
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

    def batch(self, key: Key) -> Steps:
        if key in self.at_hand:
            return self.at_hand[key]
        return (yield from self.call("s3.get", self.world.store.batch, key))

    # ---- commit: steps 5 and 6 ----

    def commit(self, name: str, window: Window, batch: Batch, reading: Reading) -> Steps:
        """Plan, batch, entry, item: in this order. False: another run was first."""
        key = self.key(window, batch) if batch else None
        entry = self.entry(name, window, moved(self.state.passes, name, window.hi), key, batch, reading.at)
        if key is not None:
            yield from self.plan(entry)
            yield from self.call("s3.put", self.world.store.put_batch, key, batch)  # 412: these very bytes are there
            self.at_hand = {key: batch}
        return (yield from self.append(entry))

    def entry(
        self,
        name: str | None,
        window: Window | None,
        passes: Passes,
        key: Key | None = None,
        batch: Batch = (),
        read_at: int = 0,
    ) -> Entry:
        seal = digest(batch) if key else None
        state = self.state
        return Entry(state.next, state.head, name, window, key, seal, passes, state.published, read_at)

    def key(self, window: Window, batch: Batch) -> Key:
        return Key(window.lo // DAY, *window, self.state.next, digest(batch))

    def plan(self, entry: Entry) -> Steps:
        self.state = self.state._replace(plan=entry)
        yield from self.save()

    def append(self, entry: Entry) -> Steps:
        """The entry, which commits its window, then the item."""
        if not (yield from self.call("s3.put", self.world.store.put_entry, entry)):
            there = yield from self.call("s3.get", self.world.store.entry, entry.number)
            if there != entry:
                yield from self.lose_the_race()
                return False
        self.follow(entry)
        yield from self.save()
        return True

    def lose_the_race(self) -> Steps:
        """Whatever was read ahead is not used: the world has changed since."""
        self.ahead = None
        self.state = self.state._replace(plan=None)
        yield from self.roll_forward()

    def save(self) -> Steps:
        yield from self.call("table", self.world.table.replace, self.owner, self.state, self.until)

    def release(self) -> Steps:
        """A lease that is no longer ours needs no giving back."""
        replace = self.world.table.replace
        try:
            yield from self.call("release", lambda *given: replace(*given, release=True), self.owner, self.state, 0)
        except (LeaseLostError, GaveUpError):
            return

    # ---- publish: step 7 ----

    def publishes_though_refused(self) -> bool:
        return True

    def publish(self, most: int | None) -> Steps:
        """From the mark on, in order. With `most` None the whole backlog, until something is due: then True."""
        sent = 0
        while self.state.published < self.state.next and sent != most and self.may_send():
            if not (yield from self.send(self.state.published, patient=most is None)):
                return False
            self.state = self.state._replace(published=self.state.published + 1)
            sent += 1
            if most is None and self.is_due_by_now():
                return True
        return False

    def may_send(self) -> bool:
        return self.stream_failed < TRIES and self.has_time()

    def is_due_by_now(self) -> bool:
        started, self.started = self.started, self.host_now()
        due = self.budget > 0 and self.has_time() and self.choose() is not None
        self.started = started
        return due

    def send(self, number: int, *, patient: bool) -> Steps:
        """True: every record of the entry was accepted."""
        if self.sending is None or self.sending[0] != number:
            self.sending = number, (yield from self.records(number))
        left = self.sending[1]
        while left:
            refused = yield from self.put(left[:RECORDS])
            left[:RECORDS] = refused
            if refused:
                self.stream_failed += 1
                if not patient or not self.may_send():
                    return False
            else:
                self.stream_failed = 0
            if left and not self.has_time():
                return False
        self.sending = None
        return True

    def records(self, number: int) -> Steps:
        entry = yield from self.entry_at(number)
        if entry is None:
            raise GaveUpError(f"entry {number} is missing")
        if not marked(entry):
            return []
        batch = yield from self.batch(entry.key)
        if batch is None:
            raise GaveUpError(f"{entry.key} is missing")
        return [id_ for _, id_ in batch]

    def put(self, records: list[str]) -> Steps:
        """Those that must be sent again."""
        try:
            return (yield "stream", self.world.stream.put, records)
        except UnavailableError:
            return records


def position(name: str) -> tuple[int, str]:
    """In the cycle live, late, final, backfills by name."""
    return (STANDING.index(name), "") if name in STANDING else (len(STANDING) if name else -1, name)


def moved(passes: Passes, name: str, watermark: int) -> Passes:
    return {**passes, name: passes[name]._replace(watermark=watermark)}
