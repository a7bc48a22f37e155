"""Every event of the organisation, by second, and the cutting of pages out of it.

Slack answers newest first, and events of one second come in no stable order: two captures of one organisation, 198 s
apart, list the same events of a second differently.
So the order inside a second depends on a seed that each walk carries in its cursor: stable within a walk, another one
in the next.
"""

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

_MASK = 0xFFFFFFFF
BEFORE_ALL = -1  # a rank before every event of a second


class Event(NamedTuple):
    """One entry as it goes over the wire, and what the filters of `/logs` need to know of it."""

    second: int
    raw: bytes
    action: str = ""
    actor: str = ""
    entity: str = ""


class Place(NamedTuple):
    """How far a walk has come: behind the event of this rank in this second."""

    second: int
    rank: int
    seed: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What a call asks for. Both ends of the range are inclusive; the filters add up."""

    oldest: int | None = None
    latest: int | None = None
    actions: frozenset[str] = frozenset()
    actor: str = ""
    entity: str = ""

    @property
    def filtered(self) -> bool:
        """Whether any of the filters is set."""
        return bool(self.actions or self.actor or self.entity)

    def takes(self, event: Event) -> bool:
        """Whether the filters let this event through."""
        return (
            (not self.actions or event.action in self.actions)
            and (not self.actor or event.actor == self.actor)
            and (not self.entity or event.entity == self.entity)
        )


class Cut(NamedTuple):
    """The events of one page, where it ends, and whether there is anything behind it."""

    events: list[Event]
    place: Place
    more: bool


class History:
    """Events that are visible now, and those whose time has not come."""

    def __init__(self) -> None:
        self._seconds: list[int] = []
        self._by_second: dict[int, list[Event]] = {}
        self._hidden: list[tuple[float, int, Event]] = []
        self._arrivals = count()
        self.visible = 0

    @property
    def total(self) -> int:
        """Visible or not."""
        return self.visible + len(self._hidden)

    @property
    def newest(self) -> int:
        """The newest second with a visible event, 0 when there is none."""
        return self._seconds[-1] if self._seconds else 0

    def hide(self, event: Event, until: float) -> None:
        """Keep an event that `reveal` brings to light at that time."""
        heapq.heappush(self._hidden, (until, next(self._arrivals), event))

    def reveal(self, now: float) -> int:
        """Make visible what was hidden until now; tell how many that were."""
        due: list[Event] = []
        while self._hidden and self._hidden[0][0] <= now:
            due.append(heapq.heappop(self._hidden)[2])
        self.add(due)
        return len(due)

    def add(self, events: Iterable[Event]) -> None:
        """Make these visible at once."""
        fresh: list[int] = []
        for event in events:
            crowd = self._by_second.get(event.second)
            if crowd is None:
                self._by_second[event.second] = [event]
                fresh.append(event.second)
            else:
                crowd.append(event)
            self.visible += 1
        self._note(fresh)

    def page(self, selection: Selection, start: Place, size: int, *, whole_seconds: bool = False) -> Cut:
        """The next `size` events behind `start`, newest first; more of them when a second must not be cut."""
        taken: list[Event] = []
        place = start
        for second, crowd in self.crowds(selection, start):
            room = size - len(taken)
            if room <= 0:
                return Cut(taken, place, more=True)
            if len(crowd) > room and not whole_seconds:
                taken += [event for _, event in crowd[:room]]
                return Cut(taken, Place(second, crowd[room - 1][0], start.seed), more=True)
            taken += [event for _, event in crowd]
            place = Place(second, crowd[-1][0], start.seed)
        return Cut(taken, place, more=False)

    def oldest_first(self, oldest: int | None = None, latest: int | None = None) -> Iterator[list[Event]]:
        """All that is visible, a second at a time, in the order of arrival inside it."""
        low, high = self._range(Selection(oldest, latest))
        for second in self._seconds[low:high]:
            yield list(self._by_second[second])

    def _note(self, fresh: list[int]) -> None:
        if len(fresh) == 1:
            insort(self._seconds, fresh[0])
        elif fresh:
            self._seconds += fresh
            self._seconds.sort()

    def _range(self, selection: Selection) -> tuple[int, int]:
        low = 0 if selection.oldest is None else bisect_left(self._seconds, selection.oldest)
        high = len(self._seconds) if selection.latest is None else bisect_right(self._seconds, selection.latest)
        return low, high

    def crowds(self, selection: Selection, start: Place) -> Iterator[tuple[int, list[tuple[int, Event]]]]:
        """What is selected behind `start`, newest first: a second's events with their ranks, in the walk's order."""
        low, high = self._range(selection)
        high = min(high, bisect_right(self._seconds, start.second))
        for index in range(high - 1, low - 1, -1):
            second = self._seconds[index]
            everybody = self._by_second[second]
            if selection.filtered and not any(map(selection.takes, everybody)):
                continue
            crowd = _ranked(everybody, start.seed)
            if second == start.second:
                crowd = [tie for tie in crowd if tie[0] > start.rank]
            if selection.filtered:
                crowd = [tie for tie in crowd if selection.takes(tie[1])]
            if crowd:
                yield second, crowd


def _ranked(crowd: list[Event], seed: int) -> list[tuple[int, Event]]:
    """The events of one second in this seed's order. Ranks are unique, and a later arrival changes none of them."""
    odd = seed | 1
    if len(crowd) == 1:
        return [(odd & _MASK, crowd[0])]
    by_rank = {number * odd & _MASK: event for number, event in enumerate(crowd, 1)}
    return [(rank, by_rank[rank]) for rank in sorted(by_rank)]
