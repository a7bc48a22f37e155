"""Asking a new version: it waits for its turn, but never so long that nobody is told."""

import pytest

from slack_audit.check import Checked
from slack_audit.errors import CheckBusyError, CheckError
from slack_audit.pretraffic import RESERVE, WAIT, ask
from tests.fakes import Clock


class Version:
    """Busy so many times, then it answers."""

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.asked: list[str] = []

    def check(self, org: str) -> Checked:
        self.asked.append(org)
        if len(self.asked) <= self.busy:
            raise CheckBusyError("busy")
        return Checked(org, [])


def test_it_is_asked_once_if_it_answers():
    version, clock = Version(busy=0), Clock()
    assert ask(version, "main", clock) == Checked("main", [])
    assert (version.asked, clock.slept) == (["main"], [])


def test_a_busy_one_is_asked_again():
    version, clock = Version(busy=3), Clock()
    clock.new_run(900)
    assert ask(version, "main", clock).ok
    assert clock.slept == [WAIT] * 3


def test_one_that_stays_busy_is_given_up_while_there_is_time_for_the_verdict():
    clock = Clock()
    clock.new_run(900)
    with pytest.raises(CheckBusyError):
        ask(Version(busy=1_000), "main", clock)
    assert RESERVE <= clock.time_left() < RESERVE + WAIT


def test_whatever_else_goes_wrong_is_not_tried_again():
    class Broken(Version):
        def check(self, org: str) -> Checked:
            self.asked.append(org)
            raise CheckError("broken")

    version = Broken(busy=0)
    with pytest.raises(CheckError):
        ask(version, "main", Clock())
    assert version.asked == ["main"]
