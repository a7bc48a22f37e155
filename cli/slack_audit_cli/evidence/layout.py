"""What stands in an evidence package. docs/search.md describes it for whoever gets one."""

from typing import Literal

import msgspec

from slack_audit import __version__
from slack_audit.errors import CollectorError
from slack_audit.selection import Selection

FORMAT: Literal[1] = 1
TOOL = f"slack-audit {__version__}"

EVENTS = "events.ndjson"
SHEET = "events.csv"
PROVENANCE = "provenance.ndjson"
PROOF = "verification.json"
PROOF_TO_READ = "verification.txt"
README = "README.txt"
SUMS = "SHA256SUMS"
MANIFEST = "manifest.json"
BESIDE = {EVENTS, SHEET, PROVENANCE, PROOF, PROOF_TO_READ, README, SUMS, MANIFEST}  # what is neither log nor object


class NotAPackageError(CollectorError):
    """This file is no evidence package, or none that can be looked into."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where an event stands: `line` (from 1 on) of the object that log entry `entry` names, and that line's SHA-256."""

    id: str
    entry: int
    object: str
    line: int
    sha256: str


class Member(msgspec.Struct, frozen=True):
    """A file of the package; `size` in bytes."""

    sha256: str
    size: int


class Log(msgspec.Struct, frozen=True):
    """Which entries are in the package. `consecutive`: none is left out between the first and the last."""

    first: int | None
    last: int | None
    consecutive: bool


class Verified(msgspec.Struct, frozen=True):
    """What the verification of the archive found. `since`: only what was written from then on was looked at."""

    proven: bool
    faults: int
    warnings: int
    head: str | None
    since: str | None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a package is, who made it, and the digest of every other file in it."""

    format: Literal[1] = FORMAT
    tool: str
    made: str
    by: str
    case: str
    note: str
    org: str
    source: str
    selection: Selection
    events: int
    first_event: str | None
    last_event: str | None
    batches: int
    holds_batches: bool
    log: Log
    verification: Verified
    members: dict[str, Member]


def sums_of(members: dict[str, Member]) -> bytes:
    """As sha256sum --check takes it."""
    return "".join(f"{it.sha256}  {name}\n" for name, it in members.items()).encode()


def written_manifest(manifest: Manifest) -> bytes:
    """Indented, for people."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
