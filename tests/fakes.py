"""The outside world in memory, with a clock that is moved by hand and faults on request.

The contract suite holds these fakes to the promises that the real adapters keep.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import ceil

from slack_audit.backfill import order_of
from slack_audit.batches import Record, SinkLimits
from slack_audit.catalog import Kind
from slack_audit.checkpoint import Checkpoint
from slack_audit.collect import Run
from slack_audit.errors import CursorRefusedError, LeaseLostError, RangeRefusedError
from slack_audit.events import event_of
from slack_audit.orders import Outcome, carry_out
from slack_audit.parts import Parts, Policy, Report
from slack_audit.ports import Answer, Query, SinkState
from tests.builders import DAY_START, policy_values


class KilledError(BaseException):
    """The run is dead: nothing that it does from here on has an effect, and no handler of it may run."""


class Clock:
    """Time that passes only when somebody waits or a call takes time."""

    def __init__(self, now: float = DAY_START + 2_000) -> None:
        self.time = now
        self.deadline = now + 300.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def time_left(self) -> float:
        return self.deadline - self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def new_run(self, seconds: float = 300.0) -> None:
        self.deadline = self.time + seconds


@dataclass
class Faults:
    """What happens at each outside call, by its name and how often that name was called. `kill` counts all calls."""

    at: dict[tuple[str, int], Callable[[], None]] = field(default_factory=dict)
    kill: tuple[int, str] | None = None
    dead: bool = False
    calls: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def before(self, name: str) -> None:
        if self.dead:
            raise KilledError
        self.calls.append(name)
        self.counts[name] += 1
        self._die_if((len(self.calls), "before"))
        if (fault := self.at.get((name, self.counts[name]))) is not None:
            fault()

    def after(self) -> None:
        self._die_if((len(self.calls), "after"))

    def _die_if(self, moment: tuple[int, str]) -> None:
        if self.kill == moment:
            self.dead = True
            raise KilledError

    def fail(self, name: str, number: int, error: Exception) -> None:
        def fault() -> None:
            raise error

        self.at[name, number] = fault


class Slack:
    """Answers like Slack: newest first, inclusive seconds, cursors that forget the window, at most `page` events."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self.clock = clock
        self.faults = faults
        self.events: list[tuple[int, bytes, float]] = []
        self.offset = 0
        self.page = 9_999
        self.seconds_a_call = 0.0
        self.says_the_time = True
        self.queries: list[Query] = []
        self.renewed = 0
        self.cut: list[Answer] = []

    def add(self, raws: Iterable[bytes], visible_at: float = 0) -> None:
        self.events += [(event_of(raw).date_create or 0, raw, visible_at) for raw in raws]

    def show(self, raw: bytes, second: int) -> None:
        """An event that Slack shows among those of `second`, whatever the event says of itself."""
        self.events.append((second, raw, 0))

    @property
    def now(self) -> int:
        return int(self.clock.time + self.offset)

    def read(self, query: Query, timeout: float) -> Answer:
        self.faults.before("slack.read")
        self.queries.append(query)
        self.clock.time += self.seconds_a_call
        answer = self._page(query)
        self.faults.after()
        return answer

    def _page(self, query: Query) -> Answer:
        window = query.window
        if window is not None and window.hi >= self.now:
            raise RangeRefusedError("in the future", slack_time=self.now)
        wanted = query.filters.action
        visible = [
            (second, raw)
            for second, raw, at in self.events
            if at <= self.now and (not wanted or event_of(raw).action in wanted.split(","))
        ]
        shown = sorted((e for e in visible if window is None or e[0] in window), key=lambda e: e[0], reverse=True)
        start = self._start(query)
        size = min(self.page, query.limit)
        events = [event_of(raw) for _, raw in shown[start : start + size]]
        cursor = str(start + size) if start + size < len(shown) else None
        return Answer(events, cursor, self.now if self.says_the_time else None)

    def _start(self, query: Query) -> int:
        if query.cursor == "expired":
            raise CursorRefusedError("expired")
        return int(query.cursor or 0)

    def renew_token(self) -> None:
        self.renewed += 1


class Archive:
    """A bucket in which nothing can be overwritten."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.objects: dict[str, bytes] = {}
        self.lost_replies = False

    def put_new(self, key: str, body: bytes) -> bool:
        self.faults.before("archive.put_new")
        new = key not in self.objects
        self.objects.setdefault(key, body)
        self.faults.after()
        # A reply that was lost makes the client ask again, and that is told of the object it wrote itself.
        return new and not self.lost_replies

    def get(self, key: str) -> bytes | None:
        self.faults.before("archive.get")
        body = self.objects.get(key)
        self.faults.after()
        return body

    def exists(self, key: str) -> bool:
        self.faults.before("archive.exists")
        there = key in self.objects
        self.faults.after()
        return there

    def keys(self, prefix: str, *, after: str, most: int) -> list[str]:
        self.faults.before("archive.keys")
        found = sorted(key for key in self.objects if key.startswith(prefix) and key > after)[:most]
        self.faults.after()
        return found

    def uri(self, key: str) -> str:
        return f"s3://archive/{key}"


class Catalog:
    """Slack's own lists, as they are put here. A list that is an error is raised instead."""

    def __init__(self, **lists: bytes | Exception) -> None:
        self.lists: dict[str, bytes | Exception] = {
            "actions": b'{"actions":{"user":["user_login","user_logout"],"file":["file_shared"]}}',
            "schemas": b'{"schemas":[{"type":"user","user":{"id":"string","name":"string"}}]}',
            **lists,
        }
        self.asked: list[str] = []

    def read(self, kind: Kind, timeout: float) -> bytes:
        assert timeout > 0
        self.asked.append(kind)
        listed = self.lists[kind]
        if isinstance(listed, Exception):
            raise listed
        return listed


