"""A day's events by recipe: each follows from its second and its number in it, so nobody has to remember millions.

The stand-in shows them, and the proof knows what it showed, byte for byte, without asking it.
"""

import json
import math
import random
from array import array
from itertools import accumulate, pairwise

from benchmarks.load.plan import DAY, HOUR, MINUTE, START, Plan
from local.slack.generate import Generator, Lateness
from local.slack.history import Event

BODIES = 4_000  # that the events have in turn: 3 MB, so that gzip, which looks back 32 kB, sees each as new
BURSTS = 6  # a day, of a few minutes with several times the rate
CROWDED = 12_000  # events in one second at 100 a second: more than a page holds
ID_BITS = 128
_MASK = (1 << ID_BITS) - 1
_FACTOR = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd, so multiplying by it loses nothing
_INVERSE = pow(_FACTOR, -1, 1 << ID_BITS)
_PLACE_BITS = 20  # for the number of an event in its second
_EVENT = b'{"id":"%032x","date_create":%d%b'
_ID = slice(len('{"id":"'), len('{"id":"') + 32)


class Recipe:
    """The events of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._late = round(plan.late * 10_000)
        self._salt = random.Random(f"salt {plan.seed}").getrandbits(32) << 64
        self._bodies = _bodies(plan)
        self.counts = _counts(plan)
        self.before = array("q", accumulate(self.counts, initial=0))  # events before each second

    @property
    def total(self) -> int:
        """Of all seconds."""
        return self.before[-1]

    def count(self, lo: int, hi: int) -> int:
        """How many events happen from one second to another, both included."""
        ends = (min(max(second - START, 0), len(self.counts)) for second in (lo, hi + 1))
        first, last = (self.before[second] for second in ends)
        return last - first

    def shown(self, second: int, now: float) -> list[tuple[int, Event]]:
        """What Slack shows of a second at a time, each event with its number in it."""
        if not 0 <= second - START < len(self.counts):
            return []
        first = second << _PLACE_BITS
        numbers = [
            (place, (first | place ^ self._salt) * _FACTOR & _MASK) for place in range(self.counts[second - START])
        ]
        return [(place, _made(second, it, self._bodies)) for place, it in numbers if self._visible(second, it) <= now]

    def raw(self, second: int, place: int) -> bytes:
        """The bytes of the event of this number in a second."""
        return _made(second, self._scrambled(second, place), self._bodies).raw

    def visible_at(self, second: int, place: int) -> float:
        """From when Slack shows it."""
        return self._visible(second, self._scrambled(second, place))

    def _visible(self, second: int, scrambled: int) -> float:
        """Most late events are minutes late, some hours."""
        if (scrambled >> 96) % 10_000 >= self._late:
            return second
        luck = (scrambled >> 64) & 0xFFFF
        longest = 30 * MINUTE if luck % 10 < 9 else 20 * HOUR
        return second + 30 + luck / 0xFFFF * longest

    def place_of(self, raw: bytes) -> tuple[int, int] | None:
        """Second and number of the event that these are the bytes of; None if there is no such event."""
        try:
            scrambled = int(raw[_ID], 16)
        except ValueError:
            return None
        number = (scrambled * _INVERSE & _MASK) ^ self._salt
        second, place = number >> _PLACE_BITS, number & ((1 << _PLACE_BITS) - 1)
        is_known = 0 <= second - START < len(self.counts) and place < self.counts[second - START]
        return (second, place) if is_known and _made(second, scrambled, self._bodies).raw == raw else None

    def _scrambled(self, second: int, place: int) -> int:
        return (second << _PLACE_BITS | place ^ self._salt) * _FACTOR & _MASK


def _made(second: int, scrambled: int, bodies: list[tuple[bytes, str, str, str]]) -> Event:
    tail, action, actor, entity = bodies[(scrambled >> 40) % BODIES]
    return Event(second, _EVENT % (scrambled, second, tail), action, actor, entity)


def _bodies(plan: Plan) -> list[tuple[bytes, str, str, str]]:
    """What follows on the second in the stand-in's events, which are like captured ones."""
    generator = Generator(organisation=plan.seed, seed=f"load {plan.seed}")
    events = (generator.event(START, Lateness())[0] for _ in range(BODIES))
    tail = _small if plan.small else _whole
    return [(tail(event), event.action, event.actor, event.entity) for event in events]


def _whole(event: Event) -> bytes:
    return event.raw[event.raw.index(b',"action"') :]


def _small(event: Event) -> bytes:
    """What nobody would miss who only counts."""
    said = json.loads(event.raw)
    user = {name: said["actor"]["user"][name] for name in ("id", "email")}
    kept = {
        "action": event.action,
        "actor": {"type": "user", "user": user},
        "entity": {"type": said["entity"]["type"], "id": event.entity},
        "context": {"ip_address": said["context"]["ip_address"]},
    }
    return b"," + json.dumps(kept, separators=(",", ":"))[1:].encode()


def _counts(plan: Plan) -> array[int]:
    """Events of each second: more by day than by night, bursts, one crowded second, and the plan's number in all."""
    dice = random.Random(f"counts {plan.seed}")
    wishes = [_by_day(second * DAY / plan.seconds) * dice.uniform(0.5, 1.5) for second in range(plan.seconds)]
    for _ in range(BURSTS):
        at, length = dice.randrange(plan.seconds), dice.randint(60, 180)
        for second in range(at, min(at + length, plan.seconds)):
            wishes[second] *= 6
    crowded = round(CROWDED * plan.rate / 100)
    scale = (plan.events - crowded) / sum(wishes)
    edges = [round(edge * scale) for edge in accumulate(wishes, initial=0.0)]
    counts = array("l", (after - before for before, after in pairwise(edges)))
    counts[dice.randrange(plan.seconds)] += crowded
    return counts


def _by_day(second: float) -> float:
    """Six times as much in the early afternoon as at night."""
    hour = second / HOUR
    return 0.35 + (1.75 * math.sin((hour - 6) / 15 * math.pi) if 6 <= hour <= 21 else 0.0)
