"""slack-audit sql."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slack_audit.selection import Selection
from slack_audit_cli import asked, options
from slack_audit_cli.codes import NOT_DONE, WELL, WRONG
from slack_audit_cli.opened import Account, archive, progress, told_what_to_do
from slack_audit_cli.sql import shown
from slack_audit_cli.sql.cached import CachedVault
from slack_audit_cli.sql.dialect import Question, SqlError, question
from slack_audit_cli.sql.prompt import Prompt
from slack_audit_cli.sql.source import Source
from slack_audit_cli.sql.statements import MUST_BE_EMPTY, Statement, queries
from slack_audit_cli.sql.store import Answer, Store

WEEK = timedelta(days=7)
OF_LINES, OF_ORPHANS, OF_ENTRIES = {"events", "raw"}, {"raw"}, {"log", "entries"}


def sql(
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="A query in Athena's SQL; - reads it.")] = None,
    named: Annotated[str | None, typer.Option("--query", metavar="NAME", help="A named query instead.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the named queries.")] = False,
    bucket: options.Bucket = None,
    folder: options.Folder = None,
    stack: options.Stack = None,
    org: options.Org = "main",
    from_: options.From = None,
    to: options.To = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep what is fetched from S3 there, for the next time.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="table, csv, json, ndjson or parquet.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the answer there.")] = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Asks the archive in SQL, on this machine: the tables, views and named queries that Athena has.

    Without a query it is a prompt. Ends with 0 if it was answered, 1 if a query that must find nothing (duplicates,
    orphans) found something, 2 if it was asked wrongly or the archive could not be read.
    """
    if list_:
        _list(Console())
        return
    form = _form(form, output)
    asked_for = _asked(query, named)
    org = asked.typed("--org", asked.org, org)
    selection = _selection(from_, to, week=isinstance(asked_for, Statement))
    with told_what_to_do(), _told():
        opened = archive(Account(region, profile, endpoint_url), stack=stack, bucket=bucket, folder=folder)
        vault = opened.vault if cache is None or folder is not None else CachedVault(opened.vault, cache)
        with _session(Source(vault, opened.where, org, selection)) as session:
            if asked_for is None:
                session.prompt()
                return
            code = session.answer(asked_for, form, output)
    raise typer.Exit(code)


class Session:
    """A store that is filled when a query first reads of it."""

    def __init__(self, source: Source, store: Store, scratch: Path) -> None:
        self._source = source
        self._store = store
        self._scratch = scratch
        self._filled: set[str] = set()

    def prompt(self) -> None:
        """Until the person ends it."""
        self._fill(OF_LINES)
        Prompt(ask=self._ask, run=self._run, columns=self._store.columns, console=Console()).go()

    def answer(self, query: Statement | str, form: str, output: Path | None) -> int:
        """Writes the answer; what the command ends with."""
        asked_for = question(self._text(query))
        self._fill(asked_for.tables)
        if form == "parquet":
            return self._save(asked_for, output or Path())
        rows = _write(self._store.ask(asked_for), form, output)
        return WRONG if isinstance(query, Statement) and query.name in MUST_BE_EMPTY and rows else WELL

    def _save(self, asked_for: Question, output: Path) -> int:
        made = self._scratch / "answer.parquet"
        self._store.save(asked_for, made)
        shutil.move(made, output)
        return WELL

    def _ask(self, text: str) -> Answer:
        asked_for = question(text)
        self._fill(asked_for.tables)
        return self._store.ask(asked_for)

    def _run(self, name: str) -> Answer:
        return self._ask(self._text(queries()[name]))

    def _text(self, query: Statement | str) -> str:
        """A named query is of the time that was asked for, not of the last week."""
        if isinstance(query, str):
            return query
        since = self._source.selection.since
        return query.since("0001-01-01" if since is None else f"{datetime.fromtimestamp(since, UTC):%Y-%m-%d}")

    def _fill(self, tables: frozenset[str] | set[str]) -> None:
        if tables & OF_LINES and "lines" not in self._filled:
            with progress("batches") as tell:
                self._store.take_lines(self._source.lines(orphans=True, progress=tell))
            self._filled.add("lines")
        if tables & OF_ENTRIES and "entries" not in self._filled:
            with progress("entries") as tell:
                self._store.take_entries(self._source.entries(tell))
            self._filled.add("entries")


@contextmanager
def _session(source: Source) -> Iterator[Session]:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slack-audit-sql-")))
        bounds = source.selection
        store = stack.enter_context(Store(scratch, org=source.org, since=bounds.since, until=bounds.until))
        yield Session(source, store, scratch)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SqlError as error:
        typer.echo(shown.visible_lines(str(error)), err=True)
        raise typer.Exit(NOT_DONE) from None


def _write(answer: Answer, form: str, output: Path | None) -> int:
    if form == "table":
        return shown.show(answer, Console())
    if output is None:
        return shown.write(answer, form, sys.stdout)
    with output.open("w", encoding="utf-8", newline="") as file:
        return shown.write(answer, form, file)


def _form(form: str | None, output: Path | None) -> str:
    chosen = form or (output.suffix.removeprefix(".").lower() if output else "")
    chosen = chosen or ("table" if shown.is_looked_at() else "ndjson")
    if chosen not in shown.FORMATS:
        raise typer.BadParameter(f"the formats are {', '.join(shown.FORMATS)}", param_hint="--format")
    if (chosen == "parquet") > (output is not None):
        raise typer.BadParameter("a Parquet file needs a place: name one", param_hint="--output")
    if chosen == "table" and output is not None:
        raise typer.BadParameter("a table is for the screen: name another format", param_hint="--format")
    return chosen


def _asked(query: str | None, named: str | None) -> Statement | str | None:
    """A named query, a text, or None for the prompt."""
    if query is not None and named is not None:
        raise typer.BadParameter("name a query or type one, not both", param_hint="--query")
    if named is not None:
        if named not in queries():
            raise typer.BadParameter(f"there is no {named!r}; there are {', '.join(queries())}", param_hint="--query")
        return queries()[named]
    if query == "-" or (query is None and not sys.stdin.isatty()):
        return sys.stdin.read()
    return query


def _selection(from_: str | None, to: str | None, *, week: bool) -> Selection:
    now = datetime.now(UTC)
    chosen = asked.selection(
        from_=from_, to=to, passes=None, actions=None, actors=None, entities=None, ips=None, where=None, now=now
    )
    if not week or from_ is not None or to is not None:
        return chosen
    first = datetime.combine((now - WEEK).date(), datetime.min.time(), UTC)
    return msgspec.structs.replace(chosen, since=int(first.timestamp()))


def _list(console: Console) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for it in queries().values():
        table.add_row(Text(it.name), Text(it.answers))
    console.print(table)
