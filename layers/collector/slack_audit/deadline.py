"""The run's time: what is left of it, less a reserve for the slowest step."""

from collections.abc import Iterator
from contextlib import contextmanager

from slack_audit.ports import Clock

LEAST_RESERVE = 10.0  # seconds
LEASE_GRACE = 30.0  # seconds that the lease outlives the run's deadline


class ExhaustedError(Exception):
    """Time or calls are spent: the run ends here, in order. `reason` is what its report says."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Deadline:
    """Says whether there is time, and learns from every step how much must be kept back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slowest = 0.0

    def now(self) -> float:
        """Seconds since the epoch, by the host."""
        return self._clock.now()

    def spare(self) -> float:
        """Seconds that may be used before the reserve begins."""
        return self._clock.time_left() - max(LEAST_RESERVE, self._slowest)

    def has_time(self, seconds: float = 0.0) -> bool:
        """Would the reserve still be left after so many seconds, and a step as slow as the slowest one seen?"""
        return self.spare() - self._slowest > seconds

    def sleep(self, seconds: float) -> None:
        """Waits."""
        self._clock.sleep(seconds)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Around every step that may be slow: the reserve grows to the slowest one seen."""
        start = self._clock.now()
        try:
            yield
        finally:
            self._slowest = max(self._slowest, self._clock.now() - start)
