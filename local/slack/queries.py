"""From the query string of `/logs` to what is asked, or the refusal that Slack's documents name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from local.slack import catalogue, cursors
from local.slack.answers import RefusalError
from local.slack.cursors import Cursor
from local.slack.history import Selection
from local.slack.settings import Settings

FLOOR = 1519862400  # 1 March 2018, UTC: "data is not available prior to March 2018"
MOST_RESULTS = 9999
MOST_ACTIONS = 30
RESULTS_FOR_ZERO = 20  # observed: limit=0 is answered with 20 entries

_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Question:
    """A call of `/logs` that can be answered."""

    selection: Selection
    limit: int
    cursor: Cursor | None


def read(params: Mapping[str, str], settings: Settings, now: float) -> Question:
    """What is asked; parameters that Slack does not know are let pass."""
    oldest, latest = _second(params, "oldest"), _second(params, "latest")
    if latest is not None and latest > now and settings.refuse_future:
        raise RefusalError("invalid_range")
    if oldest is not None and oldest < FLOOR and settings.refuse_before_floor:
        raise RefusalError("invalid_range")
    actions = _actions(params.get("action", ""), settings)
    selection = Selection(oldest, latest, actions, params.get("actor", ""), params.get("entity", ""))
    return Question(selection, _limit(params.get("limit"), settings), _cursor(params.get("cursor"), settings, now))


def _second(params: Mapping[str, str], name: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    if not _WHOLE.fullmatch(text):
        raise RefusalError("invalid_range")
    return int(text)


def _limit(text: str | None, settings: Settings) -> int:
    if text is None:
        return settings.default_limit
    if not _WHOLE.fullmatch(text) or not 0 <= int(text) <= MOST_RESULTS:
        raise RefusalError("invalid_limit")
    return int(text) or RESULTS_FOR_ZERO


def _actions(text: str, settings: Settings) -> frozenset[str]:
    asked = [name.strip() for name in text.split(",")] if text else []
    known = catalogue.names() - set(settings.retired_actions)
    if len(asked) > MOST_ACTIONS or not known.issuperset(asked):
        raise RefusalError("invalid_action")
    return frozenset(asked)


def _cursor(text: str | None, settings: Settings, now: float) -> Cursor | None:
    if not text:
        return None
    try:
        cursor = cursors.decode(text)
    except cursors.BrokenCursorError as error:
        raise RefusalError("invalid_cursor") from error
    if cursor.expired(now, settings.cursor_ttl):
        raise RefusalError("invalid_cursor")
    return cursor
