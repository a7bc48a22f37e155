"""Is every id there once? A fixed few bytes for each event, in a temporary file where there are many."""

import sys
from collections.abc import Iterator
from hashlib import blake2b
from itertools import pairwise
from tempfile import TemporaryFile
from typing import BinaryIO

PARTS = 256  # one is looked at at a time, so only that much is ever unfolded
DIGEST = 16  # bytes: two ids that share it are the same id (by chance: once in 10^26 for 100 million events)
NUMBER = 5  # bytes, for the number of an entry
RECORD = DIGEST + NUMBER
MOST_HELD = 8 << 20  # bytes in memory: 400,000 events


def short(identity: str) -> bytes:
    """The digest that stands for an id."""
    return blake2b(identity.encode(), digest_size=DIGEST).digest()


class Ids:
    """Which entry brought which id."""

    def __init__(self, most_held: int = MOST_HELD) -> None:
        self._parts = [bytearray() for _ in range(PARTS)]
        self._places: list[list[tuple[int, int]]] = [[] for _ in range(PARTS)]  # what of each part is in the file
        self._held, self._most_held = 0, most_held
        self._file: BinaryIO | None = None
        self._end = 0

    def add(self, digests: list[bytes], number: int) -> None:
        """What one entry's batch holds."""
        tail = number.to_bytes(NUMBER)
        for digest in digests:
            self._parts[digest[0]] += digest + tail
        self._held += RECORD * len(digests)
        if self._held >= self._most_held:
            self._put_aside()

    def repeated(self) -> Iterator[tuple[bytes, int, int]]:
        """Each repeat: the id's digest, the entry that had it before, and the one that has it again."""
        for part, places in zip(self._parts, self._places, strict=True):
            whole = b"".join([*map(self._read, places), part])
            records = sorted(whole[at : at + RECORD] for at in range(0, len(whole), RECORD))
            for before, after in pairwise(records):
                if before[:DIGEST] == after[:DIGEST]:
                    yield after[:DIGEST], int.from_bytes(before[DIGEST:]), int.from_bytes(after[DIGEST:])

    def close(self) -> None:
        """The temporary file goes."""
        if self._file is not None:
            self._file.close()

    def _put_aside(self) -> None:
        """Moves what is held into the file. Where that has no room, memory is the place that is left."""
        try:
            self._file = self._file or TemporaryFile(buffering=0)  # noqa: SIM115 - `close` does
            self._file.seek(self._end)
            if any(self._file.write(part) < len(part) for part in self._parts):
                raise OSError
        except OSError:
            self._most_held = sys.maxsize
            return
        for part, places in zip(self._parts, self._places, strict=True):
            places.append((self._end, len(part)))
            self._end += len(part)
            part.clear()
        self._held = 0

    def _read(self, place: tuple[int, int]) -> bytes:
        if self._file is None:
            return b""
        self._file.seek(place[0])
        return self._file.read(place[1])
