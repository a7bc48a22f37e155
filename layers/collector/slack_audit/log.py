"""The numbered log: what was read and when, each entry sealed by the digest of the one before it."""

from hashlib import sha256
from typing import Literal

import msgspec

from slack_audit.errors import ArchiveDamagedError
from slack_audit.passes import Passes
from slack_audit.windows import Window

FORMAT: Literal[1] = 1
MOST_ACTIONS = 30  # names in one call


class Filters(msgspec.Struct, frozen=True):
    """The filters in force, as they are sent to Slack; an empty one filters nothing."""

    action: str = ""
    actor: str = ""
    entity: str = ""

    def calls(self) -> "list[Filters]":
        """The filters of the calls that it takes: Slack accepts at most 30 actions in one, and each lies in one only.

        https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference
        """
        names = self.action.split(",")
        groups = [",".join(names[at : at + MOST_ACTIONS]) for at in range(0, len(names), MOST_ACTIONS)]
        return [msgspec.structs.replace(self, action=group) for group in groups]


class LogEntry(msgspec.Struct, frozen=True, kw_only=True, rename={"pass_": "pass"}):
    """What one entry of the log says. `passes` and `published` are as they stand after it.

    The genesis, entry 0, has no `previous`, pass and window. An entry that creates, changes or ends a backfill has no
    window. A window without new events has no key and no digest.
    `bytes` and `sha256` are of the batch's object as it is stored. `time` is UTC by Slack's clock.
    """

    format: int = FORMAT
    org: str
    number: int
    previous: str | None
    pass_: str | None
    window: Window | None
    key: str | None = None
    count: int = 0
    bytes: int = 0
    sha256: str | None = None
    filters: Filters
    calls: int
    version: str
    time: str
    passes: Passes
    published: int


def log_prefix(org: str) -> str:
    """`log/org=<org>/`"""
    return f"log/org={org}/"


def log_key(org: str, number: int) -> str:
    """`log/org=<org>/<number, 12 digits>.json`"""
    return f"{log_prefix(org)}{number:012}.json"


def encode(entry: LogEntry) -> bytes:
    """The entry's exact bytes: what is written once, and what the next entry's `previous` is the digest of."""
    return msgspec.json.encode(entry)


def decode(body: bytes, key: str) -> LogEntry:
    """Reads an entry; raises ArchiveDamagedError where these are not the bytes of one that this version knows."""
    try:
        entry = msgspec.json.decode(body, type=LogEntry)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArchiveDamagedError(
            f"{key} is not a log entry ({error}). Compare it with the bucket's object versions and restore it."
        ) from error
    if entry.format != FORMAT:
        raise ArchiveDamagedError(
            f"{key} has format {entry.format}; this version reads {FORMAT}. Deploy the version that wrote it, or newer."
        )
    return entry


def digest(body: bytes) -> str:
    """SHA-256, hexadecimal."""
    return sha256(body).hexdigest()
