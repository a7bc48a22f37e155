"""Calls: what a client sent, and the book that is kept of them."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

CALLS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Call:
    """What a client sent, as far as an answer depends on it."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = field(default=None, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)


class Recorded(NamedTuple):
    """A call that was made and how it ended: a status, or `reset`. The token is not kept."""

    time: float
    method: str
    path: str
    params: dict[str, str]
    outcome: str
    fault: str | None
    entries: int


class CallBook:
    """The last calls in full, and counts of all."""

    def __init__(self, known_paths: frozenset[str]) -> None:
        self._known = known_paths
        self._kept: deque[Recorded] = deque(maxlen=CALLS_KEPT)
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self.entries = 0

    def record(self, now: float, call: Call, *, outcome: str, fault: str | None = None, entries: int = 0) -> None:
        """Write down one call."""
        self._outcomes[call.path if call.path in self._known else "other", outcome] += 1
        self.entries += entries
        self._kept.append(Recorded(now, call.method, call.path, dict(call.params), outcome, fault, entries))

    def recent(self) -> list[Recorded]:
        """The last calls, oldest first."""
        return list(self._kept)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many calls of a path ended how."""
        counts: dict[str, dict[str, int]] = {}
        for (path, outcome), number in sorted(self._outcomes.items()):
            counts.setdefault(path, {})[outcome] = number
        return counts
