"""How a history that makes its events anew shows them: as the stand-in's own does, which remembers its events."""

from collections.abc import Callable, Iterator

from local.slack.history import Event, Place, Selection

_RANK = 0xFFFF_FFFF

type Crowds = Iterator[tuple[int, list[tuple[int, Event]]]]


def newest_first(
    events_of: Callable[[int], list[tuple[int, Event]]], first: int, newest: int, selection: Selection, start: Place
) -> Crowds:
    """Second by second, and in a second in the order of the walk's seed. `events_of` gives a second's events, each with
    its place in it; `first` and `newest` are the seconds that there are."""
    oldest = first if selection.oldest is None else max(selection.oldest, first)
    odd = start.seed | 1
    for second in range(min(start.second, newest), oldest - 1, -1):
        shown = events_of(second)
        if selection.filtered:
            shown = [(place, event) for place, event in shown if selection.takes(event)]
        crowd = sorted([((place + 1) * odd & _RANK, event) for place, event in shown])
        if second == start.second:
            crowd = [tie for tie in crowd if tie[0] > start.rank]
        if crowd:
            yield second, crowd
