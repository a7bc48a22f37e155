"""Backfills: passes with an end, and the orders that start, pause, resume and cancel them.

An order comes as the event that starts the function. Reading it looks at nothing but the event; what it does to the
passes is a pure step, which is refused with a text that says why.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from slack_audit.errors import SettingsError
from slack_audit.events import EARLIEST_SECOND, LATEST_SECOND
from slack_audit.passes import STANDING, Pass, Passes, without
from slack_audit.windows import DAY

MOST_AT_ONCE = 10  # live gets a turn after each of them
FORMS = (
    '{"from": "2026-01-01", "to": "2026-01-31", "publish": false}, {"list": true}, {"pause": NAME}, {"resume": NAME} '
    'or {"cancel": NAME}'
)


class Order(Protocol):
    """What a person wants done to the backfills."""

    @property
    def name(self) -> str:
        """The backfill's."""

    def applied(self, passes: Mapping[str, Pass], slack_now: int) -> Passes:
        """The passes after it; the same ones if there is nothing left to do. Raises SettingsError."""


class Start(msgspec.Struct, frozen=True):
    """Read the seconds from `lo` to `hi`, both inclusive, and archive what the archive does not hold."""

    lo: int
    hi: int
    publish: bool

    @property
    def name(self) -> str:
        """The same range always has the same name, so that an order given twice is carried out once."""
        return f"backfill-{self.lo}-{self.hi}"

    def applied(self, passes: Mapping[str, Pass], slack_now: int) -> Passes:
        """With the new pass."""
        if self.hi >= slack_now - slack_now % DAY + DAY:
            raise SettingsError(
                f"The backfill ends at {moment(self.hi)}, after today (UTC): the future is collected as it comes. "
                "Choose an earlier end."
            )
        there = passes.get(self.name)
        if there is not None and there.publish != self.publish:
            raise SettingsError(
                f"{self.name} is under way with publish={str(there.publish).lower()}: cancel it first to change that. "
                "What it has archived until then is not published again."
            )
        if there is None and len(passes) - len(STANDING) >= MOST_AT_ONCE:
            raise SettingsError(
                f"{MOST_AT_ONCE} backfills are under way, which is the most at once: wait for one to end, or cancel it."
            )
        return {self.name: Pass(self.lo - 1, self.hi, self.publish), **passes}


class Pause(msgspec.Struct, frozen=True):
    """Stop reading for a backfill, or go on (`paused` false)."""

    name: str
    paused: bool

    def applied(self, passes: Mapping[str, Pass], slack_now: int) -> Passes:  # noqa: ARG002 - as every order
        """With the pass paused or going on."""
        there = _there(self.name, passes)
        return {**passes, self.name: msgspec.structs.replace(there, paused=self.paused)}


class Cancel(msgspec.Struct, frozen=True):
    """Forget a backfill. What it has archived stays."""

    name: str

    def applied(self, passes: Mapping[str, Pass], slack_now: int) -> Passes:  # noqa: ARG002 - as every order
        """Without the pass."""
        _there(self.name, passes)
        return without(passes, self.name)


class List(msgspec.Struct, frozen=True):
    """Only show which backfills there are."""


def order_of(wanted: Any) -> Order | List:
    """Reads the value of the event's `backfill`. Raises SettingsError."""
    if isinstance(wanted, dict):
        keys = set(wanted)
        if {"from", "to"} <= keys <= {"from", "to", "publish"}:
            return _start(wanted["from"], wanted["to"], wanted.get("publish", False))
        if wanted == {"list": True}:
            return List()
        if len(keys) == 1 and isinstance(name := next(iter(wanted.values())), str):
            if keys <= {"pause", "resume"}:
                return Pause(name, keys == {"pause"})
            if keys == {"cancel"}:
                return Cancel(name)
    raise SettingsError(f"The order for a backfill is not understood: {wanted!r}. Send one of {FORMS}.")


def _start(first: Any, last: Any, publish: Any) -> Start:
    lo, hi = _second(first, "from"), _second(last, "to", day_end=True)
    if not isinstance(publish, bool):
        raise SettingsError(f"A backfill's publish is {publish!r}; it must be true or false.")
    if lo < EARLIEST_SECOND:
        raise SettingsError(
            f"The backfill starts at {moment(lo)}; Slack has no audit events from before {moment(EARLIEST_SECOND)}."
        )
    if hi < lo:
        raise SettingsError(f"The backfill ends at {moment(hi)}, before its start at {moment(lo)}.")
    return Start(lo, hi, publish)


def _second(value: Any, what: str, *, day_end: bool = False) -> int:
    """Epoch seconds: of a number, an ISO 8601 time (UTC unless it says otherwise), or a day's first or last one."""
    if type(value) is int and 0 <= value <= LATEST_SECOND:
        return value
    refusal = SettingsError(
        f"A backfill's {what} is {value!r}; it must be a day such as 2026-01-31, an ISO 8601 time such as "
        "2026-01-31T12:00:00Z, or epoch seconds."
    )
    form = re.fullmatch(r"\d{4}-?\d\d-?\d\d(?P<time>[T ]\d\d.*)?", value) if isinstance(value, str) else None
    if form is None:
        raise refusal
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        raise refusal from error
    second = int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() // 1)
    if not 0 <= second <= LATEST_SECOND:
        raise refusal
    return second + DAY - 1 if day_end and form["time"] is None else second


def _there(name: str, passes: Mapping[str, Pass]) -> Pass:
    if name in STANDING or name not in passes:
        others = ", ".join(sorted(set(passes) - set(STANDING))) or "none"
        raise SettingsError(f"There is no backfill {name!r}: it has ended, was cancelled, or never was. Now: {others}.")
    return passes[name]


def moment(second: int) -> str:
    """`2026-01-31T12:00:00Z`"""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class State(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What a person is told of a backfill. `remaining_seconds` is of the log's time that is not read yet."""

    name: str
    from_: str | None
    to: str
    publish: bool
    paused: bool
    read_up_to: str
    remaining_seconds: int


def states(passes: Mapping[str, Pass]) -> list[State]:
    """All backfills that have not ended."""
    return [
        State(
            name=name,
            from_=_first_of(name),
            to=moment(state.end),
            publish=state.publish,
            paused=state.paused,
            read_up_to=moment(state.watermark),
            remaining_seconds=state.end - state.watermark,
        )
        for name, state in sorted(passes.items())
        if name not in STANDING and state.end is not None
    ]


def _first_of(name: str) -> str | None:
    parts = name.split("-")
    return moment(int(parts[1])) if len(parts) == 3 and parts[1].isdigit() else None


def remaining(passes: Mapping[str, Pass]) -> int:
    """Seconds of the log's time that all backfills have not read yet."""
    return sum(state.remaining_seconds for state in states(passes))


def unreadable(name: str) -> str:
    """What to do about a backfill for whose range Slack refuses to answer."""
    return (
        f"The range of {name} reaches back to where Slack has nothing to answer: cancel it with "
        f'{{"backfill": {{"cancel": "{name}"}}}}, and start one with a later "from". Everything else goes on.'
    )
