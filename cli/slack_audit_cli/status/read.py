"""Where organisations stand, read: from the table of a stack, or from the log of an archive, which is the authority."""

from collections.abc import Iterator
from datetime import datetime

from slack_audit.adapters.dynamodb import DynamoDBStandpoints
from slack_audit.errors import ArchiveDamagedError
from slack_audit.log import LogEntry, decode, log_key, log_prefix
from slack_audit.recover import newest_number
from slack_audit.verify.vault import Vault
from slack_audit_cli.deployed import Deployed
from slack_audit_cli.opened import Account
from slack_audit_cli.status.state import OrgState, limits_of, of_checkpoint, of_entry


def of_stack(account: Account, stack: Deployed, org: str | None, now: float) -> list[OrgState]:
    """Each organisation of the stack, or one. Raises StorageError, BotoCoreError and typer.BadParameter."""
    table = DynamoDBStandpoints(account.client("dynamodb"), stack.output("CheckpointTableName"))
    limits = limits_of(stack.parameters, paused=stack.is_paused)
    orgs = stack.orgs if org is None else [stack.chosen(org)]
    return [of_checkpoint(name, table.look(name), limits, now) for name in orgs]


def of_archive(vault: Vault, org: str | None, now: float, *, lives: bool) -> list[OrgState]:
    """Each organisation that has a log, or one. Of an archive that lives on, the newest entry must not be old.

    Raises StorageError.
    """
    found = []
    for name in orgs_in(vault) if org is None else [org]:
        entry = newest(vault, name)
        if entry is None:
            found.append(OrgState(org=name, problems=["There is no log. Check --org, and where the archive is."]))
        else:
            age = int(now - datetime.fromisoformat(entry.time).timestamp())
            found.append(of_entry(entry, now, age if lives else None))
    return found


def orgs_in(vault: Vault) -> Iterator[str]:
    """The organisations that have a log, by a look for each."""
    after = ""
    while key := next(vault.keys("log/", after=after), None):
        org = key.removeprefix("log/org=").partition("/")[0]
        yield org
        after = f"log/org={org}0"  # the character after the slash: past all of its entries


def newest(vault: Vault, org: str) -> LogEntry | None:
    """The newest entry of a log, in logarithmically many looks. Raises StorageError."""
    number = newest_number(lambda it: vault.get(log_key(org, it)) is not None)
    if number is None:
        if next(vault.keys(log_prefix(org)), None) is None:
            return None
        raise ArchiveDamagedError(f"{log_key(org, 0)} is missing, and later ones are there. Run slack-audit verify.")
    key = log_key(org, number)
    return decode(vault.get(key) or b"", key)
