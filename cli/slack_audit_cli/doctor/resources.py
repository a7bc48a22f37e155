"""What a stack made: is it there, and set as the template promises?"""

import json
from collections.abc import Iterator
from itertools import batched
from typing import Any

from slack_audit.check import Finding, Outcome
from slack_audit_cli.doctor.looks import Account, looked, some
from slack_audit_cli.doctor.stack import Stack

AS_DEPLOYED = "The template has it otherwise: deploy again, and find out who changed it."
ALARMS_A_CALL = 100
ALIAS = "live"  # what the schedules start


def looked_at(account: Account, stack: Stack) -> Iterator[Finding]:
    """Every resource that matters, one after the other."""
    yield from looked("bucket", _bucket(account, stack.outputs["ArchiveBucketName"]))
    yield from looked("table", _table(account, stack.outputs["CheckpointTableName"]))
    yield from looked("stream", _stream(account, stack.outputs["EventStreamName"]))
    yield from looked("version", _version(account, stack.function))
    yield from looked("schedule", _schedules(account, stack))
    for url in stack.of_type("AWS::SQS::Queue"):
        yield from looked("queue", _queue(account, url))
    yield from looked("alarms", _alarms(account, stack.of_type("AWS::CloudWatch::Alarm")))


def _as_promised(name: str, what: str, promises: dict[str, bool], otherwise: Outcome) -> Finding:
    """`promises` says of each whether it is kept."""
    broken = [promise for promise, kept in promises.items() if not kept]
    if broken:
        return Finding(name, otherwise, f"{what} is not {', not '.join(broken)}.", AS_DEPLOYED)
    return Finding(name, Outcome.OK, f"{what} is {', '.join(promises)}.")


def _bucket(account: Account, name: str) -> Iterator[Finding]:
    s3 = account.client("s3")
    s3.get_bucket_policy(Bucket=name)
    s3.get_bucket_encryption(Bucket=name)
    closed = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    promises = {
        "versioned": s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled",
        "closed to the public": len(closed) == 4 and all(closed.values()),
    }
    yield _as_promised("bucket", f"Bucket {name}", promises, Outcome.FAILED)


def _table(account: Account, name: str) -> Iterator[Finding]:
    """A copy of what the bucket holds: what does not protect it is worth a warning."""
    dynamodb = account.client("dynamodb")
    table = dynamodb.describe_table(TableName=name)["Table"]
    if table["TableStatus"] not in {"ACTIVE", "UPDATING"}:
        said = f"Table {name} is {table['TableStatus']}."
        yield Finding(
            "table", Outcome.FAILED, said, "Wait, or deploy it again: the checkpoint is rebuilt from the log."
        )
        return
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    promises = {
        "protected from deletion": table.get("DeletionProtectionEnabled", False),
        "recoverable": backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED",
    }
    yield _as_promised("table", f"Table {name}", promises, Outcome.WARNING)


