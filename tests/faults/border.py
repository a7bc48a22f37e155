"""The border between the collector and the world: every HTTP exchange passes here, is counted, and may go wrong.

Above it everything is real: use cases, adapters, boto3 with its parsing and its retries, requests. Below it are the
services of `aws.py` and `slack.py`, in memory. Time is the world's clock alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.fakes import Clock, KilledError

SECONDS = {"slack": 0.3}  # that an exchange takes
SECONDS_AWS = 0.02


class SilenceError(Exception):
    """No answer came. `kind` is `connect` (never got there), `read` (waited in vain) or `reset` (hung up)."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Reply:
    """What a service answers. `lost` bytes of the body do not arrive, though the header counts them."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    lost: int = 0


@dataclass(frozen=True)
class Exchange:
    """One HTTP exchange. `call` is the same for all tries of one call; `patience` the seconds that the caller waits;
    `half` is what happens where half of it succeeds."""

    service: str
    operation: str
    call: object
    patience: float
    effect: Callable[[], Reply]
    half: Callable[[], Reply]

    @property
    def name(self) -> str:
        return f"{self.service}.{self.operation}"


class Fault(Protocol):
    """What happens instead of an exchange. `lasting`: to every further try of the same call too."""

    @property
    def lasting(self) -> bool: ...

    @property
    def fits(self) -> Callable[[str], bool]: ...

    def act(self, border: "Border", exchange: Exchange) -> Reply:
        """The reply that arrives. Raises SilenceError or KilledError."""


class Overtaking(Protocol):
    """Another run, start to end, while ours is on its way."""

    def __call__(self, *, own_table: bool) -> None:
        """With the same table as ours, or with one of its own."""


def _nobody(*, own_table: bool) -> None:
    raise AssertionError(f"there is no other run (own_table={own_table})")


class Border:
    """Counts the exchanges, and lets the planned faults happen: each at the exchange of its number, or at the first one
    after it that it fits."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.names: list[str] = []
        self.faults: dict[int, Fault] = {}
        self.happened = 0
        self.dead = False
        self.overtake: Overtaking = _nobody
        self.pending: list[tuple[int, Callable[[], object]]] = []
        self._lasting: tuple[object, Fault] | None = None

    def exchange(self, exchange: Exchange) -> Reply:
        """One exchange, or what comes of it."""
        if self.dead:
            raise KilledError
        self._land()
        self.names.append(exchange.name)
        self.clock.time += SECONDS.get(exchange.service, SECONDS_AWS)
        fault = self._fault(exchange)
        if fault is None:
            return exchange.effect()
        self.happened += 1
        return fault.act(self, exchange)

    def die(self) -> None:
        """The process is killed: nothing that it does from here on has an effect."""
        self.dead = True
        raise KilledError

    def later(self, effect: Callable[[], object], exchanges: int = 3) -> None:
        """The effect comes so many exchanges later, whoever makes them."""
        self.pending.append((len(self.names) + exchanges, effect))

    def new_run(self) -> None:
        """Faults that last do so within one run; those that are planned stay planned."""
        self.dead = False
        self._lasting = None

    def calm(self) -> None:
        """No more faults."""
        self.new_run()
        self.faults = {}

    def _fault(self, exchange: Exchange) -> Fault | None:
        due = (number for number in sorted(self.faults) if number <= len(self.names))
        number = next((number for number in due if self.faults[number].fits(exchange.name)), None)
        if number is not None:
            planned = self.faults.pop(number)
            self._lasting = (exchange.call, planned) if planned.lasting else None
            return planned
        if self._lasting is not None and self._lasting[0] == exchange.call:
            return self._lasting[1]
        self._lasting = None
        return None

    def _land(self) -> None:
        now = [effect for due, effect in self.pending if due <= len(self.names)]
        self.pending = [(due, effect) for due, effect in self.pending if due > len(self.names)]
        for effect in now:
            effect()
