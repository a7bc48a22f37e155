"""Events that happen while the stand-in runs.

They are made when somebody looks, and dated to the second in which they happened: nobody can tell the difference.
"""

from collections.abc import Iterator

from local.slack.generate import Generator, Lateness
from local.slack.history import Event
from local.slack.settings import Settings


class Traffic:
    """A steady stream of so many events a second, until it is stopped or its end is reached."""

    def __init__(self, seed: int, now: float) -> None:
        self._generator = Generator(organisation=seed, seed=f"traffic {seed}")
        self._since = now
        self._made = 0
        self.per_second = 0.0
        self.end: float | None = None

    def set(self, per_second: float, *, now: float, end: float | None = None) -> None:
        """From now on this many events a second; 0 stops."""
        if per_second < 0:
            raise ValueError("per_second is not negative")
        self.per_second = float(per_second)
        self.end = end
        self.restart(now)

    def restart(self, now: float) -> None:
        """Count from now, as when the clock was moved."""
        self._since = now
        self._made = 0

    def due(self, now: float, settings: Settings) -> Iterator[tuple[Event, float]]:
        """What has happened since the last time, with the time from which each event is visible."""
        until = now if self.end is None else min(now, self.end)
        happened = int((until - self._since) * self.per_second + 1e-6)
        lateness = Lateness.of(settings)
        while self._made < happened:
            self._made += 1
            yield self._generator.event(int(self._since + self._made / self.per_second), lateness)

    def as_json(self) -> dict[str, float | None]:
        """Rate and end."""
        return {"per_second": self.per_second, "until": self.end}
