"""What the commands actions and schemas have in common."""

from pathlib import Path

import msgspec
from rich.console import Console

from slack_audit.catalog import Kind
from slack_audit_cli import asked, options
from slack_audit_cli.catalogues.listed import Listed, as_json, ask, newest_kept, show
from slack_audit_cli.deployed import deployed
from slack_audit_cli.opened import Account, archive, told_what_to_do


class Where(msgspec.Struct, frozen=True):
    """Which archive, and how AWS is reached; all None where none is looked at."""

    stack: str | None
    bucket: str | None
    folder: Path | None
    org: str | None
    region: str | None
    profile: str | None
    endpoint_url: str | None

    @property
    def is_named(self) -> bool:
        """Is an archive looked at?"""
        return (self.stack, self.bucket, self.folder) != (None, None, None)

    @property
    def account(self) -> Account:
        """How AWS is reached."""
        return Account(self.region, self.profile, self.endpoint_url)


def tell(kind: Kind, where: Where, slack_api_url: str, search: str, *, json: bool) -> None:
    """Prints Slack's list. Raises typer.Exit and typer.BadParameter."""
    if where.org is not None:
        asked.typed("--org", asked.org, where.org)
    with told_what_to_do("The list could not be read."):
        listed = _listed(kind, where, slack_api_url)
    if json:
        print(as_json(listed, search))
    else:
        show(listed, search, Console())


def _listed(kind: Kind, where: Where, typed: str) -> Listed:
    url, org = typed, where.org or "main"
    if where.stack is not None:
        stack = deployed(where.account, where.stack)
        url, org = stack.slack_api_url(typed, options.SLACK_API_URL), stack.chosen(where.org)
    checked = asked.typed("--slack-api-url", asked.slack_api_url, url)
    if not where.is_named:
        return Listed(kind, ask(kind, checked, org))
    opened = archive(where.account, stack=where.stack, bucket=where.bucket, folder=where.folder)
    kept = newest_kept(kind, org, opened.vault)
    return Listed(kind, ask(kind, checked, org), kept, looked_for=True)
