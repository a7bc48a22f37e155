"""What a command works on, opened: an AWS account, an archive.

What fails ends with 2 and a sentence.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from slack_audit.adapters.vault_folder import FolderVault
from slack_audit.adapters.vault_s3 import ADVICE, CLIENT, S3Vault
from slack_audit.errors import CollectorError
from slack_audit.verify.vault import Vault
from slack_audit_cli.codes import NOT_DONE
from slack_audit_cli.deployed import deployed
from slack_audit_cli.doctor.looks import FORBIDDEN, LOG_IN, NEEDS
from slack_audit_cli.plain import on_one_line

HOW_TO_GO_ON = LOG_IN | ADVICE  # by the error's code or name
CALLS = Config(connect_timeout=3, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})


class Account(msgspec.Struct, frozen=True):
    """How AWS is reached: what was typed, each None where AWS's own configuration decides."""

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    def client(self, service: str, config: Config = CALLS) -> Any:
        """A client that always ends. Raises BotoCoreError, and typer.BadParameter for what was mistyped."""
        import boto3  # noqa: PLC0415 - half a second, which an archive in a folder does not need

        session = boto3.Session(profile_name=self.profile, region_name=self.region)
        try:
            return session.client(service, endpoint_url=self.endpoint_url, config=config)  # type: ignore[call-overload]
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--endpoint-url or --region") from error


class Archive(msgspec.Struct, frozen=True):
    """Where an archive is read from, and how a person calls that place."""

    vault: Vault
    where: str


def archive(
    account: Account, *, stack: str | None = None, bucket: str | None = None, folder: Path | None = None
) -> Archive:
    """The archive that one of the three names."""
    if (stack is not None) + (bucket is not None) + (folder is not None) != 1:
        raise typer.BadParameter("name one of the three", param_hint="--stack, --bucket or --folder")
    if folder is not None:
        return Archive(FolderVault(folder), str(folder))
    name = bucket if stack is None else deployed(account, stack).output("ArchiveBucketName")
    return Archive(S3Vault(account.client("s3", CLIENT), name or ""), f"s3://{name}")


@contextmanager
def told_what_to_do(what: str = "The archive could not be read.") -> Iterator[None]:
    """What cannot be done ends with 2 and a sentence instead of a traceback."""
    try:
        yield
    except CollectorError as error:
        reason = str(error)
    except ClientError as error:
        reason = f"{str(error).rstrip('.')}. {_advice(error)}"
    except BotoCoreError as error:
        advice = HOW_TO_GO_ON.get(type(error).__name__, "Check the AWS configuration.")
        reason = f"{str(error).rstrip('.')}. {advice}"
    else:
        return
    typer.echo(on_one_line(f"{what} {reason}"), err=True)
    raise typer.Exit(NOT_DONE)


def _advice(error: ClientError) -> str:
    code = error.response["Error"]["Code"]
    if code in FORBIDDEN:
        return f"It needs {NEEDS.get(error.operation_name, error.operation_name)}."
    return HOW_TO_GO_ON.get(code, "Check the name, the region and the permissions.")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr where a person is looking at it: told how many of how many are done."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
