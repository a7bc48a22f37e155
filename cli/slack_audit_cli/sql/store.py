"""The archive's lines in a DuckDB of their own, which can reach nothing else, and what it answers.

It stands in a folder that is gone afterwards, so that an archive may be larger than the memory.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import msgspec
from sqlglot import exp, parse_one

from slack_audit_cli.sql.dialect import MACROS, Question, SqlError, question
from slack_audit_cli.sql.source import Fields
from slack_audit_cli.sql.statements import views

MEMORY = "512MB"
THREADS = 2
FETCHED = 1_000  # rows at once
CHUNK = 16 << 20  # bytes of lines that are read in at once
LINE = 2 << 20  # bytes; what DuckDB takes for a line without being told
BETWEEN = b"\x01"  # fields of what is read in: never in JSON
SPACED = bytes(at if at >= 32 or at in b"\x01\n\t" else 32 for at in range(256))  # control characters: a space
POLL = 0.1  # seconds between looks at Ctrl-C

LINES = "object VARCHAR, dt VARCHAR, committed BOOLEAN, event VARCHAR"
ENTRIES = "object VARCHAR, entry VARCHAR"
UTC = "TIMESTAMP WITH TIME ZONE"


class Column(msgspec.Struct, frozen=True):
    """Of an answer: its name, and DuckDB's word for its type."""

    name: str
    type: str


class Answer(msgspec.Struct, frozen=True):
    """The columns, and the rows as they are asked for, once."""

    columns: list[Column]
    rows: Iterator[tuple[Any, ...]]


