"""The host's clock and Lambda's deadline."""

import time
from collections.abc import Callable


class LambdaClock:
    """`remaining` gives the milliseconds until Lambda kills the run: the context's get_remaining_time_in_millis."""

    def __init__(self, remaining: Callable[[], int]) -> None:
        self._remaining = remaining

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def time_left(self) -> float:
        """Seconds until the run is killed."""
        return self._remaining() / 1000

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)
