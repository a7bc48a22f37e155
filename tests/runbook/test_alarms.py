"""The alarms' sections: their commands run on a deployed stack, and show what is wrong."""

import ast
import json
import re
import time
from functools import cache

import msgspec
import pytest

from slack_audit.adapters.slack import ADVICE
from slack_audit.parts import Report
from slack_audit.verify.prove import prove
from tests.runbook import page
from tests.template.reading import ROOT
from tests.verify.archives import Memory

ALARMS = page.chapter("Alarms")


@pytest.mark.parametrize("alarm", ALARMS)
def test_the_commands_of_an_alarm_run(alarm, shell):
    commands = page.blocks(alarm)
    assert commands
    shell.run(*commands)


def test_what_is_on_is_shown_with_its_reason(stack, shell):
    watch = stack.aws.client("cloudwatch")
    (name,) = [
        it["AlarmName"] for it in watch.describe_alarms()["MetricAlarms"] if "AuthFailuresAlarm" in it["AlarmName"]
    ]
    watch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="said by the test")
    assert f"{name}\tsaid by the test\n" in shell.run(*page.blocks("CollectionBrokenAlarm"))
    assert "CollectionBrokenAlarm" in shell.run(*page.blocks("CollectionBrokenAlarm"))
    watch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="over")
    assert shell.run(*page.blocks("CollectionBrokenAlarm")) == ""


def test_every_organisation_is_shown_with_its_lease_and_its_log(stack, shell):
    stack.invoke()
    org, *_, owner, until, following, published = shell.run("orgs").rstrip("\n").split("\t")
    assert (org, owner, until, published) == ("main", "None", "None", following)


def test_the_failure_queue_shows_which_function_failed_and_why(stack, shell):
    stack.aws.client("lambda").invoke(
        FunctionName=stack.outputs["CollectFunctionName"], InvocationType="Event", Payload=b'{"org": "nobody"}'
    )
    said = ""
    deadline = time.monotonic() + 30
    while not said.startswith("{") and time.monotonic() < deadline:
        time.sleep(0.5)
        said = shell.run(page.blocks("FailedRunsAlarm")[0])
    message = json.loads(said.splitlines()[0])
    assert message["requestContext"]["functionArn"].startswith(stack.outputs["CollectFunctionName"].rpartition(":")[0])
    assert "asked for 'nobody'" in message["responsePayload"]["errorMessage"]


def test_the_dead_letters_show_what_aws_said_until_they_are_emptied(stack, shell):
    queue = stack.outputs["ScheduleDeadLetterQueueUrl"]
    stack.aws.client("sqs").send_message(
        QueueUrl=queue,
        MessageBody='{"org": "main"}',
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value}
            for name, value in {"ERROR_CODE": "AccessDenied", "ERROR_MESSAGE": "it may not"}.items()
        },
    )
    look, empty = page.blocks("DeadLettersAlarm")
    assert 'AccessDenied\tit may not\t{"org": "main"}\n' in shell.run(look)
    shell.run(empty)
    assert "AccessDenied" not in shell.run(look)


def test_a_parameter_is_changed_and_nothing_else(stack, shell):
    def parameters() -> dict[str, str]:
        (found,) = stack.aws.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
        return {it["ParameterKey"]: it["ParameterValue"] for it in found["Parameters"]}

    before = parameters()
    shell.run("change StreamRetentionHours 48")
    assert parameters() == before | {"StreamRetentionHours": "48"}
    stream = stack.aws.client("kinesis").describe_stream_summary(StreamName=stack.outputs["EventStreamName"])
    assert stream["StreamDescriptionSummary"]["RetentionPeriodHours"] == 48
    shell.run('change ActionFilter "user_login,user_logout"')
    assert parameters() == before | {"StreamRetentionHours": "48", "ActionFilter": "user_login,user_logout"}
    shell.run('change ActionFilter ""')
    stack.happen()
    stack.collect()
    stack.prove()


# ---- what cannot be run here: CloudWatch Logs Insights reads our JSON, the emulator does not ----

LOGGED = {
    "message", "reason", "org", "level",  # by every line of ours
    "errorMessage", "record.status",  # by Lambda itself: an error that a function ended with, a run that was killed
    "kind", "where", "what", "advice", "action",  # by findings and the drift watch
    *(field.name for field in msgspec.structs.fields(Report)),
    *prove("main", Memory({})).summary(),
}  # fmt: skip
QUERIES = re.findall(r"\bask \w+ \S+ '([^']+)'", page.text())
WORDS = {"filter", "fields", "sort", "limit", "stats", "by", "as", "desc", "or", "and", "in", "like", "ispresent", "coalesce", "count", "max"}  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_what_is_logged(query):
    query = query.replace("\\|", "|")
    messages = re.findall(r'message = "([^"]+)"', query)
    code = "".join(
        path.read_text()
        for path in [*ROOT.glob("functions/*/app.py"), ROOT / "layers/collector/slack_audit/telemetry.py"]
    )
    for message in messages:
        assert f'"{message}", extra=' in code, message
    plain = re.sub(r'"[^"]*"|/[^/]*/', "", query)
    named = set(re.findall(r"\bas (\w+)", plain))
    words = set(re.findall(r"(?<![@\w.])[a-zA-Z][\w.]*", plain))
    assert words - WORDS - named <= LOGGED
    assert set(re.findall(r"@\w+", plain)) <= {"@timestamp"}


def test_the_page_has_queries():
    assert len(QUERIES) >= 8


ERRORS = re.findall(r"^\| (`.+?) \|", page.section("What an error says"), re.MULTILINE)


@pytest.mark.parametrize("said", [text for cell in ERRORS for text in re.findall(r"`([^`]+)`", cell)])
def test_an_error_that_the_page_explains_is_one_that_the_code_raises(said):
    assert said == "timeout" or said in texts() or said in {*ADVICE}


def test_every_refusal_of_slack_stands_on_the_page():
    """Those that only a wrong address brings say what to do themselves."""
    explained = page.section("What an error says")
    themselves = {"bad_endpoint", "method_not_allowed", "invalid_action", "invalid_workspace"}
    assert [code for code in ADVICE if code not in explained and code not in themselves] == []


@cache
def texts() -> str:
    """Every text in our code, with its literal parts put together."""
    found = []
    for path in (ROOT / "layers" / "collector" / "slack_audit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(it.value) for it in node.values if isinstance(it, ast.Constant)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)
