"""Events and answers as Slack would send them, for tests. People and organisations are invented."""

import json
from typing import Any

from slack_audit.batches import Record
from slack_audit.events import Event, event_of
from slack_audit.log import Filters
from slack_audit.passes import BACKFILL, FINAL, LATE, LIVE

DAY_START = 1_767_225_600  # 2026-01-01T00:00:00Z
NO_FILTERS = Filters()
ALL_LAGS = {LIVE: 60, LATE: 600, FINAL: 3_000, BACKFILL: 3_000}  # seconds; shorter than the template's


def raw_event(second: object, number: object = 0, **fields: Any) -> bytes:
    """One event in Slack's compact form, with its escaped slashes."""
    event = {
        "id": f"{second}-{number}",
        "date_create": second,
        "action": "user_login",
        "actor": {"type": "user", "user": {"id": "W0001", "name": "Ada Example", "email": "ada@example.com"}},
        "context": {"ua": "Mozilla/5.0 (X11)", "session_id": 10137226569043},
        **fields,
    }
    return json.dumps(event, separators=(",", ":")).replace("/", "\\/").encode()


def event(second: int, number: object = 0, **fields: Any) -> Event:
    return event_of(raw_event(second, number, **fields))


def body(entries: list[bytes], metadata: str | None = '{"next_cursor":""}') -> bytes:
    """An answer of `/logs`."""
    tail = b"" if metadata is None else b',"response_metadata":' + metadata.encode()
    return b'{"entries":[' + b",".join(entries) + b"]" + tail + b"}"


def record(number: int, size: int = 10) -> Record:
    return Record(f"id-{number}", b"x" * size)


def policy_values(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "org": "main",
        "filters": NO_FILTERS,
        "lags": {LIVE: 60},
        "lookback_hours": 1,
        "calls_per_minute": 40,
        "version": "0.1.0",
    }
    return values | changes
