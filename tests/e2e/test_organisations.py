"""A deployed stack with several organisations, and one more: a parameter and a token."""

import json
import time
from typing import Any

from local.aws import EmbeddedAws
from local.slack import Settings, StandIn
from tests.e2e.stack import Stack, settled
from tests.proof import archived

HOUR = 3_600


def token_of(org: str) -> str:
    return f"xoxp-of-{org}-not-a-real-token"


def put_token(stack: Stack, name: str, org: str) -> None:
    secret = json.dumps({"token": token_of(org)})
    stack.aws.client("secretsmanager").put_secret_value(SecretId=f"{name}/{org}", SecretString=secret)


def beside(slack: StandIn, org: str, events: int) -> StandIn:
    other = slack.beside(Settings(tokens=(token_of(org),), calls_per_minute=None))
    other.generate(events, start=settled(HOUR), end=settled(), seed=events)
    return other


def names(aws: EmbeddedAws, stack: str) -> tuple[list[str], list[str]]:
    """The organisations that a schedule collects, and the secrets of further ones."""
    scheduler = aws.client("scheduler")
    schedules = [it["Name"] for it in scheduler.list_schedules()["Schedules"] if it["Name"].startswith(f"{stack}-")]
    sent = [json.loads(scheduler.get_schedule(Name=name)["Target"]["Input"]) for name in schedules]
    secrets = [it["Name"] for it in aws.client("secretsmanager").list_secrets()["SecretList"]]
    theirs = [name for name in secrets if name.startswith(f"{stack}/")]
    return sorted(event["org"] for event in sent if "org" in event), sorted(theirs)


def asked(stack: Stack, function: str, event: dict[str, Any]) -> dict[str, Any]:
    return stack._result(function, event)


def test_one_more_organisation_is_a_parameter_and_a_token(aws: EmbeddedAws, slack: StandIn) -> None:
    stack = Stack.with_token(aws, slack)
    name = stack.name
    slack.generate(100, start=settled(HOUR), end=settled())
    assert names(aws, name) == (["main"], [])
    assert stack.invoke()["events"] == 100

    lab = beside(slack, "lab", 60)
    assert stack.change(Orgs="lab,x1") == stack.outputs
    assert names(aws, name) == (["lab", "main", "x1"], [f"{name}/lab", f"{name}/x1"])
    assert "was never collected" in stack.fail({"org": "x1"})["errorMessage"]
    put_token(stack, name, "lab")
    assert stack.invoke({"org": "lab"})["events"] == 60

    stack.invoke()
    objects = stack.objects()
    of_lab = {key: body for key, body in objects.items() if "/org=lab/" in key}
    assert sorted(archived(of_lab)) == sorted(lab.events())
    assert len(archived({key: body for key, body in objects.items() if "/org=main/" in key})) == 100
    assert not [key for key in objects if "/org=x1/" in key]

    seen = asked(stack, "WatchFunctionName", {"orgs": ["main", "lab", "x1"]})
    assert (seen["orgs"], seen["overdue"]) == (3, ["x1"])
    assert asked(stack, "VerifyFunctionName", {"orgs": ["main", "lab"], "days": 2}) == {"started": ["main", "lab"]}
    assert proven(aws, f"/aws/lambda/{name}-verify") == {"main": 100, "lab": 60}

    stack.change(Orgs="x1")
    assert names(aws, name) == (["main", "x1"], [f"{name}/x1"])
    assert of_lab.items() <= stack.objects().items(), "what was collected stays"


def proven(aws: EmbeddedAws, group: str) -> dict[str, int]:
    """What the checks that nobody waited for found, by organisation."""
    deadline = time.monotonic() + 60
    found: dict[str, int] = {}
    while len(found) < 2 and time.monotonic() < deadline:
        time.sleep(0.5)
        for event in aws.client("logs").filter_log_events(logGroupName=group)["events"]:
            if '"message":"verified"' in event["message"]:
                line = json.loads(event["message"])
                assert line["proven"], line
                found[line["org"]] = line["events"]
    return found
