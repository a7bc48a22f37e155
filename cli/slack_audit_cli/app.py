"""The commands. Each reads what was asked, does one thing, and ends with a code that is documented.

0 done and well, 1 done and something is wrong, 2 not done: it was asked wrongly, or could not be read.
The doctor alone has a 3: nothing is known to be wrong, but something could not be told.
"""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import boto3
import typer
from botocore.exceptions import BotoCoreError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from slack_audit import __version__
from slack_audit.adapters.vault_folder import FolderVault
from slack_audit.adapters.vault_s3 import ADVICE, CLIENT, S3Vault
from slack_audit.check import Outcome
from slack_audit.errors import StorageError
from slack_audit.verify.prove import Proof, prove
from slack_audit.verify.vault import Vault
from slack_audit_cli import asked
from slack_audit_cli.doctor import report as doctor_report
from slack_audit_cli.doctor.examine import examine
from slack_audit_cli.doctor.token import read as read_token
from slack_audit_cli.report import as_json, show

WELL, WRONG, NOT_DONE, UNKNOWN = 0, 1, 2, 3

CODES = {
    Outcome.OK: WELL,
    Outcome.WARNING: WELL,
    Outcome.MISSING: WRONG,
    Outcome.FAILED: WRONG,
    Outcome.UNKNOWN: UNKNOWN,
}
SLACK_API_URL = "https://api.slack.com/audit/v1"

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def main() -> None:
    """`slack-audit`. A crash is not done, which must not look like a finding."""
    try:
        app(prog_name="slack-audit")
    except Exception:  # noqa: BLE001 - whatever it is: its traceback, and the code for it
        traceback.print_exc()
        sys.exit(NOT_DONE)


@app.callback()
def slack_audit() -> None:
    """Looks after a Slack audit log archive."""


@app.command()
def version() -> None:
    """Prints the version."""
    print(__version__)


@app.command()
def verify(
    bucket: Annotated[str | None, typer.Option(metavar="NAME", help="The bucket of the archive.")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A copy of the bucket instead, as aws s3 sync makes it.")
    ] = None,
    org: Annotated[str, typer.Option(metavar="ORG", help="The organisation's short name.")] = "main",
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only what was written since then: 2d, 36h, 2026-01-01."),
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="N:SHA256", help="The head that an earlier verification printed.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings, such as orphans, end with 1 too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="AWS region.")] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="Profile of the AWS credentials.")] = None,
    endpoint_url: Annotated[str | None, typer.Option(metavar="URL", help="Another endpoint than AWS's.")] = None,
) -> None:
    """Proves an archive from its objects alone: nothing missing, repeated or altered.

    Ends with 0 if it is proven, 1 if not (what is wrong is named), 2 if it was asked wrongly or could not be read.
    """
    name = _typed("--org", asked.org, org)
    from_when = _typed("--since", lambda text: asked.moment(text, datetime.now(UTC)), since) if since else None
    kept = _typed("--head", asked.head, head) if head else None
    with _told_what_to_do():
        vault, where = _vault(bucket, folder, region=region, profile=profile, endpoint_url=endpoint_url)
        with _progress() as progress:
            proof = prove(name, vault, since=from_when, head=kept, progress=progress)
    if json:
        print(as_json(proof))
    else:
        show(proof, where, Console())
    raise typer.Exit(_code(proof, strict=strict))


@app.command()
def doctor(
    stack: Annotated[str | None, typer.Option(metavar="NAME", help="A deployed stack to look at.")] = None,
    token_from: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="A token to try, before a deployment: env:NAME, file:PATH or -."),
    ] = None,
    slack_api_url: Annotated[
        str, typer.Option(metavar="URL", help="Where the token is tried, as the parameter SlackApiUrl.")
    ] = SLACK_API_URL,
    org: Annotated[
        str | None, typer.Option(metavar="ORG", help="Only this organisation of the stack; else all of them.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    region: Annotated[str | None, typer.Option(metavar="REGION", help="AWS region.")] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="Profile of the AWS credentials.")] = None,
    endpoint_url: Annotated[str | None, typer.Option(metavar="URL", help="Another endpoint than AWS's.")] = None,
) -> None:
    """Says what is wrong with a token, an AWS account or a deployed stack, and what to do. Collects nothing.

    Ends with 0 if all is well or only to be looked at, 1 if something must be mended, 2 if it was asked wrongly, 3 if
    something could not be told.
    """
    if stack is None and token_from is None:
        raise typer.BadParameter("name one of the two, or both", param_hint="--stack or --token-from")
    if org is not None:
        _typed("--org", asked.org, org)
    url = _typed("--slack-api-url", asked.slack_api_url, slack_api_url)
    token = None if token_from is None else _typed("--token-from", read_token, token_from)
    sections = examine(region, profile, endpoint_url, stack=stack, org=org, token=token, slack_api_url=url)
    if json:
        print(doctor_report.as_json(sections))
    else:
        doctor_report.show(sections, Console())
    raise typer.Exit(CODES[doctor_report.verdict(sections)])


def _code(proof: Proof, *, strict: bool) -> int:
    return WELL if proof.proven and not (strict and proof.warnings) else WRONG


def _typed[T](option: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _vault(
    bucket: str | None, folder: Path | None, *, region: str | None, profile: str | None, endpoint_url: str | None
) -> tuple[Vault, str]:
    if (bucket is None) == (folder is None):
        raise typer.BadParameter("name one of the two", param_hint="--bucket or --folder")
    if folder is not None:
        return FolderVault(folder), str(folder)
    session = boto3.Session(profile_name=profile, region_name=region)
    try:
        client = session.client("s3", endpoint_url=endpoint_url, config=CLIENT)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--endpoint-url or --region") from error
    return S3Vault(client, bucket or ""), f"s3://{bucket}"


@contextmanager
def _told_what_to_do() -> Iterator[None]:
    """What cannot be read ends with 2 and a sentence instead of a traceback."""
    try:
        yield
    except StorageError as error:
        reason = str(error)
    except BotoCoreError as error:
        reason = f"{error}. {ADVICE.get(type(error).__name__, 'Check the AWS configuration.')}"
    else:
        return
    typer.echo(f"The archive could not be read. {reason}", err=True)
    raise typer.Exit(NOT_DONE)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr where a person is looking at it."""
    console = Console(stderr=True)
    columns = (TextColumn("entries"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("entries", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
