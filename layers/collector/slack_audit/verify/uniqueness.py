"""Is every id there once? A fixed few bytes for each event, however many there are."""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import pairwise

PARTS = 256  # one is looked at at a time, so only that much is ever unfolded
DIGEST = 16  # bytes: two ids that share it are the same id (by chance: once in 10^26 for 100 million events)
NUMBER = 5  # bytes, for the number of an entry
RECORD = DIGEST + NUMBER


def short(identity: str) -> bytes:
    """The digest that stands for an id."""
    return blake2b(identity.encode(), digest_size=DIGEST).digest()


class Ids:
    """Which entry brought which id."""

    def __init__(self) -> None:
        self._parts = [bytearray() for _ in range(PARTS)]

    def add(self, digests: list[bytes], number: int) -> None:
        """What one entry's batch holds."""
        tail = number.to_bytes(NUMBER)
        for digest in digests:
            self._parts[digest[0]] += digest + tail

    def repeated(self) -> Iterator[tuple[bytes, int, int]]:
        """Each repeat: the id's digest, the entry that had it before, and the one that has it again."""
        for part in self._parts:
            records = sorted(bytes(part[at : at + RECORD]) for at in range(0, len(part), RECORD))
            for before, after in pairwise(records):
                if before[:DIGEST] == after[:DIGEST]:
                    yield after[:DIGEST], int.from_bytes(before[DIGEST:]), int.from_bytes(after[DIGEST:])
