"""Slack's rate limit: calls per minute of the whole organisation, over all endpoints and apps.

Tier 3 of Slack's documents: 50 calls a minute, then 429 with a whole number of seconds in `Retry-After`.
"""

import math
from collections import deque

WINDOW = 60.0  # seconds


class CallWindow:
    """The calls of the last minute."""

    def __init__(self) -> None:
        self._calls: deque[float] = deque()
        self.refused = 0

    def admit(self, now: float, allowed: int | None) -> int | None:
        """Let a call in (None), or say in how many seconds to come back. A refused call does not count."""
        self._forget(now)
        if allowed is None or len(self._calls) < allowed:
            self._calls.append(now)
            return None
        self.refused += 1
        freed_by = self._calls[len(self._calls) - allowed]
        return max(1, math.ceil(freed_by + WINDOW - now))

    def _forget(self, now: float) -> None:
        """Drop what is out of the window; a clock that was put back leaves calls in the future."""
        while self._calls and not 0 <= now - self._calls[0] < WINDOW:
            self._calls.popleft()
