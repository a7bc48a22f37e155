"""What was measured before, kept as ratios that another machine shares, and what is worse now."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.performance.figures import Figure

FILE = Path(__file__).with_name("baseline.json")
# By how much of it a figure may be worse before it counts as a regression. CPU is noisy even as a ratio.
TOLERANCES = {"times": 0.15, "peak_mb": 0.10, "calls": 0.05, "fill": 0.02, "share": 0.02}
FALLING = {"fill", "share"}  # where less is worse
ENOUGH = 3  # rounds for CPU to say something; what tells of single runs has made many of them itself
FEW = 5  # calls of a service: one more is no regression


class Change(NamedTuple):
    """A figure before and now. `share` is by how much it is worse, of what it was; below 0 where it is better."""

    name: str
    figure: str
    before: float
    now: float
    share: float

    @property
    def is_regression(self) -> bool:
        """Is it worse by more than is tolerated?"""
        return self.share > TOLERANCES[self.figure.partition(" ")[0]]


def kept(figures: Mapping[str, Figure]) -> dict[str, dict[str, float]]:
    """What is compared: of each measurement its figures by name."""
    return {name: dict(_kept(figure)) for name, figure in figures.items()}


def _kept(figure: Figure) -> Iterator[tuple[str, float]]:
    yield "events", figure.events
    if figure.times is not None and (figure.rounds >= ENOUGH or figure.told.get("is_a_run")):
        yield "times", round(figure.times, 4)
    yield "peak_mb", round(figure.peak_mb, 1)
    for service, calls in figure.calls.items():
        if calls > FEW:
            yield f"calls {service}", calls / (figure.events or 1)
    for name in sorted(FALLING & figure.told.keys()):
        yield name, figure.told[name]


def stored() -> dict[str, Any]:
    """The baseline; empty where there is none yet."""
    found: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def store(figures: Mapping[str, Figure], facts: Mapping[str, str]) -> None:
    """Becomes the baseline, for what was measured; the rest of it stays."""
    before = stored().get("figures", {})
    told = {"measured": dict(facts), "figures": dict(sorted((before | kept(figures)).items()))}
    FILE.write_text(json.dumps(told, indent=1) + "\n")


def compare(figures: Mapping[str, Figure], before: Mapping[str, Mapping[str, float]]) -> list[Change]:
    """Everything that both have, where both are of the same number of events."""
    changes = []
    for name, values in kept(figures).items():
        was = before.get(name, {})
        if was.get("events") != values.pop("events"):
            continue
        for figure, now in values.items():
            if (then := was.get(figure, 0.0)) > 0:
                worse = (then - now if figure in FALLING else now - then) / then
                changes.append(Change(name, figure, then, now, worse))
    return changes
