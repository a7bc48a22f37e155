"""`make bench`: measures everything, interleaved, shows it, and compares it with what was measured before."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.performance import ROOT, baseline, document, machine
from benchmarks.performance.figures import Figure, beside_the_loop, figures
from benchmarks.performance.goals import goals
from benchmarks.performance.plan import BARE, Measurement, plan
from benchmarks.performance.rounds import FailedError, run
from benchmarks.performance.tables import changed, reached, tables

FOLDER = ROOT / "build" / "performance"
RESULTS = FOLDER / "results.json"
WELL, WORSE, FAILED = 0, 1, 2


def main() -> int:
    """0: nothing is worse than the baseline; 1: something is; 2: a measurement failed."""
    asked = _parser().parse_args()
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    whole = plan(asked.events, asked.peer_events)
    chosen = choice(whole, asked.only)
    if not chosen:
        errors.print(f"There is no measurement of the name {' or '.join(asked.only)}.", markup=False)
        return FAILED
    if not asked.read:
        try:
            _measure(chosen, asked.rounds, errors)
        except FailedError as error:
            errors.print(str(error), style="red", markup=False)
            return FAILED
    kept = json.loads((asked.read or RESULTS).read_text())
    everything = of(whole, figures(kept["results"]))
    if asked.write:
        document.write([*tables(everything, whole), reached(goals(everything))], everything, kept["machine"])
    found = of(chosen, everything)
    _show(found, chosen, console)
    if asked.baseline:
        baseline.store(found, kept["machine"])
        return WELL
    return _compare(found, console)


def of(measurements: list[Measurement], found: dict[str, Figure]) -> dict[str, Figure]:
    """The figures of these measurements."""
    return {name: it for name, it in found.items() if any(measurement.is_of(name) for measurement in measurements)}


def choice(measurements: list[Measurement], only: list[str]) -> list[Measurement]:
    """Those whose name, or the first word of it, is wanted; with the bare loop that they are told by."""
    if not only:
        return measurements
    wanted = [it for it in measurements if {it.name, it.beginning} & set(only)]
    loop = [it for it in measurements if it.name == BARE and it not in wanted]
    return [*loop, *wanted] if wanted else []


def _measure(chosen: list[Measurement], rounds: int, errors: Console) -> None:
    """The results take the place of those that the folder has of the same names; the others stay."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    facts = machine.facts()
    with Progress(*columns, console=errors) as shown:
        task = shown.add_task("")
        results = run(
            chosen,
            rounds,
            FOLDER / "rounds.json",
            lambda title, done, of: shown.update(task, description=title, completed=done, total=of),
        )
    before = json.loads(RESULTS.read_text())["results"] if RESULTS.exists() else {}
    told = {"machine": facts, "results": before | beside_the_loop(results)}
    RESULTS.write_text(json.dumps(told, indent=1) + "\n")


def _show(found: dict[str, Figure], chosen: list[Measurement], console: Console) -> None:
    for table in (*tables(found, chosen), reached(goals(found))):
        console.print(table.shown(), "")


def _compare(found: dict[str, Figure], console: Console) -> int:
    changes = baseline.compare(found, baseline.stored().get("figures", {}))
    if (table := changed(changes)).rows:
        console.print(table.shown(), "")
    worse = [it for it in changes if it.is_regression]
    said = f"{len(worse)} figures are worse than the baseline." if worse else "No figure is worse than the baseline."
    console.print(said if changes else "There is no baseline for these: --baseline makes one.", markup=False)
    return WORSE if worse else WELL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="of a drain (1,000,000)")
    parser.add_argument("--peer-events", type=int, default=100_000, help="of a peer, which is slow (100,000)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts (5)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="drain, growth, fill, paced, dlt …")
    parser.add_argument("--baseline", action="store_true", help="keep this as what later runs are compared with")
    parser.add_argument("--write", action="store_true", help="put tables and pictures into docs/performance.md")
    parser.add_argument("--read", type=Path, metavar="FILE", help="measure nothing: take an earlier run's results.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