def _stream(account: Account, name: str) -> Iterator[Finding]:
    told = account.client("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    if told["StreamStatus"] not in {"ACTIVE", "UPDATING"}:
        said = f"Stream {name} is {told['StreamStatus']}."
        yield Finding("stream", Outcome.FAILED, said, "The archive goes on without it. Wait, or deploy it again.")
        return
    promises = {"active": True, "encrypted": told.get("EncryptionType") == "KMS"}
    yield _as_promised("stream", f"Stream {name}", promises, Outcome.WARNING)


def _version(account: Account, function: str) -> Iterator[Finding]:
    """Do the schedules run what was deployed last? A changed parameter alone publishes no version."""
    client = account.client("lambda")
    live, latest = (client.get_function_configuration(FunctionName=function, Qualifier=it) for it in (ALIAS, "$LATEST"))
    differing = [what for what, of in _PARTS.items() if of(live) != of(latest)]
    if differing:
        others = " and ".join(differing)
        said = f"The alias {ALIAS} runs version {live['Version']}, which has other {others} than the function."
        advice = f"Publish it: aws lambda publish-version --function-name {function}, then update-alias --name {ALIAS}."
        yield Finding("version", Outcome.FAILED, said, advice)
        return
    yield Finding("version", Outcome.OK, f"The alias {ALIAS} runs version {live['Version']}, as it was deployed.")


def _settings(configuration: dict[str, Any]) -> Any:
    return configuration.get("Environment", {}).get("Variables")


def _code(configuration: dict[str, Any]) -> Any:
    return configuration["CodeSha256"], [it["Arn"] for it in configuration.get("Layers", [])]


def _network(configuration: dict[str, Any]) -> Any:
    return configuration.get("VpcConfig", {}).get("SubnetIds"), configuration.get("VpcConfig", {}).get(
        "SecurityGroupIds"
    )


_PARTS = {"settings": _settings, "code": _code, "network": _network}


def _schedules(account: Account, stack: Stack) -> Iterator[Finding]:
    ours = set(stack.of_type("AWS::Scheduler::Schedule"))
    # CloudFormation names them after the stack, and cuts a long name.
    pages = account.client("scheduler").get_paginator("list_schedules").paginate(NamePrefix=stack.name[:16])
    found = {it["Name"]: it["State"] for page in pages for it in page["Schedules"] if it["Name"] in ours}
    gone = sorted(ours - set(found))
    if gone:
        said = f"These schedules were deleted, and nothing starts their functions: {some(gone)}."
        advice = "Make each again under its name (aws scheduler create-schedule), as the template has it."
        yield Finding("schedule", Outcome.FAILED, said, advice)
    resting = sorted(name for name, state in found.items() if state != "ENABLED")
    if resting:
        said = f"These schedules rest, and nothing starts their functions: {some(resting)}."
        yield Finding("schedule", Outcome.WARNING, said, "Deploy with ScheduleState=ENABLED when the pause is over.")
    if gone or resting:
        return
    count = len(stack.of_type("AWS::Scheduler::Schedule"))
    yield Finding("schedule", Outcome.OK, f"All {count} schedules are enabled.")


def _queue(account: Account, url: str) -> Iterator[Finding]:
    wanted = ["ApproximateNumberOfMessages"]
    count = int(
        account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"][wanted[0]]
    )
    name = url.rsplit("/", 1)[-1]
    if count:
        advice = "Each is a run or a start that failed. Nothing is to be repeated: read them, then purge the queue."
        yield Finding("queue", Outcome.WARNING, f"Messages wait in {name}: about {count:,}.", advice)
        return
    yield Finding("queue", Outcome.OK, f"No message waits in {name}.")


def _alarms(account: Account, names: list[str]) -> Iterator[Finding]:
    client = account.client("cloudwatch")
    alarms = [
        alarm
        for some in batched(names, ALARMS_A_CALL, strict=False)
        for alarm in client.describe_alarms(AlarmNames=list(some))["MetricAlarms"]
    ]
    for alarm in alarms:
        if alarm["StateValue"] == "ALARM":
            said = f"{alarm['AlarmName']} is on since {alarm['StateUpdatedTimestamp']:%Y-%m-%d %H:%M}."
            yield Finding("alarm", Outcome.WARNING, said, alarm.get("AlarmDescription", ""))
    silenced = [it["AlarmName"] for it in alarms if not it["ActionsEnabled"]]
    if silenced:
        said = f"These alarms are silenced: {some(silenced)}."
        yield Finding("alarms", Outcome.WARNING, said, "aws cloudwatch enable-alarm-actions --alarm-names …")
    elif len(alarms) < len(names):
        gone = sorted(set(names) - {it["AlarmName"] for it in alarms})
        yield Finding("alarms", Outcome.WARNING, f"These alarms are gone: {some(gone)}.", AS_DEPLOYED)
    elif not any(it["AlarmActions"] for it in alarms):
        said = f"None of the {len(alarms)} alarms tells anybody."
        yield Finding("alarms", Outcome.WARNING, said, "Deploy with AlarmTopicArn, or look at CloudWatch yourself.")
    else:
        yield Finding("alarms", Outcome.OK, f"The {len(alarms)} alarms are armed.")


def last_verified(account: Account, log_group: str, since: int) -> dict[str, dict[str, Any]]:
    """The last result of the daily check of each org, from its log, of what was written since then (milliseconds)."""
    pages = account.client("logs").get_paginator("filter_log_events")
    pattern = '{ $.message = "verified" }'
    found: dict[str, dict[str, Any]] = {}
    for page in pages.paginate(logGroupName=log_group, filterPattern=pattern, startTime=since):
        for event in page["events"]:
            line = _line(event["message"])
            if line.get("message") == "verified":
                found[line["org"]] = line | {"at": event["timestamp"]}
    return found


def _line(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
