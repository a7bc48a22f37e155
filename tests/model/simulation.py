"""Runs in this world, taken from call to call: killed at any of them, without replies, frozen beyond their lease.

A fate says what becomes of one outside call:

    ok             it has its effect, and the reply arrives
    refused        it has no effect, and no reply arrives
    lost           it has its effect, and no reply arrives
    late           no reply arrives, and the effect comes later (writes only)
    kill before    the run dies, the call had no effect
    kill after     the run dies, the call had its effect
    kill late      the run dies, the effect comes later (writes only)
    freeze         the run stops here for so long that its lease is over, then goes on
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.model import scale
from tests.model.invariants import check, check_published, has_read, is_published
from tests.model.ledger import Command
from tests.model.protocol import Run
from tests.model.words import (
    LeaseLostError,
    RefusedError,
    UnavailableError,
    ViolationError,
)
from tests.model.world import World

Fate = Callable[[str], str]
WRITES = {"s3.put", "table", "release", "stream"}
MOST_CALLS = 3_000  # of one run
MOST_RUNS = 400  # until everything is where it should be, once nothing goes wrong any more
FREEZE = scale.RUN_TIME + 20


class Host:
    """The clock that a run sees."""

    def __init__(self, world: World, missed: int) -> None:
        self.world = world
        self.missed = missed

    def __call__(self) -> int:
        return self.world.now + self.world.drift - self.missed


class Process:
    """A run in the world, its host, and the call that it is about to make."""

    def __init__(self, run: Run, host: Host, dies_at: int) -> None:
        self.run = run
        self.host = host
        self.dies_at = dies_at
        self.frozen_until = 0
        self.calls = 0
        self.steps = run.steps()
        self.pending: tuple[Any, ...] | None = next(self.steps)

    def kill(self) -> None:
        self.steps.close()
        self.pending = None

    def resume(self, reply: object) -> None:
        """With a reply, or the error that stands for it."""
        try:
            answer = self.steps.throw(reply) if isinstance(reply, Exception) else self.steps.send(reply)
        except StopIteration:
            answer = None
        self.pending = answer


class Simulation:
    """Starts runs and takes them from call to call."""

    def __init__(self, world: World, protocol: type[Run] = Run, *, budget: int = 60, reads_ahead: int = 1) -> None:
        self.world, self.protocol = world, protocol
        self.budget, self.reads_ahead = budget, reads_ahead
        self.fate: Fate = lambda _kind: "ok"
        self.cost: Callable[[str], int] = lambda _kind: 0
        self.landing: Callable[[], int] = lambda: scale.RUN_TIME // 2  # seconds until a late write lands
        self.active: list[Process] = []
        self.started = 0
        self.jitter: Callable[[], int] = lambda: 0  # of a host's clock
        self.calls: Counter[str] = Counter()
        self.trace: list[str] | None = None

    def start(self, command: Command | None = None) -> Process:
        self.started += 1
        name, host = f"run {self.started}", Host(self.world, self.jitter())
        run = self.protocol(name, self.world, host, budget=self.budget, reads_ahead=self.reads_ahead, command=command)
        process = Process(run, host, self.world.now + scale.RUN_TIME)
        self.active.append(process)
        self.world.alive.add(name)
        return process

    def step(self, process: Process) -> None:
        """The call that it is about to make, and what becomes of it."""
        assert process.pending is not None
        kind, function, *arguments = process.pending
        if self.world.now > process.dies_at:
            self.note(process, kind, "killed: its time is over", ())
            return self.end(process)
        fate = self.fate(kind)
        self.calls[kind] += 1
        process.calls += 1
        if process.calls > MOST_CALLS:
            raise ViolationError(("stuck", f"{process.run.owner} never ends"))
        if fate == "freeze":
            return self._freeze(process)
        self.world.advance(self.cost(kind))
        self.note(process, kind, fate, tuple(arguments))
        reply = self._reply(fate, function, arguments)
        if fate.startswith("kill"):
            return self.end(process)
        process.resume(reply)
        if process.pending is None:
            self.end(process)
        return None

    def _reply(self, fate: str, function: Callable[..., Any], arguments: list[Any]) -> object:
        if fate in {"kill before", "refused"}:
            return UnavailableError()
        if fate.endswith("late"):
            self.world.later(self.world.now + self.landing(), function, tuple(arguments))
            return UnavailableError()
        try:
            reply = function(*arguments)
        except (UnavailableError, LeaseLostError, RefusedError) as error:
            return error
        return UnavailableError() if fate == "lost" else reply

    def _freeze(self, process: Process) -> None:
        """It is not killed at its deadline either; half of them do not even notice that time has passed."""
        process.frozen_until = self.world.now + FREEZE
        process.dies_at += 3 * FREEZE
        if process.calls % 2:
            process.host.missed += FREEZE

    def end(self, process: Process) -> None:
        """It is over, or dead."""
        process.kill()
        self.active.remove(process)
        self.world.alive.remove(process.run.owner)

    def finish(self, process: Process) -> None:
        """To its end. While it is frozen, another one does its work."""
        while process.pending is not None:
            if process.frozen_until > self.world.now:
                self.world.advance(process.frozen_until - self.world.now)
                self.run()
            self.step(process)

    def run(self, command: Command | None = None) -> Process:
        """A whole run."""
        process = self.start(command)
        self.finish(process)
        return process

    def note(self, process: Process, kind: str, fate: str, arguments: tuple[Any, ...]) -> None:
        if self.trace is not None:
            self.trace.append(f"{self.world.now:5} {process.run.owner:8} {kind:8} {fate:12} {arguments}")

    def settle(self, runs: int = MOST_RUNS, outage: str = "") -> None:
        """Nothing goes wrong any more: within so many runs everything is where it should be, and everything holds.

        With an `outage` one side stays away for longer: without Slack the backlog goes out, without the stream every
        pass goes on.
        """
        self.fate = lambda _kind: "ok"
        for process in list(self.active):
            self.finish(process)
        slack, stream = self.world.slack, self.world.stream
        slack.refusing, stream.down = outage == "slack", outage == "stream"
        stream.failures = 0.0
        newest = max([event.shown_at for event in slack.events], default=0)
        self.world.advance(max(scale.RUN_TIME, newest - self.world.now) + FREEZE + scale.PROMISE + scale.MARGIN)
        if outage == "slack" and self.world.store.log:
            self.publish_all(runs)
        slack.refusing = False
        target = self.world.now
        self.run_until(lambda: has_read(self.world, target), runs)
        stream.down = False
        self.publish_all(runs)
        check(self.world)
        check_published(self.world)

    def publish_all(self, runs: int) -> None:
        """The backlog as it is now; what a run adds in its last seconds is left to the next one."""
        end = len(self.world.store.log)
        self.run_until(lambda: is_published(self.world, end), runs)

    def run_until(self, is_done: Callable[[], bool], runs: int) -> None:
        for _ in range(runs):
            for name in paused(self.world):
                self.run(("resume", name, None))
            self.run()
            if is_done():
                return
            self.world.advance(scale.PERIOD)
        check(self.world)
        raise ViolationError(("stuck", f"after {runs} runs: {self.world.table.item}"))


def paused(world: World) -> list[str]:
    newest = world.store.log.get(len(world.store.log) - 1)
    return [name for name, state in newest.passes.items() if state.paused] if newest else []
