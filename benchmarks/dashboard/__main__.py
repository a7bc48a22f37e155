"""`python -m benchmarks.dashboard`."""

import argparse
from pathlib import Path

from benchmarks.dashboard.body import widgets
from benchmarks.dashboard.picture import draw
from benchmarks.dashboard.recording import Recording
from benchmarks.template import ROOT

FOOTER = (
    "Drawn by python -m benchmarks.dashboard from a simulated day (docs/load.md) in which Slack and Kinesis break down."
)


def main() -> None:
    """Draws, and says what has no data."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description="The dashboard as a picture.")
    parser.add_argument("--recorded", type=Path, default=ROOT / "benchmarks" / "recorded" / "metrics.ndjson")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs" / "dashboard.png")
    parser.add_argument("--hours", type=float, default=24, help="of the recording")
    asked = parser.parse_args()
    recording = Recording(asked.recorded, asked.hours * 60)
    for drawn in draw(widgets(), recording, asked.picture, footer=FOOTER):
        if drawn.missing:
            print(f"{drawn.widget.title}: no data of {', '.join(drawn.missing)}")


if __name__ == "__main__":
    main()
