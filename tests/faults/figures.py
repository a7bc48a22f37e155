"""How much is tried, as `figures.json` tells it: `python -m tests.faults.figures` writes it anew."""

import json
from pathlib import Path
from typing import Any

from tests.faults.scenarios import SCENARIOS
from tests.faults.sweep import calls_of, cases
from tests.faults.world import virtual_time

FILE = Path(__file__).with_name("figures.json")
PAIRS, PAIRS_SEED = 500, 2026
EXAMPLES, STEPS = 40, 40  # of the state machine, where nothing else is asked for


def measured() -> dict[str, Any]:
    """What the tests are about to try."""
    scenarios = {
        name: {"calls": len(calls_of(name)), "calls_with_a_fault": len(list(cases(name)))} for name in SCENARIOS
    }
    return {"scenarios": scenarios, "pairs_of_faults": PAIRS, "machine": {"examples": EXAMPLES, "steps": STEPS}}


def recorded() -> dict[str, Any]:
    """What the file says."""
    figures: dict[str, Any] = json.loads(FILE.read_text())
    return figures


if __name__ == "__main__":
    with virtual_time():
        FILE.write_text(json.dumps(measured(), indent=2) + "\n")
