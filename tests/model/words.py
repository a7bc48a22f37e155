"""What is written down: the protocol's words, as values."""

import json
from typing import NamedTuple
from zlib import crc32


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
    """The item without its lease. `turn` is the pass that had the last one, `other` the last one that was not live.
    `clock` is Slack's clock minus the host's."""

    next: int = 0
    head: int | None = None
    turn: str | None = None
    other: str | None = None
    passes: Passes = {}  # noqa: RUF012 — nobody changes it
    spans: dict[str, int] = {}  # noqa: RUF012
    published: int = 0
    plan: Entry | None = None
    clock: int | None = None

    def after_turn(self, name: str | None) -> "State":
        """Once this pass had its turn."""
        return self._replace(turn=name, other=self.other if name in {"live", None} else name)


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
