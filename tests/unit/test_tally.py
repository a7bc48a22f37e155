"""How often each action was archived: bounded, whatever the names are."""

from slack_audit.events import Event
from slack_audit.tally import LONGEST_NAME, MOST_KEPT, MOST_NAMED, Count, Tally


def events(*actions: str | None) -> list[Event]:
    return [Event(b"{}", str(number), None, action) for number, action in enumerate(actions)]


def test_actions_are_counted_by_pass_the_most_frequent_first():
    tally = Tally()
    tally.note("live", events("login", "logout", "login"))
    tally.note("live", events("login"))
    tally.note("late", events("login", "login", None))
    assert tally.counts() == [
        Count("live", "login", 3),
        Count("late", "login", 2),
        Count("live", "logout", 1),
        Count("late", "none", 1),
    ]


def test_nothing_is_counted_of_a_run_without_events():
    assert Tally().counts() == []


def test_only_the_most_frequent_are_named_and_the_rest_of_each_pass_is_one():
    tally = Tally()
    for number in range(MOST_NAMED):
        tally.note("live", events(*[f"often_{number}"] * 2))
    tally.note("live", events("rare", "rarer"))
    tally.note("final", events("rare"))
    counts = tally.counts()
    assert len(counts) == MOST_NAMED + 2
    assert counts[-2:] == [Count("live", "other", 2), Count("final", "other", 1)]


def test_a_long_name_is_cut():
    tally = Tally()
    tally.note("live", events("x" * 5_000))
    assert tally.counts() == [Count("live", "x" * LONGEST_NAME, 1)]


def test_more_different_names_than_are_kept_lose_no_event():
    tally = Tally()
    tally.note("live", events(*[f"name_{number}" for number in range(3 * MOST_KEPT)]))
    assert len(tally._counts) <= MOST_KEPT + 1
    assert sum(it.events for it in tally.counts()) == 3 * MOST_KEPT
    assert len(tally.counts()) == MOST_NAMED + 1
