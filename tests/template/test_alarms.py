"""One alarm for each promise, each with its section in the runbook; and the dashboard."""

import json
import re
from typing import Any

import pytest

from slack_audit import telemetry
from tests.template.reading import ROOT, of_type, properties, template, written_of_type

STACK = [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
COLLECT = [{"Name": "FunctionName", "Value": {"Ref": "CollectFunction"}}]
STREAM = [{"Name": "StreamName", "Value": {"Ref": "EventStream"}}]

# name: (namespace, metric, dimensions, statistic, seconds, threshold, missing data)
SINGLE: dict[str, tuple[str, str, list[Any], str, int, object, str]] = {
    "NoSuccessfulRunAlarm": ("SlackAuditCollector", "OverdueOrgs", STACK, "Maximum", 300, 1, "breaching"),
    "LiveLagAlarm": ("SlackAuditCollector", "LongestLiveLag", STACK, "Maximum", 900, {"Ref": "LagAlarmSeconds"}, "missing"),
    "PublishLagAlarm": (
        "SlackAuditCollector", "LongestPublishLag", STACK, "Maximum", 900, {"Ref": "LagAlarmSeconds"}, "missing",
    ),
    "AuthFailuresAlarm": ("SlackAuditCollector", "AuthFailures", STACK, "Sum", 300, 1, "notBreaching"),
    "RunErrorsAlarm": ("AWS/Lambda", "Errors", COLLECT, "Sum", 900, 3, "notBreaching"),
    "FailedRunsAlarm": (
        "AWS/SQS", "NumberOfMessagesSent",
        [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["FailureQueue", "QueueName"]}}], "Sum", 900, 3, "notBreaching",
    ),
    "DeadLettersAlarm": (
        "AWS/SQS", "ApproximateNumberOfMessagesVisible",
        [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["ScheduleDeadLetterQueue", "QueueName"]}}],
        "Maximum", 300, 1, "notBreaching",
    ),
    "StreamThrottledAlarm": (
        "AWS/Kinesis", "WriteProvisionedThroughputExceeded", STREAM, "Sum", 900, 1, "notBreaching",
    ),
    "ReplayFailedAlarm": (
        "AWS/States", "ExecutionsFailed", [{"Name": "StateMachineArn", "Value": {"Ref": "ReplayStateMachine"}}],
        "Sum", 300, 1, "notBreaching",
    ),
    "RotationFailuresAlarm": ("SlackAuditCollector", "RotationFailures", STACK, "Sum", 300, 1, "notBreaching"),
}  # fmt: skip
# name: (expression, the metrics in it, seconds, threshold, missing data)
COMPUTED: dict[str, tuple[str, dict[str, tuple[str, str]], int, object, str]] = {
    "RateLimitedAlarm": (
        "IF(calls > 0, limited / calls, 0)",
        {"limited": ("SlackAuditCollector", "RateLimited"), "calls": ("SlackAuditCollector", "SlackCalls")},
        900, 0.5, "notBreaching",
    ),
    "LostStartsAlarm": (
        "FILL(dropped, 0) + FILL(unreported, 0)",
        {
            "dropped": ("AWS/Lambda", "AsyncEventsDropped"),
            "unreported": ("AWS/Lambda", "DestinationDeliveryFailures"),
        },
        900, 1, "notBreaching",
    ),
    "VerifyFindingsAlarm": (
        "findings + IF(checks < orgs, orgs - checks, 0)",
        {
            "findings": ("SlackAuditCollector", "VerifyFindings"),
            "checks": ("SlackAuditCollector", "VerifyFindings"),
            "orgs": ("SlackAuditCollector", "Orgs"),
        },
        86_400, 1, "breaching",
    ),
    "SilenceAlarm": (
        "silence / 3600", {"silence": ("SlackAuditCollector", "LongestSilence")}, 900, {"Ref": "SilenceHours"}, "missing",
    ),
}  # fmt: skip
BESIDE = {"ReplayFailedAlarm"}  # what it watches goes on while the collection is paused
SILENT = {"NewVersionErrorsAlarm"}  # CodeDeploy acts on it, and nobody has to
ALARMS = sorted(written_of_type("AWS::CloudWatch::Alarm"))
OURS = {value for name, value in vars(telemetry).items() if name.isupper()} - {telemetry.SERVICE}


