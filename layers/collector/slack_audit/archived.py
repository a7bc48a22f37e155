"""What the log says that stands in the archive, read back and checked."""

from collections.abc import Iterator

from slack_audit.batches import unpack
from slack_audit.errors import ArchiveDamagedError
from slack_audit.events import Event
from slack_audit.log import LogEntry, decode, digest, log_key
from slack_audit.ports import Archive

RESTORE = "Restore it from the bucket's object versions."


def entry_at(org: str, number: int, archive: Archive) -> LogEntry:
    """The entry of a number that was committed. Raises StorageError."""
    key = log_key(org, number)
    body = archive.get(key)
    if body is None:
        raise ArchiveDamagedError(f"{key} is missing. {RESTORE}")
    return decode(body, key)


def events_in(key: str, sealed: str | None, archive: Archive) -> Iterator[Event]:
    """The events, one at a time, of a committed object whose bytes must have the digest that its entry says.

    Raises StorageError.
    """
    body = archive.get(key)
    if body is None:
        raise ArchiveDamagedError(f"{key} is missing. {RESTORE}")
    if digest(body) != sealed:
        raise ArchiveDamagedError(f"{key} has other bytes than its log entry says. {RESTORE}")
    return unpack(body)
