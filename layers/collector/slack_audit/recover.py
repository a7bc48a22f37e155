"""From whatever the table holds to what the log says: the log is the authority, the table a copy of it."""

from collections.abc import Callable

from slack_audit.checkpoint import Checkpoint
from slack_audit.errors import ArchiveDamagedError
from slack_audit.log import LogEntry, decode, digest, log_key, log_prefix
from slack_audit.ports import Archive


def roll_forward(org: str, checkpoint: Checkpoint, archive: Archive) -> Checkpoint:
    """The checkpoint after every entry that stands in the log. `next` is 0 if there is no log at all.

    A table that is far behind costs a few looks, not one for each entry: the newest entry alone says where things are.
    """
    if checkpoint.next == 0:
        there_is_a_log = archive.keys(log_prefix(org), after="", most=1)
        rebuilt = _newest_from(org, 0, checkpoint, archive) if there_is_a_log else None
        return rebuilt or Checkpoint(clock=checkpoint.clock, budget=checkpoint.budget)
    if not _is_followed(org, checkpoint, archive):
        return checkpoint
    key = log_key(org, checkpoint.next)
    body = _there(key, archive)
    following = checkpoint.after(decode(body, key), digest(body))
    return _newest_from(org, following.next, following, archive) or following


def _is_followed(org: str, checkpoint: Checkpoint, archive: Archive) -> bool:
    """Does the log go on after what the table knows? One look, which also shows that the two belong together."""
    newest = log_key(org, checkpoint.next - 1)
    before = log_key(org, checkpoint.next - 2) if checkpoint.next > 1 else ""
    found = archive.keys(log_prefix(org), after=before, most=2)
    if newest not in found:
        raise ArchiveDamagedError(
            f"{archive.uri(newest)} is missing, and the table says that it was written. Restore it from the bucket's "
            f"object versions; or, if the bucket was replaced on purpose, delete the table's item of org {org}."
        )
    return found[-1] != newest


def valid_plan(org: str, checkpoint: Checkpoint, archive: Archive) -> LogEntry | None:
    """The entry that an earlier run had planned, if it is the next one and its batch stands in the archive."""
    if checkpoint.plan is None:
        return None
    try:
        entry = decode(checkpoint.plan, f"the plan of org {org}")
    except ArchiveDamagedError:
        # The table is not evidence: at worst an orphan stays, which no log entry names.
        return None
    if (entry.number, entry.previous) != (checkpoint.next, checkpoint.head) or entry.key is None:
        return None
    body = archive.get(entry.key)
    return entry if body is not None and digest(body) == entry.sha256 else None


def newest_number(exists: Callable[[int], bool]) -> int | None:
    """The largest number of a gapless sequence from 0, in logarithmically many looks; None if it is empty."""
    if not exists(0):
        return None
    low, step = 0, 1
    while exists(low + step):
        low, step = low + step, step * 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if exists(middle) else (low, middle)
    return low


def _newest_from(org: str, first: int, checkpoint: Checkpoint, archive: Archive) -> Checkpoint | None:
    """The checkpoint after the newest entry from number `first` on; None if there is none."""
    newest = newest_number(lambda number: archive.exists(log_key(org, first + number)))
    if newest is None:
        return None
    key = log_key(org, first + newest)
    body = _there(key, archive)
    return checkpoint.restored(decode(body, key), digest(body), published=checkpoint.published if first else 0)


def _there(key: str, archive: Archive) -> bytes:
    body = archive.get(key)
    if body is None:
        raise ArchiveDamagedError(f"{key} was there a moment ago and is gone. Restore it from its object versions.")
    return body
