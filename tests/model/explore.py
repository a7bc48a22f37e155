"""Histories at random: everything that a seed decides, from Slack's events to the moment when a table is lost."""

from random import Random

from tests.model import scale
from tests.model.ledger import Command
from tests.model.protocol import Run
from tests.model.simulation import WRITES, Simulation
from tests.model.words import Event, Pass
from tests.model.world import BEGIN, World

ACTIVE = 260  # seconds in which things go wrong


class Chaos:
    """A history at random: what the seed decides."""

    def __init__(self, seed: int, *, table: bool, protocol: type[Run] = Run) -> None:
        self.rng = rng = Random(seed)
        self.table_faults = table
        self.small = rng.random() < 0.25
        self.slow = rng.random() < 0.25
        self.overlaps = rng.random() < (0.5 if table else 0.35)
        self.late_writes = rng.random() < 0.35
        self.drifts = rng.random() < 0.3
        self.outage = rng.choice(("", "", "slack", "stream"))
        self.trouble = rng.choice((0.01, 0.03, 0.06))
        world = World(self.events(), rng, BEGIN)
        world.slack.cuts = rng.choice((0.0, 0.1))
        world.slack.strays = rng.choice((0.0, 0.1))
        if rng.random() < 0.5:
            world.slack.date_of = lambda now: now + rng.randint(-scale.SKEW, scale.SKEW)
        world.stream.failures = rng.choice((0.0, 0.2))
        world.drift = rng.randint(-50, 50)
        budget = rng.randint(1, 3) if self.small else 60
        ahead = rng.random()
        self.sim = Simulation(world, protocol, budget=budget, reads_ahead=(ahead < 0.6) + 2 * (ahead < 0.2))
        self.sim.fate, self.sim.cost = self.fate, self.cost
        self.sim.jitter = lambda: rng.randint(-2, 2) * self.drifts
        self.sim.landing = lambda: rng.randint(1, 2 * scale.RUN_TIME)

    def events(self) -> list[Event]:
        """A thin stream and some bursts; most are shown at once, some late, some as late as is promised."""
        rng = self.rng
        found: list[Event] = []
        for _ in range(rng.randint(10, 40)):
            second = rng.randint(BEGIN - 3 * scale.LOOKBACK, BEGIN + ACTIVE)
            for _ in range(rng.choice((1, 1, 1, 2, 3, 4 * (rng.random() < 0.3)))):
                late = rng.choice(
                    (0, 0, 0, rng.randint(0, scale.LATE_LAG), rng.randint(0, scale.PROMISE), scale.PROMISE)
                )
                found.append(Event(second, f"e{len(found)}", second + late))
        if rng.random() < 0.5:
            second = rng.randint(BEGIN - scale.LOOKBACK, BEGIN + ACTIVE)
            for _ in range(rng.randint(6, 13)):
                found.append(
                    Event(second, f"e{len(found)}", second + rng.choice((0, 0, 0, rng.randint(0, scale.PROMISE))))
                )
        return found

    def fate(self, kind: str) -> str:
        if self.rng.random() >= self.trouble:
            return "ok"
        fates = ["kill before", "kill after", "refused", "lost"]
        if self.late_writes and kind in WRITES:
            fates += ["late", "kill late"] * 2
        if self.overlaps:
            fates += ["freeze"] * 4
        return self.rng.choice(fates)

    def cost(self, kind: str) -> int:
        if self.slow and kind in {"slack", "stream"}:
            return self.rng.randint(0, 4)
        return self.rng.random() < 0.1

    def explore(self) -> None:
        """The history, then the settling. Raises ViolationError."""
        sim, world, rng = self.sim, self.sim.world, self.rng
        next_start = world.now
        while world.now < BEGIN + ACTIVE:
            if world.now >= next_start:
                next_start = world.now + scale.PERIOD + rng.randint(0, 6)
                self.weather()
                if len(sim.active) < 3:
                    sim.start(self.command())
            awake = [process for process in sim.active if process.frozen_until <= world.now]
            if awake:
                sim.step(rng.choice(awake))
            else:
                world.advance(max(1, next_start - world.now))
        sim.settle(outage=self.outage)

    def weather(self) -> None:
        """Between two runs: what Slack, the stream, the hosts' clock and the table do."""
        rng, world = self.rng, self.sim.world
        world.slack.refusing = rng.random() < 0.05
        world.stream.down = rng.random() < (0.5 if world.stream.down else 0.05)
        if self.drifts and rng.random() < 0.2:
            world.drift += rng.choice((-30, -3, -1, 1, 3, 30))
        if self.table_faults and rng.random() < 0.12:
            copies = world.table.copies
            if copies and rng.random() < 0.7:
                world.table.restore(rng.choice(copies[-rng.choice((4, 60)) :]))
            else:
                world.table.lose()

    def command(self) -> Command | None:
        rng = self.rng
        if rng.random() >= 0.12:
            return None
        name = f"backfill-{rng.randint(1, 2)}"
        lo = rng.randint(BEGIN - 3 * scale.LOOKBACK, BEGIN + 40)
        new = Pass(lo - 1, lo + rng.randint(1, scale.FIRST_SPAN * 2), rng.random() < 0.6)
        return rng.choice(("create", "create", "create", "pause", "resume", "cancel")), name, new


def explore(seed: int, *, table: bool = False, protocol: type[Run] = Run, trace: list[str] | None = None) -> Simulation:
    """One seed. Raises ViolationError."""
    chaos = Chaos(seed, table=table, protocol=protocol)
    chaos.sim.trace = trace
    chaos.explore()
    return chaos.sim
