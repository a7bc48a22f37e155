"""The share of Slack's calls that is ours: so many in any 60 seconds, over all passes and runs.

Slack counts for the whole organisation (50 a minute, Tier 3), so what we take is missing elsewhere.
"""

from collections import Counter
from math import ceil, floor

import msgspec

MINUTE = 60  # seconds
ON_THE_WAY = 0.2  # seconds by which two calls may come closer to each other on their way to Slack
SHY = 600  # seconds after a rate limit in which only half of the calls are made: somebody else needs them, too


class Budget(msgspec.Struct, frozen=True):
    """`calls` holds (epoch seconds, number of calls) of the last minute; no call is allowed before `blocked_until`, and
    only half as many a minute before `shy_until`."""

    calls: tuple[tuple[float, int], ...] = ()
    blocked_until: int = 0
    shy_until: int = 0

    def wait(self, now: float, per_minute: int) -> float:
        """Seconds until a call is allowed; 0 if one is allowed now."""
        return max(0.0, self.blocked_until - now, self._room_at(now, per_minute) - now)

    def allowance(self, now: float, per_minute: int) -> int:
        """How many of the calls a minute may be made: for a while after a rate limit, half of them."""
        return max(1, per_minute // 2) if now < self.shy_until else per_minute

    def _room_at(self, now: float, per_minute: int) -> float:
        """When enough of the last minute's calls are old enough for one more."""
        total = 0
        for second, count in reversed(self._recent(now)):
            total += count
            if total >= per_minute:
                return second + MINUTE + ON_THE_WAY
        return now

    def spent(self, now: float) -> "Budget":
        """After one more call."""
        return msgspec.structs.replace(self, calls=(*self._recent(now), (now, 1)))

    def by_second(self) -> tuple[tuple[int, int], ...]:
        """The calls as they are kept between runs: by whole seconds, none of them earlier than it was."""
        calls: Counter[int] = Counter()
        for second, count in self.calls:
            calls[ceil(second)] += count
        return tuple(sorted(calls.items()))

    def blocked(self, until: float) -> "Budget":
        """After Slack said to wait."""
        return msgspec.structs.replace(self, blocked_until=floor(until) + 1, shy_until=floor(until) + 1 + SHY)

    def is_blocked(self, now: float) -> bool:
        """Did Slack say to wait longer than until now?"""
        return self.blocked_until > now

    def _recent(self, now: float) -> tuple[tuple[float, int], ...]:
        return tuple(call for call in self.calls if now - MINUTE - ON_THE_WAY < call[0] <= now + MINUTE)
