"""Slack's clock, which is not the host's."""

import time
from collections.abc import Callable
from email.utils import formatdate


class SlackClock:
    """The host's clock, moved by an offset that can change while the stand-in runs."""

    def __init__(self, offset: float, host: Callable[[], float] = time.time) -> None:
        self.offset = offset
        self._host = host

    def now(self) -> float:
        """Seconds since 1970, by Slack."""
        return self._host() + self.offset

    def date(self) -> str:
        """What the `Date` header says."""
        return formatdate(self.now(), usegmt=True)
