"""What the archive holds: the ids of the events that a window need not archive again.

Held are the ids in every object of the window's day whose window overlaps it, of any pass, and whose log entry names
exactly that key. An object that no entry names is an orphan and holds nothing: to take it for held would lose events.
"""

from bisect import bisect_left

import msgspec

from slack_audit.archived import entry_at, events_in
from slack_audit.batches import day_prefix, window_of_key
from slack_audit.events import Event
from slack_audit.log import LogEntry
from slack_audit.ports import Archive
from slack_audit.windows import Window

KEYS_A_LIST = 1_000  # the most that S3 gives in one answer
MOST_OBJECTS = 100  # that one window may overlap, so that dropping takes seconds and not minutes
SHORT = 1_800  # seconds; a window up to this cannot overlap that many, and is not worth a look
REMEMBERED = 4  # objects whose ids are kept: neighbouring windows overlap the same ones


class _Object(msgspec.Struct, frozen=True):
    key: str
    window: Window
    number: int


class Holdings:
    """What one run knows of the archive's objects. It stays true as long as nobody else commits: `forget` then.

    A listing made before another run committed cannot do harm: the log entry that relies on it has that run's number,
    and is refused.
    """

    def __init__(self, org: str, archive: Archive) -> None:
        self._org = org
        self._archive = archive
        self._days: dict[str, list[_Object]] = {}
        self._digests: dict[str, str | None] = {}
        self._ids: dict[str, frozenset[str]] = {}

    def forget(self) -> None:
        """Another run has committed: nothing that was listed counts any more."""
        self._days.clear()
        self._digests.clear()

    def add(self, entry: LogEntry) -> None:
        """Our own commit."""
        if entry.key is None or entry.window is None:
            return
        self._digests[entry.key] = entry.sha256
        if entry.window.day in self._days:
            self._days[entry.window.day].append(_Object(entry.key, entry.window, entry.number))

    def bounded(self, window: Window) -> Window:
        """The window, shortened where it overlaps more objects than can be looked into within a few seconds."""
        if window.seconds <= SHORT:
            return window
        starts = sorted(found.window.lo for found in self._overlapping(window))
        if len(starts) <= MOST_OBJECTS:
            return window
        return Window(window.lo, max(window.lo, starts[MOST_OBJECTS] - 1))

    def ids(self, window: Window, events: list[Event], following: int) -> set[str]:
        """The ids held for these events of the window by entries below number `following`. Raises StorageError.

        An event lies inside the window of the object that holds it, so only objects around one of them are read.
        """
        held: set[str] = set()
        around = [found for found in self._overlapping(window) if found.number < following]
        if not around:
            return held
        seconds = sorted(event.date_create for event in events if event.date_create is not None)
        has_timeless = len(seconds) < len(events)
        for found in around:
            is_near = has_timeless or _is_among(seconds, found.window)
            if is_near and (sealed := self._sealed(found)) is not None:
                held |= self._ids_in(found.key, sealed)
        return held

    def _overlapping(self, window: Window) -> list[_Object]:
        if window.day not in self._days:
            self._days[window.day] = self._list(day_prefix(self._org, window.day))
        return [found for found in self._days[window.day] if found.window.overlaps(window)]

    def _list(self, prefix: str) -> list[_Object]:
        found: list[_Object] = []
        after = ""
        while keys := self._archive.keys(prefix, after=after, most=KEYS_A_LIST):
            found += [_Object(key, *named) for key in keys if (named := window_of_key(key)) is not None]
            after = keys[-1]
            if len(keys) < KEYS_A_LIST:
                break
        return found

    def _sealed(self, found: _Object) -> str | None:
        """The digest that the log says the object has; None if the log does not name it."""
        if found.key not in self._digests:
            entry = entry_at(self._org, found.number, self._archive)
            self._digests[found.key] = entry.sha256 if entry.key == found.key else None
        return self._digests[found.key]

    def _ids_in(self, key: str, sealed: str) -> frozenset[str]:
        if key not in self._ids:
            events = events_in(key, sealed, self._archive)
            if len(self._ids) == REMEMBERED:
                self._ids.pop(next(iter(self._ids)))
            self._ids[key] = frozenset(event.id for event in events)
        return self._ids[key]


def _is_among(seconds: list[int], window: Window) -> bool:
    """Does one of the seconds, in order, lie in the window?"""
    at = bisect_left(seconds, window.lo)
    return at < len(seconds) and seconds[at] <= window.hi
