"""What a verification needs from where the archive stands, and how it looks for a place in the log."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Protocol

LONG_AFTER = datetime.max.replace(tzinfo=UTC)


class Vault(Protocol):
    """Where an archive stands, or a copy of it. Only reads. Raises StorageError."""

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Every key with the prefix that comes after another one, in order."""

    def get(self, key: str) -> bytes | None:
        """An object's bytes, None if there is none."""

    def get_many(self, keys: Iterable[str]) -> Iterator[bytes | None]:
        """The same for many, in their order. It may fetch a few ahead."""


def fetched[T](vault: Vault, items: Iterable[T], key_of: Callable[[T], str]) -> Iterator[tuple[T, bytes | None]]:
    """Each item with its object."""
    waiting: deque[T] = deque()

    def keys() -> Iterator[str]:
        for item in items:
            waiting.append(item)
            yield key_of(item)

    for body in vault.get_many(keys()):
        yield waiting.popleft(), body


def newest_number(is_there: Callable[[int], bool]) -> int | None:
    """The last of the numbers that are there from 0 on without a gap, in a few looks; None if there is none."""
    if not is_there(0):
        return None
    above = 1
    while is_there(above):
        above *= 2
    return bisect_left(range(above), True, lo=above // 2 + 1, key=lambda number: not is_there(number)) - 1


def first_since(since: datetime, newest: int, time_of: Callable[[int], datetime | None]) -> int:
    """The first number with a time from `since` on, in a few looks; one more than `newest` if there is none.

    An entry without a time counts as late, so that it is among those that are looked at.
    """
    return bisect_left(range(newest + 1), since, key=lambda number: time_of(number) or LONG_AFTER)
