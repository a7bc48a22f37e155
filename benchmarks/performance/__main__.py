"""`make bench`: measures everything, interleaved, shows it, and compares it with what was measured before."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.performance import baseline, document, machine
from benchmarks.performance.figures import Figure, figures
from benchmarks.performance.goals import goals
from benchmarks.performance.plan import BARE, Measurement, plan
from benchmarks.performance.rounds import FailedError, Results, run
from benchmarks.performance.tables import changed, reached, tables

FOLDER = Path("build/performance")
WELL, WORSE, FAILED = 0, 1, 2


def main() -> int:
    """0: nothing is worse than the baseline; 1: something is; 2: a measurement failed."""
    asked = _parser().parse_args()
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    chosen = choice(plan(asked.events, asked.peer_events), asked.only)
    if not chosen:
        errors.print(f"There is no measurement of the name {' or '.join(asked.only)}.", markup=False)
        return FAILED
    try:
        results = json.loads(asked.read.read_text())["results"] if asked.read else _run(chosen, asked.rounds, errors)
    except FailedError as error:
        errors.print(str(error), style="red", markup=False)
        return FAILED
    found = figures({name: told for name, told in results.items() if any(it.is_of(name) for it in chosen)})
    return _tell(found, chosen, asked, console)


def choice(measurements: list[Measurement], only: list[str]) -> list[Measurement]:
    """Those whose name, or the beginning of it up to a hyphen, is wanted; with the bare loop that they are told by."""
    if not only:
        return measurements
    wanted = [it for it in measurements if {it.name, it.name.partition("-")[0]} & set(only)]
    loop = [it for it in measurements if it.name == BARE and it not in wanted]
    return [*loop, *wanted] if wanted else []


def _run(chosen: list[Measurement], rounds: int, errors: Console) -> Results:
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
    (FOLDER / "results.json").write_text(json.dumps({"machine": facts, "results": results}, indent=1) + "\n")
    return results


def _tell(found: dict[str, Figure], chosen: list[Measurement], asked: argparse.Namespace, console: Console) -> int:
    facts = json.loads((asked.read or FOLDER / "results.json").read_text())["machine"]
    shown = [*tables(found, chosen), reached(goals(found))]
    for table in shown:
        console.print(table.shown(), "")
    changes = baseline.compare(found, baseline.stored().get("figures", {}))
    if (table := changed(changes)).rows:
        console.print(table.shown(), "")
    if asked.write:
        document.write(shown, found, facts)
    if asked.baseline:
        baseline.store(found, facts)
        return WELL
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
