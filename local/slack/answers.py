"""The bodies and statuses of answers.

Observed: a success has no `ok`; a wrong token gets 401 and an empty body; JSON is compact, with `/` escaped.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json; charset=utf-8"

# Slack documents the codes, not their statuses. Known: 401 for a wrong token, 400 for a retired action and a stale
# cursor, 429. All the others, and `invalid_limit`, which is the Web API's word, are our assumption.
STATUS = {
    "bad_endpoint": 404,
    "feature_not_enabled": 403,
    "invalid_action": 400,
    "invalid_authentication": 401,
    "invalid_cursor": 400,
    "invalid_limit": 400,
    "invalid_range": 400,
    "invalid_workspace": 400,
    "method_not_allowed": 405,
    "missing_authentication": 401,
    "rate_limited": 429,
    "team_not_authorized": 403,
    "token_expired": 401,
    "token_revoked": 401,
    "user_not_authorized": 403,
}

# All the ways in which the last page has been seen, or is documented, to say so.
LAST_PAGES = {
    "empty": b'],"response_metadata":{"next_cursor":""}}',
    "null": b'],"response_metadata":{"next_cursor":null}}',
    "missing": b'],"response_metadata":{"messages":[],"warnings":[]}}',
    "object": b'],"response_metadata":{}}',
    "none": b"]}",
}


class RefusalError(Exception):
    """Slack refuses the call, with a code of its documents."""

    def __init__(self, code: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, whole."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": JSON})


def refused(code: str, headers: dict[str, str]) -> Answer:
    """The answer to a call that Slack refuses; the body of a wrong token's is empty."""
    if code == "invalid_authentication":
        return Answer(STATUS[code], b"", {"Content-Type": "application/json"})
    return Answer(STATUS[code], wire({"ok": False, "error": code}), {"Content-Type": JSON, **headers})


def page(entries: Iterable[bytes], ending: bytes) -> Answer:
    """A page of `/logs`: entries verbatim, then one of the endings."""
    return Answer(200, b"".join((b'{"entries":[', b",".join(entries), ending)))


def more(cursor: str) -> bytes:
    """The ending of a page that has a next one."""
    return b'],"response_metadata":' + wire({"next_cursor": cursor}) + b"}"


def wire(value: Any, *, ascii_only: bool = True) -> bytes:
    r"""JSON as Slack writes it: compact, `/` as `\/`."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)
    return text.replace("/", "\\/").encode()