def test_these_are_all_alarms():
    assert set(ALARMS) == set(of_type("AWS::CloudWatch::Alarm")) == {*SINGLE, *COMPUTED, "NewVersionErrorsAlarm"}
    assert template()["Resources"]["RotationFailuresAlarm"]["Condition"] == "RotatesToken"
    assert list(of_type("AWS::CloudWatch::CompositeAlarm")) == ["CollectionBrokenAlarm"]


@pytest.mark.parametrize("name", SINGLE)
def test_an_alarm_watches_what_it_should(name):
    namespace, metric, dimensions, statistic, seconds, threshold, missing = SINGLE[name]
    alarm = properties(name)
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"]) == (namespace, metric, dimensions)
    assert (alarm["Statistic"], alarm["Threshold"]) == (statistic, threshold)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == seconds
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == missing


@pytest.mark.parametrize("name", COMPUTED)
def test_an_alarm_computes_what_it_should(name):
    expression, metrics, seconds, threshold, missing = COMPUTED[name]
    alarm = properties(name)
    (computed,) = [it for it in alarm["Metrics"] if "Expression" in it]
    assert (computed["Expression"], computed["ReturnData"]) == (expression, True)
    sources = {it["Id"]: it for it in alarm["Metrics"] if it is not computed}
    named = {
        key: (it["MetricStat"]["Metric"]["Namespace"], it["MetricStat"]["Metric"]["MetricName"])
        for key, it in sources.items()
    }
    assert named == metrics
    for source in sources.values():
        own = source["MetricStat"]["Metric"]["Namespace"] == telemetry.NAMESPACE
        assert source["MetricStat"]["Metric"]["Dimensions"] == (STACK if own else COLLECT)
        assert source["ReturnData"] is False
        assert source["MetricStat"]["Period"] * alarm["EvaluationPeriods"] == seconds
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (threshold, missing)


def test_a_new_version_is_blamed_for_errors_that_the_old_one_has_not():
    alarm = properties("NewVersionErrorsAlarm")
    blame, both, new = alarm["Metrics"]
    assert blame["Expression"] == "IF(FILL(all, 0) > FILL(new, 0), 0, FILL(new, 0))"
    live = [*COLLECT, {"Name": "Resource", "Value": {"Fn::Sub": "${CollectFunction}:live"}}]
    assert both["MetricStat"]["Metric"]["Dimensions"] == live
    version = {"Name": "ExecutedVersion", "Value": {"Fn::GetAtt": ["CollectFunction", "Version.Version"]}}
    assert new["MetricStat"]["Metric"]["Dimensions"] == [*live, version]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    assert {it["MetricStat"]["Period"] for it in (both, new)} == {900}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_metrics_that_exist(name):
    alarm = properties(name)
    watched = (
        [alarm]
        if "MetricName" in alarm
        else [it["MetricStat"]["Metric"] for it in alarm["Metrics"] if "MetricStat" in it]
    )
    assert watched
    for metric in watched:
        assert metric["Namespace"].startswith("AWS/") or metric["MetricName"] in OURS


@pytest.mark.parametrize("name", [*ALARMS, "CollectionBrokenAlarm"])
def test_an_alarm_says_what_to_do_and_tells_whom_it_may(name):
    alarm = properties(name)
    text = alarm["AlarmDescription"]
    said = text["Fn::Sub"] if isinstance(text, dict) else text
    assert said.endswith(f"See docs/runbook.md, {name}.")
    assert len(said) < 1_024
    told = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    expected = None if name in SILENT else told
    assert alarm.get("AlarmActions") == alarm.get("OKActions") == expected
    running = None if name in SILENT | BESIDE else {"Fn::If": ["IsRunning", True, False]}
    assert alarm.get("ActionsEnabled") == running, "a paused collection is no alarm"
    assert template()["Conditions"]["HasAlarmTopic"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]}


