"""The alarms' sections: their commands run on a deployed stack, and show what is wrong."""

import json
import time

import pytest

from tests.runbook import page

ALARMS = page.chapter("Alarms")


@pytest.mark.parametrize("alarm", ALARMS)
def test_the_commands_of_an_alarm_run(alarm, shell):
    commands = page.blocks(alarm)
    assert commands
    shell.run(*commands)


def test_what_is_on_is_shown_with_its_reason(stack, shell):
    watch = stack.aws.client("cloudwatch")
    alarms = watch.describe_alarms(AlarmNamePrefix=f"{stack.name}-")["MetricAlarms"]
    (name,) = [it["AlarmName"] for it in alarms if "AuthFailuresAlarm" in it["AlarmName"]]
    watch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="said by the test")
    assert f"{name}\tsaid by the test\n" in shell.run(*page.blocks("CollectionBrokenAlarm"))
    assert "CollectionBrokenAlarm" in shell.run(*page.blocks("CollectionBrokenAlarm"))
    watch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="over")
    assert name not in shell.run(*page.blocks("CollectionBrokenAlarm"))


def test_every_organisation_is_shown_with_its_lease_and_its_log(stack, shell):
    stack.invoke()
    org, *_, owner, until, following, published = shell.run("orgs").rstrip("\n").split("\t")
    assert (org, owner, until, published) == ("main", "None", "None", following)


def test_the_failure_queue_shows_which_function_failed_and_why(stack, shell):
    stack.aws.client("lambda").invoke(
        FunctionName=stack.outputs["CollectFunctionName"], InvocationType="Event", Payload=b'{"org": "no/body"}'
    )
    said = ""
    deadline = time.monotonic() + 30
    while not said.startswith("{") and time.monotonic() < deadline:
        time.sleep(0.5)
        said = shell.run(page.blocks("FailedRunsAlarm")[0])
    message = json.loads(said.splitlines()[0])
    assert message["requestContext"]["functionArn"].startswith(stack.outputs["CollectFunctionName"].rpartition(":")[0])
    assert "'no/body' is not allowed" in message["responsePayload"]["errorMessage"]


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
