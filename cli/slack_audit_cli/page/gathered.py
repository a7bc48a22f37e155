"""A part of an archive, read and counted for a report: also where the archive is damaged, as far as it can be read."""

import gc
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from slack_audit.errors import ArchiveDamagedError
from slack_audit.log import decode, log_prefix
from slack_audit.selection import Selection
from slack_audit.verify.prove import Proof
from slack_audit.verify.vault import Vault, fetched
from slack_audit_cli import committed
from slack_audit_cli.committed import Committed, Progress, Tally
from slack_audit_cli.page.figures import Figures
from slack_audit_cli.page.reading import told_of
from slack_audit_cli.page.rows import Rows, Table


class Gathered(msgspec.Struct, frozen=True):
    """What a page shows of the events. `unreadable` are the keys of batches that had to be left out."""

    figures: Figures
    table: dict[str, list[Any]]
    batches: int
    unreadable: list[str]


def gathered(
    org: str, vault: Vault, selection: Selection, proof: Proof, most_rows: int, progress: Progress
) -> Gathered:
    """Reads what is wanted of what was proven, up to its head. Where the proof found something, every batch is tried
    first, and left out if it cannot be read. Raises StorageError and SelectionError."""
    sound, last = proof.proven, proof.head.number if proof.head else -1
    named = committed.batches(org, vault if sound else _Readable(vault, org), selection, progress)
    chosen = (it for it in named if it.entry.number <= last)
    unreadable: list[str] = []
    left = chosen if sound else list(_readable(list(chosen), vault, unreadable))
    figures, rows, tally = Figures(selection.since, selection.until), Rows(most_rows), Tally()
    with _without_cycles():
        for found in committed.in_time(left, vault, selection, tally):
            it = told_of(found)
            figures.add(it)
            rows.add(found, it)
        table = Table(figures.actors, figures.places).as_json(rows.kept())
    return Gathered(figures, table, tally.batches, sorted(unreadable))


@contextmanager
def _without_cycles() -> Iterator[None]:
    """Events hold no cycles, and to look for some in them takes a third of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _readable(chosen: list[Committed], vault: Vault, unreadable: list[str]) -> Iterator[Committed]:
    """The batches that are what their entries say; the keys of the others go to `unreadable`."""
    for batch, body in fetched(vault, chosen, lambda it: it.entry.key or ""):
        try:
            for _ in committed.wanted(batch.entry, body, Selection()):
                pass
        except (ArchiveDamagedError, zlib.error):
            unreadable.append(batch.entry.key or "")
        else:
            yield batch


class _Readable:
    """A vault without the log entries that nobody can read: the verification names them."""

    def __init__(self, vault: Vault, org: str) -> None:
        self._vault = vault
        self._log = log_prefix(org)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """As the vault has it."""
        return self._vault.keys(prefix, after)

    def get(self, key: str) -> bytes | None:
        """None also for an entry that cannot be read."""
        return self._checked(key, self._vault.get(key))

    def get_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """The same for many, in their order."""
        return (self._checked(key, body) for key, body in fetched(self._vault, keys, lambda key: key))

    def _checked(self, key: str, body: bytes | None) -> bytes | None:
        if body is None or not key.startswith(self._log):
            return body
        try:
            decode(body, key)
        except ArchiveDamagedError:
            return None
        return body
