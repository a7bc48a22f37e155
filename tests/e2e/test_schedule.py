"""EventBridge Scheduler runs the function; nobody else does."""

import time

from local.aws import EmbeddedAws
from tests.e2e.stack import TOKEN, Stack, settled
from tests.hygiene import sweep

HOUR = 3_600


def test_the_schedule_collects_by_itself_and_each_function_has_the_permissions_that_it_needs(slack):
    """On an AWS that enforces roles and policies: what the template does not allow is refused."""
    with EmbeddedAws(enforce_iam=True) as aws:
        stack = Stack.deployed(aws, slack, ScheduleState="ENABLED", LiveLagSeconds="5")
        slack.generate(2_000, start=settled(2 * HOUR), end=settled())
        stack.put_token(TOKEN)
        slack.traffic(10, until=time.time() + 20)
        deadline = time.monotonic() + 200
        served = stack.served()
        while time.monotonic() < deadline:
            time.sleep(3)
            served = stack.served()
            if len({data for _, data in stack.records()}) == len(served):
                break
        stack.prove()
        assert len(served) > 2_000
        assert len(stack.watch()["kept"]) == 2
        again = stack.watch()
        assert (again["kept"], again["looked_at_all"]) == ([], True)
        check = stack.verify()
        assert (check["proven"], check["events"]) == (True, len(served))
        stack.prove()
        sweep(aws)
