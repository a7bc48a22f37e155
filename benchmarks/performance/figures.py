"""From what the processes told to what is shown: medians, and multiples of the bare loop in the same round."""

from collections.abc import Mapping
from statistics import median
from typing import Any, NamedTuple

from benchmarks.performance.plan import BARE
from benchmarks.performance.rounds import Results


class Figure(NamedTuple):
    """One measurement over its rounds. `times` is its CPU per event as a multiple of the bare loop's.

    One run, and what handles no events, is told as a multiple of what a thousand events cost the bare loop.
    """

    name: str
    events: int
    rounds: int
    cpu: float
    spread: tuple[float, float]
    wall: float
    peak_mb: float
    calls: Mapping[str, float]
    times: float | None
    told: Mapping[str, Any]

    @property
    def per_second(self) -> float:
        """Events per CPU second."""
        return self.events / self.cpu

    @property
    def a_minute(self) -> float:
        """Events in a minute of the clock."""
        return self.events / self.wall * 60

    def a_thousand(self, service: str) -> float:
        """Calls of a service for a thousand events."""
        return self.calls[service] * 1_000 / self.events


def beside_the_loop(results: Results) -> Results:
    """Each with what an event cost the bare loop in the same round; of more rounds than it had, what it did at median.

    So it stays with a result that is looked at later, beside those of another run.
    """
    bare = [_cost(it) for it in results.get(BARE, [])]
    return {name: [_beside(it, number, bare) for number, it in enumerate(told)] for name, told in results.items()}


def _beside(told: dict[str, Any], number: int, bare: list[float]) -> dict[str, Any]:
    return {**told, "bare": bare[number] if number < len(bare) else median(bare)} if bare else told


def figures(results: Results) -> dict[str, Figure]:
    """Of everything that was measured at least once."""
    return {name: _figure(name, told) for name, told in results.items() if told}


def _figure(name: str, told: list[dict[str, Any]]) -> Figure:
    costs = [it["cpu"] for it in told]
    times = [_cost(it) / it["bare"] for it in told if "bare" in it]
    return Figure(
        name=name,
        events=told[0]["events"],
        rounds=len(told),
        cpu=median(costs),
        spread=(min(costs), max(costs)),
        wall=median(it["wall"] for it in told),
        peak_mb=median(it["peak_mb"] for it in told),
        calls={service: median(it["calls"][service] for it in told) for service in told[0]["calls"]},
        times=median(times) if times else None,
        told=told[-1],
    )


def _cost(told: Mapping[str, Any]) -> float:
    """CPU seconds of an event; of one run, a thousandth of all."""
    return float(told["cpu"]) / (1_000 if told.get("is_a_run") else told["events"] or 1_000)
