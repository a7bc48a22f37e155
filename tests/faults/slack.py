"""Slack's `/logs` in memory, behind the collector's own connections.

It answers newest first, shuffles what lies in one second anew for every walk, takes `oldest` and `latest` as inclusive
whole seconds, gives cursors that forget the window, and tells its own clock. Events may appear late.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

from urllib3 import HTTPResponse, Timeout
from urllib3.exceptions import ConnectTimeoutError, ProtocolError, ReadTimeoutError

from slack_audit.adapters.web import Web
from tests.builders import body, raw_event
from tests.faults.border import Border, Exchange, Reply, SilenceError


@dataclass(frozen=True)
class Happened:
    """One event of the history, and from when on Slack shows it."""

    second: int
    raw: bytes
    visible_at: float


@dataclass
class Slack:
    """The organisation's history. `offset` is Slack's clock minus the host's; `page` the most events of an answer."""

    border: Border
    token: str
    offset: int = 7
    page: int = 12
    events: list[Happened] = field(default_factory=list)
    walks: int = 0

    @property
    def now(self) -> int:
        return int(self.border.clock.time + self.offset)

    def add(self, second: int, numbers: Iterable[object], *, late: float = 0) -> None:
        """Events of one second, shown so many seconds after it."""
        self.events += [Happened(second, raw_event(second, number), second + late) for number in numbers]

    def served(self, read: Sequence[tuple[int, int]]) -> list[bytes]:
        """The events of some stretches of seconds."""
        return [event.raw for event in self.events if any(lo <= event.second <= hi for lo, hi in read)]

    @property
    def newest(self) -> int:
        return max((event.second for event in self.events), default=0)

    def answer(self, path: str, authorization: str | None) -> Reply:
        address = urlsplit(path)
        if address.path == "/audit/v1/actions":
            assert authorization is None, "the token went where it is not needed"
            return self.reply(200, b'{"actions":{"user":["user_login"]}}')
        if authorization != f"Bearer {self.token}":
            return self._refusal(401, "invalid_authentication")
        assert address.path == "/audit/v1/logs"
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if int(asked.get("latest", 0)) >= self.now:
            return self._refusal(400, "invalid_range")
        return self._page(asked)

    def _page(self, asked: dict[str, str]) -> Reply:
        self.walks += 1
        seed, place = json.loads(base64.b64decode(asked["cursor"])) if "cursor" in asked else (self.walks, [])
        oldest, latest = int(asked.get("oldest", 0)), int(asked.get("latest", self.now))
        shown = sorted(
            (place_of(event, seed), event.raw)
            for event in self.events
            if oldest <= event.second <= latest and event.visible_at <= self.now
        )
        rest = [(at, raw) for at, raw in shown if at > place]
        size = min(int(asked["limit"]), self.page)
        more = base64.b64encode(json.dumps([seed, rest[size - 1][0]]).encode()).decode() if len(rest) > size else ""
        return self.reply(200, body([raw for _, raw in rest[:size]], json.dumps({"next_cursor": more})))

    def reply(self, status: int, content: bytes, **headers: str) -> Reply:
        return Reply(status, content, {"Date": formatdate(self.now, usegmt=True), **headers})

    def _refusal(self, status: int, code: str) -> Reply:
        return self.reply(status, json.dumps({"ok": False, "error": code}).encode())


def place_of(event: Happened, seed: int) -> list[int]:
    """Where an event stands in one walk: newest first, and within its second as chance has it."""
    return [-event.second, crc32(event.raw, seed * 2_654_435_761 & 0xFFFF_FFFF)]


class Wire:
    """What urllib3's pool would raise, and what it would give back."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack

    def request(
        self, method: str, url: str, *, headers: Any, timeout: Timeout, retries: bool, **_: object
    ) -> HTTPResponse:
        assert not retries, "the collector itself decides what is asked again"
        try:
            arrived = self._slack.border.exchange(self._asked(url, headers.get("Authorization"), timeout.read_timeout))
        except SilenceError as silence:
            raise self._unanswered(silence.kind, url) from silence
        arrives = BytesIO(arrived.body[: len(arrived.body) - arrived.lost])
        counted = {"Content-Length": str(len(arrived.body)), **arrived.headers}
        return HTTPResponse(arrives, counted, arrived.status, preload_content=False, decode_content=False)

    def _asked(self, url: str, authorization: str | None, patience: Any) -> Exchange:
        def whole() -> Reply:
            return self._slack.answer(url, authorization)

        def half() -> Reply:
            reply = whole()
            return replace(reply, lost=len(reply.body) // 2)

        return Exchange("slack", urlsplit(url).path.rpartition("/")[2], url, patience, whole, half)

    def _unanswered(self, kind: str, url: str) -> Exception:
        pool: Any = self
        if kind == "connect":
            return ConnectTimeoutError(pool, "storm")
        return ReadTimeoutError(pool, url, "storm") if kind == "read" else ProtocolError("Connection aborted.")


def mount(web: Web, slack: Slack) -> None:
    """From now on it reaches this Slack only."""
    vars(web)["_pool"] = Wire(slack)
