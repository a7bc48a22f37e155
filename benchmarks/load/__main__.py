"""`python -m benchmarks.load`: simulates, proves, and writes down what came out."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.load.picture import draw
from benchmarks.load.plan import Plan
from benchmarks.load.stage import running


def main() -> int:
    """0: nothing was lost and nothing was archived twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description="A day under load.")
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--rate", type=float, default=100, help="events a second, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="events of 250 bytes instead of 730")
    parser.add_argument("--folder", type=Path, default=Path("build/load"), help="for what is written down")
    asked = parser.parse_args()
    plan = Plan(hours=asked.hours, rate=asked.rate, seed=asked.seed, small=asked.small)
    asked.folder.mkdir(parents=True, exist_ok=True)
    summary = simulated(plan, asked.folder)
    (asked.folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    draw(asked.folder, asked.folder / "load.png")
    print(json.dumps(summary, indent=2))
    return 1 if summary["faults"] else 0


def simulated(plan: Plan, folder: Path) -> dict[str, Any]:
    """What came out, as `summary.json` has it. The folder gets `rows.ndjson`, `metrics.ndjson` and the logs."""
    begun = time.monotonic()
    with running(plan, folder) as simulation:
        simulation.run()
        simulation.metrics.write(folder / "metrics.ndjson")
        ran = time.monotonic()
        findings = simulation.findings()
    took = {"simulated_in": round(ran - begun), "proven_in": round(time.monotonic() - ran)}
    said = {"hours": plan.hours, "rate": plan.rate, "seed": plan.seed, "small": plan.small}
    return said | took | findings.summary()


if __name__ == "__main__":
    sys.exit(main())
