"""slack-audit fetch."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, override

import msgspec
import typer
from rich.console import Console

from slack_audit import __version__
from slack_audit.adapters.clock import LambdaClock
from slack_audit.backfill import moment
from slack_audit.events import Event
from slack_audit.log import Filters
from slack_audit.ports import Source
from slack_audit.windows import Window
from slack_audit_cli import asked, options
from slack_audit_cli.deployed import deployed
from slack_audit_cli.doctor.token import read as read_token
from slack_audit_cli.fetching.ask import Asked, Pace
from slack_audit_cli.fetching.table import EventTable
from slack_audit_cli.opened import Account, progress, told_what_to_do

FEW = 100  # events, where neither --limit nor --oldest says how many
NEVER = 1_000_000_000  # milliseconds: here, nothing kills a run
TOKEN_HELP = "A token: env:NAME, file:PATH or -. Else that of --stack."  # noqa: S105 - says where one is


class Format(StrEnum):
    """How events are printed."""

    AUTO = "auto"
    NDJSON = "ndjson"
    TABLE = "table"


class Wanted(msgspec.Struct, frozen=True):
    """Which events, in epoch seconds."""

    oldest: int | None
    latest: int | None
    limit: int | None


def fetch(
    token_from: Annotated[str | None, typer.Option(metavar="SOURCE", help=TOKEN_HELP)] = None,
    stack: Annotated[str | None, typer.Option(metavar="NAME", help="The stack whose token and Slack it is.")] = None,
    org: Annotated[str | None, typer.Option(metavar="ORG", help="Of the stack; else its first one.")] = None,
    slack_api_url: options.SlackApiUrl = options.SLACK_API_URL,
    action: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this action, as slack-audit actions has it; or more.")
    ] = None,
    actor: Annotated[str, typer.Option(metavar="ID", help="Only what this user did.")] = "",
    entity: Annotated[str, typer.Option(metavar="ID", help="Only what happened to this.")] = "",
    oldest: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on: 2d, 36h (ago), 2026-01-01, an ISO 8601 time.")
    ] = None,
    latest: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then, a day with all of it.")] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the newest ones; else all since --oldest.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="auto is a table at a terminal, and NDJSON elsewhere.")
    ] = Format.AUTO,
    patience: Annotated[
        int, typer.Option(metavar="SECONDS", min=0, help="How long to wait, in all, where Slack limits the rate.")
    ] = 300,
    calls_per_minute: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most calls a minute; Slack allows an organisation about 50.")
    ] = 40,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Asks Slack directly, with its own filters. What it prints is archived nowhere, and no evidence.

    With --limit the newest first, without it all since --oldest, oldest first; with neither the newest 100.
    Ends with 0, or 2 if it was asked wrongly or Slack did not give all of it.
    """
    wanted = _wanted(oldest, latest, limit)
    names = [name.strip() for text in action or () for name in text.split(",")]
    filters = Filters(",".join(dict.fromkeys(filter(None, names))), actor.strip(), entity.strip())
    with told_what_to_do("Slack could not be asked."):
        source = _source(Account(region, profile, endpoint_url), token_from, stack, org, slack_api_url)
    questions = Asked(source, LambdaClock(lambda: NEVER), filters, Pace(calls_per_minute, patience), _tell)
    printed = _print(questions, wanted, form)
    counted = f"{_many(printed, 'event')} by {_many(questions.calls, 'call')}"
    _tell(f"{counted}. No evidence: none of it was archived.")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _print(questions: Asked, wanted: Wanted, form: Format) -> int:
    """Prints them as they come: how many."""
    printed, write = 0, _writer(form)
    bar = nullcontext(_untold) if sys.stdout.isatty() else progress("seconds")
    try:
        with _tries_told(), told_what_to_do("Slack did not give all of it, only what is printed."), bar as tell:
            for window, events in _events(questions, wanted):
                write(events)
                printed += len(events)
                if window is not None and questions.read_up_to is not None:
                    tell(questions.read_up_to - window.lo + 1, window.seconds)
    except typer.Exit:
        if (read := questions.read_up_to) is not None:
            _tell(f"It is all up to {moment(read)}: --oldest {moment(read + 1)} goes on.")
        raise
    return printed


def _untold(_done: int, _total: int) -> None:
    """No bar between the rows of a table."""


def _wanted(oldest: str | None, latest: str | None, limit: int | None) -> Wanted:
    now = datetime.now(UTC)
    lo = None if oldest is None else asked.typed("--oldest", lambda text: asked.moment(text, now), oldest)
    hi = None if latest is None else asked.typed("--latest", lambda text: asked.last_moment(text, now), latest)
    asked.in_order(lo, hi, "--oldest", "--latest")
    return Wanted(
        None if lo is None else int(lo.timestamp()),
        None if hi is None else int(hi.timestamp()),
        FEW if limit is None and lo is None else limit,
    )


def _source(account: Account, token_from: str | None, stack: str | None, org: str | None, typed: str) -> Source:
    from slack_audit.adapters.secrets import SecretToken  # noqa: PLC0415 - what it brings is slow to load, and few commands need it
    from slack_audit.adapters.slack import SlackSource  # noqa: PLC0415 - what it brings is slow to load, and few commands need it

    if (token_from is None) == (stack is None):
        raise typer.BadParameter("name one of the two", param_hint="--token-from or --stack")
    if stack is None or token_from is not None:
        token = asked.typed("--token-from", read_token, token_from or "")
        return SlackSource(_url(typed), "of this token", lambda _fresh: token, __version__)
    found = deployed(account, stack)
    name = found.chosen(org)
    secret = SecretToken(account.client("secretsmanager"), found.token_secret(name))
    return SlackSource(_url(found.slack_api_url(typed, options.SLACK_API_URL)), name, secret, __version__)


def _url(text: str) -> str:
    return asked.typed("--slack-api-url", asked.slack_api_url, text)


def _events(questions: Asked, wanted: Wanted) -> Iterator[tuple[Window | None, list[Event]]]:
    """In batches, as they come, with the range that they are of."""
    everywhen = wanted.oldest is None and wanted.latest is None
    window = None if everywhen else questions.range(wanted.oldest, wanted.latest)
    if wanted.limit is not None:
        yield window, questions.newest(window, wanted.limit)
    elif window is not None:
        for events in questions.everything(window):
            yield window, events


def _writer(form: Format) -> Callable[[Iterable[Event]], None]:
    console = Console()
    if form is Format.TABLE or (form is Format.AUTO and console.is_terminal):
        return EventTable(console).add
    return _write_raw


def _write_raw(events: Iterable[Event]) -> None:
    """The bytes as Slack sent them, a line for each event."""
    for event in events:
        sys.stdout.buffer.write(event.raw + b"\n")
    sys.stdout.buffer.flush()


class _Tries(logging.Handler):
    """Tells why Slack is asked again."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if reason := getattr(record, "reason", None):
            _tell(f"{record.getMessage()}: {reason}")


@contextmanager
def _tries_told() -> Iterator[None]:
    """While Slack is asked, what the reader logs is told, and nothing else is."""
    logger, handler = logging.getLogger("slack_audit"), _Tries()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _tell(what: str) -> None:
    typer.echo(what, err=True)
