"""A run that finds a backlog, with every fault at every one of its calls."""

from tests.faults.figures import recorded
from tests.faults.sweep import sweep


def test_whatever_happens_to_any_call_of_a_run_with_a_backlog_nothing_is_lost_or_twice():
    assert sweep("publish_backlog") == recorded()["scenarios"]["publish_backlog"]["calls_with_a_fault"]
