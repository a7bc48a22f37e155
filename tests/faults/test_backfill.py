"""A run that drives a backfill, and the order that starts one, with every fault at every one of their calls."""

from tests.faults.figures import recorded
from tests.faults.scenarios import backfill
from tests.faults.sweep import sweep


def test_whatever_happens_to_any_call_of_a_backfill_nothing_is_lost_or_twice():
    assert sweep("backfill") == recorded()["scenarios"]["backfill"]["calls_with_a_fault"]


def test_whatever_happens_to_any_call_of_an_order_it_is_carried_out_once_it_is_sent_again():
    assert sweep("backfill_order") == recorded()["scenarios"]["backfill_order"]["calls_with_a_fault"]


def test_a_part_of_the_backfill_is_archived_already_and_a_part_is_new():
    outcome = backfill().copy().run()
    assert outcome.report is not None
    assert outcome.report.found["backfill"] > 0
    assert outcome.report.held > 0
