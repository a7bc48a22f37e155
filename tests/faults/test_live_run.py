"""A run in the middle of the collector's life, with every fault at every one of its calls."""

from tests.faults.figures import recorded
from tests.faults.sweep import sweep


def test_whatever_happens_to_any_call_of_a_live_run_nothing_is_lost_or_twice():
    assert sweep("live_run") == recorded()["scenarios"]["live_run"]["calls_with_a_fault"]
