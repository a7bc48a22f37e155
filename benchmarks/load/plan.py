"""What a simulation is of: how long, how many events, and what goes wrong when. All of it follows from the seed."""

import random
from dataclasses import dataclass
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
START = 1_772_409_600  # Monday, 2026-03-02T00:00:00Z
SLACK_OUTAGE = (10 * HOUR, 40 * MINUTE)  # after the start of a day, and for how long
STREAM_OUTAGE = (15 * HOUR, 30 * MINUTE)


class Stretch(NamedTuple):
    """Seconds from `lo` to before `hi`."""

    lo: float
    hi: float

    def __contains__(self, moment: object) -> bool:
        return isinstance(moment, int | float) and self.lo <= moment < self.hi


NEVER = Stretch(0, 0)


@dataclass(frozen=True, slots=True)
class Weather:
    """What may happen to one run: `chance` that a call of AWS goes wrong, and the call at which the run is killed."""

    seed: str
    chance: float = 0.0
    slow: float = 0.0
    killed_at: int | None = None
    stream_is_down: Stretch = NEVER


@dataclass(frozen=True, slots=True)
class Plan:
    """One simulation. A day of fewer than 24 hours has all that a day has, in proportion shorter."""

    hours: float = 24.0
    rate: float = 100.0  # events a second, on average
    seed: int = 1
    small: bool = False  # events of 250 bytes instead of 730
    shards: int = 4  # of the stream; one takes a thousand events a second
    late: float = 0.01  # share of events that Slack shows late
    aws_chance: float = 0.01  # that a call of AWS goes wrong
    slack_chance: float = 0.03  # that Slack's answer is no good
    slow_chance: float = 0.003  # that it takes longer than anybody waits
    kill_chance: float = 0.01  # that a run is killed

    @property
    def seconds(self) -> int:
        """Of traffic."""
        return round(self.hours * HOUR)

    @property
    def events(self) -> int:
        """All of them."""
        return round(self.seconds * self.rate)

    @property
    def end(self) -> int:
        """When the traffic ends."""
        return START + self.seconds

    @property
    def slack_is_down(self) -> Stretch:
        """When Slack answers nobody."""
        return self._in_proportion(*SLACK_OUTAGE)

    @property
    def stream_is_down(self) -> Stretch:
        """When Kinesis does not answer."""
        return self._in_proportion(*STREAM_OUTAGE)

    def weather(self, at: float) -> Weather:
        """Of the run that starts at this moment."""
        seed = f"{self.seed} {at}"
        dice = random.Random(f"kill {seed}")
        is_killed = dice.random() < self.kill_chance
        return Weather(
            seed, self.aws_chance, self.slow_chance, dice.randint(1, 25) if is_killed else None, self.stream_is_down
        )

    def _in_proportion(self, after: float, seconds: float) -> Stretch:
        scale = min(1.0, self.hours / 24)
        return Stretch(START + after * scale, START + (after + seconds) * scale)
