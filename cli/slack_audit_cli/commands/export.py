"""slack-audit export."""

from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from slack_audit.verify.prove import Head
from slack_audit.verify.vault import Vault
from slack_audit_cli import asked, options
from slack_audit_cli.codes import WELL, WRONG
from slack_audit_cli.committed import must_have_a_log
from slack_audit_cli.evidence.checking import check as checked
from slack_audit_cli.evidence.layout import NotAPackageError
from slack_audit_cli.evidence.making import Request, make
from slack_audit_cli.evidence.told import show
from slack_audit_cli.opened import Account, archive, progress, told_what_to_do
from slack_audit_cli.whole import part_of, told_if_unwritten, whole


@options.chooses
def export(
    stack: options.Stack = None,
    bucket: options.Bucket = None,
    folder: options.Folder = None,
    org: options.Org = "main",
    which: options.Which = options.ALL,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The package, a zip that is not there yet.")
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who makes it, and signs it off.")] = None,
    case: Annotated[str, typer.Option(metavar="TEXT", help="Which case it is for.")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="What else should be known.")] = "",
    batches: Annotated[
        bool, typer.Option("--batches", help="Also the whole objects, so that it is proven without the archive.")
    ] = False,
    since: Annotated[
        str | None, typer.Option("--verify-since", metavar="TIME", help="Verify only what was written since then.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check this package instead of making one.")
    ] = None,
    head: Annotated[str | None, typer.Option(metavar="N:SHA256", help="With --check: a head that was kept.")] = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Makes an evidence package: the selected events, their log entries, a verification, and a manifest of digests.

    Ends with 0 if it is made and the archive is proven, 1 if it is made and the archive has findings, 2 if it is not
    made. With --check: 0 if the package is whole, 1 if it was altered, 2 if it is no package.
    """
    if check is not None:
        if output is not None:
            raise typer.BadParameter("it checks, and makes none: leave --output out", param_hint="--check")
        _check(check, asked.typed("--head", asked.head, head) if head is not None else None)
    if head is not None:
        raise typer.BadParameter("it is compared by --check, not where a package is made", param_hint="--head")
    if output is None or not by or not by.strip():
        raise typer.BadParameter("a package needs a file and somebody who signs it off", param_hint="--output and --by")
    if output.exists():
        raise typer.BadParameter(f"{output} is there already: evidence is not overwritten", param_hint="--output")
    now = datetime.now(UTC)
    request = Request(
        org=asked.typed("--org", asked.org, org),
        selection=asked.selection(which, now),
        by=by,
        case=case,
        note=note,
        with_batches=batches,
        since=asked.typed("--verify-since", lambda text: asked.moment(text, now), since) if since is not None else None,
    )
    with told_what_to_do():
        opened = archive(Account(region, profile, endpoint_url), stack=stack, bucket=bucket, folder=folder)
        must_have_a_log(request.org, opened.vault)
        _make(request, opened.vault, opened.where, output, now)


def _make(request: Request, vault: Vault, source: str, output: Path, now: datetime) -> None:
    """Makes it, checks it before it gets its name, and says what it is."""
    with told_if_unwritten(output), whole(output) as out:
        manifest = make(request, vault, source, out, progress, now)
        out.flush()
        if not (found := checked(part_of(output))).whole:
            show(found, _digest(part_of(output)), Console(stderr=True))
            raise NotAPackageError("The package is not what it should be: make it again, on another disk.")
    show(found, _digest(output), Console())
    raise typer.Exit(WELL if manifest.verification.proven else WRONG)


def _check(path: Path, head: Head | None) -> None:
    with told_what_to_do("The package could not be checked."):
        found = checked(path, head)
        digest = _digest(path)
    show(found, digest, Console())
    raise typer.Exit(WELL if found.whole else WRONG)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()
