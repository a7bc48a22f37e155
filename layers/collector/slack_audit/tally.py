"""How often each action was archived in a run: for the log, where counting costs nothing."""

from collections import Counter
from collections.abc import Iterable
from operator import attrgetter

import msgspec

from slack_audit.events import Event

MOST_NAMED = 50  # actions that a run's log names
MOST_KEPT = 2_000  # different ones that are counted: names come from outside, and memory must not hang on them
LONGEST_NAME = 128  # characters of a name that are kept; the longest one in Slack's list has 76
OTHER = "other"
NONE = "none"  # an event without an action


class Count(msgspec.Struct, frozen=True):
    """So many events with this action were archived by this kind of pass."""

    kind: str
    action: str
    events: int


class Tally:
    """Counts by the kind of a pass and by action."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, kind: str, events: Iterable[Event]) -> None:
        """These events were archived by a pass of this kind."""
        for action, count in Counter(map(attrgetter("action"), events)).items():
            named = kind, NONE if action is None else action[:LONGEST_NAME]
            known = named in self._counts or len(self._counts) < MOST_KEPT
            self._counts[named if known else (kind, OTHER)] += count

    def counts(self) -> list[Count]:
        """The most frequent ones, the most frequent first; the rest of each kind as `other`."""
        most = self._counts.most_common()
        rest: Counter[str] = Counter()
        for (kind, _), count in most[MOST_NAMED:]:
            rest[kind] += count
        named = [Count(kind, action, count) for (kind, action), count in most[:MOST_NAMED]]
        return named + [Count(kind, OTHER, count) for kind, count in rest.items()]