@dataclass
class Table:
    """One org's item, as the table keeps it."""

    item: Checkpoint = field(default_factory=Checkpoint)
    owner: str | None = None
    until: float = 0.0


class Checkpoints:
    """One run's view of the table: it knows who it is."""

    def __init__(self, table: Table, faults: Faults) -> None:
        self.table = table
        self.faults = faults
        self._mine: str | None = None

    def acquire(self, owner: str, *, now: float, until: float) -> Checkpoint | None:
        self.faults.before("checkpoints.acquire")
        self._mine = owner
        if self.table.owner not in {None, owner} and self.table.until >= int(now):
            return None
        was_given_back = self.table.owner is None
        self.table.owner = owner
        self.table.until = ceil(until)
        self.faults.after()
        return self.table.item if was_given_back else self.table.item.abandoned()

    def save(self, checkpoint: Checkpoint) -> None:
        self.faults.before("checkpoints.save")
        if self.table.owner != self._mine:
            raise LeaseLostError("taken over")
        self.table.item = checkpoint
        self.faults.after()

    def try_to_write(self) -> None:
        self.faults.before("checkpoints.try_to_write")
        self.faults.after()

    def release(self, checkpoint: Checkpoint) -> None:
        self.faults.before("checkpoints.release")
        if self.table.owner == self._mine:
            self.table.item = checkpoint
            self.table.owner = None
        self.faults.after()


class Stream:
    """A stream that keeps what it accepted; `refuse` says which records of a call it does not."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.limits = SinkLimits()
        self.records: list[Record] = []
        self.calls: list[list[Record]] = []
        self.refuse: Callable[[Sequence[Record]], list[Record]] = lambda _records: []
        self.takes = True

    def put(self, records: Sequence[Record]) -> list[Record]:
        self.faults.before("stream.put")
        assert len(records) <= self.limits.records
        assert sum(record.size for record in records) <= max(self.limits.call_bytes, self.limits.record_bytes)
        refused = self.refuse(records)
        self.calls.append(list(records))
        self.records += [record for record in records if record not in refused]
        self.faults.after()
        return refused

    def state(self) -> SinkState:
        self.faults.before("stream.state")
        self.faults.after()
        return SinkState(self.takes, "The stream is ACTIVE." if self.takes else "The stream is DELETING.")

    @property
    def lines(self) -> list[bytes]:
        return [record.data for record in self.records]


def at_once[T](call: Callable[[], T]) -> Future[T]:
    """Does what was to be done beside the run before anything else happens: the harshest order there is."""
    future: Future[T] = Future()
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 - a future carries whatever was raised
        future.set_exception(error)
    return future


class World:
    """Everything outside a run, and the runs."""

    def __init__(self, **policy: object) -> None:
        self.faults = Faults()
        self.clock = Clock()
        self.slack = Slack(self.clock, self.faults)
        self.archive = Archive(self.faults)
        self.table = Table()
        self.stream = Stream(self.faults)
        self.catalog = Catalog()
        self.policy = Policy(**policy_values(**policy))
        self.runs = 0

    def parts(self) -> Parts:
        self.runs += 1
        return Parts(
            f"run-{self.runs}",
            self.slack,
            self.archive,
            Checkpoints(self.table, self.faults),
            self.stream,
            self.clock,
            at_once,
            at_once,
            self.catalog,
        )

    def parts_of_a_check(self) -> tuple[Slack, Archive, Checkpoints, Stream, Clock]:
        """What a check is given besides the token, in its order."""
        return self.slack, self.archive, Checkpoints(self.table, self.faults), self.stream, self.clock

    def run(self, seconds: float = 300.0) -> Report:
        """One run from now on; what is left of its minute passes after it."""
        self.clock.new_run(seconds)
        return Run(self.parts(), self.policy).collect()

    def order(self, **wanted: object) -> Outcome:
        """An order for the backfills, as a person sends it."""
        self.clock.new_run()
        return carry_out(
            order_of({name.rstrip("_"): value for name, value in wanted.items()}), self.parts(), self.policy
        )

    def overlap(self) -> None:
        """Another run, start to end, while ours is on its way; ours thinks that it still has time."""
        self.clock.time = self.table.until + 1
        self.run()
        self.clock.new_run()

    def next_minute(self, minutes: float = 1) -> None:
        self.clock.time += 60 * minutes

    def revive(self) -> None:
        """After a kill: the lease expires and the faults are over."""
        self.faults.dead = False
        self.faults.kill = None
        self.faults.at.clear()
        self.clock.time = max(self.clock.time, self.table.until) + 1

    def until_done(self, runs: int = 30) -> Report:
        """Runs a minute apart, until one has nothing more to do."""
        for _ in range(runs):
            report = self.run()
            if report.stopped == "nothing_due" and not report.backlog:
                return report
            self.next_minute()
        raise AssertionError("it never gets done")

    # what came out

    def entries(self) -> list[bytes]:
        """The log, gapless from 0."""
        keys = sorted(key for key in self.archive.objects if key.startswith("log/"))
        assert keys == [f"log/org=main/{number:012}.json" for number in range(len(keys))]
        return [self.archive.objects[key] for key in keys]

    def committed(self) -> dict[str, bytes]:
        """The archive without orphans: objects that no entry names, which a table fault or an overlap may leave."""
        named = b"\n".join(self.entries())
        return {k: v for k, v in self.archive.objects.items() if k.startswith("log/") or k.encode() in named}

    def with_changes(self, **changes: object) -> None:
        """Another policy for the runs to come."""
        self.policy = Policy(**policy_values(**changes))
