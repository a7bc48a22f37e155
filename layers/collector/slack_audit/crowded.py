"""One second that is larger than a page: the only place where a cursor is followed.

It is walked to the end within one run, again and again, until a walk adds nothing and shows nothing missing itself
(protocol: "Why there are no cursors in it"). The call budget is not checked inside it.
"""

import logging
from collections.abc import Callable

import msgspec

from slack_audit.deadline import ExhaustedError
from slack_audit.errors import CrowdedSecondError, CursorRefusedError, UnavailableError
from slack_audit.events import Event
from slack_audit.ports import Answer, Query

logger = logging.getLogger(__name__)

WALKS = 20  # before the run gives up


def every_event(query: Query, first: Answer, page: Callable[[Query], Answer]) -> list[Event]:
    """Every event of the query's one second, of which `first` is a page. Raises CrowdedSecondError."""
    union: dict[str, Event] = {}
    logger.info("a second is larger than a page", extra={"second": query.window and query.window.lo})
    try:
        for _ in range(WALKS):
            if (walk := _walk(query, first, page)) is not None:
                before = len(union)
                union = {event.id: event for event in reversed(walk)} | union
                if len(union) == before and _is_steady(walk, before):
                    return list(union.values())
            first = page(query)
    except ExhaustedError as exhausted:
        if exhausted.reason != "time":
            raise
        raise _too_crowded(query, len(union), "its time was spent") from exhausted
    raise _too_crowded(query, len(union), f"{WALKS} walks")


def _walk(query: Query, answer: Answer, page: Callable[[Query], Answer]) -> list[Event] | None:
    """What one walk from the second's first page to its end shows; None if its cursor was refused on the way."""
    events = list(answer.events)
    seen: set[str] = set()
    while (cursor := answer.next_cursor) is not None:
        if cursor in seen:
            raise UnavailableError(f"Slack's cursor does not move within {query.window}: it came twice.")
        seen.add(cursor)
        try:
            answer = page(msgspec.structs.replace(query, cursor=cursor))
        except CursorRefusedError:
            return None
        events += answer.events
    return events


def _is_steady(walk: list[Event], known: int) -> bool:
    """Did the walk show every event that is known, or at most as many entries as are known?

    If Slack's order changed within a walk, it showed some events twice and others not at all.
    """
    return len({event.id for event in walk}) == known or len(walk) <= known


def _too_crowded(query: Query, found: int, what: str) -> CrowdedSecondError:
    return CrowdedSecondError(
        f"{query.window} holds more than {found} events and could not be read whole within this run ({what}). Nothing "
        "is lost: the next run starts it again. If this repeats, raise Timeout of CollectFunction in template.yaml."
    )
