"""slack-audit verify."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from slack_audit.verify.prove import Proof, prove
from slack_audit_cli import asked, options
from slack_audit_cli.codes import WELL, WRONG
from slack_audit_cli.opened import Account, archive, progress, told_what_to_do
from slack_audit_cli.proofs import as_json, show


def verify(
    bucket: options.Bucket = None,
    folder: options.Folder = None,
    stack: options.Stack = None,
    org: options.Org = "main",
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only what was written since then: 2d, 36h, 2026-01-01."),
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="N:SHA256", help="The head that an earlier verification printed.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings, such as orphans, end with 1 too.")] = False,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Proves an archive from its objects alone: nothing missing, repeated or altered.

    Ends with 0 if it is proven, 1 if not (what is wrong is named), 2 if it was asked wrongly or could not be read.
    """
    name = asked.typed("--org", asked.org, org)
    from_when = (
        asked.typed("--since", lambda text: asked.moment(text, datetime.now(UTC)), since) if since is not None else None
    )
    kept = asked.typed("--head", asked.head, head) if head is not None else None
    with told_what_to_do():
        opened = archive(Account(region, profile, endpoint_url), stack=stack, bucket=bucket, folder=folder)
        with progress("entries") as tell:
            proof = prove(name, opened.vault, since=from_when, head=kept, progress=tell)
    if json:
        print(as_json(proof))
    else:
        show(proof, opened.where, Console())
    raise typer.Exit(_code(proof, strict=strict))


def _code(proof: Proof, *, strict: bool) -> int:
    return WELL if proof.proven and not (strict and proof.warnings) else WRONG
