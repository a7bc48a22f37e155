"""How much the tests explore, cut into the parts that run side by side."""

from collections.abc import Iterable

from tests.model.explore import explore
from tests.model.words import ViolationError

WITHOUT_TABLE_FAULT = 2_000
WITH_TABLE_FAULT = 1_000
PART = 500  # seeds of one test module
AT_ONCE = 100  # seeds of one test


def part(number: int) -> Iterable[range]:
    """The seeds of a module, in the portions of its tests."""
    return [range(first, first + AT_ONCE) for first in range(number * PART, (number + 1) * PART, AT_ONCE)]


def stand(seeds: range, *, table: bool) -> None:
    """Explores them; fails with the seed that breaks an invariant."""
    for seed in seeds:
        try:
            explore(seed, table=table)
        except ViolationError as violation:
            again = f"python -m tests.model --first {seed} --seeds 1 {'--table' if table else ''}"
            raise AssertionError(f"seed {seed}: {violation}\nSee it happen: {again}") from violation