def test_collection_is_broken_when_nothing_comes_in():
    rule = properties("CollectionBrokenAlarm")["AlarmRule"]["Fn::Sub"]
    assert re.findall(r'ALARM\("\$\{(\w+)\}"\)', rule) == ["NoSuccessfulRunAlarm", "LiveLagAlarm", "AuthFailuresAlarm"]
    assert rule.count(" OR ") == 2


@pytest.mark.parametrize("name", [*ALARMS, "CollectionBrokenAlarm"])
def test_an_alarm_has_its_section_in_the_runbook(name):
    text = (ROOT / "docs" / "runbook.md").read_text()
    found = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/runbook.md has no section {name}"
    parts = re.findall(r"^\*\*(Means|Look|Fix|Done when)\*\*: \S", found[1], re.MULTILINE)
    assert parts == ["Means", "Look", "Fix", "Done when"]


def test_the_runbook_has_no_section_of_an_alarm_that_is_gone():
    text = (ROOT / "docs" / "runbook.md").read_text()
    assert set(re.findall(r"^### (\w+Alarm)$", text, re.MULTILINE)) == {*ALARMS, "CollectionBrokenAlarm"}


# ---- deployments ----


def test_a_new_version_takes_over_step_by_step_and_errors_bring_the_old_one_back():
    function = properties("CollectFunction")
    assert (function["AutoPublishAlias"], function["AutoPublishAliasAllProperties"]) == ("live", True)
    preference = function["DeploymentPreference"]
    assert preference["Type"] == {"Ref": "DeploymentType"}
    assert preference["Alarms"] == [{"Ref": "NewVersionErrorsAlarm"}]
    assert preference["Role"] == {"Fn::GetAtt": ["DeploymentRole", "Arn"]}
    (group,) = of_type("AWS::CodeDeploy::DeploymentGroup").values()
    assert group["Properties"]["AutoRollbackConfiguration"] == {
        "Enabled": True,
        "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
    }


def test_a_changed_setting_is_a_new_version():
    """Its description, which cannot be changed without replacing it, holds every setting but the long one."""
    description = properties("CollectFunction")["VersionDescription"]["Fn::Sub"]
    held = set(re.findall(r"\$\{(\w+)\}", description))
    variables = properties("CollectFunction")["Environment"]["Variables"].values()
    parameters = template()["Parameters"]
    settings = {it["Ref"] for it in variables if isinstance(it, dict) and it.get("Ref") in parameters}
    assert settings - {"ActionFilter", "CollectConcurrency", "Org"} == held
    longest = [parameters[it].get("MaxLength") or len(str(parameters[it]["MaxValue"])) for it in held]
    assert sum(longest) + len(held) <= 256


# ---- the dashboard ----


def dashboard() -> Any:
    body = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    return json.loads(body.replace("${LagAlarmSeconds}", "900"))["widgets"]


def test_every_alarm_stands_on_the_dashboard():
    (widget,) = [it for it in dashboard() if it["type"] == "alarm"]
    shown = {re.fullmatch(r"\$\{(\w+)\.Arn\}", it)[1] for it in widget["properties"]["alarms"]}  # type: ignore[index]
    assert {*ALARMS, "CollectionBrokenAlarm"} - SILENT - {"RotationFailuresAlarm"} == shown


def test_the_widgets_of_the_dashboard_fill_its_grid_without_overlap():
    taken: set[tuple[int, int]] = set()
    for widget in dashboard():
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        taken |= cells
    assert taken == {(x, y) for x in range(24) for y in range(max(y for _, y in taken) + 1)}


def test_the_dashboard_shows_metrics_that_exist_of_this_stack_alone():
    shown = [it for widget in dashboard() if widget["type"] == "metric" for it in widget["properties"]["metrics"]]
    assert len(shown) > 40
    for metric in shown:
        if isinstance(metric[0], dict):
            assert 'service="${AWS::StackName}"' in metric[0]["expression"]
        elif metric[0] == telemetry.NAMESPACE:
            assert metric[1] in OURS
            assert metric[2:4] == ["service", "${AWS::StackName}"]
        else:
            assert re.fullmatch(r"\$\{\w+(\.QueueName)?\}", metric[3])
