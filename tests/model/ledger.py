"""A run's side of the stores: lease, log and item (steps 1, 2, 5, 6 and 8 of the protocol)."""

from collections.abc import Callable, Generator
from typing import Any

from tests.model import scale
from tests.model.words import (
    Answer,
    Batch,
    Entry,
    Key,
    LeaseLostError,
    Pass,
    Passes,
    State,
    UnavailableError,
    Window,
    digest,
)
from tests.model.world import World

Steps = Generator[tuple[Any, ...], Any, Any]
Command = tuple[str, str, Pass | None]  # create, pause, resume or cancel; the backfill's name; what to create


class GaveUpError(Exception):
    """A store does not answer, or not with what the log says: the run ends."""


class Ledger:
    """`state` is what this run knows to be true."""

    def __init__(
        self,
        owner: str,
        world: World,
        host_now: Callable[[], int],
        *,
        budget: int = 60,
        reads_ahead: int = 1,
        command: Command | None = None,
    ) -> None:
        self.owner, self.world, self.host_now = owner, world, host_now
        self.budget, self.reads_ahead, self.command = budget, reads_ahead, command
        self.deadline = host_now() + scale.RUN_TIME
        self.started = host_now()
        self.until = self.deadline + scale.LEASE_GRACE
        self.state = State()
        self.known: dict[int, Entry] = {}  # entries that this run has seen in the log
        self.at_hand: dict[Key, Batch] = {}
        self.ahead: list[tuple[str, Window, Answer]] = []
        self.sending: tuple[int, list[str]] | None = None  # entry, and what is left of it
        self.stream_failed = 0
        self.slowest = 0
        self.unsaved = 0  # entries that the log is ahead of the item

    def call(self, kind: str, function: Callable[..., Any], *arguments: Any) -> Steps:
        """One outside call, again where it had no answer."""
        for _ in range(scale.TRIES):
            before = self.host_now()
            try:
                return (yield kind, function, *arguments)
            except UnavailableError:
                continue
            finally:
                self.slowest = max(self.slowest, self.host_now() - before)
        raise GaveUpError(kind)

    def has_time(self) -> bool:
        return self.deadline - self.host_now() > scale.RESERVE + self.slowest

    # ---- step 2: roll forward ----

    def roll_forward(self) -> Steps:
        there = self.state.next
        if there == 0:
            yield from self.rebuild()
        while (entry := (yield from self.entry_at(self.state.next))) is not None:
            self.follow(entry)
        if self.state.next != there:
            yield from self.save()

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

    def follow(self, entry: Entry) -> None:
        """What is known after a committed entry."""
        self.known[entry.number] = entry
        self.state = self.state.after_turn(entry.pass_)._replace(
            next=entry.number + 1,
            head=digest(entry),
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

    def counts(self, plan: Entry) -> Steps:
        if (plan.number, plan.previous) != (self.state.next, self.state.head):
            return False
        batch = yield from self.call("s3.get", self.world.store.batch, plan.key)
        return batch is not None and digest(batch) == plan.digest

    # ---- steps 5 and 6: plan, batch, entry; the item with the next plan or the release ----

    def commit(self, name: str, window: Window, batch: Batch, read_at: int) -> Steps:
        """Plan, batch, entry: in this order. False: another run was first."""
        key = self.key(window, batch) if batch else None
        entry = self.entry(name, window, moved(self.state.passes, name, window.hi), key, batch, read_at)
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
        return Key(window.lo // scale.DAY, *window, self.state.next, digest(batch))

    def plan(self, entry: Entry) -> Steps:
        self.state = self.state._replace(plan=entry)
        yield from self.save()

    def append(self, entry: Entry) -> Steps:
        """The entry, which commits its window. The item goes with the next plan, or the release."""
        is_new = yield from self.call("s3.put", self.world.store.put_entry, entry)
        if not is_new and (yield from self.call("s3.get", self.world.store.entry, entry.number)) != entry:
            yield from self.lose_the_race()
            return False
        self.follow(entry)
        self.unsaved += 1
        if not is_new or self.unsaved == scale.UNSAVED:
            yield from self.save()
        return True

    def lose_the_race(self) -> Steps:
        """Whatever was read ahead is not used: the world has changed since."""
        self.ahead = []
        self.state = self.state._replace(plan=None)
        yield from self.roll_forward()

    def save(self) -> Steps:
        yield from self.call("table", self.world.table.replace, self.owner, self.state, self.until)
        self.unsaved = 0

    def release(self) -> Steps:
        """A lease that is no longer ours needs no giving back."""
        replace = self.world.table.replace
        try:
            yield from self.call("release", lambda *given: replace(*given, release=True), self.owner, self.state, 0)
        except (LeaseLostError, GaveUpError):
            return

    def batch(self, key: Key) -> Steps:
        if key in self.at_hand:
            return self.at_hand[key]
        return (yield from self.call("s3.get", self.world.store.batch, key))


def moved(passes: Passes, name: str, watermark: int) -> Passes:
    return {**passes, name: passes[name]._replace(watermark=watermark)}
