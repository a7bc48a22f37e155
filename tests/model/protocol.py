"""One run by the protocol, step by step, as a generator: it yields every outside call and is sent the reply.

Small methods, because each rule is broken by a mutant that overrides it (mutants.py).
"""

from contextlib import suppress
from functools import cache

from tests.model import scale
from tests.model.ledger import GaveUpError, Steps, moved
from tests.model.publisher import Publisher
from tests.model.reader import OutOfTimeError, Reader, Reading
from tests.model.words import LeaseLostError, Pass, Passes, RefusedError, Window


class Run(Reader, Publisher):
    """`steps` is the run."""

    def steps(self) -> Steps:
        with suppress(LeaseLostError, GaveUpError):
            state = yield from self.call("table", self.world.table.acquire, self.owner, self.host_now(), self.until)
            if state is not None:
                self.state = state
                with suppress(GaveUpError):  # what is known is released all the same
                    yield from self.work()
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
            yield from self.append(self.entry(None, None, self.standing(self.slack_now() - scale.LOOKBACK)))

    def standing(self, start: int) -> Passes:
        return {name: Pass(start - 1) for name in scale.STANDING}

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

    # ---- step 3: choose ----

    def limits(self) -> dict[str, int]:
        """The newest second that each pass may read, by Slack's clock as the run found it."""
        now = self.started + self.slack_now() - self.host_now()
        return {
            name: now - scale.LIVE_LAG if name == "live" else min(now - self.lag(name), self.ahead_of(name))
            for name in self.state.passes
        }

    def ahead_of(self, name: str) -> int:
        """No pass reads above live's watermark, and no backfill above final's: what is late is final's to publish."""
        return self.state.passes["live" if name in scale.STANDING else "final"].watermark

    def choose(self) -> tuple[str, Window | None] | None:
        """The due pass whose turn it is; without a window, a backfill that has reached its end."""
        limits = self.limits()
        for name in self.turns():
            state = self.state.passes[name]
            end = scale.DAY**3 if state.end is None else state.end
            if state.watermark >= end and not state.paused:
                return name, None
            if self.is_due(state, limits[name], end):
                return name, self.window(name, state.watermark + 1, min(limits[name], end))
        return None

    def turns(self) -> list[str]:
        """Live, but not twice in a row while another is due; the others in the cycle late, final, backfills by name."""
        cycle = sorted(set(self.state.passes) - {"live"}, key=position)
        last = position(self.state.other or "")
        others = [name for name in cycle if position(name) > last] + [name for name in cycle if position(name) <= last]
        return [*others, "live"] if self.state.turn == "live" else ["live", *others]

    def is_due(self, state: Pass, limit: int, end: int) -> bool:
        unread = min(limit, end) - state.watermark
        return not state.paused and unread >= (1 if limit >= end else scale.LEAST_UNREAD)

    def window(self, name: str, lo: int, limit: int) -> Window:
        span = self.state.spans.get(name, scale.FIRST_SPAN)
        return Window(lo, min(lo + span - 1, limit, lo - lo % scale.DAY + scale.DAY - 1))

    # ---- steps 3 to 7: window by window ----

    def capture(self) -> Steps:
        while self.has_time() and (due := self.planned()) is not None:
            name, window = due
            self.started = self.fresh(self.started)
            if window is None:
                yield from self.end(name)
                continue
            answer = yield from self.answer(name, window)
            if answer is None:
                return
            if not self.is_whole(answer, window):
                self.forget_ahead()
                self.ask_for(name, (window.hi - window.lo) // 2 + 1)
                self.state = self.state.after_turn(name)
                continue
            reading = yield from self.reading(answer, window)
            if not self.is_too_young(name, window, reading):
                yield from self.take(name, window, reading)

    def fresh(self, started: int) -> int:
        """The clock that limits are taken from is read anew once in a period, so that live never waits for long."""
        return self.host_now() if self.host_now() - started >= scale.PERIOD else started

    def take(self, name: str, window: Window, reading: Reading) -> Steps:
        span = self.state.spans.get(name, scale.FIRST_SPAN)
        filled = (
            int((window.hi - window.lo + 1) * 0.9 * scale.PAGE / len(reading.events)) if reading.events else scale.DAY
        )
        self.ask_for(name, min(2 * span, filled))
        yield from self.read_ahead(name, window)
        events = yield from self.new(name, window, reading)
        batch = tuple(sorted((event.second, event.id) for event in events))
        if (yield from self.commit(name, window, batch, reading.at)):
            yield from self.publish(scale.ENTRIES_WHILE_DUE)

    def read_ahead(self, name: str, window: Window) -> Steps:
        """The calls of the next windows, as if this one were committed. Nothing is decided by it."""
        while len(self.ahead) < self.reads_ahead and self.budget > 0 and self.has_time():
            following = self.after((name, window), *(turn[:2] for turn in self.ahead))
            if following is None or following[1] is None:
                return
            try:
                self.ahead.append((following[0], following[1], (yield from self.ask(following[1]))))
            except RefusedError:
                return  # asked again in its turn, it says so again

    def after(self, *turns: tuple[str, Window]) -> tuple[str, Window | None] | None:
        """What comes next if these are committed."""
        state = self.state
        for name, window in turns:
            self.state = self.state.after_turn(name)
            self.state = self.state._replace(passes=moved(self.state.passes, name, window.hi))
        following = self.choose()
        self.state = state
        return following

    def planned(self) -> tuple[str, Window | None] | None:
        """What was read ahead, as long as it follows what is committed; otherwise whose turn it is."""
        if self.ahead and not self.follows(*self.ahead[0][:2]):
            self.forget_ahead()
        return self.ahead[0][:2] if self.ahead else self.choose()

    def follows(self, name: str, window: Window) -> bool:
        return name in self.state.passes and window.lo == self.state.passes[name].watermark + 1

    def forget_ahead(self) -> None:
        """What was read ahead of an answer that is not all of its window is of no use."""
        self.ahead = []

    # ---- step 7: publish ----

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

    def is_due_by_now(self) -> bool:
        started, self.started = self.started, self.host_now()
        due = self.budget > 0 and self.has_time() and self.choose() is not None
        self.started = started
        return due


@cache
def position(name: str) -> tuple[int, str]:
    """In the cycle live, late, final, backfills by name."""
    return (scale.STANDING.index(name), "") if name in scale.STANDING else (len(scale.STANDING) if name else -1, name)
