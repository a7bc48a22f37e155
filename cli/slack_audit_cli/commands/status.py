"""slack-audit status."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.live import Live

from slack_audit_cli import asked, options
from slack_audit_cli.codes import WELL, WRONG
from slack_audit_cli.deployed import deployed
from slack_audit_cli.opened import Account, archive, told_what_to_do
from slack_audit_cli.status import read
from slack_audit_cli.status.report import Shown, Status, as_json

type Look = Callable[[], Status]


def status(
    stack: options.Stack = None,
    bucket: options.Bucket = None,
    folder: options.Folder = None,
    org: Annotated[str | None, typer.Option(metavar="ORG", help="Only this organisation; else all of them.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[int, typer.Option(metavar="SECONDS", min=1, max=3_600, help="How often --watch looks.")] = 5,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Says how far each organisation is: passes, stream, last run. Of an archive alone, what its newest log entry says.

    Ends with 0 if nothing is wrong, 1 if a person should look at something, 2 if it was asked wrongly or could not be
    read.
    """
    if org is not None:
        asked.typed("--org", asked.org, org)
    account, console = Account(region, profile, endpoint_url), Console()
    if watch and (json or not console.is_terminal):
        raise typer.BadParameter("it draws on a terminal, and nothing else", param_hint="--watch")
    with told_what_to_do("It could not be looked at."):
        look = _look(account, stack, bucket, folder, org)
        if watch:
            _watch(look, every, console)
        found = look()
    if json:
        print(as_json(found))
    else:
        console.print(Shown(found))
    raise typer.Exit(WRONG if found.is_wrong else WELL)


def _look(account: Account, stack: str | None, bucket: str | None, folder: Path | None, org: str | None) -> Look:
    """What to do for each look: the stack's parameters and outputs are read once."""
    if stack is not None and bucket is None and folder is None:
        found = deployed(account, stack)
        return lambda: Status(
            f"Stack {stack}", int(time.time()), read.of_stack(account, found, org, time.time()), found.is_paused
        )
    opened = archive(account, stack=stack, bucket=bucket, folder=folder)
    return lambda: Status(
        f"Archive in {opened.where}",
        int(time.time()),
        read.of_archive(opened.vault, org, time.time(), lives=folder is None),
    )


def _watch(look: Look, every: int, console: Console) -> NoReturn:
    with Live(Shown(look()), console=console, auto_refresh=False, screen=False) as live:
        while True:
            time.sleep(every)
            live.update(Shown(look()), refresh=True)
