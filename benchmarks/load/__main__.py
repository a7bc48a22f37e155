"""`python -m benchmarks.load`: simulates, proves, and writes down what came out."""

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.load.plan import Plan
from benchmarks.load.simulation import running


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
    begun = time.monotonic()
    with running(plan, asked.folder) as simulation:
        simulation.run()
        simulation.metrics.write(asked.folder / "metrics.ndjson")
        ran = time.monotonic() - begun
        findings = simulation.findings()
    took = {"simulated_in": round(ran), "proven_in": round(time.monotonic() - begun - ran)}
    plan_said = {"hours": plan.hours, "rate": plan.rate, "seed": plan.seed, "small": plan.small}
    summary = {**plan_said, **took, **findings.summary()}
    (asked.folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary, indent=2))
    return 1 if findings.faults else 0


if __name__ == "__main__":
    sys.exit(main())
