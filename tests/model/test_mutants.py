"""A model that catches nothing shows nothing: every broken rule is caught, or told to be harmless and why."""

import pytest

from tests.model import test_directed
from tests.model.explore import explore
from tests.model.mutants import DIRECTED, EQUIVALENT, RANDOM, SEEDS
from tests.model.words import ViolationError

HARMLESS_SEEDS = 40

# "Named mutants that must be caught", as the protocol names them.
NAMED = """watermark before batch, table before log, newest committed first, cut answer kept, empty answer taken as the end,
no cursor in a crowded second, no dropping, dropping by live's objects only, dropping by objects inside the window only,
dropping at read-ahead, late starting at now, final starting at now, a shorter final lag, no plan, plan of another number,
no If-None-Match on the log, mark before acknowledgement, mark that skips, partial failures ignored, window across midnight,
host clock, partial item write, live always first, span forgotten, exact final lag under drift,
read-ahead kept after a cut answer, read-ahead kept after a lost race, backlog before capture"""


@pytest.mark.parametrize("name", RANDOM)
def test_random_histories_catch(name):
    mutant = RANDOM[name]
    assert any(mutant.kind in kinds_of(seed, name) for seed in range(SEEDS)), f"{SEEDS} seeds do not show it"


def kinds_of(seed: int, name: str) -> set[str]:
    """The invariants that a seed breaks."""
    try:
        explore(seed, table=RANDOM[name].table, protocol=RANDOM[name].protocol)
    except ViolationError as violation:
        return violation.kinds
    return set()


@pytest.mark.parametrize("name", DIRECTED)
def test_a_directed_test_catches(name):
    assert (DIRECTED[name].protocol, DIRECTED[name].kind) in {
        (case.mutant, case.kind) for case in test_directed.CASES.values()
    }


@pytest.mark.parametrize("name", EQUIVALENT)
def test_random_histories_do_not_catch_what_is_told_to_be_equivalent(name):
    protocol, reason = EQUIVALENT[name]
    assert reason
    for seed in range(HARMLESS_SEEDS):
        explore(seed, table=seed % 2 == 0, protocol=protocol)


def test_every_mutant_that_the_protocol_names_is_there():
    assert {name.strip() for name in NAMED.replace("\n", " ").split(",")} <= set(RANDOM) | set(DIRECTED)
