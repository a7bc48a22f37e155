"""The built template, deployed with `sam deploy`: what Slack serves is what archive and stream hold, byte for byte.

Nothing here is imported from the package: a user has no more than this.
"""

from tests.e2e.stack import Stack, settled
from tests.proof import log_of

HOUR = 3_600


def test_a_backlog_is_collected_once_and_a_run_with_nothing_new_adds_nothing(aws, slack):
    stack = Stack.with_token(aws, slack)
    slack.generate(12_000, start=settled(20 * HOUR), end=settled())
    first = stack.invoke()
    assert (first["stopped"], first["backlog"]) == ("nothing_due", 0)
    assert first["events"] == first["published"] == len(slack.events()) == 12_000
    assert first["windows"] >= first["batches"] >= 2
    stack.prove()
    again = stack.invoke()
    assert (again["batches"], again["events"], again["stopped"]) == (0, 0, "nothing_due")
    assert len(log_of(stack.objects())) == 1 + first["windows"] + again["windows"]


def test_faults_of_every_kind_lose_and_repeat_nothing(aws, slack):
    stack = Stack.with_token(aws, slack)
    slack.generate(4_000, start=settled(6 * HOUR), end=settled())
    for rule in (
        {"kind": "rate_limit", "retry_after": "1", "after": 1},
        {"kind": "status", "status": 503},
        {"kind": "html"},
        {"kind": "truncated"},
        {"kind": "reset"},
        {"kind": "no_entries"},
        {"kind": "invalid_json"},
    ):
        slack.fault(**rule)
    for _ in range(6):
        if stack.try_to_invoke().get("stopped") == "nothing_due":
            break
    stack.prove()


def test_small_pages_and_a_crowded_second(aws, slack):
    stack = Stack.with_token(aws, slack)
    slack.change(page_limit=150, short_pages=0.2, empty_pages=0.1)
    slack.generate(1_500, start=settled(3 * HOUR), end=settled())
    slack.generate(700, start=settled(HOUR), end=settled(HOUR), seed=7)
    assert stack.invoke()["stopped"] == "nothing_due"
    stack.prove()


def test_without_a_token_a_run_fails_and_says_what_to_do(aws, slack):
    stack = Stack.deployed(aws, slack)
    error = stack.fail()["errorMessage"]
    assert "put-secret-value" in error
    assert stack.outputs["SlackTokenSecretArn"] in error
    assert stack.objects() == {}


def test_an_org_that_the_stack_does_not_collect_is_refused(aws, slack):
    stack = Stack.with_token(aws, slack, Org="research")
    assert "Org 'main' was never collected" in stack.fail({"org": "main"})["errorMessage"]
    slack.generate(20, start=settled(HOUR), end=settled())
    assert stack.invoke({"org": "research"})["events"] == 20
    assert all("org=research/" in key for key in stack.objects())
