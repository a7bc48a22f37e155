"""A cold start of the built collect function in the real runtime client, beside an empty function that imports boto3.

    python -m benchmarks.performance.cold                what each needs until it asks for work, median of 11, in turns
    python -m benchmarks.performance.cold --rounds 5

Each start is a process of its own. `cold-collect` is the function as built; `cold-empty` has boto3 with bytecode.
Without bytecode are `cold-collect-source` and `cold-empty-source`.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.performance.measured import Used
from benchmarks.performance.sandbox import Code, collector, empty, sandbox
from benchmarks.performance.stage import Servers, environment, without_a_proxy
from local.deploy import build

NOWHERE = Servers("http://127.0.0.1:9", "http://127.0.0.1:9")  # nobody is called before there is work

type Row = dict[str, Any]


def main() -> None:
    """Measures all of them in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    without_a_proxy()
    with tempfile.TemporaryDirectory(prefix="slack-audit-") as folder:
        print(json.dumps({"name": "cold", "rows": list(rows(Path(folder), rounds))}), flush=True)


def rows(folder: Path, rounds: int) -> Iterator[Row]:
    """Of each, what the middle one of its starts used."""
    codes = _codes(folder)
    starts: dict[str, list[tuple[Used, float]]] = {name: [] for name in codes}
    for _ in range(rounds):
        for name, code in codes.items():
            starts[name].append(_start(code, folder / "log"))
    for name, used in starts.items():
        yield {
            "name": f"cold-{name}",
            "cpu": round(median(it.cpu for it, _ in used), 4),
            "wall": round(median(it.wall for it, _ in used), 4),
            "peak_mb": round(median(peak for _, peak in used), 1),
            "calls": {},
            "rounds": rounds,
        }


def _codes(folder: Path) -> dict[str, Code]:
    built = build() / "build"
    return {
        "collect": collector(built, folder / "collect", bytecode=True),
        "empty": empty(folder / "empty", bytecode=True),
        "collect-source": collector(built, folder / "collect-source", bytecode=False),
        "empty-source": empty(folder / "empty-source", bytecode=False),
    }


def _start(code: Code, log: Path) -> tuple[Used, float]:
    with sandbox(code, environment(NOWHERE), log) as box:
        return box.initialised(), box.peak_mb()


if __name__ == "__main__":
    main()
