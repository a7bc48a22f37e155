"""The figures of docs/evidence.md are what the tests really run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.model.mutants import DIRECTED, EQUIVALENT, RANDOM
from tests.model.test_directed import CASES

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "evidence.md").read_text()
CODE = re.findall(r"^\| (.*?) \| `(tests/\S+)::(test_\w+)` \|$", TEXT, re.MULTILINE)


def figures(title: str) -> dict[str, int]:
    """The table of a section."""
    section = TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| .* \| `([\w.]+)` \| ([\d,]+) \|$", section, re.MULTILINE)
    return {name: int(number.replace(",", "")) for name, number in rows}


def measured(path: str) -> Any:
    return json.loads((ROOT / path).read_text())


def test_the_models_figures():
    assert figures("The model") == measured("tests/model/figures.json")


def test_the_storms_figures():
    storm = measured("tests/faults/figures.json")
    expected = {
        f"scenarios.{name}.calls_with_a_fault": it["calls_with_a_fault"] for name, it in storm["scenarios"].items()
    }
    expected |= {"pairs_of_faults": storm["pairs_of_faults"]}
    expected |= {f"machine.{name}": number for name, number in storm["machine"].items()}
    assert figures("The real code under the same storm") == expected


def test_as_many_seeds_kills_and_pairs_as_promised():
    model, storm = measured("tests/model/figures.json"), measured("tests/faults/figures.json")
    assert model["seeds_without_table_fault"] >= 2_000
    assert model["seeds_with_table_fault"] >= 1_000
    assert model["worlds_with_kills"] >= 5
    assert storm["pairs_of_faults"] >= 500


def test_every_case_that_earlier_models_found_is_listed_once():
    assert sorted(case for case, _, _ in CODE) == sorted(CASES)


@pytest.mark.parametrize(("path", "name"), [(path, name) for _, path, name in CODE])
def test_every_case_has_a_test_of_the_code(path, name):
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("lead", "mutants"),
    [("Caught by random seeds: ", RANDOM), ("Caught by a directed case: ", DIRECTED)],
)
def test_every_mutant_that_is_caught_is_listed(lead, mutants):
    (line,) = [line for line in TEXT.splitlines() if line.startswith(lead)]
    assert line == f"{lead}{', '.join(mutants)}."


def test_every_equivalent_mutant_is_listed_with_its_reason():
    for name, (_, reason) in EQUIVALENT.items():
        assert f"| {name} | {reason} |" in TEXT
