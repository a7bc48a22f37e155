"""The prompt: queries end with a semicolon, commands begin with a dot."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import Completer, WordCompleter
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slack_audit.errors import CollectorError
from slack_audit_cli.sql import shown
from slack_audit_cli.sql.dialect import SqlError
from slack_audit_cli.sql.statements import queries
from slack_audit_cli.sql.store import Answer, Column

TABLES = ("events", "entries", "raw", "log")
WORDS = """
SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT WITH AS AND OR NOT IN LIKE BETWEEN IS NULL DISTINCT JOIN LEFT ON UNION ALL
CASE WHEN THEN ELSE END CAST DESC ASC INTERVAL count count_if min max sum regexp_like json_extract_scalar json_extract
json_format date_diff date_format from_unixtime
"""
HELP = {
    ".help": "this",
    ".tables": "the tables and views, with their columns",
    ".queries": "the named queries",
    ".run NAME": "a named query, of the time that was asked for",
    ".quit": "the end, as Ctrl-D",
    "SELECT … ;": "a query of Athena's dialect, in any number of lines",
    "Ctrl-C": "gives up what is typed, or the query that runs",
}

type Ask = Callable[[str], Answer]


class Prompt:
    """Asks until the person ends it. `ask` takes a query, `run` the name of one, `columns` the name of a table."""

    def __init__(self, *, ask: Ask, run: Ask, columns: Callable[[str], list[Column]], console: Console) -> None:
        self._ask = ask
        self._run = run
        self._columns = columns
        self._console = console

    def go(self) -> None:
        """Returns at Ctrl-D and at .quit."""
        self._console.print(Text("Queries end with ; · .help tells the rest · Ctrl-D ends", style="dim"))
        session: PromptSession[str] = PromptSession(
            "sql> ",
            multiline=True,
            key_bindings=_keys(),
            history=_history(),
            completer=self._words(),
            complete_while_typing=False,
            prompt_continuation="...> ",
        )
        while True:
            try:
                text = session.prompt().strip()
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            if text in {".quit", ".exit"}:
                return
            if text.strip("; \n"):
                self._answer(text)

    def _answer(self, text: str) -> None:
        began = time.monotonic()
        try:
            if text.startswith("."):
                self._command(text, began)
            else:
                shown.show(self._ask(text), self._console, time.monotonic() - began)
        except (SqlError, CollectorError) as error:
            self._console.print(Text(shown.visible_lines(str(error)), style="red"))
        except KeyboardInterrupt:
            self._console.print(Text("Given up.", style="dim"))

    def _command(self, text: str, began: float) -> None:
        name, _, rest = text.rstrip("; ").partition(" ")
        if name == ".help":
            self._console.print(_listed(HELP))
        elif name == ".tables":
            self._console.print(_listed({it: ", ".join(c.name for c in self._columns(it)) for it in TABLES}))
        elif name == ".queries":
            self._console.print(_listed({it.name: it.answers for it in queries().values()}))
        elif name == ".run" and rest.strip() in queries():
            shown.show(self._run(rest.strip()), self._console, time.monotonic() - began)
        else:
            raise SqlError(f"There is no {text}: .help tells what there is.")

    def _words(self) -> Completer:
        columns = {column.name for table in TABLES for column in self._columns(table)}
        dotted = [it.split()[0] for it in HELP if it.startswith(".")]
        words = [*TABLES, *sorted(columns), *WORDS.split(), *dotted, *queries()]
        return WordCompleter(words, ignore_case=True, WORD=True)


def _listed(rows: dict[str, str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, said in rows.items():
        table.add_row(Text(name), Text(said))
    return table


def _keys() -> KeyBindings:
    """Enter sends what is complete: a command, or what ends with a semicolon."""
    keys = KeyBindings()

    @keys.add("enter", filter=Condition(_is_complete))
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return keys


def _is_complete() -> bool:
    text = get_app().current_buffer.text.strip()
    return not text or text.startswith(".") or text.endswith(";")


def _history() -> History:
    """Where programs keep such things; in memory where there is no such place. Others cannot read it."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "slack-audit"
    path = home / "sql-history"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
