"""Events by the thousand: invented, deterministic by seed, over every action that Slack names.

Most are what people do all day; a share walks round all action names, so that enough events show each of them.
The bytes are like captured ones: about 750 an event, `/` escaped, keys in Slack's order.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from local.slack import catalogue, habits
from local.slack.answers import wire
from local.slack.details import details
from local.slack.history import Event
from local.slack.people import Person, company, identity, mixed
from local.slack.settings import Range, Settings, bounds
from local.slack.shapes import Shape, scopes, shapes

_EVENT = b'{"id":"%b","date_create":%d,"action":"%b","actor":%b,"entity":%b,"context":%b%b}'
_CONTEXT = b'{"location":%b,"ua":%b,"ip_address":%b%b%b}'


@dataclass(frozen=True, slots=True)
class Lateness:
    """Which share of the events becomes visible only some time after it happened."""

    fraction: float = 0.0
    delay: Range = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings have it."""
        return cls(settings.late_fraction, settings.late_delay)

    def visible_at(self, dice: random.Random, second: int) -> float:
        """From when an event of this second is visible."""
        if self.fraction and dice.random() < self.fraction:
            return second + dice.uniform(*bounds(self.delay))
        return second


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """So many events in this range of seconds, both ends included. A burst is a second that has many of them.

    `coverage` is the share of events that walks round all action names, `bursts` the share that comes in bursts.
    """

    count: int
    start: int
    end: int
    seed: int | str
    coverage: float = 0.1
    bursts: float = 0.1
    burst_size: int = 40

    def __post_init__(self) -> None:
        if self.count < 0 or self.end < self.start or self.burst_size < 1:
            raise ValueError("count is not negative, the end not before the start, a burst has at least one event")
        if not 0 <= self.coverage <= 1 or not 0 <= self.bursts <= 1:
            raise ValueError("coverage and bursts are shares, from 0 to 1")

    def seconds(self) -> list[int]:
        """When the events happen, oldest first."""
        dice = random.Random(f"seconds {self.seed}")
        span = self.end - self.start + 1
        in_bursts = int(self.count * self.bursts)
        moments = [self.start + dice.randrange(span) for _ in range(-(-in_bursts // self.burst_size))]
        crowded = [moments[number // self.burst_size] for number in range(in_bursts)]
        return sorted(crowded + [self.start + dice.randrange(span) for _ in range(self.count - in_bursts)])


def generate(order: Order, *, organisation: int, lateness: Lateness) -> Iterator[tuple[Event, float]]:
    """The events of an order, oldest first, each with the time from which it is visible."""
    generator = Generator(organisation=organisation, seed=order.seed, coverage=order.coverage)
    for second in order.seconds():
        yield generator.event(second, lateness)


class Generator:
    """An endless source of events of one company. The same seed gives the same events, ids included."""

    def __init__(self, *, organisation: int, seed: int | str, coverage: float = 0.1) -> None:
        self._dice = random.Random(f"events {seed}")
        self._coverage = coverage
        self._firm = company(organisation)
        self._shapes = shapes(organisation)
        self._round = _round(random.Random(f"round {seed}"))

    def event(self, second: int, lateness: Lateness) -> tuple[Event, float]:
        """The next event, dated to this second, and the time from which it is visible."""
        dice = self._dice
        action = next(self._round) if dice.random() < self._coverage else habits.daily(dice)
        actor = dice.choice(self._firm.people)
        entity = self._entity(action, actor)
        tail = self._tail(action, second)
        raw = _EVENT % (_uuid(dice), second, action.encode(), actor.wire, entity.wire, self._context(), tail)
        return Event(second, raw, action, actor.id, entity.id), lateness.visible_at(dice, second)

    def _entity(self, action: str, actor: Person) -> Shape:
        if habits.is_done_to_oneself(action):
            return Shape(actor.id, actor.wire)
        return self._dice.choice(self._shapes[self._dice.choice(habits.entity_types(action))])

    def _context(self) -> bytes:
        firm, choice = self._firm, self._dice.choice
        places = choice(firm.locations), choice(firm.clients), choice(firm.addresses)
        return _CONTEXT % (*places, _session(self._dice), self._agent())

    def _agent(self) -> bytes:
        """What acted for the person: nothing, an app, an assistant, or the null that Slack sent for a while."""
        dice, luck = self._dice, self._dice.random()
        if luck < 0.92:
            return b""
        if luck < 0.95:
            return b',"app":null'
        if luck < 0.985:
            return b',"app":' + mixed(dice, self._app())
        message = {
            "team": self._firm.enterprise["id"],
            "channel_id": identity(dice, "C"),
            "message_ts": "1760000000.000100",
        }
        return b',"acting_agent":"Slackbot","agent_message":' + wire(message)

    def _app(self) -> dict[str, object]:
        dice = self._dice
        return {
            "id": identity(dice, "A"),
            "name": "Fahrplan-Gerät",
            "scopes": scopes(dice),
            "scopes_bot": scopes(dice),
            "creator": dice.choice(self._firm.people).id,
            "team": dice.choice(self._firm.workspaces)["id"],
        }

    def _tail(self, action: str, second: int) -> bytes:
        """The details, and now and then a field that nobody has heard of yet."""
        dice = self._dice
        found = details(dice, action, self._firm, second)
        tail = b',"details":' + mixed(dice, found) if found else b""
        return tail + b',"risk":{"score":%d,"labels":null}' % dice.randint(0, 9) if dice.random() < 0.005 else tail


def _round(dice: random.Random) -> Iterator[str]:
    """All action names, shuffled, and again."""
    names = sorted(catalogue.names())
    while True:
        dice.shuffle(names)
        yield from names


def _session(dice: random.Random) -> bytes:
    """A session's id: mostly a number of up to 14 digits, else null, a text, or absent."""
    luck = dice.random()
    if luck < 0.78:
        return b',"session_id":%d' % dice.randrange(10**9, 10**14)
    if luck < 0.9:
        return b',"session_id":null'
    if luck < 0.95:
        return b',"session_id":"%d"' % dice.randrange(10**11, 10**12)
    return b""


def _uuid(dice: random.Random) -> bytes:
    """An id in the form of UUIDv4."""
    digits = b"%032x" % dice.getrandbits(128)
    variant = b"89ab"[digits[16] & 3 : (digits[16] & 3) + 1]
    return b"-".join((digits[:8], digits[8:12], b"4" + digits[13:16], variant + digits[17:20], digits[20:]))
