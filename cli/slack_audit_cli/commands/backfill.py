"""slack-audit backfill."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from slack_audit.backfill import State
from slack_audit_cli import asked, options
from slack_audit_cli.backfills.follow import follow
from slack_audit_cli.backfills.report import as_json, show
from slack_audit_cli.backfills.send import Orders, orders
from slack_audit_cli.codes import WELL, WRONG
from slack_audit_cli.opened import Account, told_what_to_do

backfill = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Stack = Annotated[str, typer.Option(metavar="NAME", help="The deployed stack.")]
Org = Annotated[
    str | None, typer.Option(metavar="ORG", help="The organisation's short name; else the stack's first one.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The backfill's name, as list shows it.")]
Follow = Annotated[
    bool, typer.Option("--follow", help="Show how far they are until all have ended; Ctrl-C stops only the showing.")
]
REFUSED = "The order was not carried out."


@backfill.callback()
def about() -> None:
    """Reads ranges that were never collected, or that a filter left out. The runs on schedule do the work.

    Each ends with 0 if it was done, 1 if what is followed is paused, 2 if it was asked wrongly or not carried out.
    """


@backfill.command()
def start(
    from_: Annotated[
        str, typer.Option("--from", metavar="TIME", help="From then on: 2d, 36h (ago), 2026-01-01, an ISO 8601 time.")
    ],
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="Up to then, a day with all of it.")],
    stack: Stack,
    publish: Annotated[bool, typer.Option("--publish", help="What it archives goes to the stream, too.")] = False,
    org: Org = None,
    following: Follow = False,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Starts one. The same range again is the same backfill, and what the archive holds is not archived again."""
    now = datetime.now(UTC)
    first = asked.typed("--from", lambda text: asked.moment(text, now), from_)
    last = asked.typed("--to", lambda text: asked.last_moment(text, now), to)
    asked.in_order(first, last)
    order = {"from": int(first.timestamp()), "to": int(last.timestamp()), "publish": publish}
    _carry_out(Account(region, profile, endpoint_url), stack, org, order, following=following, json=json)


@backfill.command("list")
def list_(
    stack: Stack,
    org: Org = None,
    following: Follow = False,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Shows all that have not ended, and how far they are."""
    _carry_out(Account(region, profile, endpoint_url), stack, org, {"list": True}, following=following, json=json)


@backfill.command()
def pause(
    name: Name,
    stack: Stack,
    org: Org = None,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Stops reading for one, until it is resumed."""
    _carry_out(Account(region, profile, endpoint_url), stack, org, {"pause": name}, json=json)


@backfill.command()
def resume(
    name: Name,
    stack: Stack,
    org: Org = None,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Goes on with a paused one, where it stopped."""
    _carry_out(Account(region, profile, endpoint_url), stack, org, {"resume": name}, json=json)


@backfill.command()
def cancel(
    name: Name,
    stack: Stack,
    org: Org = None,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Forgets one. What it has archived stays."""
    _carry_out(Account(region, profile, endpoint_url), stack, org, {"cancel": name}, json=json)


def _carry_out(
    account: Account,
    stack: str,
    org: str | None,
    order: Mapping[str, Any],
    *,
    json: bool,
    following: bool = False,
) -> None:
    if org is not None:
        asked.typed("--org", asked.org, org)
    with told_what_to_do(REFUSED):
        sent = orders(account, stack, org)
        with Console(stderr=True).status("waiting for the collect function"):
            states = sent.send(order)
    if following:
        states = _followed(sent, states)
    if json:
        print(as_json(states))
    else:
        show(states, Console())
    raise typer.Exit(WRONG if following and states else WELL)


def _followed(sent: Orders, states: list[State]) -> list[State]:
    with told_what_to_do("It could not be looked at any longer, and goes on all the same."):
        left = follow(lambda: sent.send({"list": True}), states)
    if left:
        typer.echo("What is left is paused: slack-audit backfill resume NAME goes on with it.", err=True)
    return left
