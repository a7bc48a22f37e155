"""An answer as a person or a program wants it."""

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slack_audit_cli.searching.writers import inert
from slack_audit_cli.sql.store import Answer, Column

MOST_ROWS = 200  # of a table on a screen
MOST_CELL = 60  # characters of a cell in a table; a record has all of it
LEAST_CELL = 12  # characters: where a table leaves less, records are shown
NUMBERS = ("BIGINT", "INTEGER", "HUGEINT", "DOUBLE", "FLOAT", "SMALLINT", "TINYINT", "DECIMAL", "UBIGINT")


def write(answer: Answer, form: str, to: TextIO) -> int:
    """Writes it as csv, json or ndjson; how many rows it had."""
    return {"csv": _as_csv, "json": _as_json, "ndjson": _as_ndjson}[form](answer, to)


def show(answer: Answer, console: Console, seconds: float | None = None) -> int:
    """A table, or one record after another where a table would be too narrow to read; how many rows it showed."""
    rows = list(islice(answer.rows, MOST_ROWS))
    more = next(answer.rows, None) is not None
    cells = [[_cell(value) for value in row] for row in rows]
    if rows and _fits(answer.columns, cells, console.width):
        console.print(_table(answer.columns, cells))
    else:
        for number, row in enumerate(cells, 1):
            _show_record(number, answer.columns, row, console)
    took = "" if seconds is None else f" in {seconds:.1f} s"
    said = "the first " if more else ""
    tail = "; --format csv or ndjson has all of them" if more else ""
    console.print(Text(f"{said}{len(rows):,} row{'' if len(rows) == 1 else 's'}{took}{tail}", style="dim"))
    return len(rows)


def visible(text: str) -> str:
    """Without anything that a terminal obeys: control characters, and those that turn the direction of a line."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def visible_lines(text: str) -> str:
    """The same, line by line."""
    return "\n".join(visible(line) for line in text.splitlines())


def _escaped(char: str) -> str:
    return " " if char in "\u00a0\u3000" else char.encode("unicode_escape").decode()


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else visible(_plain(value) if not isinstance(value, bool) else str(value).lower())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _fits(columns: list[Column], cells: list[list[str]], width: int) -> bool:
    longest = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    needed = (max(long, len(it.name)) for it, long in zip(columns, longest, strict=True))
    return sum(min(it, LEAST_CELL) for it in needed) + 2 * len(columns) <= width


def _table(columns: list[Column], cells: list[list[str]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for it in columns:
        right = it.type.partition("(")[0] in NUMBERS
        table.add_column(Text(visible(it.name)), justify="right" if right else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(it if len(it) <= MOST_CELL else it[: MOST_CELL - 1] + "…") for it in row))
    return table


def _show_record(number: int, columns: list[Column], row: list[str], console: Console) -> None:
    console.print(Text(f"─ {number} ", style="dim"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for it, value in zip(columns, row, strict=True):
        if value:
            table.add_row(Text(visible(it.name)), Text(value))
    console.print(table)


def _as_csv(answer: Answer, to: TextIO) -> int:
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow([it.name for it in answer.columns])
    count = 0
    for row in answer.rows:
        writer.writerow([_in_a_cell(value) for value in row])
        count += 1
    return count


def _in_a_cell(value: Any) -> Any:
    said = _dumped(value) if isinstance(value, list | dict) else _written(value)
    return inert(said) if isinstance(said, str) else said


def _as_ndjson(answer: Answer, to: TextIO) -> int:
    count = 0
    for line in _objects(answer):
        to.write(line + "\n")
        count += 1
    return count


def _as_json(answer: Answer, to: TextIO) -> int:
    to.write("[")
    count = 0
    for line in _objects(answer):
        to.write(("," if count else "") + "\n" + line)
        count += 1
    to.write("\n]\n")
    return count


def _objects(answer: Answer) -> Iterator[str]:
    names = [it.name for it in answer.columns]
    return (_dumped(dict(zip(names, row, strict=True))) for row in answer.rows)


def _dumped(value: Any) -> str:
    return json.dumps(value, default=_written, ensure_ascii=False, separators=(",", ":"))


def _written(value: Any) -> Any:
    """Times in ISO 8601, which are UTC; what JSON has no word for, as text."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
