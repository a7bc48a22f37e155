"""The token is replaced in Secrets Manager, by hand, while the stack runs."""

from tests.e2e.stack import Stack, settled

HOUR = 3_600


def test_a_token_that_is_replaced_is_picked_up_without_a_deployment(aws, slack):
    stack = Stack.with_token(aws, slack)
    slack.generate(300, start=settled(HOUR), end=settled())
    watermark = stack.invoke()["watermark"]
    slack.token("xoxp-another-that-is-not-real")
    slack.generate(50, start=watermark + 10, end=watermark + 10, seed=2)
    stack.put_token("xoxp-another-that-is-not-real")
    slack.change(clock_offset=120)  # so that the unread seconds need not be waited for
    stack.forget_the_clock()
    assert stack.invoke()["events"] == 50, "within one run, although the function had kept the old one"
    stack.prove()
