"""What is read in: the lines of the batches that were asked for, and the entries of the log."""

import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from slack_audit.batches import window_of_key
from slack_audit.errors import ArchiveDamagedError
from slack_audit.log import decode, digest, log_key
from slack_audit.selection import Selection
from slack_audit.verify.vault import Vault, fetched, first_since, newest_number
from slack_audit_cli.committed import VERIFY, Committed, Progress, batches, listed, untold

type Fields = tuple[bytes, ...]  # of one line that is read in, what stood in the archive last

GZIP = 31  # zlib's word for gzip


class Source(msgspec.Struct, frozen=True):
    """An archive's vault and how it is called, the org, and what of it was asked for."""

    vault: Vault
    where: str
    org: str
    selection: Selection

    def lines(self, *, orphans: bool, progress: Progress = untold) -> Iterator[Fields]:
        """Every line of every committed batch, checked, and of the objects that no entry names if they are wanted.

        Raises StorageError, also where a batch is not what its entry says.
        """
        committed: set[str] = set()
        for batch, body in fetched(self.vault, batches(self.org, self.vault, self.selection, progress), _key_of):
            committed.add(_key_of(batch))
            yield from self._of(_key_of(batch), _checked(batch, body), b"1")
        if orphans:
            yield from self._orphans(committed)

    def entries(self, progress: Progress = untold) -> Iterator[Fields]:
        """Every entry that was written since what was asked for began. Raises StorageError."""
        newest = newest_number(lambda number: self.vault.get(log_key(self.org, number)) is not None)
        if newest is None:
            return
        numbers = range(self._first(newest), newest + 1)
        for done, (number, body) in enumerate(fetched(self.vault, numbers, lambda it: log_key(self.org, it))):
            progress(done, len(numbers))
            if body is not None:
                yield self._named(log_key(self.org, number)), body.strip().replace(b"\n", b" ")
        progress(len(numbers), len(numbers))

    def _first(self, newest: int) -> int:
        since = self.selection.since
        return 0 if since is None else first_since(datetime.fromtimestamp(since, UTC), newest, self._time_of)

    def _time_of(self, number: int) -> datetime | None:
        key = log_key(self.org, number)
        body = self.vault.get(key)
        return None if body is None else datetime.fromisoformat(decode(body, key).time)

    def _orphans(self, committed: set[str]) -> Iterator[Fields]:
        lost = [key for key in self._keys() if key not in committed]
        for key, body in fetched(self.vault, lost, str):
            if body is not None:
                yield from self._of(key, _unpacked(body) or [], b"0")

    def _keys(self) -> Iterator[str]:
        """Of all objects whose window was asked for, and of those whose name tells none."""
        for key in listed(self.org, self.vault, self.selection):
            named = window_of_key(key)
            if named is None or self.selection.overlaps(named[0]):
                yield key

    def _of(self, key: str, lines: Iterable[bytes], committed: bytes) -> Iterator[Fields]:
        day = key.partition("/dt=")[2].partition("/")[0].encode()
        name = self._named(key)
        return ((name, day, committed, line) for line in lines if line)

    def _named(self, key: str) -> bytes:
        return f"{self.where}/{key}".encode(errors="replace").replace(b"\n", b" ")


def _key_of(batch: Committed) -> str:
    return batch.entry.key or ""


def _checked(batch: Committed, body: bytes | None) -> list[bytes]:
    if body is None:
        raise ArchiveDamagedError(f"{batch.entry.key} is missing. {VERIFY}")
    lines = _unpacked(body) if digest(body) == batch.entry.sha256 else None
    if lines is None:
        raise ArchiveDamagedError(f"{batch.entry.key} has other bytes than its log entry says. {VERIFY}")
    return lines


def _unpacked(body: bytes) -> list[bytes] | None:
    """None for what is no gzip."""
    try:
        return zlib.decompress(body, GZIP).split(b"\n")
    except zlib.error:
        return None
