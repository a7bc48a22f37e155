"""What the tests of the stand-in use: a plain client, a clock that stands still, and the bytes of an event."""

import json
import re
from collections.abc import Iterator
from typing import Any

import requests

from local.slack import DEFAULT_TOKEN, StandIn

NOON = 1_790_000_000  # a Monday's afternoon in September 2026
TIMEOUT = 10  # seconds


class Clock:
    """The host's clock, moved by hand."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Client:
    """Calls the Audit Logs API of a stand-in."""

    def __init__(self, slack: StandIn, token: str | None = DEFAULT_TOKEN) -> None:
        self.slack = slack
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str = "logs", *, timeout: float = TIMEOUT, **params: Any) -> requests.Response:
        return self.request("GET", path, timeout=timeout, **params)

    def request(self, method: str, path: str = "logs", *, timeout: float = TIMEOUT, **params: Any) -> requests.Response:
        url = f"{self.slack.url}/{path}"
        return self.session.request(
            method, url, params=params, headers=self.headers, timeout=timeout, allow_redirects=False
        )

    def pages(self, **params: Any) -> Iterator[dict[str, Any]]:
        """The pages of a walk, as a careful client reads them."""
        cursor = None
        while True:
            answer = self.get(**params, cursor=cursor)
            assert answer.status_code == 200, answer.text
            yield answer.json()
            cursor = (answer.json().get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    def walk(self, **params: Any) -> list[dict[str, Any]]:
        """All entries of a walk."""
        return [entry for page in self.pages(**params) for entry in page["entries"]]


def refusal(answer: requests.Response) -> tuple[int, str]:
    """The status and the code of an answer that refuses."""
    body = answer.json()
    assert body["ok"] is False
    return answer.status_code, body["error"]


def event(id_: str, second: int = NOON - 100, **more: Any) -> bytes:
    """A small event."""
    return json.dumps({"id": id_, "date_create": second, "action": "user_login", **more}).encode()


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries]


def true_ids(slack: StandIn, oldest: int | None = None, latest: int | None = None) -> list[str]:
    """The ids of everything that is visible, oldest first."""
    return ids([json.loads(raw) for raw in slack.events(oldest, latest)])


def is_uuid4(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", text))
