"""The token is replaced in Secrets Manager, by hand, while the stack runs."""

import time

from tests.e2e.stack import Stack, settled
from tests.proof import log_of

HOUR = 3_600


def test_a_token_that_is_replaced_is_picked_up_without_a_deployment(aws, slack):
    stack = Stack.with_token(aws, slack)
    slack.generate(300, start=settled(HOUR), end=settled())
    stack.invoke()
    slack.token("xoxp-another-that-is-not-real")
    slack.generate(50, start=settled(-40), end=settled(-40), seed=2)
    stack.put_token("xoxp-another-that-is-not-real")
    wait_until_due(stack)
    assert stack.invoke()["events"] == 50, "within one run, although the function had kept the old one"
    stack.prove()


def wait_until_due(stack: Stack) -> None:
    """Until half a minute of unread seconds has come together."""
    watermark = log_of(stack.objects())[-1]["passes"]["live"]["watermark"]
    time.sleep(max(0.0, watermark + 60 + 32 - time.time()))