class Store:
    """For the time of a `with` block. `since` and `until` bound the events, in epoch seconds, both inclusive."""

    def __init__(self, scratch: Path, *, org: str, since: int | None = None, until: int | None = None) -> None:
        self._scratch = scratch.resolve()
        self._org = org
        self._bounds = (since, until)
        self._connection = duckdb.connect(str(self._scratch / "archive.duckdb"), config=self._config())

    def __enter__(self) -> Self:
        """Makes the tables and views, and closes every door but that of the folder."""
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_progress_bar = false")
        self._connection.execute("PRAGMA disable_checkpoint_on_shutdown")  # it is gone then
        for statement in (*MACROS, *self._tables(), *self._views()):
            self._connection.execute(statement)
        self._connection.execute(f"SET allowed_directories = ['{_quoted(self._scratch)}']")
        for door in ("SET enable_external_access = false", "SET lock_configuration = true"):
            self._connection.execute(door)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ends it."""
        self._connection.close()

    def take_lines(self, lines: Iterable[Fields]) -> None:
        """Fills `raw` and `events`: object, day, `1` for a batch that the log commits or `0`, the event."""
        self._take("lines", LINES, lines)

    def take_entries(self, entries: Iterable[Fields]) -> None:
        """Fills `log` and `entries`: object, the entry."""
        self._take("log_lines", ENTRIES, entries)

    def columns(self, table: str) -> list[Column]:
        """Of a table or view."""
        return self._described(f'SELECT * FROM "{table}"')

    def ask(self, asked: Question) -> Answer:
        """Raises SqlError, and KeyboardInterrupt after it has ended the query."""
        try:
            columns = self._described(asked.sql)
            listed = ", ".join(
                f'CAST("c{at}" AS TIMESTAMP)' if it.type == UTC else f'"c{at}"' for at, it in enumerate(columns)
            )
            named = ", ".join(f'"c{at}"' for at, _ in enumerate(columns))
            self._execute(f"SELECT {listed} FROM ({asked.sql}) AS answer({named})")
        except duckdb.Error as error:
            raise SqlError(_plain(error)) from None
        return Answer(columns, self._rows())

    def save(self, asked: Question, path: Path) -> None:
        """The answer as a Parquet file of the scratch folder. Raises as `ask`."""
        try:
            self._execute(f"COPY ({asked.sql}) TO '{_quoted(path)}' (FORMAT parquet)")
        except duckdb.Error as error:
            raise SqlError(_plain(error)) from None

    def _config(self) -> dict[str, Any]:
        return {
            "memory_limit": MEMORY,
            "threads": THREADS,
            "temp_directory": str(self._scratch / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        }

    def _tables(self) -> Iterator[str]:
        org = f"'{self._org}' AS org"
        yield f"CREATE TABLE lines ({LINES})"
        yield f"CREATE TABLE log_lines ({ENTRIES})"
        yield f'CREATE VIEW raw AS SELECT event, {org}, dt, object AS "$path" FROM lines'
        yield f'CREATE VIEW committed AS SELECT event, {org}, dt, object AS "$path" FROM lines WHERE committed'
        yield f'CREATE VIEW log AS SELECT entry, {org}, object AS "$path" FROM log_lines'

    def _views(self) -> Iterator[str]:
        """Athena's; `events` reads only what the log commits, and keeps to the time that was asked for."""
        for name, view in views().items():
            tree = parse_one(view.sql, read="athena")
            for table in tree.find_all(exp.Table):
                if table.name == "raw":
                    table.set("this", exp.to_identifier("committed"))
            bound = self._bound() if name == "events" else ""
            yield f"CREATE VIEW {name} AS SELECT * FROM ({question(tree.sql(dialect='trino')).sql}){bound}"

    def _bound(self) -> str:
        """An event without a usable second stands in the window that showed it, and is wanted wherever that is."""
        signs = zip((">=", "<="), self._bounds, strict=True)
        said = [f"date_create {sign} {second}" for sign, second in signs if second is not None]
        return f" WHERE date_create IS NULL OR ({' AND '.join(said)})" if said else ""

    def _take(self, table: str, columns: str, lines: Iterable[Fields]) -> None:
        """All of them or, where that is interrupted, none. It is faster, too: nothing is written twice."""
        try:
            self._execute("BEGIN TRANSACTION")
            for some in _in_chunks(lines):
                self._read_in(table, columns, some)
            self._execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):  # where it had not begun, there is nothing to take back
                self._connection.rollback()
            raise

    def _read_in(self, table: str, columns: str, lines: list[bytes]) -> None:
        path = self._scratch / "lines"
        path.write_bytes(_readable(b"\n".join(lines)) + b"\n")
        types = ", ".join("'{}': '{}'".format(*it.split(" ")) for it in columns.split(", "))
        longest = max(LINE, 2 * max(map(len, lines)))
        self._execute(
            f"INSERT INTO {table} SELECT * FROM read_csv('{_quoted(path)}', auto_detect = false, header = false,"
            f" delim = '\x01', quote = '', escape = '', new_line = '\\n', columns = {{{types}}},"
            f" max_line_size = {longest}, buffer_size = {8 * longest})"
        )
        path.unlink()

    def _described(self, sql: str) -> list[Column]:
        self._execute(f"DESCRIBE {sql}")
        return [Column(name, kind) for name, kind, *_ in self._connection.fetchall()]

    def _execute(self, sql: str) -> None:
        """In a thread: while DuckDB works, this one can be interrupted."""
        failed: list[duckdb.Error] = []
        thread = threading.Thread(target=self._work, args=(sql, failed), daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(POLL)
        except KeyboardInterrupt:
            self._connection.interrupt()
            thread.join()
            raise
        if failed:
            raise failed[0]

    def _work(self, sql: str, failed: list[duckdb.Error]) -> None:
        try:
            self._connection.execute(sql)
        except duckdb.Error as error:
            failed.append(error)

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        while rows := self._connection.fetchmany(FETCHED):
            yield from rows


def _in_chunks(lines: Iterable[Fields]) -> Iterator[list[bytes]]:
    """Lines as they are read in, in lists of so many bytes."""
    waiting: list[bytes] = []
    size = 0
    for fields in lines:
        line = BETWEEN.join((*fields[:-1], fields[-1].partition(BETWEEN)[0]))
        waiting.append(line)
        size += len(line)
        if size > CHUNK:
            yield waiting
            waiting, size = [], 0
    if waiting:
        yield waiting


def _readable(lines: bytes) -> bytes:
    """As text: what JSON never holds, bytes that are no UTF-8 and control characters, is replaced."""
    try:
        lines.decode()
    except UnicodeDecodeError:
        lines = lines.decode(errors="replace").encode()
    return lines.translate(SPACED)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _plain(error: duckdb.Error) -> str:
    """What DuckDB says, without its own copy of the translated query."""
    said = str(error).split("\n\nLINE ")[0].strip()
    kind, colon, rest = said.partition(" Error: ")
    return rest if colon and " " not in kind.strip() else said
