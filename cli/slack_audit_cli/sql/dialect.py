"""Athena's SQL in DuckDB's words. sqlglot does most of it; what it cannot know stands here.

Athena gives NULL where JSON cannot be read or is no scalar, and where a pattern is not found; DuckDB gives an error or
a text. So these functions are macros of our own. Times are UTC without an offset, and `current_date` is the day of UTC.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

MACROS = (
    "CREATE MACRO json_scalar(j, p) AS json_value(CASE WHEN json_valid(CAST(j AS VARCHAR)) THEN j END, p) ->> '$'",
    "CREATE MACRO json_part(j, p) AS json_extract(CASE WHEN json_valid(CAST(j AS VARCHAR)) THEN j END, p)",
    "CREATE MACRO found_in(s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END",
    "CREATE MACRO utc_of(second) AS make_timestamp(CAST(second * CAST(1000000 AS BIGINT) AS BIGINT))",
)


class SqlError(Exception):
    """The SQL cannot be understood or carried out; the message says why, in a line or a few."""


class Question(msgspec.Struct, frozen=True):
    """A query in DuckDB's words, and the tables that it reads, in lower case."""

    sql: str
    tables: frozenset[str]


def question(text: str, now: datetime | None = None) -> Question:
    """One query of Athena's dialect, translated. Raises SqlError, also for what is no query: nothing is written."""
    parsed = _parsed(text)
    named = {it.alias_or_name for it in parsed.find_all(exp.CTE)}
    tables = {it.name.lower() for it in parsed.find_all(exp.Table)} - named
    at = now or datetime.now(UTC)
    for node in reversed(list(parsed.find_all(*CHANGES, bfs=True))):  # the innermost first: they stand in each other
        node.replace(CHANGES[type(node)](node, at))
    return Question(parsed.sql(dialect="duckdb", unsupported_level=ErrorLevel.IGNORE), frozenset(tables))


def _parsed(text: str) -> exp.Query:
    try:
        found = [it for it in sqlglot.parse(text, read="athena") if it is not None]
    except SqlglotError as error:
        raise SqlError(_plain(error)) from None
    if len(found) != 1:
        raise SqlError("There is no query in it." if not found else "Ask one query at a time.")
    if not isinstance(found[0], exp.Query):
        raise SqlError("Only queries can be asked, which begin with SELECT, WITH or VALUES: nothing is written.")
    return found[0]


def _plain(error: SqlglotError) -> str:
    """Without the underlining that sqlglot makes for terminals."""
    details = getattr(error, "errors", None)
    if not details:
        return f"This cannot be read: {str(error).splitlines()[0]}"
    first = details[0]
    near = f"{first['start_context'][-30:]}{first['highlight']}".strip().splitlines()
    said = str(first["description"]).rstrip(".")
    return f"Line {first['line']}, column {first['col']}: {said}" + (f", near: {near[-1]}" if near else "")


def _called(name: str, *arguments: exp.Expr | None) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[it for it in arguments if it is not None])


def _json(name: str) -> Callable[[exp.Expr, datetime], exp.Expr]:
    """The path stays what it is; sqlglot has read one that is written out."""

    def change(node: exp.Expr, _now: datetime) -> exp.Expr:
        path = node.args["expression"]
        written = exp.Literal.string(_path(path)) if isinstance(path, exp.JSONPath) else path
        return _called(name, node.this, written)

    return change


def _path(path: exp.JSONPath) -> str:
    return path.sql(dialect="duckdb").removeprefix("'").removesuffix("'").replace("''", "'")


def _group(node: exp.Expr) -> exp.Expr:
    return node.args.get("group") or exp.Literal.number(0)


def _today(_node: exp.Expr, now: datetime) -> exp.Expr:
    return exp.cast(exp.Literal.string(f"{now:%Y-%m-%d}"), "date")


def _now(_node: exp.Expr, now: datetime) -> exp.Expr:
    return exp.cast(exp.Literal.string(f"{now:%Y-%m-%d %H:%M:%S.%f}"), "timestamp")


CHANGES: dict[type[exp.Expr], Callable[[exp.Expr, datetime], exp.Expr]] = {
    exp.JSONExtractScalar: _json("json_scalar"),
    exp.JSONExtract: _json("json_part"),
    exp.JSONFormat: lambda node, _now: exp.cast(node.this, "varchar"),
    exp.RegexpExtract: lambda node, _now: _called("found_in", node.this, node.expression, _group(node)),
    exp.CountIf: lambda node, _now: exp.Count(this=exp.case().when(node.this, exp.Literal.number(1))),
    exp.UnixToTime: lambda node, _now: _called("utc_of", node.this),
    exp.CurrentDate: _today,
    exp.CurrentTimestamp: _now,
}
