"""The random histories are worth something: they come through every corner of the protocol, and often."""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from tests.model.explore import explore
from tests.model.ledger import Steps
from tests.model.protocol import Run
from tests.model.reader import Reading
from tests.model.simulation import Simulation
from tests.model.words import Answer, Entry, LeaseLostError, Window

SEEDS = 100


class Counted(Run):
    """Counts where it has been."""

    corners: ClassVar[Counter[str]] = Counter()

    def call(self, kind: str, function: Callable[..., Any], *arguments: Any) -> Steps:
        reply = yield from super().call(kind, function, *arguments)
        self.corners["a lease that was busy"] += function == self.world.table.acquire and reply is None
        return reply

    def work(self) -> Steps:
        try:
            yield from super().work()
        except LeaseLostError:
            self.corners["a run that outlived its lease"] += 1
            raise

    def rebuild(self) -> Steps:
        yield from super().rebuild()
        self.corners["a state rebuilt from the newest entry"] += self.state.next > 0

    def counts(self, plan: Entry) -> Steps:
        counts = yield from super().counts(plan)
        self.corners["a plan that counts" if counts else "a plan that is dropped"] += 1
        return counts

    def lose_the_race(self) -> Steps:
        self.corners["a lost race"] += 1
        self.corners["a lost race with something read ahead"] += bool(self.ahead)
        yield from super().lose_the_race()

    def is_whole(self, answer: Answer, window: Window) -> bool:
        whole = super().is_whole(answer, window)
        self.corners["a cut answer"] += not whole
        self.corners["an empty answer with a cursor"] += not whole and not answer.events
        return whole

    def walk(self, first: Answer, window: Window) -> Steps:
        self.corners["a crowded second"] += 1
        return (yield from super().walk(first, window))

    def is_too_young(self, name: str, window: Window, reading: Reading) -> bool:
        young = super().is_too_young(name, window, reading)
        self.corners["a window that its date calls too young"] += young
        return young

    def new(self, name: str, window: Window, reading: Reading) -> Steps:
        new = yield from super().new(name, window, reading)
        self.corners["held ids dropped"] += len(new) < len(reading.events)
        self.corners["late events found by final"] += name == "final" and bool(new)
        return new

    def end(self, name: str) -> Steps:
        self.corners["a backfill that ends"] += 1
        yield from super().end(name)

    def put(self, records: list[str]) -> Steps:
        refused = yield from super().put(records)
        self.corners["records sent again"] += bool(refused)
        return refused


CORNERS = """a run that outlived its lease, a state rebuilt from the newest entry, a plan that counts, a plan that is dropped,
a lost race, a lost race with something read ahead, a cut answer, an empty answer with a cursor, a crowded second,
a window that its date calls too young, held ids dropped, late events found by final,
a backfill that ends, records sent again, an orphan, a lease that was busy""".replace("\n", " ").split(", ")


@pytest.fixture(scope="module")
def corners() -> Counter[str]:
    Counted.corners.clear()
    for seed in range(SEEDS):
        look_back(explore(seed, table=seed % 3 == 0, protocol=Counted))
    return Counted.corners


def look_back(sim: Simulation) -> None:
    named = {entry.key for entry in sim.world.store.log.values()}
    Counted.corners["an orphan"] += len(set(sim.world.store.raw) - named)


@pytest.mark.parametrize("corner", CORNERS)
def test_random_histories_come_through(corner, corners):
    assert corners[corner] > 0
