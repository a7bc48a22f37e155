"""slack-audit sql."""

import sys
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
from slack_audit_cli.committed import must_have_a_log
from slack_audit_cli.opened import Account, archive, told_what_to_do
from slack_audit_cli.sql.cached import CachedVault
from slack_audit_cli.sql.source import Source
from slack_audit_cli.sql.statements import Statement, queries

WEEK = timedelta(days=7)
FORMATS = ("table", "csv", "json", "ndjson", "parquet")


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
    from slack_audit_cli.sql import session  # noqa: PLC0415 - a second to load, which no other command needs

    form = _form(form, output)
    asked_for = _asked(query, named)
    org = asked.typed("--org", asked.org, org)
    selection = _selection(from_, to, week=isinstance(asked_for, Statement))
    with told_what_to_do(), session.told():
        opened = archive(Account(region, profile, endpoint_url), stack=stack, bucket=bucket, folder=folder)
        vault = opened.vault if cache is None or folder is not None else CachedVault(opened.vault, cache)
        must_have_a_log(org, vault)
        with session.begun(Source(vault, opened.where, org, selection)) as begun:
            code = begun.prompt() if asked_for is None else begun.answer(asked_for, form, output)
    raise typer.Exit(code)


def _form(form: str | None, output: Path | None) -> str:
    chosen = form or (output.suffix.removeprefix(".").lower() if output else "")
    chosen = chosen or ("table" if sys.stdout.isatty() else "ndjson")
    if chosen not in FORMATS:
        raise typer.BadParameter(f"the formats are {', '.join(FORMATS)}", param_hint="--format")
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
    chosen = asked.selection(options.Which(from_, to), now)
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
