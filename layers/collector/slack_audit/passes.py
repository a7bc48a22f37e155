"""Passes: watermarks that move forward at a fixed distance behind Slack's clock, and whose turn it is."""

from collections.abc import Mapping

import msgspec

from slack_audit.spans import Span
from slack_audit.windows import Window

LIVE = "live"
LATE = "late"
FINAL = "final"
STANDING = (LIVE, LATE, FINAL)  # the passes that every org has from its genesis on, in the order of their turns
BACKFILL = "backfill"  # the lag of every pass that is not a standing one goes by this name
LATENESS_MARGIN = 300  # seconds added to final's lag: the clocks drift, and an exact lag has lost an event (protocol)
FINAL_HOURS = 25  # what a backfill keeps away from now where final is switched off
FIRST_SPAN = 3_600  # seconds that a pass asks for before it knows better
LEAST_UNREAD = 30  # seconds; half a schedule period: fewer are left for the next run


class Pass(msgspec.Struct, frozen=True):
    """How far a pass is: all seconds up to `watermark` are committed by it. `end` is None where it has none."""

    watermark: int
    end: int | None = None
    publish: bool = True
    paused: bool = False

    def at(self, watermark: int) -> "Pass":
        """After everything up to `watermark` is committed."""
        return msgspec.structs.replace(self, watermark=watermark)

    def is_due(self, limit: int) -> bool:
        """Is there enough to read up to `limit`, or all the rest of it?"""
        if self.paused:
            return False
        if self.end is not None and limit >= self.end:
            return self.watermark < self.end
        return limit - self.watermark >= LEAST_UNREAD

    def next_window(self, span: Span, limit: int) -> Window:
        """The next window of a pass that is due."""
        return span.window(self.watermark + 1, limit if self.end is None else min(limit, self.end))


Passes = dict[str, Pass]


def standing_passes(start: int) -> Passes:
    """What an org starts with: every standing pass reads every second from `start` on."""
    return {name: Pass(watermark=start - 1) for name in STANDING}


def newest_readable(slack_now: int, lag: int) -> int:
    """The newest second that a pass with this lag may read: never one that is not over yet."""
    return slack_now - max(lag, 1)


def lags(*, live_seconds: int, late_minutes: int, final_hours: int) -> dict[str, int]:
    """Seconds behind Slack's clock, by the kind of a pass. A pass that is switched off by 0 is not among them; a
    backfill keeps final's distance all the same, for what it reads nobody reads again."""
    final = (final_hours or FINAL_HOURS) * 3_600 + LATENESS_MARGIN
    driven = {LIVE: live_seconds, BACKFILL: final}
    if late_minutes:
        driven[LATE] = late_minutes * 60
    if final_hours:
        driven[FINAL] = final
    return driven


def kind_of(name: str) -> str:
    """`live`, `late`, `final`, or `backfill` for all others."""
    return name if name in STANDING else BACKFILL


def limits(passes: Mapping[str, Pass], slack_now: int, lags: Mapping[str, int]) -> dict[str, int]:
    """The newest second that each driven pass may read. None reads above live's committed watermark.

    No backfill reads above final's either: what Slack showed late is final's to find and to publish, and a backfill
    that is not published would take it away. `lags` is by the kind of a pass; a kind that it does not name is not
    driven.
    """
    ahead = {LIVE: slack_now, BACKFILL: passes[FINAL if FINAL in lags else LIVE].watermark}
    return {
        name: min(newest_readable(slack_now, lags[kind]), ahead.get(kind, passes[LIVE].watermark))
        for name in passes
        if (kind := kind_of(name)) in lags
    }


def finished(passes: Mapping[str, Pass]) -> list[str]:
    """The passes that have read everything up to their end."""
    return sorted(name for name, state in passes.items() if state.end is not None and state.watermark >= state.end)


def moved(passes: Mapping[str, Pass], name: str, watermark: int) -> Passes:
    """The passes after one of them committed everything up to `watermark`."""
    return {**passes, name: passes[name].at(watermark)}


def without(passes: Mapping[str, Pass], name: str) -> Passes:
    """All passes but one."""
    return {other: state for other, state in passes.items() if other != name}


class Place(msgspec.Struct, frozen=True):
    """Where the turns stand: the pass that had the last one, and the last one that was not live."""

    last: str | None = None
    other: str | None = None

    def after(self, name: str | None) -> "Place":
        """After this pass had its turn."""
        return Place(name, self.other if name in {LIVE, None} else name)


def whose_turn(passes: Mapping[str, Pass], limit_of: Mapping[str, int], place: Place) -> str | None:
    """Live if it is due, but not twice in a row while another pass is; the others in the cycle late, final, backfills
    by name. None if none is due."""
    due = [name for name, limit in limit_of.items() if passes[name].is_due(limit)]
    if LIVE in due and place.last != LIVE:
        return LIVE
    cycle = [LATE, FINAL, *sorted(set(passes) - set(STANDING))]
    after = cycle.index(place.other) + 1 if place.other in cycle else 0
    return next((name for name in (*cycle[after:], *cycle[:after], LIVE) if name in due), None)
