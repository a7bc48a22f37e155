"""What was recorded, put together by periods as CloudWatch does it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.dashboard.body import Metric
from benchmarks.load.record import Series, read

STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": fmean,
    "SampleCount": len,
}
MINUTE = 60  # seconds


@dataclass(frozen=True)
class Line:
    """The points of one metric: the minute at which each period begins, and its value."""

    label: str
    minutes: list[float]
    values: list[float]


class Recording:
    """One simulation's metrics up to the minute `end`."""

    def __init__(self, path: Path, end: float) -> None:
        series, self.actions = read(path)
        self.end = end
        self._series = [it for it in series if it.minutes and it.minutes[0] <= end]

    def lines(self, metric: Metric) -> list[Line]:
        """A line, or what a search finds; nothing where nothing was recorded."""
        if metric.dimensions is not None:
            return [self._line(metric, it, metric.label) for it in self._of(metric) if _same(it, metric.dimensions)]
        found = [it for it in self._of(metric) if "org" in it.dimensions]
        return [self._line(metric, it, it.dimensions["org"]) for it in found]

    def top_actions(self, most: int) -> list[tuple[str, int]]:
        """The actions with the most events."""
        return Counter(self.actions).most_common(most)

    def _of(self, metric: Metric) -> list[Series]:
        return [it for it in self._series if (it.namespace, it.metric) == (metric.namespace, metric.name)]

    def _line(self, metric: Metric, series: Series, label: str) -> Line:
        steps = metric.period / MINUTE
        periods: dict[int, list[float]] = {}
        for minute, value in zip(series.minutes, series.values, strict=True):
            if minute <= self.end:
                periods.setdefault(int(minute // steps), []).append(value)
        statistic = STATISTICS[metric.stat]
        return Line(label, [number * steps for number in periods], [statistic(it) for it in periods.values()])


def _same(series: Series, dimensions: dict[str, str]) -> bool:
    """The stack's name was another one in the simulation."""
    return _others(series.dimensions) == _others(dimensions)


def _others(dimensions: dict[str, str]) -> dict[str, str]:
    return {name: "*" if name == "service" else value for name, value in dimensions.items()}
