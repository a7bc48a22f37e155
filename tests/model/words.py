"""What is written down, and the scale: times are those of the protocol, made small, so that a history is short."""

import json
from typing import NamedTuple
from zlib import crc32

DAY = 200  # seconds
PERIOD = 6  # between the starts of two runs
LIVE_LAG = 4
LATE_LAG = 40
PROMISE = 150  # what Slack shows within so many seconds of its date_create is archived
MARGIN = 8  # final's lag is longer than the promise, for clocks that differ
SKEW = 3  # the most by which two of Slack's clocks differ from the true one
LEAST_UNREAD = 3  # half a period: fewer seconds are left for the next run
LOOKBACK = 30  # the first second is so far behind the first run
FIRST_SPAN = 32  # seconds that a pass asks for before it knows better
RUN_TIME = 40  # until a run is killed
LEASE_GRACE = 3  # the lease outlives the run by this
RESERVE = 6  # kept back before the deadline

PAGE = 5  # events in one answer
RECORDS = 3  # in one call to the stream
TRIES = 3  # of one call
ENTRIES_WHILE_DUE = 2  # published per window while there is more to read

STANDING = ("live", "late", "final")


class Event(NamedTuple):
    """`second` is its date_create; Slack shows it from `shown_at` on."""

    second: int
    id: str
    shown_at: int


class Window(NamedTuple):
    """A closed range of seconds."""

    lo: int
    hi: int


class Pass(NamedTuple):
    """All seconds up to `watermark` are committed by it."""

    watermark: int
    end: int | None = None
    publish: bool = True
    paused: bool = False


class Key(NamedTuple):
    """Of a batch's object: raw/dt=<day>/<lo>-<hi>-<number>-<digest>."""

    day: int
    lo: int
    hi: int
    number: int
    digest: int


Batch = tuple[tuple[int, str], ...]  # (second, id), in order
Passes = dict[str, Pass]


class Entry(NamedTuple):
    """One entry of the log. `read_at` is the true time of the reading, which only the invariants may look at."""

    number: int
    previous: int | None
    pass_: str | None
    window: Window | None
    key: Key | None
    digest: int | None
    passes: Passes
    published: int
    read_at: int


class State(NamedTuple):
    """The item without its lease. `clock` is Slack's clock minus the host's."""

    next: int = 0
    head: int | None = None
    turn: str | None = None
    passes: Passes = {}
    spans: dict[str, int] = {}
    published: int = 0
    plan: Entry | None = None
    clock: int | None = None


class Answer(NamedTuple):
    """A page of Slack's. `date` is what the answering server takes for the time, `at` the true one."""

    events: list[Event]
    cursor: tuple[int, int] | None
    date: int
    at: int


class UnavailableError(Exception):
    """A call that had no answer: it may have had its effect, or not, or have it later."""


class RefusedError(Exception):
    """Slack refuses, until a person does something."""


class LeaseLostError(Exception):
    """The item belongs to somebody else."""


class ViolationError(Exception):
    """Invariants are broken: which, and how."""

    def __init__(self, *found: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{kind}: {text}" for kind, text in found[:5]))
        self.kinds = {kind for kind, _ in found}


def digest(what: object) -> int:
    """Stands for SHA-256."""
    return crc32(json.dumps(what).encode())


def marked(entry: Entry) -> bool:
    """Has the entry events that must reach the stream?"""
    return entry.key is not None and entry.pass_ is not None and entry.passes[entry.pass_].publish
