"""Every source keeps the promises of `ports.Source`: the fake in memory, and the adapter before the stand-in."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Protocol

import pytest

from local.slack import DEFAULT_TOKEN, StandIn
from slack_audit.adapters.slack import SlackSource
from slack_audit.errors import CursorRefusedError, RangeRefusedError
from slack_audit.ports import Answer, Query, Source
from slack_audit.windows import Window
from tests import fakes
from tests.builders import NO_FILTERS, raw_event

TIMEOUT = 10.0  # seconds


class Served(Protocol):
    """A source, and what is behind it."""

    source: Source

    def now(self) -> float:
        """By Slack's clock."""

    def add(self, raws: Iterable[bytes], visible_at: float = 0) -> None:
        """Events that Slack shows from that time on."""

    def page(self, size: int) -> None:
        """From now on no answer holds more."""

    def offset(self, seconds: int) -> None:
        """Slack's clock, minus the host's."""


class InMemory:
    def __init__(self) -> None:
        self.slack = fakes.Slack(fakes.Clock(), fakes.Faults())
        self.source: Source = self.slack
        self.add = self.slack.add

    def now(self) -> float:
        return self.slack.now

    def page(self, size: int) -> None:
        self.slack.page = size

    def offset(self, seconds: int) -> None:
        self.slack.offset = seconds


class OnTheWire:
    def __init__(self, slack: StandIn) -> None:
        self.slack = slack
        self.source: Source = SlackSource(slack.url, "main", lambda _fresh: DEFAULT_TOKEN, "0.1.0")

    def now(self) -> float:
        return self.slack.now

    def add(self, raws: Iterable[bytes], visible_at: float = 0) -> None:
        self.slack.add(*raws, visible_at=visible_at)

    def page(self, size: int) -> None:
        self.slack.change(page_limit=size)

    def offset(self, seconds: int) -> None:
        self.slack.change(clock_offset=seconds)


@pytest.fixture(params=["memory", "stand-in"])
def served(request: pytest.FixtureRequest) -> Served:
    if request.param == "memory":
        return InMemory()
    return OnTheWire(request.getfixturevalue("slack"))


def ask(served: Served, window: Window | None, **changes: object) -> Answer:
    query = {"window": window, "filters": NO_FILTERS, **changes}
    return served.source.read(Query(**query), TIMEOUT)  # type: ignore[arg-type]


def walk(served: Served, window: Window, limit: int = 9_999) -> Iterator[Answer]:
    """The answers from the first to the last, the window repeated with every cursor."""
    answer = ask(served, window, limit=limit)
    yield answer
    while answer.next_cursor is not None:
        answer = ask(served, window, limit=limit, cursor=answer.next_cursor)
        yield answer


def raws(*answers: Answer) -> list[bytes]:
    return sorted(event.raw for answer in answers for event in answer.events)


@pytest.fixture
def past(served: Served) -> int:
    """A second that is over."""
    return int(served.now()) - 1_000


def test_a_window_holds_both_its_ends(served, past):
    inside = [raw_event(past), raw_event(past + 5), raw_event(past + 10)]
    served.add([raw_event(past - 1), *inside, raw_event(past + 11)])
    assert raws(ask(served, Window(past, past + 10))) == sorted(inside)


def test_a_whole_answer_has_no_cursor(served, past):
    served.add([raw_event(past)])
    assert ask(served, Window(past, past)).next_cursor is None


def test_a_window_without_events_is_whole(served, past):
    answer = ask(served, Window(past, past + 10))
    assert (answer.events, answer.next_cursor) == ([], None)


def test_a_window_of_one_second_holds_all_of_it(served, past):
    events = [raw_event(past, number) for number in range(20)]
    served.add(events)
    assert raws(ask(served, Window(past, past))) == sorted(events)


def test_events_come_byte_for_byte_with_their_fields_read(served, past):
    raw = raw_event(past, "one", details={"url": "https://example.com/ü", "empty": [], "none": None})
    served.add([raw])
    (event,) = ask(served, Window(past, past)).events
    assert (event.raw, event.id, event.date_create, event.action) == (raw, f"{past}-one", past, "user_login")


def test_a_full_answer_that_is_not_the_whole_window_has_a_cursor(served, past):
    served.add([raw_event(past + second) for second in range(10)])
    served.page(4)
    answer = ask(served, Window(past, past + 9))
    assert len(answer.events) == 4
    assert answer.next_cursor


def test_an_answer_that_just_fits_has_no_cursor(served, past):
    served.add([raw_event(past + second) for second in range(4)])
    served.page(4)
    assert ask(served, Window(past, past + 9)).next_cursor is None


