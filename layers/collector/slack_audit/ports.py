"""What the use cases need from the outside world, by role. The adapters keep these promises; fakes do too."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import msgspec

from slack_audit.batches import Record, SinkLimits
from slack_audit.catalog import Kind
from slack_audit.checkpoint import Checkpoint
from slack_audit.credentials import Credentials, Pair
from slack_audit.events import Event
from slack_audit.log import Filters
from slack_audit.windows import PAGE_LIMIT, Window


class Query(msgspec.Struct, frozen=True):
    """One call of `/logs`. Without a window: whatever is newest."""

    window: Window | None
    filters: Filters
    limit: int = PAGE_LIMIT
    cursor: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """A page and Slack's clock when it was made (epoch seconds, from the `Date` header), None if it did not say."""

    events: list[Event]
    next_cursor: str | None
    slack_time: int | None


class Source(Protocol):
    """Where events come from. One call of `read` is one call to Slack: it never waits and never asks again."""

    def read(self, query: Query, timeout: float) -> Answer:
        """The page, within `timeout` seconds. Raises SourceError."""

    def renew_token(self) -> None:
        """Fetches the token anew, for the next call."""


class Archive(Protocol):
    """Objects that are written once and never change. Raises StorageError."""

    def put_new(self, key: str, body: bytes) -> bool:
        """True: the object stands there with these bytes, whole and checked. False: one stood there before."""

    def get(self, key: str) -> bytes | None:
        """The object's bytes, None if there is none."""

    def exists(self, key: str) -> bool:
        """Does an object stand there?"""

    def keys(self, prefix: str, *, after: str, most: int) -> list[str]:
        """The first keys with the prefix that come after another key, in order."""

    def uri(self, key: str) -> str:
        """Its address, for people and consumers."""


class Checkpoints(Protocol):
    """One org's checkpoint and the lease on it. Raises LeaseLostError and StorageError."""

    def acquire(self, owner: str, *, now: float, until: float) -> Checkpoint | None:
        """Takes the lease until `until` (epoch seconds). The checkpoint as it stands, or None: another run holds it.
        After a run that did not give the lease back, it is an abandoned one."""

    def save(self, checkpoint: Checkpoint) -> None:
        """Replaces the whole checkpoint, as long as the lease is ours."""

    def release(self, checkpoint: Checkpoint) -> None:
        """The same, and gives the lease back."""


class Standpoints(Protocol):
    """Where every org stands, only to be looked at."""

    def read(self, org: str) -> Checkpoint | None:
        """The org's checkpoint, None if there is none. Raises StorageError."""


class Starter(Protocol):
    """Starts a function that nobody waits for."""

    def start(self, event: Mapping[str, Any]) -> None:
        """Hands the event over. Raises StartError."""


class Sink(Protocol):
    """Where single events go."""

    limits: SinkLimits

    def put(self, records: Sequence[Record]) -> list[Record]:
        """One call with at most what the limits allow. Returns what was not accepted, in order. Raises SinkError."""


Target = Callable[[str], Sink]
"""Where a replay goes: where the records of the batch with this key go."""


class SinkState(msgspec.Struct, frozen=True):
    """Whether a sink takes records as far as can be told without sending one, and what it says of itself."""

    takes: bool
    said: str


class TriedTable(Protocol):
    """A table that a run would write its checkpoint to."""

    def try_to_write(self) -> None:
        """Raises StorageError where a write of ours would be refused. Changes nothing, whoever holds the lease."""


class TriedSink(Protocol):
    """A sink that a run would send records to."""

    def state(self) -> SinkState:
        """What can be told without sending a record. Raises SinkError."""


class Clock(Protocol):
    """The host's time and what is left of it."""

    def now(self) -> float:
        """Seconds since the epoch, by the host."""

    def time_left(self) -> float:
        """Seconds until the run is killed."""

    def sleep(self, seconds: float) -> None:
        """Waits."""


Token = Callable[[bool], str]
"""The token, read anew if asked to be fresh. Raises SourceError."""


class Beside(Protocol):
    """Starts a call while the run goes on."""

    def __call__[T](self, call: Callable[[], T], /) -> Future[T]:
        """What it will give."""


class Catalog(Protocol):
    """What Slack says of itself to anybody. One call of `read` is one call to Slack."""

    def read(self, kind: Kind, timeout: float) -> bytes:
        """The answer of `/actions` or `/schemas` as Slack sent it, within `timeout` seconds. Raises SourceError."""


class Authority(Protocol):
    """Who gives new tokens. One call of `refresh` is one call to Slack: it never waits and never asks again."""

    def refresh(self, credentials: Credentials, timeout: float) -> Pair:
        """A new pair, and the refresh token is spent. Raises SourceError; after an UnavailableError it may be spent
        all the same."""


class Versions(Protocol):
    """The versions of one secret, each with its labels. Raises StorageError."""

    def labels(self) -> dict[str, list[str]]:
        """The labels of each version that has one."""

    def value_of(self, version: str) -> str | None:
        """A version's value; None while it has none, as one that Secrets Manager has only prepared."""

    def put(self, version: str, value: str, label: str) -> None:
        """The version has this value and this label. Raises VersionTakenError if it has another value."""

    def make_current(self, version: str, *, instead_of: str) -> None:
        """Moves AWSCURRENT, at once for every reader; fails if another version than `instead_of` has it."""

    def drop_pending(self, version: str) -> None:
        """The version is no longer AWSPENDING."""
