"""Which events the page itself holds, of any number of them: all, or the notable and the newest."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from slack_audit.selection import readable
from slack_audit_cli.committed import Found
from slack_audit_cli.page.figures import Names
from slack_audit_cli.page.kinds import SHOWN
from slack_audit_cli.page.reading import Told, detail_of, entity_of, raw_of, told_of

type Place = tuple[int, int]


class Rows:
    """At most `most` events: of each section the newest, as many of one as of the other, then the newest of all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._newest: deque[tuple[int, Found]] = deque(maxlen=most)
        self._notable: dict[str, deque[tuple[int, Found]]] = {
            it.id: deque(maxlen=max(1, most // len(SHOWN))) for it in SHOWN
        }
        self._seen = 0

    def add(self, found: Found, it: Told) -> None:
        """One more event, not older than the one before."""
        self._seen += 1
        self._newest.append((self._seen, found))
        if it.section:
            self._notable[it.section].append((self._seen, found))
        if it.delay is not None:
            self._notable["late"].append((self._seen, found))

    def kept(self) -> list[Found]:
        """Oldest first."""
        chosen = {place: found for few in self._notable.values() for place, found in few}
        for place, found in reversed(self._newest):
            if len(chosen) >= self._most:
                break
            chosen.setdefault(place, found)
        return [found for _, found in sorted(chosen.items())][-self._most :]


class Table:
    """Rows as the page holds them: what repeats is a number that names its place in a list."""

    def __init__(self, actors: Names, places: Names) -> None:
        self._actors, self._places = actors, places
        self._lists: dict[str, dict[str, int]] = {
            it: {} for it in ("actions", "actors", "ips", "locations", "sections", "passes", "reasons")
        }

    def as_json(self, kept: list[Found]) -> dict[str, list[Any]]:
        """The rows and the lists that they refer to."""
        rows = list(self._rows(kept))
        return {"rows": rows, **{name: list(values) for name, values in self._lists.items()}}

    def _rows(self, kept: list[Found]) -> Iterator[list[Any]]:
        for found in kept:
            it, said = told_of(found), readable(found.event.raw)
            yield [
                it.second,
                self._at("actions", it.action),
                self._at("actors", self._actors.of(it.actor)),
                self._at("ips", it.ip),
                self._at("locations", self._places.of(it.location)),
                self._at("sections", it.section),
                self._at("passes", found.entry.pass_ or ""),
                it.delay,
                [self._at("reasons", reason) for reason in it.reasons],
                entity_of(said),
                detail_of(said),
                found.entry.number,
                found.line,
                raw_of(found),
            ]

    def _at(self, name: str, value: str) -> int:
        values = self._lists[name]
        return values.setdefault(value, len(values))
