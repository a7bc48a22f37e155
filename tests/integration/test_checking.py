"""The collect function asked to check: what it answers, and that nothing is collected."""

from typing import Any

from local.slack import DEFAULT_TOKEN
from slack_audit.errors import SettingsError

CHECK = {"org": "main", "check": True}
KEY = "checks/org=main/write-once"


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    return {it["name"]: it["outcome"] for it in result["findings"]}


def test_a_stack_that_can_collect_says_so_and_collects_nothing(stack, log):
    stack.backlog(100)
    for _ in range(2):
        result = stack.run(CHECK)
        assert (result["org"], result["ok"]) == ("main", True)
        assert set(outcomes(result).values()) == {"ok"}
        assert set(result["findings"][0]) == {"name", "outcome", "what", "advice"}
    assert set(stack.cloud.objects()) == {KEY}
    assert stack.cloud.clients.dynamodb.scan(TableName=stack.cloud.name)["Items"] == []
    assert stack.cloud.streamed() == []
    assert [line["ok"] for line in log.lines if line["message"] == "checked"] == [True, True]


def test_the_check_writes_no_metrics(stack, capsys):
    stack.run(CHECK)
    assert capsys.readouterr().out == ""


def test_what_the_check_leaves_behind_is_nothing_to_the_verifier_and_to_a_run(stack):
    stack.run(CHECK)
    stack.backlog(50)
    stack.until_done()
    assert stack.run(CHECK)["ok"]
    proof = stack.verify()
    assert (proof["proven"], proof["warnings"]) == (True, 0)
    assert KEY in stack.cloud.objects()


def test_a_token_that_was_put_wrong_is_found_although_the_function_is_warm(stack):
    assert stack.run(CHECK)["ok"]
    stack.put_token("xoxb-not-a-real-token")
    result = stack.run(CHECK)
    assert not result["ok"]
    assert (outcomes(result)["token"], outcomes(result)["slack"]) == ("failed", "failed")
    stack.put_token(DEFAULT_TOKEN)
    assert stack.run(CHECK)["ok"]


def test_a_secret_without_a_value_is_missing_and_no_failure(stack):
    # Secrets Manager answers the same for a secret that is not there; the embedded one knows only that answer.
    stack.set(SLACK_TOKEN_SECRET_ARN="arn:aws:secretsmanager:us-east-1:000000000000:secret:empty-AbCdEf")
    result = stack.run(CHECK)
    assert (result["ok"], outcomes(result)["token"]) == (True, "missing")
    assert "put-secret-value" in result["findings"][0]["what"]
    assert stack.slack.calls() == []


def test_what_is_not_there_is_found(stack):
    stack.cloud.clients.kinesis.delete_stream(StreamName=stack.cloud.name)
    stack.cloud.clients.dynamodb.delete_table(TableName=stack.cloud.name)
    stack.set(ARCHIVE_BUCKET="nobody-has-this-bucket")
    result = stack.run(CHECK)
    wrong = {name for name, outcome in outcomes(result).items() if outcome == "failed"}
    assert (result["ok"], wrong) == (False, {"archive", "listing", "table", "stream"})


def test_another_org_of_the_stack_has_a_secret_of_its_own(stack):
    result = stack.run({"org": "labs", "check": True})
    assert (result["org"], result["ok"], outcomes(result)["token"]) == ("labs", True, "missing")
    assert set(stack.cloud.objects()) == {"checks/org=labs/write-once"}


def test_what_is_no_org_is_refused(stack):
    assert "'../x'" in stack.fails(SettingsError, {"org": "../x", "check": True})