@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_a_walk_brings_every_event_once(served, past, size):
    events = [raw_event(past + second // 2, second) for second in range(10)]
    served.add([raw_event(past - 1), *events, raw_event(past + 20)])
    served.page(size)
    assert raws(*walk(served, Window(past, past + 10))) == sorted(events)


def test_a_walk_of_one_second_brings_every_event_once(served, past):
    events = [raw_event(past, number) for number in range(25)]
    served.add(events)
    served.page(10)
    assert raws(*walk(served, Window(past, past))) == sorted(events)


def test_no_answer_holds_more_than_it_was_asked_for(served, past):
    served.add([raw_event(past + second) for second in range(10)])
    sizes = [len(answer.events) for answer in walk(served, Window(past, past + 9), limit=3)]
    assert sizes == [3, 3, 3, 1]


def test_without_a_window_the_newest_event_comes(served, past):
    served.add([raw_event(past), raw_event(past + 7), raw_event(past + 3)])
    assert [event.date_create for event in ask(served, None, limit=1).events] == [past + 7]


def test_an_event_is_not_there_before_slack_shows_it(served, past):
    served.add([raw_event(past, "early")])
    served.add([raw_event(past, "late")], visible_at=served.now() + 1_000)
    assert [event.id for event in ask(served, Window(past, past)).events] == [f"{past}-early"]


def test_a_late_event_is_there_once_slack_shows_it(served, past):
    served.add([raw_event(past, "late")], visible_at=served.now() + 1_000)
    served.offset(2_000)
    assert [event.id for event in ask(served, Window(past, past)).events] == [f"{past}-late"]


@pytest.mark.parametrize("offset", [0, 7_200, -7_200])
def test_an_answer_tells_slacks_time(served, offset):
    served.offset(offset)
    before = int(served.now())
    said = ask(served, None, limit=1).slack_time
    assert said is not None
    assert before <= said <= served.now()


def test_a_window_in_slacks_future_is_refused_and_tells_slacks_time(served):
    served.offset(-7_200)
    ahead = int(served.now()) + 3_600
    with pytest.raises(RangeRefusedError) as refusal:
        ask(served, Window(ahead, ahead + 10))
    assert refusal.value.slack_time is not None
    assert abs(refusal.value.slack_time - served.now()) <= 2


def test_a_cursor_that_slack_does_not_know_is_refused(served, past):
    with pytest.raises(CursorRefusedError):
        ask(served, Window(past, past), cursor="expired")


def test_a_new_token_may_be_asked_for_at_any_time(served, past):
    served.add([raw_event(past)])
    served.source.renew_token()
    served.source.renew_token()
    assert len(ask(served, Window(past, past)).events) == 1


# The adapter alone


def event_of(second: int, number: int, action: str, actor: str, entity: str) -> bytes:
    people = {"actor": {"type": "user", "user": {"id": actor}}, "entity": {"type": "file", "file": {"id": entity}}}
    return raw_event(second, number, action=action, **people)


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [1, 2, 3, 4]),
        ({"action": "file_shared"}, [3, 4]),
        ({"action": "file_shared,user_logout"}, [2, 3, 4]),
        ({"actor": "W2"}, [2, 4]),
        ({"entity": "F1"}, [1, 3]),
        ({"action": "file_shared", "actor": "W2", "entity": "F2"}, [4]),
        ({"actor": "W9"}, []),
    ],
)
def test_filters_add_up(slack, filters, numbers):
    served = OnTheWire(slack)
    second = int(time.time()) - 1_000
    slack.add(
        event_of(second, 1, "user_login", "W1", "F1"),
        event_of(second, 2, "user_logout", "W2", "F2"),
        event_of(second, 3, "file_shared", "W1", "F1"),
        event_of(second, 4, "file_shared", "W2", "F2"),
    )
    answer = ask(served, Window(second, second), filters=type(NO_FILTERS)(**filters))
    assert sorted(json.loads(raw)["id"] for raw in raws(answer)) == [f"{second}-{number}" for number in numbers]


@pytest.mark.parametrize("last_page", ["empty", "null", "missing", "object", "none"])
def test_the_end_is_the_end_however_slack_says_it(slack, last_page):
    slack.change(last_page=last_page)
    second = int(time.time()) - 1_000
    slack.add(raw_event(second))
    answer = ask(OnTheWire(slack), Window(second, second))
    assert (len(answer.events), answer.next_cursor) == (1, None)


def test_events_of_one_second_may_be_more_than_asked_for(slack):
    slack.change(over_deliver=True)
    second = int(time.time()) - 1_000
    slack.add(*[raw_event(second, number) for number in range(20)])
    answer = ask(OnTheWire(slack), Window(second, second), limit=5)
    assert (len(answer.events), answer.next_cursor) == (20, None)


def test_an_empty_answer_may_have_a_cursor(slack):
    slack.change(empty_pages=1.0)
    second = int(time.time()) - 1_000
    slack.add(raw_event(second))
    first, last = walk(OnTheWire(slack), Window(second, second))
    assert (first.events, len(last.events)) == ([], 1)


def test_a_cursor_expires(slack):
    slack.change(cursor_ttl=60, page_limit=1)
    second = int(time.time()) - 1_000
    slack.add(raw_event(second, 1), raw_event(second, 2))
    served = OnTheWire(slack)
    cursor = ask(served, Window(second, second)).next_cursor
    slack.change(clock_offset=61)
    with pytest.raises(CursorRefusedError):
        ask(served, Window(second, second), cursor=cursor)
