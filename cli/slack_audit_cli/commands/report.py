"""slack-audit report."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from slack_audit.events import EARLIEST_SECOND
from slack_audit.selection import Selection
from slack_audit.verify.prove import Proof, prove
from slack_audit.verify.vault import Vault
from slack_audit_cli import asked, options
from slack_audit_cli.codes import WELL, WRONG
from slack_audit_cli.opened import Account, archive, progress, told_what_to_do
from slack_audit_cli.page.gathered import gathered
from slack_audit_cli.page.values import Asked, data_of, values_of
from slack_audit_cli.whole import told_if_unwritten, whole

ROWS = 20_000
CLOCKS = timedelta(minutes=5)  # by which an entry's time may be before that of the seconds it read


@options.chooses
def report(
    output: Annotated[Path, typer.Option(metavar="FILE", help="The HTML file that is written.")],
    bucket: options.Bucket = None,
    folder: options.Folder = None,
    stack: options.Stack = None,
    org: options.Org = "main",
    which: options.Which = options.ALL,
    rows: Annotated[int, typer.Option(metavar="N", min=100, max=200_000, help="Most events in the page.")] = ROWS,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Writes one HTML page on a part of the archive: figures, charts, what is notable, and how far it is proven.

    Ends with 0 if the part is proven, 1 if it is not (the page says what is wrong), 2 if there is no page.
    """
    now = datetime.now(UTC)
    name = asked.typed("--org", asked.org, org)
    wanted = asked.selection(which, now)
    from slack_audit_cli.page.render import page  # noqa: PLC0415 - half a second, which no other command needs

    with told_what_to_do("There is no report."), told_if_unwritten(output), whole(output) as out:
        opened = archive(Account(region, profile, endpoint_url), stack=stack, bucket=bucket, folder=folder)
        proof = _proven(name, opened.vault, wanted)
        with progress("reading") as tell:
            found = gathered(name, opened.vault, wanted, proof, rows, tell)
        of = Asked(name, opened.where, wanted, now)
        pieces = page(values_of(of, proof, found), data_of(of, found))
        out.writelines(pieces)
    typer.echo(f"{output}: {sum(map(len, pieces)):,} bytes, SHA-256 {_digest(pieces)}", err=True)
    raise typer.Exit(WELL if proof.proven else WRONG)


def _proven(org: str, vault: Vault, wanted: Selection) -> Proof:
    """Of all that was written since the first second that is asked for: nothing of it can stand before."""
    since = None if wanted.since is None else datetime.fromtimestamp(max(wanted.since, EARLIEST_SECOND), UTC) - CLOCKS
    with progress("verifying") as tell:
        return prove(org, vault, since=since, progress=tell)


def _digest(pieces: list[bytes]) -> str:
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
