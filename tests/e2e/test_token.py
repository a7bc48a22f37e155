"""The token is replaced in Secrets Manager, by hand, while the stack runs."""

import time

from tests.e2e.stack import Stack, settled

HOUR = 3_600


def test_a_token_that_is_replaced_is_picked_up_without_a_deployment(aws, slack):
    stack = Stack.with_token(aws, slack)
    slack.generate(300, start=settled(HOUR), end=settled())
    watermark = stack.invoke()["watermark"]
    slack.token("xoxp-another-that-is-not-real")
    slack.generate(50, start=watermark + 10, end=watermark + 10, seed=2)
    stack.put_token("xoxp-another-that-is-not-real")
    time.sleep(max(0.0, watermark + 60 + 32 - time.time()))  # until half a minute of unread seconds is there
    assert stack.invoke()["events"] == 50, "within one run, although the function had kept the old one"
    stack.prove()
