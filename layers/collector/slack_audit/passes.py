"""Passes: watermarks that move forward at a fixed distance behind Slack's clock, and whose turn it is."""

from collections.abc import Mapping

import msgspec

from slack_audit.windows import Window, window_from

LIVE = "live"
LATE = "late"
FINAL = "final"
STANDING = (LIVE, LATE, FINAL)  # the passes that every org has from its genesis on, in the order of their turns
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

    def next_window(self, span: int, limit: int) -> Window:
        """The next window of a pass that is due."""
        return window_from(self.watermark + 1, span, limit if self.end is None else min(limit, self.end))


Passes = dict[str, Pass]


def standing_passes(start: int) -> Passes:
    """What an org starts with: every standing pass reads every second from `start` on."""
    return {name: Pass(watermark=start - 1) for name in STANDING}


def newest_readable(slack_now: int, lag: int) -> int:
    """The newest second that a pass with this lag may read: never one that is not over yet."""
    return slack_now - max(lag, 1)


def limits(passes: Mapping[str, Pass], slack_now: int, lags: Mapping[str, int]) -> dict[str, int]:
    """The newest second that each driven pass may read. None reads above live's committed watermark."""
    return {
        name: min(newest_readable(slack_now, lag), slack_now if name == LIVE else passes[LIVE].watermark)
        for name, lag in lags.items()
        if name in passes
    }


def whose_turn(passes: Mapping[str, Pass], limit_of: Mapping[str, int], last: str | None) -> str | None:
    """The due pass that follows `last` in the cycle live, late, final, backfills by name; None if none is due."""
    cycle = [*STANDING, *sorted(set(passes) - set(STANDING))]
    after = cycle.index(last) + 1 if last in cycle else 0
    for name in cycle[after:] + cycle[:after]:
        if name in limit_of and passes[name].is_due(limit_of[name]):
            return name
    return None
