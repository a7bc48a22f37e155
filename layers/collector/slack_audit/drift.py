"""The drift watch: what is new in Slack's own lists, and what events carry that these lists do not know.

It shares nothing with collection but the archive, from which it only reads events: whatever becomes of it, collection
goes on.
"""

import logging
import zlib
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec

from slack_audit.batches import unpack
from slack_audit.catalog import (
    Difference,
    Kind,
    Listing,
    catalog_key,
    catalog_prefix,
    difference,
    kept_listing,
    listing_of,
    says_the_same,
    unknown_names,
)
from slack_audit.deadline import Deadline
from slack_audit.errors import CollectorError, SettingsError
from slack_audit.ports import Archive, Catalog, Clock

TIMEOUT = 20.0  # seconds, for each of the two calls to Slack
# Complete UTC days whose events are looked at, the newest first. Two, because a day's last events are archived up to
# 25 hours after they happened, and so that a run that failed leaves no day out.
DAYS = 2
PAGE = 1_000  # keys of one listing; the most that S3 gives
MOST_NAMED = 1_000  # names of each sort that are logged, and different unknown ones that are counted
LONGEST_NAME = 200  # characters of an unknown name that are kept; the longest one in Slack's list has 76

logger = logging.getLogger(__name__)


class Drift(msgspec.Struct, kw_only=True):
    """What a run of the drift watch found. `kept` are the keys of the lists that it kept because they changed.

    `odd` counts what had no known form in Slack's lists. `looked_at_all` says whether every event of the days was
    looked at; `objects` and `events` at how many, and `unreadable` how many objects could not be read.
    """

    org: str
    kept: list[str] = []
    new_actions: list[str] = []
    gone_actions: list[str] = []
    unknown_actions: dict[str, int] = {}
    unknown_filter_actions: list[str] = []
    schema_changes: list[str] = []
    odd: int = 0
    objects: int = 0
    events: int = 0
    unreadable: int = 0
    looked_at_all: bool = False


class _Kept(msgspec.Struct, frozen=True):
    body: bytes
    listing: Listing


