"""One use of `slack-audit sql`: the archive is read in when a query first needs it."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

import typer
from rich.console import Console

from slack_audit.events import EARLIEST_SECOND
from slack_audit_cli.codes import NOT_DONE, WELL, WRONG
from slack_audit_cli.opened import progress
from slack_audit_cli.sql import shown
from slack_audit_cli.sql.dialect import Question, SqlError, question
from slack_audit_cli.sql.source import Source
from slack_audit_cli.sql.statements import MUST_BE_EMPTY, Statement, queries
from slack_audit_cli.sql.store import Answer, Store
from slack_audit_cli.whole import told_if_unwritten, whole

OF_LINES, OF_ENTRIES = {"events", "raw"}, {"log", "entries"}


class Session:
    """A store that is filled when a query first reads of it."""

    def __init__(self, source: Source, store: Store, scratch: Path) -> None:
        self._source = source
        self._store = store
        self._scratch = scratch
        self._filled: set[str] = set()

    def prompt(self) -> int:
        """Until the person ends it."""
        from slack_audit_cli.sql.prompt import Prompt  # noqa: PLC0415 - half a second, which a single query does not need

        self._fill(OF_LINES)
        Prompt(ask=self._ask, run=self._run, columns=self._store.columns, console=Console()).go()
        return WELL

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
        with told_if_unwritten(output), whole(output) as out:
            self._store.save(asked_for, made)
            with made.open("rb") as saved:
                shutil.copyfileobj(saved, out)
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
        return query.since(
            "0001-01-01" if since is None else f"{datetime.fromtimestamp(max(since, EARLIEST_SECOND), UTC):%Y-%m-%d}"
        )

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
def begun(source: Source) -> Iterator[Session]:
    """With a store in a folder that is gone afterwards."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slack-audit-sql-")))
        bounds = source.selection
        store = stack.enter_context(Store(scratch, org=source.org, since=bounds.since, until=bounds.until))
        yield Session(source, store, scratch)


@contextmanager
def told() -> Iterator[None]:
    """SQL that cannot be carried out ends with 2 and a sentence."""
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
    with told_if_unwritten(output), whole(output) as out:
        file = TextIOWrapper(out, encoding="utf-8", newline="")
        rows = shown.write(answer, form, file)
        file.detach()
        return rows
