"""What the documents say of the model is what its tests do, and the model is a second opinion: it shares no code."""

import ast
import json
import sys
from pathlib import Path

import pytest

from tests.model import seeds, test_directed, test_kills_0, test_kills_1
from tests.model.explore import explore
from tests.model.mutants import DIRECTED, EQUIVALENT, RANDOM, SEEDS
from tests.model.scenarios import FATES, SCENARIOS, mishaps
from tests.model.words import ViolationError

HERE = Path(__file__).parent
SOURCES = sorted(HERE.glob("*.py"))


def test_the_figures_are_those_of_the_tests():
    assert json.loads((HERE / "figures.json").read_text()) == figures()


def figures() -> dict[str, int]:
    fates = [fate for scenario in SCENARIOS.values() for _, fate in mishaps(scenario)]
    return {
        "seeds_without_table_fault": seeds.WITHOUT_TABLE_FAULT,
        "seeds_with_table_fault": seeds.WITH_TABLE_FAULT,
        "worlds_with_kills": len(SCENARIOS),
        "kills": sum(fate.startswith("kill") for fate in fates),
        "lost_replies": fates.count("lost"),
        "writes_that_land_late": fates.count("late"),
        "frozen_runs": fates.count("freeze"),
        "directed_cases": len(test_directed.CASES),
        "mutants_caught_by_seeds": len(RANDOM),
        "mutants_caught_by_directed_cases": len(DIRECTED),
        "mutants_equivalent": len(EQUIVALENT),
        "seeds_for_each_mutant": SEEDS,
    }


@pytest.mark.parametrize(
    ("name", "count"),
    [("test_seeds_?.py", seeds.WITHOUT_TABLE_FAULT), ("test_seeds_table_?.py", seeds.WITH_TABLE_FAULT)],
)
def test_the_modules_together_explore_every_seed(name, count):
    parts = sorted(int(path.stem[-1]) for path in HERE.glob(name))
    explored = [seed for number in parts for portion in seeds.part(number) for seed in portion]
    assert explored == list(range(count))


def test_every_world_is_killed_with_every_fate():
    assert sorted(test_kills_0.NAMES + test_kills_1.NAMES) == sorted(SCENARIOS)
    for scenario in SCENARIOS.values():
        assert {fate for _, fate in mishaps(scenario)} == set(FATES)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_model_shares_no_code_with_the_collector(path):
    allowed = sys.stdlib_module_names | {"pytest"} if path.name.startswith("test_") else sys.stdlib_module_names
    for name in imports_of(path):
        assert name.startswith("tests.model") or name.split(".")[0] in allowed, name


def imports_of(path: Path) -> list[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    named = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return named + [node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)]


def test_a_seed_always_tells_the_same_story():
    first: list[str] = []
    second: list[str] = []
    explore(7, table=True, trace=first)
    explore(7, table=True, trace=second)
    assert len(first) > 100
    assert first == second


def test_a_violation_names_every_invariant_that_is_broken():
    with pytest.raises(ViolationError) as caught:
        explore(0, protocol=RANDOM["newest committed first"].protocol)
    assert {"lost", "windows"} <= caught.value.kinds
