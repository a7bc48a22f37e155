"""What the dashboard of the template asks for: widgets, and the metrics of each.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.template import Filled

STACK = "slack-audit"
COLUMNS = 24


@dataclass(frozen=True)
class Widget:
    """One widget: its place on the grid of 24 columns, what kind it is, and its properties as they are written."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    properties: dict[str, Any]

    @property
    def title(self) -> str:
        """What stands above it; nothing above a text."""
        return str(self.properties.get("title", ""))


@dataclass(frozen=True)
class Metric:
    """One line of a metric widget. A `dimensions` of None stands for all that a search finds."""

    namespace: str
    name: str
    dimensions: dict[str, str] | None
    label: str
    stat: str
    period: int
    on_the_right: bool


def widgets() -> list[Widget]:
    """Every widget of the template's dashboard, in its order."""
    filled = Filled({"AWS::StackName": STACK, "AWS::Region": "us-east-1"})
    (name,) = filled.of_type("AWS::CloudWatch::Dashboard")
    body = json.loads(filled.value(filled.properties(name)["DashboardBody"]))
    return [Widget(it["type"], it["x"], it["y"], it["width"], it["height"], it["properties"]) for it in body["widgets"]]


def metrics(widget: Widget) -> list[Metric]:
    """The metrics that a metric widget shows."""
    return [_metric(list(row), widget.properties) for row in _written_out(widget.properties.get("metrics", []))]


def _written_out(rows: list[list[Any]]) -> Iterator[list[Any]]:
    """Without the shorthand, in which "." and "..." repeat what the row before says."""
    before: list[Any] = []
    for row in rows:
        own = [*before[: len(before) - len(row) + 1 + _options(row)], *row[1:]] if row[0] == "..." else list(row)
        before = [before[at] if it == "." else it for at, it in enumerate(own) if not isinstance(it, dict)]
        yield [*before, *(it for it in own if isinstance(it, dict))]


def _options(row: list[Any]) -> int:
    return isinstance(row[-1], dict)


def _metric(row: list[Any], properties: dict[str, Any]) -> Metric:
    options: dict[str, Any] = row.pop() if _options(row) else {}
    stat, period = options.get("stat", properties["stat"]), options.get("period", properties["period"])
    on_the_right = options.get("yAxis") == "right"
    if "expression" in options:
        namespace, name = _searched(options["expression"])
        return Metric(namespace, name, None, options.get("label", ""), stat, period, on_the_right)
    namespace, name, *pairs = row
    dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return Metric(namespace, name, dimensions, options.get("label", name), stat, period, on_the_right)


def _searched(expression: str) -> tuple[str, str]:
    """Namespace and name of the metrics that a search is for."""
    found = re.fullmatch(r"SEARCH\('\{(\w+)[^}]*\} MetricName=\"(\w+)\".*", expression)
    if found is None:
        raise ValueError(f"only a search for one metric is understood, not {expression}")
    return found[1], found[2]
