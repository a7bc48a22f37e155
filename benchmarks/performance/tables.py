"""The figures as tables, for a terminal and for a document."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.performance import memory
from benchmarks.performance.baseline import TOLERANCES, Change
from benchmarks.performance.figures import Figure
from benchmarks.performance.goals import Goal, times_the_small
from benchmarks.performance.plan import ROWS, SMALL, Measurement

SERVICES = {"slack": "Slack", "s3": "S3", "dynamodb": "DynamoDB", "kinesis": "Kinesis"}


class Table(NamedTuple):
    """A title, the names of the columns, and rows of as many texts. The first column is text, the others figures."""

    name: str
    title: str
    columns: Sequence[str]
    rows: list[list[str]]

    def shown(self) -> RichTable:
        """For a terminal."""
        table = RichTable(title=self.title, title_justify="left")
        for number, name in enumerate(self.columns):
            table.add_column(name, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def written(self) -> str:
        """As Markdown."""
        line = "|---|" + "---:|" * (len(self.columns) - 1)
        rows = ["| " + " | ".join(row) + " |" for row in [list(self.columns), *self.rows]]
        return "\n".join([rows[0], line, *rows[1:]])


def tables(figures: Mapping[str, Figure], plan: Iterable[Measurement]) -> list[Table]:
    """All that something was measured for."""
    by_group: dict[str, list[tuple[str, Figure]]] = {}
    for it in plan:
        found = [
            (figure.told.get("title") or ROWS.get(name, it.title), figure)
            for name, figure in figures.items()
            if it.is_of(name)
        ]
        by_group.setdefault(it.group, []).extend(found)
    made = [make(by_group.get(group, [])) for group, make in _TABLES]
    made.append(Table("memory", "By the function's memory", memory.COLUMNS, memory.rows(figures)))
    return [table for table in made if table.rows]


def _costs(name: str, title: str, rows: list[tuple[str, Figure]]) -> Table:
    columns = ["", "events", "CPU s a million", "events a CPU s", "of bare loop", "peak MB"]
    return Table(
        name,
        title,
        columns,
        [
            [
                said,
                f"{it.events:,}",
                f"{it.cpu / it.events * 1e6:.1f}",
                f"{it.per_second:,.0f}",
                f"{it.times:.2f}" if it.times is not None else "",
                f"{it.peak_mb:.0f}",
            ]
            for said, it in rows
        ],
    )


def _calls(rows: list[tuple[str, Figure]]) -> Table:
    shown = [
        [said, *(f"{it.a_thousand(service):.3f}" if it.calls[service] else "0" for service in SERVICES)]
        for said, it in rows
    ]
    return Table("calls", "Calls for a thousand events", ["", *SERVICES.values()], shown)


def _growth(rows: list[tuple[str, Figure]]) -> Table:
    columns = ["backlog", "CPU s", "events a CPU s", "seconds", "peak MB"]
    shown = [
        [said, f"{it.cpu:.2f}", f"{it.per_second:,.0f}", f"{it.wall:.1f}", f"{it.peak_mb:.0f}"] for said, it in rows
    ]
    return Table("growth", "Growth, into S3, DynamoDB and Kinesis", columns, shown)


def _fill(rows: list[tuple[str, Figure]]) -> Table:
    columns = ["steady history", "events", "calls to Slack", "share of a page filled"]
    shown = [[said, f"{it.events:,}", f"{it.calls['slack']:,.0f}", f"{it.told['fill']:.3f}"] for said, it in rows]
    return Table("fill", "How full Slack's pages are", columns, shown)


def _paced(rows: list[tuple[str, Figure]]) -> Table:
    columns = ["", "calls in each whole minute", "share of the budget", "events", "CPU s", "peak MB"]
    shown = [
        [
            said,
            " ".join(map(str, it.told["minutes"])),
            f"{it.told['share']:.3f}",
            f"{it.events:,}",
            f"{it.cpu:.1f}",
            f"{it.peak_mb:.0f}",
        ]
        for said, it in rows
    ]
    return Table("paced", "Draining with 40 calls a minute, answers of 1 to 4 s, sinks of 50 ms", columns, shown)


def _cold(rows: list[tuple[str, Figure]]) -> Table:
    columns = ["until it asks for work", "CPU ms", "ms", "peak MB"]
    shown = [[said, f"{it.cpu * 1e3:.0f}", f"{it.wall * 1e3:.0f}", f"{it.peak_mb:.0f}"] for said, it in rows]
    return Table("cold", "A cold start", columns, shown)


def _steady(rows: list[tuple[str, Figure]]) -> Table:
    columns = ["a warm run of all three passes", "CPU ms", "ms", "peak MB", *SERVICES.values()]
    shown = [
        [
            said,
            f"{it.cpu * 1e3:.1f}",
            f"{it.wall * 1e3:.0f}",
            f"{it.peak_mb:.0f}",
            *(f"{it.calls[service]:g}" for service in SERVICES),
        ]
        for said, it in rows
    ]
    return Table("steady", "A run with little to do, and its calls", columns, shown)


def _reading(rows: list[tuple[str, Figure]]) -> Table:
    columns = ["", "events", "events a minute", "CPU s a million", "of bare loop", "peak MB", "of half's"]
    figures = {it.name: it for _, it in rows}
    grown = {name: times_the_small(it, figures) for name, it in figures.items()}
    shown = [
        [
            said,
            f"{it.events:,}",
            f"{it.a_minute:,.0f}",
            f"{it.cpu / it.events * 1e6:.1f}",
            f"{it.times:.2f}" if it.times is not None else "",
            f"{it.peak_mb:.0f}",
            f"{times:.2f}" if (times := grown[it.name]) else "",
        ]
        for said, it in rows
        if SMALL not in it.name
    ]
    return Table("reading", "What reads an archive", columns, shown)


_TABLES = (
    ("drain", lambda rows: _costs("drain", "Draining a backlog", rows)),
    ("drain", _calls),
    ("more", lambda rows: _costs("more", "The same in other circumstances", rows)),
    ("growth", _growth),
    ("fill", _fill),
    ("paced", _paced),
    ("cold", _cold),
    ("steady", _steady),
    ("reading", _reading),
)


def reached(goals: Iterable[Goal]) -> Table:
    """What was to be reached, and what was."""
    rows = [[it.what, it.wanted, it.found, "yes" if it.is_met else "no"] for it in goals]
    return Table("goals", "Goals", ["", "wanted", "measured", "reached"], rows)


def changed(changes: Iterable[Change]) -> Table:
    """What is worse than the baseline by more than is tolerated, and what is better by as much."""
    rows = [
        [it.name, it.figure, f"{it.before:.4g}", f"{it.now:.4g}", f"{it.share:+.0%}"]
        for it in changes
        if abs(it.share) > TOLERANCES[it.figure.partition(" ")[0]]
    ]
    return Table("changes", "Against the baseline", ["measurement", "figure", "before", "now", "worse by"], rows)
