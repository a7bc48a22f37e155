"""What a simulation writes down: a line of figures for every start of the collect function, and the functions' metrics.

Metrics are read from what the functions write, in CloudWatch's embedded metric format, whatever they are called.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

EVENTS = "events"  # the message of a log line that says how many events of an action a run archived


@dataclass(slots=True)
class Row:
    """One start of the collect function. Seconds are of virtual time, memory is in kB.

    `lag` and `publish_lag` are how far archive and stream are behind Slack's clock, `backlog` the entries that are not
    in the stream, all as the stores say at the run's end. What only a process that is not killed can say is None.
    """

    minute: float
    state: str
    stopped: str | None = None
    error: str | None = None
    seconds: float = 0.0
    happened: int = 0
    events: int = 0
    published: int = 0
    calls: int = 0
    rate_limited: int = 0
    failed_records: int = 0
    lag: int = 0
    publish_lag: int = 0
    backlog: int = 0
    cpu: float | None = None
    resident: int | None = None
    peak: int | None = None
    spoiled: int | None = None


@dataclass
class Series:
    """The values of one metric with one set of dimensions, by minute."""

    namespace: str
    dimensions: dict[str, str]
    metric: str
    unit: str
    minutes: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


class Metrics:
    """Everything that the functions measured."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, str], Series] = {}
        self.actions: Counter[str] = Counter()

    def series(self) -> list[Series]:
        """All of them."""
        return list(self._series.values())

    def read(self, minute: int, output: Iterable[str]) -> list[dict[str, Any]]:
        """Takes what a function wrote; returns its other lines, of its log."""
        lines = list(_objects(output))
        for line in lines:
            if "_aws" in line:
                self._embedded(minute, line)
            elif line.get("message") == EVENTS:
                self.actions[line["action"]] += line["events"]
        return [line for line in lines if "_aws" not in line]

    def add(self, minute: int, values: Mapping[str, tuple[str, float]], *, namespace: str, **dimensions: str) -> None:
        """One value of each metric, with its unit."""
        for metric, (unit, value) in values.items():
            key = namespace, json.dumps(dimensions, sort_keys=True), metric
            series = self._series.setdefault(key, Series(namespace, dimensions, metric, unit))
            series.minutes.append(minute)
            series.values.append(round(value, 3))

    def _embedded(self, minute: int, line: dict[str, Any]) -> None:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: line[name] for name in names}
                for metric in directive["Metrics"]:
                    values = line[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        found = {metric["Name"]: (metric["Unit"], value)}
                        self.add(minute, found, namespace=directive["Namespace"], **dimensions)

    def write(self, path: Path) -> None:
        """A line for each series: first minute, steps between minutes where they are not 1, and the values."""
        with path.open("w") as file:
            for series in self._series.values():
                file.write(json.dumps(_packed(series), separators=(",", ":")) + "\n")
            file.write(json.dumps({"actions": dict(self.actions.most_common())}, separators=(",", ":")) + "\n")


def _objects(output: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The lines that are JSON objects."""
    for line in output:
        if line.startswith("{"):
            yield json.loads(line)


def _packed(series: Series) -> dict[str, Any]:
    """Runs of minutes that follow each other, each with its values; whole numbers as such."""
    runs: list[tuple[int, list[float]]] = []
    for minute, value in zip(series.minutes, series.values, strict=True):
        if not runs or runs[-1][0] + len(runs[-1][1]) != minute:
            runs.append((minute, []))
        runs[-1][1].append(int(value) if value == int(value) else value)
    head = {
        "namespace": series.namespace,
        "dimensions": series.dimensions,
        "metric": series.metric,
        "unit": series.unit,
    }
    return {**head, "runs": runs}


def read(path: Path) -> tuple[list[Series], Counter[str]]:
    """What was written: the series, and how many events there were of each action."""
    found: list[Series] = []
    actions: Counter[str] = Counter()
    for line in map(json.loads, path.read_text().splitlines()):
        if "actions" in line:
            actions.update(line["actions"])
            continue
        runs = line.pop("runs")
        minutes = [first + step for first, values in runs for step in range(len(values))]
        found.append(Series(**line, minutes=minutes, values=[value for _, values in runs for value in values]))
    return found, actions


class Rows:
    """The lines of figures, written as they come."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: Row) -> None:
        """One more."""
        self._file.write(
            json.dumps({name: it for name, it in asdict(row).items() if it is not None}, separators=(",", ":")) + "\n"
        )
        self._file.flush()
