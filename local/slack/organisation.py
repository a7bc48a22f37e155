"""One Slack organisation: its history, its clock, its limits, and the answers of its Audit Logs API.

No network here: a call goes in, an answer comes out. One thread at a time.
"""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any

from local.slack import answers, catalogue, oauth, queries
from local.slack.answers import Answer, RefusalError
from local.slack.calls import Call, CallBook
from local.slack.clock import SlackClock
from local.slack.faults import Faults
from local.slack.history import Event, History
from local.slack.limits import CallWindow
from local.slack.oauth import OAuth
from local.slack.pages import Pages
from local.slack.settings import Settings
from local.slack.traffic import Traffic

BASE = "/audit/v1/"


class Organisation:
    """The state behind the API."""

    def __init__(
        self, settings: Settings, host_clock: Callable[[], float] = time.time, history: History | None = None
    ) -> None:
        self.settings = settings
        self.clock = SlackClock(settings.clock_offset, host_clock)
        self.chance = random.Random(settings.seed)
        self.history = history or History()
        self.faults = Faults(random.Random(settings.seed))
        self.traffic = Traffic(settings.seed, self.clock.now())
        self._window = CallWindow()
        self._pages = Pages(self.history, random.Random(settings.seed))
        self._routes = {BASE + "logs": self._logs, BASE + "actions": self._actions, BASE + "schemas": self._schemas}
        self.oauth = OAuth()
        self.calls = CallBook(frozenset({*self._routes, oauth.PATH}))

    def change(self, settings: Settings) -> None:
        """Go on with these settings. Nothing happens in the time over which the clock is moved."""
        self.catch_up()
        self.settings = settings
        if settings.clock_offset != self.clock.offset:
            self.clock.offset = settings.clock_offset
            self.traffic.restart(self.clock.now())

    def accept(self, events: Iterable[tuple[Event, float]]) -> None:
        """Take in events, each with the time from which it is visible."""
        now = self.clock.now()
        shown: list[Event] = []
        for event, visible_at in events:
            if visible_at <= now:
                shown.append(event)
            else:
                self.history.hide(event, visible_at)
        self.history.add(shown)

    def catch_up(self) -> None:
        """Bring in what has happened, and what has become visible, since the last time."""
        now = self.clock.now()
        self.accept(self.traffic.due(now, self.settings))
        self.history.reveal(now)

    def answer(self, call: Call) -> tuple[Answer, int]:
        """The answer of the API when nothing is wrong with it, and how many entries it holds."""
        try:
            return self._answer(call)
        except RefusalError as refusal:
            return answers.refused(refusal.code, refusal.headers), 0

    def status(self) -> dict[str, Any]:
        """What happened so far, for people and for tests."""
        self.catch_up()
        return {
            "slack_time": self.clock.now(),
            "visible_events": self.history.visible,
            "total_events": self.history.total,
            "entries_served": self.calls.entries,
            "calls": self.calls.counts(),
            "rate_limited": self._window.refused,
            "faults_spoiled": self.faults.spoiled,
            "faults_pending": self.faults.pending(),
            "traffic": self.traffic.as_json(),
            "settings": self.settings.as_json(),
        }

    def _answer(self, call: Call) -> tuple[Answer, int]:
        if call.path == oauth.PATH and call.method == "POST":
            return self.oauth.answer(call, self.settings, self.clock.now()), 0
        route = self._routes.get(call.path)
        if route is None:
            raise RefusalError("bad_endpoint")
        if call.method != "GET":
            raise RefusalError("method_not_allowed")
        return route(call)

    def _actions(self, _: Call) -> tuple[Answer, int]:
        self._admit()
        retired = set(self.settings.retired_actions)
        listed = {
            group: [name for name in names if name not in retired] for group, names in catalogue.actions().items()
        }
        return Answer(200, answers.wire({"actions": listed})), 0

    def _schemas(self, _: Call) -> tuple[Answer, int]:
        self._admit()
        return Answer(200, answers.wire({"schemas": catalogue.schemas()})), 0

    def _logs(self, call: Call) -> tuple[Answer, int]:
        self._authenticate(call.authorization)
        self._admit()
        self.catch_up()
        now = self.clock.now()
        return self._pages.answer(queries.read(call.params, self.settings, now), self.settings, now)

    def knows(self, call: Call) -> bool:
        """Does the call bring a token of this organisation?"""
        return _token(call.authorization) in self.settings.tokens

    def _authenticate(self, authorization: str | None) -> None:
        token = _token(authorization)
        if token is None:
            raise RefusalError("missing_authentication")
        refusal = None if token in self.settings.tokens else self.oauth.refusal(token, self.clock.now())
        if refusal is not None:
            raise RefusalError(refusal)

    def _admit(self) -> None:
        wait = self._window.admit(self.clock.now(), self.settings.calls_per_minute)
        if wait is not None:
            raise RefusalError("rate_limited", {"Retry-After": str(wait)})


def _token(authorization: str | None) -> str | None:
    """The token of the header, if it brings one."""
    scheme, _, token = (authorization or "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None