class Watch:
    """One run for one org. Call `run` once; `report` may be looked at any time, also after a failure."""

    def __init__(
        self, org: str, filter_names: Sequence[str], *, catalog: Catalog, archive: Archive, clock: Clock
    ) -> None:
        self._org = org
        self._filter_names = filter_names
        self._catalog = catalog
        self._archive = archive
        self._clock = clock
        self._deadline = Deadline(clock)
        self._actions: bytes | None = None
        self._known: set[str] = set()
        self._unknown: Counter[str] = Counter()
        self.report = Drift(org=org)

    def run(self) -> Drift:
        """Looks at everything, names and counts what it finds, and keeps the lists that changed.

        Raises the first CollectorError, but only after everything was done that can be done in spite of it.
        """
        failures: list[CollectorError] = []
        for step in (self._watch_actions, self._check_filter, self._watch_schemas, self._look_at_events):
            try:
                step()
            except CollectorError as error:
                failures.append(error)
        for failure in failures[1:]:  # the first is the run's own
            logger.error("the drift watch failed in more than one way", extra={"reason": str(failure)})
        if failures:
            raise failures[0]
        return self.report

    # Slack's lists

    def _watch_actions(self) -> None:
        body, now = self._read("actions")
        self._actions = body
        self._known |= set(now.entries)
        kept = self._kept("actions")
        self._known |= {name for before in kept for name in before.listing.entries}
        found = _since(kept, now)
        self.report.new_actions = _tell(logging.INFO, "new action", "action", found.new)
        self.report.gone_actions = _tell(logging.WARNING, "gone action", "action", found.gone)
        self._keep_changed("actions", body, kept)

    def _check_filter(self) -> None:
        """Raises SettingsError that names what the filter asks for and Slack does not know."""
        if self._actions is None:
            return
        unknown = unknown_names(self._filter_names, self._actions)
        self.report.unknown_filter_actions = unknown
        if unknown:
            raise SettingsError(
                f"ActionFilter of org {self._org} has names that are not in Slack's list of actions: "
                f"{', '.join(unknown)}. Slack refuses every request with such a name (HTTP 400, invalid_action), and "
                "then nothing is collected. Correct or remove them and deploy again; the list is the newest of "
                f"{self._archive.uri(catalog_prefix(self._org, 'actions'))}*"
            )

    def _watch_schemas(self) -> None:
        body, now = self._read("schemas")
        kept = self._kept("schemas")
        found = _since(kept, now)
        self.report.schema_changes = [
            *_tell(logging.INFO, "new in the schemas", "field", found.new),
            *_tell(logging.WARNING, "gone from the schemas", "field", found.gone),
            *_tell(logging.WARNING, "changed in the schemas", "field", found.changed),
        ]
        self._keep_changed("schemas", body, kept)

    def _read(self, kind: Kind) -> tuple[bytes, Listing]:
        body = self._catalog.read(kind, TIMEOUT)
        now = listing_of(kind, body)
        self.report.odd += now.odd
        if now.odd:
            logger.warning("slack's list has members of no known form", extra={"list": kind, "odd": now.odd})
        return body, now

    def _kept(self, kind: Kind) -> list[_Kept]:
        """The two newest lists that we kept, the newest last: what it is compared with, and what was before that."""
        found = []
        for key in deque(self._keys(catalog_prefix(self._org, kind)), maxlen=2):
            body = self._archive.get(key) or b""
            found.append(_Kept(body, kept_listing(kind, body, self._archive.uri(key))))
        return found

    def _keep_changed(self, kind: Kind, body: bytes, kept: Sequence[_Kept]) -> None:
        """After its news were told: a run that dies in between leaves them to the next one."""
        if kept and says_the_same(kept[-1].body, body):
            return
        key = catalog_key(self._org, kind, self._clock.now(), body)
        self._archive.put_new(key, body)  # False: another run kept the same bytes in the same second
        self.report.kept.append(key)
        logger.info("kept a changed list", extra={"list": kind, "key": key})

    # events

    def _look_at_events(self) -> None:
        """Counts the actions that neither Slack's list nor the last two kept ones know."""
        if self._actions is None:
            return
        try:
            self.report.looked_at_all = all(self._look_at(day) for day in self._days())
        finally:
            self.report.unknown_actions = dict(self._unknown.most_common())
            for name, count in self.report.unknown_actions.items():
                logger.warning("unknown action in events", extra={"action": name, "events": count})

    def _days(self) -> list[str]:
        today = datetime.fromtimestamp(self._clock.now(), UTC).date()
        return [(today - timedelta(days=back)).isoformat() for back in range(1, DAYS + 1)]

    def _look_at(self, day: str) -> bool:
        """At the day's objects one after the other, as long as there is time. Was it enough for all?"""
        for key in self._keys(f"raw/org={self._org}/dt={day}/"):
            if not self._deadline.has_time():
                logger.warning("no time to look at all events", extra={"day": day, "first_left_out": key})
                return False
            with self._deadline.step():
                self._count_unknown(key)
        return True

    def _count_unknown(self, key: str) -> None:
        """An orphan is looked at like any object: its events stand in a committed batch too."""
        body = self._archive.get(key)
        try:
            events = list(unpack(body or b""))
        except zlib.error:
            self.report.unreadable += 1
            logger.warning("an object of the archive could not be read", extra={"key": key})
            return
        self.report.objects += 1
        self.report.events += len(events)
        for event in events:
            if event.action is not None and event.action not in self._known:
                self._count(event.action[:LONGEST_NAME])

    def _count(self, name: str) -> None:
        if name in self._unknown or len(self._unknown) < MOST_NAMED:
            self._unknown[name] += 1

    def _keys(self, prefix: str) -> Iterator[str]:
        """All keys with the prefix, in order."""
        after = ""
        while found := self._archive.keys(prefix, after=after, most=PAGE):
            yield from found
            after = found[-1]


def _since(kept: Sequence[_Kept], now: Listing) -> Difference:
    """What changed since the newest kept list. In the first one ever, nothing is new."""
    return difference(kept[-1].listing if kept else now, now)


def _tell(level: int, message: str, label: str, found: Mapping[str, Sequence[str]]) -> list[str]:
    """Logs each by its name, up to a limit; all the names."""
    for name, words in islice(found.items(), MOST_NAMED):
        logger.log(level, message, extra={label: name, "listed_as": list(words)})
    return list(found)
