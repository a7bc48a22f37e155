"""A steady history that remembers no event: each follows from its number, so that ten million need no memory.

In all it has exactly so many events, each in a second by chance (so that the seconds' counts are Poisson's, as of a
steady stream), with the bodies of the stand-in's own events in turn, of 750 bytes on average.
"""

import random

import numpy as np

from benchmarks.remade import Crowds, newest_first
from local.slack.generate import Generator, Lateness
from local.slack.history import Event, History, Place, Selection

BODIES = 4_000  # that the events have in turn: 3 MB, so that gzip, which looks back 32 kB, sees each as new
BEGINNINGS = 65_536  # of ids, likewise
_MASK = (1 << 48) - 1
_FACTOR = 0x9E3779B97F4B  # odd, so multiplying by it loses nothing: no two events have the same id


class SteadyHistory(History):
    """`events` of the seconds from `start` to before `end`, the same for the same seed. Nothing is added later."""

    def __init__(self, events: int, start: int, end: int, seed: int) -> None:
        super().__init__()
        chance = np.random.default_rng(seed)
        counts = chance.multinomial(events, [1 / (end - start)] * (end - start))
        self._counts: list[int] = counts.tolist()
        self._before: list[int] = (np.cumsum(counts) - counts).tolist()
        self._start = start
        self._beginnings = _beginnings(seed)
        self._bodies = _bodies(seed)
        self.visible = events

    @property
    def newest(self) -> int:
        """The newest second that it has."""
        return self._start + len(self._counts) - 1

    def crowds(self, selection: Selection, start: Place) -> Crowds:
        """As a history that remembers."""
        return newest_first(self.events_of, self._start, self.newest, selection, start)

    def events_of(self, second: int) -> list[tuple[int, Event]]:
        """The events of one second, each with its place in it."""
        before = self._before[second - self._start]
        created = b'","date_create":%d' % second
        count = self._counts[second - self._start]
        return [(place, self._event(before + place, second, created)) for place in range(count)]

    def _event(self, number: int, second: int, created: bytes) -> Event:
        scrambled = number * _FACTOR & _MASK
        tail, action, actor, entity = self._bodies[number % BODIES]
        beginning = self._beginnings[(scrambled >> 32) % BEGINNINGS]
        # Joined and not formatted, which takes twice as long: a page is of ten thousand.
        return Event(second, b"".join((beginning, b"%012x" % scrambled, created, tail)), action, actor, entity)


def _beginnings(seed: int) -> list[bytes]:
    """What events begin with, up to the first 24 characters of ids in the form of UUIDv4."""
    dice = random.Random(f"steady {seed}")
    digits = (b"%018x" % dice.getrandbits(72) for _ in range(BEGINNINGS))
    return [b'{"id":"' + b"-".join((it[:8], it[8:12], b"4" + it[12:15], b"a" + it[15:], b"")) for it in digits]


def _bodies(seed: int) -> list[tuple[bytes, str, str, str]]:
    """What follows on the second in the stand-in's events, which are like captured ones."""
    generator = Generator(organisation=seed, seed=f"steady {seed}")
    events = (generator.event(1_772_409_600, Lateness())[0] for _ in range(BODIES))
    return [(it.raw[it.raw.index(b',"action"') :], it.action, it.actor, it.entity) for it in events]
