"""What a replay shall send and where to, checked, and cut into items: runs of log entries.

The log says what there is, so an item is a run of its entries and never what a listing of the bucket shows: what no
entry commits is not replayed. A plan is written once and is all that items and report go by, so that a repeated or
resumed replay does the same whatever was collected meanwhile.
"""

import re
from bisect import bisect_left
from typing import Any, Literal

import msgspec

from slack_audit.archived import entry_at
from slack_audit.errors import ArchiveDamagedError, SettingsError
from slack_audit.log import digest, log_key
from slack_audit.passes import LIVE, STANDING
from slack_audit.ports import Archive
from slack_audit.recover import newest_number
from slack_audit.selection import Selection, selection_of

FORMAT: Literal[1] = 1
MOST_ENTRIES = 100  # of an item: what it has found so far travels with it, and 256 KB may
ITEMS_EACH = 4  # for each one that runs at once, where there are as many entries: so that none has to wait for long
CONCURRENCY, MOST_CONCURRENCY = 8, 1_000  # items at once
STREAM = re.compile(r"(arn:[a-z-]+:kinesis:[a-z0-9-]+:[0-9]{12}:stream/)?[A-Za-z0-9_.-]{1,128}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"([A-Za-z0-9!_.*'()=-]+/)*")
QUEUE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?")
REPLAY = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Destination(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where to: one of a stream (name or ARN), a bucket with a prefix, and the URL of a queue."""

    stream: str | None = None
    bucket: str | None = None
    prefix: str = ""
    queue: str | None = None

    def __str__(self) -> str:
        if self.stream is not None:
            return f"stream {self.stream}"
        return f"queue {self.queue}" if self.queue is not None else f"s3://{self.bucket}/{self.prefix}"


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was asked, as JSON has it: `{"org": "main", "selection": {}, "target": {"stream": "name"}}`."""

    target: Destination
    org: str | None = None
    selection: dict[str, Any] = {}
    into_the_live_stream: str | None = None
    concurrency: int = CONCURRENCY


class Stack(msgspec.Struct, frozen=True):
    """What is the stack's own, and no target but where it was said twice."""

    archive_bucket: str
    live_stream: str


class Item(msgspec.Struct, frozen=True):
    """A run of log entries; both ends belong to it."""

    first: int
    last: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A replay as it was decided, its items cut for so many at once. `head`, the last entry's digest, seals all."""

    format: int = FORMAT
    org: str
    replay_id: str
    selection: Selection
    target: Destination
    concurrency: int
    first: int
    last: int
    head: str

    def items(self) -> list[Item]:
        """All entries, in order. Never none, for there is always an entry: a map over nothing would be a failure."""
        entries = self.last - self.first + 1
        size = min(MOST_ENTRIES, -(-entries // (ITEMS_EACH * self.concurrency)))
        return [Item(at, min(at + size - 1, self.last)) for at in range(self.first, self.last + 1, size)]

    def key(self, name: str) -> str:
        """Where something of this replay stands in the archive."""
        return replay_key(self.org, self.replay_id, name)


def replay_key(org: str, replay_id: str, name: str) -> str:
    """`replay/org=<org>/<replay id>/<name>`"""
    return f"replay/org={org}/{replay_id}/{name}"


def checked_replay_id(name: Any) -> str:
    """The name of the execution, which is the replay's. Raises SettingsError."""
    if not isinstance(name, str) or not REPLAY.fullmatch(name):
        raise SettingsError(
            f"The replay's id {str(name)[:100]!r} is not allowed: letters, digits, - and _, at most 80. It is the "
            "name of the execution: start it with another --name."
        )
    return name


def request_of(asked: Any, stack: Stack) -> Request:
    """What was asked, if it may be done. Raises SettingsError with what would be right."""
    try:
        request = msgspec.convert(asked, Request)
    except msgspec.ValidationError as error:
        raise SettingsError(f"The replay cannot be read: {error}. docs/replay.md has what can be said.") from None
    _check_destination(request.target, stack)
    _check_live(request, stack)
    if not 1 <= request.concurrency <= MOST_CONCURRENCY:
        raise SettingsError(f"concurrency is {request.concurrency}; it must be 1 to {MOST_CONCURRENCY} items at once.")
    return request


def _check_destination(target: Destination, stack: Stack) -> None:
    named = [name for name in ("stream", "bucket", "queue") if getattr(target, name) is not None]
    if len(named) != 1:
        raise SettingsError(f"The target names {named or 'nothing'}: it must name one of stream, bucket and queue.")
    if target.prefix and target.bucket is None:
        raise SettingsError("The target has a prefix without a bucket.")
    patterns = {"stream": STREAM, "bucket": BUCKET, "queue": QUEUE}
    value = getattr(target, named[0])
    if not patterns[named[0]].fullmatch(value):
        raise SettingsError(f"The target's {named[0]} {value[:300]!r} is none: {_LIKE[named[0]]}")
    if not PREFIX.fullmatch(target.prefix) or len(target.prefix) > 500:
        raise SettingsError(f"The target's prefix {target.prefix[:300]!r} is none: {_LIKE['prefix']}")
    if target.bucket == stack.archive_bucket:
        raise SettingsError("The target is the archive's own bucket, which holds what was collected and nothing else.")
    if value.endswith(".fifo"):
        raise SettingsError(
            "The target is a FIFO queue, which would drop what it takes for repeats and hold up all behind what it "
            "refuses. Name a standard queue; each message has its event's id."
        )


_LIKE = {
    "stream": "say the name of a Kinesis stream, or its ARN.",
    "bucket": "say the name of a bucket, such as investigations.example.com.",
    "queue": "say its URL, such as https://sqs.eu-central-1.amazonaws.com/123456789012/investigation.",
    "prefix": "say folders that end with a slash, such as case-17/.",
}


def _check_live(request: Request, stack: Stack) -> None:
    """Whoever reads the live stream would take old events for new ones, so that it is meant must be said twice."""
    live = request.target.stream is not None and request.target.stream.rpartition("/")[2] == stack.live_stream
    twice = request.into_the_live_stream
    if live and twice != request.target.stream:
        raise SettingsError(
            f"Stream {request.target.stream} is the live one: its consumers would get old events again. If that is "
            f"what you want, say it twice: into_the_live_stream must be {request.target.stream!r}, too."
        )
    if twice is not None and not live:
        raise SettingsError(f"into_the_live_stream is {twice!r}, but the target is not the live stream.")


def plan(request: Request, org: str, replay_id: str, archive: Archive) -> Plan:
    """The plan and its items, written to the archive; what an earlier try has written stands.

    Raises StorageError, SelectionError, and SettingsError for an id that another replay has.
    """
    selection = selection_of(request.selection)
    key = replay_key(org, replay_id, "plan.json")
    body = archive.get(key)
    if body is None:
        archive.put_new(key, msgspec.json.encode(_drawn(org, replay_id, selection, request, archive)))
        body = archive.get(key)  # which may be that of another try, for this one was slow
    found = plan_of(body, key)
    if (found.selection, found.target) != (selection, request.target):
        raise SettingsError(f"There was another replay {replay_id}: start this one under another name.")
    written_once(archive, found.key("items.json"), msgspec.json.encode(found.items()))
    return found


def plan_of(body: bytes | None, key: str) -> Plan:
    """Reads a plan. Raises ArchiveDamagedError where there is none."""
    try:
        found = msgspec.json.decode(body or b"", type=Plan)
    except msgspec.DecodeError as error:
        raise ArchiveDamagedError(f"{key} is no plan of a replay ({error}). Start a new replay.") from error
    if found.format != FORMAT:
        raise ArchiveDamagedError(f"{key} has format {found.format}; this version reads {FORMAT}. Start a new replay.")
    return found


def _drawn(org: str, replay_id: str, selection: Selection, request: Request, archive: Archive) -> Plan:
    newest = newest_number(lambda number: archive.exists(log_key(org, number)))
    if newest is None:
        raise SettingsError(f"Org {org!r} has no log: nothing was collected yet.")
    first = min(first_wanted(org, selection, newest, archive), newest)
    last = max(first, min(last_wanted(org, selection, newest, archive), newest))
    sealed = archive.get(log_key(org, last))
    if sealed is None:
        raise ArchiveDamagedError(f"{log_key(org, last)} is missing. Restore it from the bucket's object versions.")
    return Plan(
        org=org,
        replay_id=replay_id,
        selection=selection,
        target=request.target,
        concurrency=request.concurrency,
        first=first,
        last=last,
        head=digest(sealed),
    )


def first_wanted(org: str, selection: Selection, newest: int, archive: Archive) -> int:
    """The first entry that may hold what is wanted, in a few looks; one more than `newest` if there is none.

    No pass reads above live's committed watermark, and that only rises. So the window of an entry ends at or before
    live's watermark as it stands after it, and as long as that is before `since`, so is all that the entry holds.
    """
    if selection.since is None:
        return 0
    return bisect_left(range(newest + 1), selection.since, key=lambda number: _reached(org, number, (LIVE,), archive))


def last_wanted(org: str, selection: Selection, newest: int, archive: Archive) -> int:
    """The last entry that may hold what is wanted, in a few looks.

    Each standing pass reads every second once, upwards: when all wanted ones have reached `until`, the rest of their
    windows lies after it. A backfill may bring any second at any time, so where one is wanted this is the newest.
    """
    passes = selection.passes
    if selection.until is None or not passes or not set(passes) <= set(STANDING):
        return newest
    return bisect_left(range(newest + 1), selection.until, key=lambda number: _reached(org, number, passes, archive))


def _reached(org: str, number: int, passes: tuple[str, ...], archive: Archive) -> int:
    """The second that all of these passes have reached after this entry."""
    standing = entry_at(org, number, archive).passes
    return min(standing[name].watermark for name in passes)


def written_once(archive: Archive, key: str, body: bytes) -> None:
    """The object stands there with these bytes, by this try or an earlier one. Raises ArchiveDamagedError."""
    if not archive.put_new(key, body) and archive.get(key) != body:
        raise ArchiveDamagedError(
            f"{key} stands there with other bytes than this replay writes: it was made by another version, or changed. "
            "Start a new replay."
        )
