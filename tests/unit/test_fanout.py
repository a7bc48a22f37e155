"""One start for each organisation: slowly, and one that fails does not hold up the others."""

from collections.abc import Mapping
from typing import Any

import pytest

from slack_audit.errors import StartError
from slack_audit.fanout import PAUSE, start_each
from tests.fakes import Clock


class Starter:
    """Notes what it starts; refuses some organisations."""

    def __init__(self, *refused: str) -> None:
        self._refused = refused
        self.events: list[dict[str, Any]] = []

    def start(self, event: Mapping[str, Any]) -> None:
        if event["org"] in self._refused:
            raise StartError(f"{event['org']} was refused")
        self.events.append(dict(event))


def test_each_org_is_started_with_what_was_asked():
    starter = Starter()
    assert start_each(["main", "lab"], {"days": 2}, starter, Clock()) == ["main", "lab"]
    assert starter.events == [{"org": "main", "days": 2}, {"org": "lab", "days": 2}]


def test_starts_are_spread():
    clock = Clock()
    start_each(["a", "b", "c"], {}, Starter(), clock)
    assert clock.slept == [PAUSE, PAUSE]


def test_one_that_cannot_be_started_does_not_hold_up_the_others_and_is_named():
    starter = Starter("a", "c")
    with pytest.raises(StartError, match=r"Not started for a, c; started for the other 2\. .*a was refused"):
        start_each(["a", "b", "c", "d"], {}, starter, Clock())
    assert [event["org"] for event in starter.events] == ["b", "d"]


def test_without_time_the_rest_is_named_and_not_waited_for():
    clock, starter = Clock(), Starter()
    clock.new_run(seconds=45.5)
    starter.events = Slow(clock)
    with pytest.raises(StartError, match=r"Not started for b, c; .*no time left"):
        start_each(["a", "b", "c"], {}, starter, clock)
    assert [event["org"] for event in starter.events] == ["a"]
    assert clock.slept == []


class Slow(list[dict[str, Any]]):
    """Each start takes a second."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def append(self, event: dict[str, Any]) -> None:
        super().append(event)
        self._clock.time += 1
