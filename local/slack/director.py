"""What can be done to a stand-in while it runs: the same verbs for the control API and for tests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import count
from typing import Any

from local.slack.calls import Recorded
from local.slack.faults import Fault
from local.slack.generate import Lateness, Order, generate
from local.slack.history import Event
from local.slack.organisation import Organisation
from local.slack.posted import read_event
from local.slack.settings import Settings

DAY = 86_400
_ORDER_KEYS = {knob.name for knob in fields(Order)} - {"start", "end"} | {"from", "to", "late_fraction", "late_delay"}
Batch = Iterator[tuple[Event, float]]


class Director:
    """Verbs on an organisation. Only `ordered` may be used by another thread than the organisation's own."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._orders = count(1)

    def add(self, raws: Iterable[bytes], *, visible_at: float | None = None, at: int | None = None) -> int:
        """Take in events as they are, visible at once or from that time on; all of them or, on an error, none."""
        now = self._organisation.clock.now()
        since = now if visible_at is None else visible_at
        events = [(read_event(raw, at=at, now=now), since) for raw in raws]
        self._organisation.accept(events)
        return len(events)

    def ordered(self, wish: Mapping[str, Any]) -> Batch:
        """The events of an order such as `{"count": 1000, "from": 1700000000, "to": 1700003600}`, not yet taken in."""
        unknown = sorted(set(wish) - _ORDER_KEYS)
        if unknown:
            raise ValueError(f"an order has no {', '.join(unknown)}")
        settings = self._organisation.settings
        knobs = {name: wish[name] for name in ("late_fraction", "late_delay") if name in wish}
        lateness = Lateness.of(settings.changed(knobs))
        return generate(self._order(dict(wish)), organisation=settings.seed, lateness=lateness)

    def accept(self, batch: Iterable[tuple[Event, float]]) -> None:
        """Take in what was ordered."""
        self._organisation.accept(batch)

    def add_faults(self, faults: Iterable[Fault]) -> None:
        """Queue rules."""
        self._organisation.faults.add(faults)

    def clear_faults(self) -> None:
        """Forget all rules."""
        self._organisation.faults.clear()

    def change(self, knobs: Mapping[str, Any]) -> Settings:
        """Turn knobs."""
        self._organisation.change(self._organisation.settings.changed(knobs))
        return self._organisation.settings

    def install(self) -> dict[str, Any]:
        """An owner installs the app, with token rotation."""
        return self._organisation.oauth.install(self._organisation.settings, self._organisation.clock.now())

    def traffic(self, per_second: float, until: float | None = None) -> None:
        """Live events from now on; 0 stops them."""
        self._organisation.catch_up()
        self._organisation.traffic.set(per_second, now=self._organisation.clock.now(), end=until)

    def status(self) -> dict[str, Any]:
        """What happened so far."""
        return self._organisation.status()

    def calls(self) -> list[Recorded]:
        """The last calls, oldest first."""
        return self._organisation.calls.recent()

    def events(self, oldest: int | None = None, latest: int | None = None) -> Iterator[list[Event]]:
        """The truth: all that is visible now, oldest first, a second at a time."""
        self._organisation.catch_up()
        return self._organisation.history.oldest_first(oldest, latest)

    def _order(self, wish: dict[str, Any]) -> Order:
        for name in ("late_fraction", "late_delay"):
            wish.pop(name, None)
        end = wish.pop("to", int(self._organisation.clock.now()))
        start = wish.pop("from", end - DAY)
        seed = wish.pop("seed", f"{self._organisation.settings.seed}/{next(self._orders)}")
        return Order(start=start, end=end, seed=seed, **wish)
