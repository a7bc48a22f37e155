"""A run that finds a plan with its batch, with every fault at every one of its calls."""

from tests.faults.figures import recorded
from tests.faults.scenarios import plan_left
from tests.faults.sweep import sweep


def test_whatever_happens_to_any_call_of_a_run_that_finds_a_plan_nothing_is_lost_or_twice():
    assert sweep("plan_left") == recorded()["scenarios"]["plan_left"]["calls_with_a_fault"]


def test_the_run_commits_what_it_finds():
    world = plan_left().copy()
    before = world.committed()
    assert before.keys() < world.cloud.s3.objects.keys()
    world.run()
    assert world.committed() == world.cloud.s3.objects
