"""slack-audit search."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from slack_audit.errors import CollectorError
from slack_audit.selection import Selection
from slack_audit.verify.vault import Vault
from slack_audit_cli import asked, options
from slack_audit_cli.codes import NOT_DONE
from slack_audit_cli.committed import Found, Progress, Tally, events, must_have_a_log
from slack_audit_cli.opened import Account, archive, progress, told_what_to_do
from slack_audit_cli.searching.columns import clock
from slack_audit_cli.searching.parquet import Rows, columnar
from slack_audit_cli.searching.table import Table
from slack_audit_cli.searching.writers import Lines, Sheet, Writer
from slack_audit_cli.whole import opened_for_writing, part_of, whole


class Format(StrEnum):
    """What comes out."""

    NDJSON = "ndjson"
    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"


class _Search(msgspec.Struct):
    """One search, and how far it is."""

    org: str
    vault: Vault
    selection: Selection
    limit: int | None
    tally: Tally
    found: int = 0
    last: Found | None = None

    def into(self, writer: Writer, tell: Progress, *, first: Callable[[], None]) -> None:
        """Writes what is found; `first` is called when there is something."""
        try:
            for it in islice(events(self.org, self.vault, self.selection, tell, self.tally), self.limit):
                if self.last is None:
                    first()
                self.last = it
                writer.write(it)
                self.found += 1
        finally:
            writer.end()


@options.chooses
def search(
    stack: options.Stack = None,
    bucket: options.Bucket = None,
    folder: options.Folder = None,
    org: options.Org = "main",
    which: options.Which = options.ALL,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="Without it: by the name of --output, a table on a terminal, else NDJSON."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write there instead; it has its name once it is whole.")
    ] = None,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the first N.")] = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Finds events in an archive: only what its log commits, checked by SHA-256, in the order of their time.

    Ends with 0 if all of it was searched, also where nothing was found, and 2 if it was asked wrongly or could not be
    read: the message says how to go on.
    """
    name = asked.typed("--org", asked.org, org)
    selection = asked.selection(
        which,
        datetime.now(UTC),
    )
    chosen = _format(format_, output)
    with told_what_to_do():
        opened = archive(Account(region, profile, endpoint_url), stack=stack, bucket=bucket, folder=folder)
        must_have_a_log(name, opened.vault)
        one = _Search(name, opened.vault, selection, limit, Tally())
        with _told_how_to_go_on(one, output, chosen):
            _run(one, chosen, output)
    _say(_summary(one))


def _format(asked_for: Format | None, output: Path | None) -> Format:
    if asked_for is None and output is None:
        return Format.TABLE if sys.stdout.isatty() else Format.NDJSON
    by_name = None if output is None else next((it for it in Format if output.suffix == f".{it}"), Format.NDJSON)
    chosen = asked_for or by_name or Format.NDJSON
    if chosen is Format.PARQUET and output is None:
        raise typer.BadParameter("a Parquet file needs a name: --output FILE", param_hint="--format")
    if chosen is Format.TABLE and output is not None:
        raise typer.BadParameter("a table is for the terminal: choose ndjson, csv or parquet", param_hint="--format")
    return chosen


def _run(one: _Search, chosen: Format, output: Path | None) -> None:
    with ExitStack() as bar:
        tell = bar.enter_context(progress("batches"))
        if output is None:
            shared = sys.stdout.isatty()  # the bar would stand between the lines
            writer = _on_stdout(chosen)
            one.into(writer, tell, first=bar.close if shared else lambda: None)
        elif chosen is Format.PARQUET:
            _into_parquet(one, tell, output)
        else:
            _keep_what_was_written_before(output)
            with whole(output, keeps_part=True) as out:
                one.into(Sheet(out) if chosen is Format.CSV else Lines(out), tell, first=lambda: None)


def _keep_what_was_written_before(output: Path) -> None:
    """The first half of a search that ended early is not lost to the one that goes on."""
    if (part := part_of(output)).exists():
        raise typer.BadParameter(
            f"{part} holds what an earlier search found until it ended: move or remove it, or name another file",
            param_hint="--output",
        )


def _on_stdout(chosen: Format) -> Writer:
    if chosen is Format.TABLE:
        return Table(Console())
    return Sheet(sys.stdout.buffer) if chosen is Format.CSV else Lines(sys.stdout.buffer)


def _into_parquet(one: _Search, tell: Progress, output: Path) -> None:
    if output.is_dir():
        raise typer.BadParameter(f"{output} is a folder: name a file in it", param_hint="--output")
    rows, part = output.with_name(f"{output.name}.rows.part"), part_of(output)
    try:
        with opened_for_writing(rows) as out:
            writer = Rows(out)
            one.into(writer, tell, first=lambda: None)
        columnar(rows.absolute(), part.absolute(), writer.longest)
        part.replace(output)
    finally:
        rows.unlink(missing_ok=True)
        part.unlink(missing_ok=True)


@contextmanager
def _told_how_to_go_on(one: _Search, output: Path | None, chosen: Format) -> Iterator[None]:
    """Whatever ends it too early: what there is, and with which `--from` it goes on."""
    try:
        yield
    except (KeyboardInterrupt, CollectorError):
        _say(_how_to_go_on(one, output, chosen))
        raise
    except BrokenPipeError:
        raise
    except OSError as error:
        _say(f"The output could not be written: {error}. {_how_to_go_on(one, output, chosen)}")
        if output is None:
            _forget_stdout()
        raise typer.Exit(NOT_DONE) from error


def _how_to_go_on(one: _Search, output: Path | None, chosen: Format) -> str:
    if chosen is Format.PARQUET:
        return "Nothing was written: a Parquet file is whole or none. Search a shorter time, or into --format ndjson."
    if one.last is None:
        return "It ended early: nothing was found so far."
    place = clock(one.last.place)
    where, other = (f" to {part_of(output)}", " and another --output") if output else ("", "")
    return (
        f"It ended early: the {one.found:,} events before {place} and some of that second were written{where}. "
        f"Go on with --from {place}{other}; what was written of that second comes again, with the same id."
    )


def _summary(one: _Search) -> str:
    tally = one.tally
    seen = f"{tally.events:,} events in {tally.batches:,} batches looked at"
    passed = f", {tally.orphans:,} objects that the log does not name passed over" if tally.orphans else ""
    found = f"{one.found:,} found" if one.found else "Nothing found"
    if one.limit is None or one.found < one.limit or one.last is None:
        return f"{found}: {seen}{passed}."
    return f"{found}, and there may be more, from {clock(one.last.place)} on: {seen}{passed}."


def _forget_stdout() -> None:
    """What could not be written is not tried again when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _say(text: str) -> None:
    typer.echo(text, err=True)
