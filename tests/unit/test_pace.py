"""How many calls to Slack are under way at once."""

import pytest

from slack_audit.pace import MOST_AHEAD, STEADY, Pace


def settled(times: int, seconds: float) -> Pace:
    pace = Pace().after_call(seconds)
    for _ in range(times):
        pace = pace.after_answer(whole=True, filled=0.9)
    return pace


@pytest.mark.parametrize(
    ("seconds", "per_minute", "ahead"),
    [(0.1, 40, 2), (1.4, 40, 2), (1.6, 40, 3), (2.9, 40, 3), (30.0, 40, 3), (4.0, 1, 2), (0.0, 40, 1)],
)
def test_as_many_as_use_up_the_call_budget(seconds, per_minute, ahead):
    assert settled(100, seconds).ahead(per_minute) == ahead
    assert ahead <= MOST_AHEAD


def test_one_more_for_some_settled_answers_each():
    assert [settled(times, 4.0).ahead(40) for times in range(2 * STEADY + 1)] == [1, 1, 2, 2, 3]


def test_an_answer_that_is_not_whole_starts_it_over():
    assert settled(100, 4.0).after_answer(whole=False, filled=1.0).ahead(40) == 1


def test_a_whole_answer_with_few_events_says_nothing():
    pace = settled(STEADY, 4.0)
    assert pace.after_answer(whole=True, filled=0.1) == pace


def test_a_slow_call_counts_for_a_while():
    pace = settled(100, 4.0)
    for calls in range(20):
        pace = pace.after_call(0.1)
        if pace.ahead(40) == 2:
            assert 3 <= calls <= 8
            return
    raise AssertionError("it is never forgotten")
