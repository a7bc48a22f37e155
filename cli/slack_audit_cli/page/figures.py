"""What is counted of all events, in one look at each.

Memory grows with the different actions, people, addresses and places, and not with the events.
"""

from collections import Counter
from typing import Any

from slack_audit_cli.page.kinds import FAILURES, GROUPS, LATE, LOGINS, group_of
from slack_audit_cli.page.reading import NOBODY, NOTHING, Told, Who
from slack_audit_cli.page.timeline import Timeline

MOST_NAMED = 100  # of each ranking; the page says how many there are in all
LOGGED_IN, REFUSED = len(GROUPS), len(GROUPS) + 1  # series of the timeline, after one for each group
DELAYS = ((900, "up to 15 min"), (3_600, "up to 1 h"), (21_600, "up to 6 h"), (86_400, "up to 24 h"))
LONGER = "more than 24 h"


def outcome_of(action: str) -> int | None:
    """The series of a sign-in, that of one that failed, or None."""
    if action in LOGINS:
        return LOGGED_IN
    return REFUSED if action in FAILURES else None


class Names:
    """One label for each key, and none for two: the first that is seen."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}
        self._owners: dict[str, str] = {}

    def of(self, who: Who) -> str:
        """The label of this one, now and later."""
        label = self._labels.get(who.key)
        if label is None:
            label = who.label
            if self._owners.setdefault(label, who.key) != who.key:
                label = f"{label} · {who.key}"
                self._owners.setdefault(label, who.key)
            self._labels[who.key] = label
        return label


class Figures:
    """Counts events as they are added."""

    def __init__(self, since: int | None, until: int | None) -> None:
        self.events = self.undated = self.late = 0
        self.first: int | None = None
        self.last: int | None = None
        self.actors, self.places = Names(), Names()
        self.timeline = Timeline(since, until)
        self.sections: Counter[str] = Counter()
        self._by: dict[str, Counter[str]] = {
            name: Counter() for name in ("actions", "actors", "ips", "locations", "reasons", "delays")
        }

    def add(self, it: Told) -> None:
        """One more event."""
        by = self._by
        self.events += 1
        by["actions"][it.action] += 1
        by["actors"][self.actors.of(it.actor)] += 1
        by["ips"][it.ip] += 1
        by["locations"][self.places.of(it.location)] += 1
        if it.reasons:
            by["reasons"].update(it.reasons)
        if it.section:
            self.sections[it.section] += 1
        if it.delay is not None:
            self._add_late(it.delay)
        if it.second is None:
            self.undated += 1
        else:
            self._add_second(it.second, it.action)

    def as_json(self) -> dict[str, Any]:
        """All of it, the rankings cut after the most frequent."""
        rankings = {name: counted.most_common(MOST_NAMED) for name, counted in self._by.items()}
        return {
            "events": self.events,
            "undated": self.undated,
            "late": self.late,
            "first": self.first,
            "last": self.last,
            "people": len(self._by["actors"]) - (NOBODY in self._by["actors"]),
            "addresses": len(self._by["ips"]) - (NOTHING in self._by["ips"]),
            "different": {name: len(counted) for name, counted in self._by.items()},
            "sections": dict(self.sections),
            "width": self.timeline.width,
            "timeline": self.timeline.counts(),
            **rankings,
        }

    def _add_second(self, second: int, action: str) -> None:
        if self.first is None or second < self.first:
            self.first = second
        if self.last is None or second > self.last:
            self.last = second
        self.timeline.add(second, group_of(action))
        if (outcome := outcome_of(action)) is not None:
            self.timeline.add(second, outcome)

    def _add_late(self, delay: int) -> None:
        self.late += 1
        self.sections[LATE.id] += 1
        self._by["delays"][next((name for most, name in DELAYS if delay <= most), LONGER)] += 1
