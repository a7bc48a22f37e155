"""The outside world: Slack, S3, DynamoDB and Kinesis. What goes wrong on the way to them is explore.py's affair."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

from tests.model import scale
from tests.model.words import (
    Answer,
    Batch,
    Entry,
    Event,
    Key,
    LeaseLostError,
    RefusedError,
    State,
    UnavailableError,
    ViolationError,
    Window,
    marked,
)

BEGIN = 1_000  # the time of the first run


class Slack:
    """Shows events late, newest first, in pages. The order inside a second is another one in every walk."""

    def __init__(self, world: "World", events: Sequence[Event], rng: Random) -> None:
        self.world = world
        self.events = sorted(events)
        self.rng = rng
        self.date_of: Callable[[int], int] = lambda now: now  # what the answering server takes for the time
        self.cuts = 0.0  # how often an answer ends before it is full, or before it has begun
        self.sizes: list[int] = []  # of the next answers, where they shall end early
        self.strays = 0.0  # how often it shows an event that was not asked for
        self.unsteady = 0  # so many first walks of each window change their order on the way
        self.walks: Counter[Window] = Counter()
        self.refusing = False

    def read(self, window: Window, cursor: tuple[int, int] | None = None) -> Answer:
        if self.refusing:
            raise RefusedError
        walk, offset = cursor or (self.rng.getrandbits(30), 0)
        self.walks[window] += offset == 0
        rest = self._shown(window, walk + 7919 * offset * (self.walks[window] <= self.unsteady))[offset:]
        size = self._size(len(rest))
        page = rest[:size]
        is_last = len(page) == len(rest) and size == scale.PAGE
        if self.strays and self.rng.random() < self.strays:
            page = page + self._stray(window)
        at = self.world.now
        return Answer(page, None if is_last else (walk, offset + size), self.date_of(at), at)

    def _shown(self, window: Window, walk: int) -> list[Event]:
        lo, hi = window
        now = self.world.now
        found = [event for event in self.events if lo <= event.second <= hi and event.shown_at <= now]
        if len(found) > 1:
            found.sort(key=lambda event: (-event.second, crc32(b"%d %s" % (walk, event.id.encode()))))
        return found

    def _stray(self, window: Window) -> list[Event]:
        shown = self._shown(Window(window.lo - 5, window.hi + 5), 0)
        near = [event for event in shown if not window.lo <= event.second <= window.hi]
        return [self.rng.choice(near)] if near else []

    def _size(self, rest: int) -> int:
        if self.sizes:
            return self.sizes.pop(0)
        is_cut = self.cuts and self.rng.random() < self.cuts
        return self.rng.randint(0, min(scale.PAGE, rest)) if is_cut else scale.PAGE


class Store:
    """S3. Keys of the log are numbers, keys of batches are `Key`s."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.log: dict[int, Entry] = {}
        self.raw: dict[Key, Batch] = {}
        self.days: defaultdict[int, list[Key]] = defaultdict(list)

    def put_entry(self, entry: Entry, *, replace: bool = False) -> bool:
        """False: 412, an entry stands there."""
        if entry.number in self.log and not replace:
            return False
        self.log[entry.number] = entry
        self.world.check_mark(entry.published)
        return True

    def put_batch(self, key: Key, batch: Batch) -> bool:
        """False: 412, an object stands there."""
        if key in self.raw:
            return False
        self.raw[key] = batch
        self.days[key.day].append(key)
        return True

    def entry(self, number: int) -> Entry | None:
        return self.log.get(number)

    def batch(self, key: Key) -> Batch | None:
        return self.raw.get(key)

    def keys(self, day: int) -> list[Key]:
        return list(self.days[day])


class Item(NamedTuple):
    """The org's item."""

    owner: str | None
    until: int
    state: State


class Table:
    """DynamoDB: one item, and every copy of it that a backup may bring back."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.item: Item | None = None
        self.copies: list[Item] = []

    def acquire(self, owner: str, now: int, until: int) -> State | None:
        """Touches the lease only. None: another run holds it."""
        item = self.item or Item(None, 0, State())
        if item.owner not in {None, owner} and item.until >= now:
            return None
        if item.owner != owner and item.owner in self.world.alive:
            self.world.overlapped = True
        self._write(item._replace(owner=owner, until=until))
        return item.state

    def replace(self, owner: str, state: State, until: int, *, release: bool = False) -> None:
        """The whole item, on condition that it is ours."""
        if self.item is None or self.item.owner != owner:
            raise LeaseLostError
        self.world.check_mark(state.published)
        self._write(Item(None if release else owner, until, state))

    def _write(self, item: Item) -> None:
        self.item = item
        self.copies.append(item)

    def lose(self) -> None:
        self.item = None
        self.world.table_fault = True

    def restore(self, copy: Item) -> None:
        self.item = copy
        self.world.table_fault = True


class Stream:
    """Kinesis."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.down = False
        self.failures = 0.0  # how often a record is not accepted
        self.accepted: set[str] = set()

    def put(self, records: Sequence[str]) -> list[str]:
        """Those that were not accepted."""
        if self.down:
            raise UnavailableError
        refused = [record for record in records if self.failures and self.rng.random() < self.failures]
        self.accepted.update(record for record in records if record not in refused)
        return refused


class World:
    """All of it, and the true time."""

    def __init__(self, events: Sequence[Event], rng: Random | None = None, now: int = BEGIN) -> None:
        rng = rng or Random(0)
        self.now = now
        self.drift = 0  # of the hosts' clock against the true one
        self.slack = Slack(self, events, rng)
        self.store = Store(self)
        self.table = Table(self)
        self.stream = Stream(rng)
        self.table_fault = False
        self.alive: set[str] = set()  # the runs that are neither over nor dead
        self.overlapped = False  # was a lease taken from one of them, or did a write land after its writer gave up?
        self._landing: list[tuple[int, Callable[..., Any], tuple[Any, ...]]] = []
        self._checked = 0

    def later(self, at: int, call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """A write that is under way and lands only then."""
        self.overlapped = True
        self._landing.append((at, call, arguments))

    def advance(self, seconds: int) -> None:
        self.now += seconds
        if not self._landing:
            return
        due = [write for write in self._landing if write[0] <= self.now]
        self._landing = [write for write in self._landing if write[0] > self.now]
        for _, call, arguments in due:
            land(call, arguments)

    def check_mark(self, mark: int) -> None:
        """Whenever a publish mark is written, the stream has accepted everything below it."""
        while self._checked < mark:
            entry = self.store.log.get(self._checked)
            if entry is None:
                raise ViolationError(("mark", f"{mark} is written, and entry {self._checked} does not exist"))
            missing = [id_ for _, id_ in self._records(entry) if id_ not in self.stream.accepted]
            if missing:
                raise ViolationError(
                    ("mark", f"{mark} is written, and {missing} of entry {entry.number} was not accepted")
                )
            self._checked += 1

    def _records(self, entry: Entry) -> Batch:
        return self.store.raw.get(entry.key, ()) if marked(entry) and entry.key else ()


def land(call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Nobody hears how it went."""
    try:
        call(*arguments)
    except (LeaseLostError, UnavailableError):
        return
