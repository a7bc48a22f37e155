import pytest

from slack_audit.budget import Budget


def spent(*times: float) -> Budget:
    budget = Budget()
    for time in times:
        budget = budget.spent(time)
    return budget


@pytest.mark.parametrize(
    ("budget", "now", "wait"),
    [
        pytest.param(Budget(), 1_000.0, 0, id="nothing spent"),
        pytest.param(spent(1_000, 1_000), 1_001.0, 0, id="one is left"),
        pytest.param(spent(1_000, 1_000, 1_000), 1_001.0, 59.2, id="until the first one is a minute old"),
        pytest.param(spent(1_000, 1_020, 1_030), 1_031.0, 29.2, id="calls that were spread out"),
        pytest.param(spent(1_000, 1_000, 1_000), 1_061.0, 0, id="a minute later"),
        pytest.param(Budget(blocked_until=1_040), 1_031.0, 9, id="Slack said to wait"),
    ],
)
def test_the_wait_for_the_next_of_three_calls_a_minute(budget, now, wait):
    assert budget.wait(now, 3) == pytest.approx(wait)


def test_no_sixty_seconds_hold_more_calls_than_the_budget():
    budget, now, calls = Budget(), 5_000.3, []
    while len(calls) < 200:
        now += budget.wait(now, 7) + 0.37 * (len(calls) % 3)
        if budget.wait(now, 7) == 0:
            calls.append(now)
            budget = budget.spent(now)
    assert all(later - earlier > 60 for earlier, later in zip(calls, calls[7:], strict=False))
    assert calls[-1] - calls[0] < 60.6 * len(calls) / 7


def test_old_calls_are_forgotten():
    assert spent(1_000, 1_000, 1_100).calls == ((1_100, 1),)


def test_between_runs_calls_are_kept_by_whole_seconds_and_none_counts_as_earlier_than_it_was():
    assert spent(1_000, 1_000.2, 1_000.9, 1_001, 1_001.1).by_second() == ((1_000, 1), (1_001, 3), (1_002, 1))


def test_a_clock_that_was_set_back_does_not_block_for_long():
    assert spent(9_000, 9_000, 9_000).wait(1_000.0, 3) == 0


def test_blocked_until_slack_says_so():
    budget = Budget().blocked(1_000.2)
    assert budget.is_blocked(1_000.9)
    assert not budget.is_blocked(1_001.0)
