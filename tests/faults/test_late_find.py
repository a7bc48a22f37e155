"""A run in which late and final find what Slack showed late, with every fault at every one of its calls."""

from tests.faults.figures import recorded
from tests.faults.scenarios import late_find
from tests.faults.sweep import sweep


def test_whatever_happens_to_any_call_of_a_late_find_nothing_is_lost_or_twice():
    assert sweep("late_find") == recorded()["scenarios"]["late_find"]["calls_with_a_fault"]


def test_the_run_has_something_to_find_for_every_pass():
    outcome = late_find().copy().run()
    assert outcome.report is not None
    assert all(outcome.report.found[name] > 0 for name in ("live", "late", "final"))
