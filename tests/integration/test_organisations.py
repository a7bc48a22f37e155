"""Several organisations in one stack: each apart, and whatever happens to one does not hold up another."""

import json
import os
from collections.abc import Callable
from typing import Any
from zlib import crc32

import pytest

from local.slack import Settings
from slack_audit import bootstrap, fanout
from slack_audit.adapters.starter import LambdaStarter
from slack_audit.errors import SettingsError, SourceError, StartError, StorageError, TokenRefusedError, UnavailableError
from tests import proof
from tests.integration.conftest import Context, Deployment, Log


class Org:
    """One more organisation of a stack: its Slack beside the first one's, and its secret."""

    def __init__(self, stack: Deployment, name: str, events: int = 50) -> None:
        self.name = name
        self.token = f"xoxp-of-{name}-not-a-real-token"
        self.slack = stack.slack.beside(Settings(tokens=(self.token,), calls_per_minute=None))
        self._stack = stack
        start, end = stack.past
        self.slack.generate(events, start=start, end=end, seed=crc32(name.encode()))

    def put_token(self) -> None:
        name, value = f"{os.environ['SLACK_TOKEN_SECRETS']}{self.name}", json.dumps({"token": self.token})
        self._stack.cloud.clients.secrets.create_secret(Name=name, SecretString=value)

    def run(self) -> dict[str, Any]:
        return self._stack.run({"org": self.name})

    def later(self, seconds: int) -> None:
        self._stack.later(seconds, self.name, self.slack)

    def has_a_checkpoint(self) -> bool:
        try:
            return bool(self._stack.item(self.name))
        except KeyError:
            return False

    def objects(self) -> dict[str, bytes]:
        return {key: body for key, body in self._stack.cloud.objects().items() if f"/org={self.name}/" in key}

    def prove(self) -> None:
        """Its archive is what its Slack shows, and the stream has it."""
        served = set(self.slack.events())
        proof.prove(self.objects(), [it for it in self._stack.cloud.streamed() if it in served], list(served))


@pytest.fixture
def lab(stack: Deployment) -> Org:
    org = Org(stack, "lab")
    org.put_token()
    return org


@pytest.fixture
def watched(stack: Deployment) -> Callable[..., dict[str, Any]]:
    """What the watch returns, for the orgs that are named."""
    return lambda *orgs: stack.watch_over({"orgs": list(orgs)})


# apart


def test_two_orgs_are_archived_apart_with_a_log_and_a_checkpoint_each(stack, lab):
    stack.backlog(80)
    stack.run()
    assert lab.run()["events"] == 50
    lab.prove()
    main = {key: body for key, body in stack.cloud.objects().items() if "/org=main/" in key}
    assert len(proof.archived(main)) == 80
    assert len(main) + len(lab.objects()) == len(stack.cloud.objects())
    assert stack.item("lab")["next"] == {"N": str(len(proof.log_of(lab.objects())))}


def test_in_a_warm_function_each_org_keeps_its_own_token(stack, lab):
    other = Org(stack, "x1")
    other.put_token()
    for _ in range(3):
        stack.run()
        lab.run()
        other.run()
    lab.prove()
    other.prove()
    assert {call.outcome for slack in (stack.slack, lab.slack, other.slack) for call in slack.calls()} == {"200"}


def test_a_token_that_is_replaced_is_picked_up_for_its_org_alone(stack, lab):
    stack.run()
    lab.run()
    lab.slack.token("xoxp-of-lab-the-new-one")
    secret = f"{os.environ['SLACK_TOKEN_SECRETS']}lab"
    value = json.dumps({"token": "xoxp-of-lab-the-new-one"})
    stack.cloud.clients.secrets.put_secret_value(SecretId=secret, SecretString=value)
    lab.later(120)
    assert lab.run()["windows"] > 0
    assert lab.run()["stopped"] == "nothing_due"


def test_nothing_in_the_log_and_the_metrics_of_a_run_is_of_the_org_before(stack, lab, log: Log, capsys):
    stack.run()
    before = len(log.lines)
    lab.run()
    lines = log.lines[before:]
    assert {line["org"] for line in lines} == {"lab"}
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["org"] for line in emitted if "org" in line] == ["main", "lab"]


def test_a_key_of_the_last_run_does_not_stay_in_the_log(stack, log: Log):
    stack.run()
    before = len(log.lines)
    stack.watch_over({"orgs": ["main"]})
    assert "org" not in log.lines[-1], "the line over all organisations is of none"
    assert len(log.lines) > before


# one that fails


def test_an_org_without_a_token_fails_alone_and_nothing_is_written_of_it(stack, log: Log, capsys):
    lab = Org(stack, "lab")
    stack.backlog(20)
    error = stack.fails(TokenRefusedError, {"org": "lab"})
    assert "'lab' was never collected" in error
    assert f"{os.environ['SLACK_TOKEN_SECRETS']}lab" in error
    assert "put-secret-value" in error
    assert (lab.objects(), lab.has_a_checkpoint(), lab.slack.calls()) == ({}, False, [])
    failed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["RunSuccess"] for line in failed if line.get("org") == "lab"] == [[0]]
    assert stack.run()["events"] == 20
    lab.put_token()
    assert lab.run()["events"] == 50
    lab.prove()


@pytest.mark.parametrize("order", [{"list": True}, {"from": "2025-01-01", "to": "2025-01-02"}])
def test_an_order_for_an_org_that_is_not_here_is_refused(stack, order):
    assert "'typo' was never collected" in stack.fails(TokenRefusedError, {"org": "typo", "backfill": order})
    assert (stack.cloud.objects(), Org(stack, "typo").has_a_checkpoint()) == ({}, False)


def test_secrets_that_cannot_be_read_stop_a_new_org_and_not_one_that_was_collected(stack, lab, monkeypatch):
    lab.run()
    new = Org(stack, "new")

    def unreadable(self: object, fresh: bool = False) -> str:
        raise UnavailableError("no secrets today")

    stack.cold()
    monkeypatch.setattr("slack_audit.adapters.secrets.SecretToken.__call__", unreadable)
    stack.fails(UnavailableError, {"org": "new"})
    assert (new.objects(), new.has_a_checkpoint()) == ({}, False)
    lab.later(120)
    stack.fails(UnavailableError, {"org": "lab"})
    assert "owner" not in stack.item("lab"), "it ran, and gave its lease back"


@pytest.mark.parametrize("fault", [None, {"kind": "status", "status": 500, "times": 20}])
def test_one_org_that_fails_does_not_hold_up_another(stack, lab, watched, fault):
    stack.backlog(30)
    stack.run()
    lab.run()
    if fault is None:
        lab.slack.token("xoxp-somebody-elses")
    else:
        lab.slack.fault(**fault)
    lab.later(120)
    stack.later(120)
    stack.fails(SourceError, {"org": "lab"})
    stack.slack.generate(10, start=int(stack.slack.now) - 100, end=int(stack.slack.now) - 90, seed=3)
    assert stack.run()["events"] == 10
    stack.age("lab", 3_600)
    assert watched("main", "lab")["overdue"] == ["lab"]


# daily, for all of them


def test_the_daily_check_and_the_drift_watch_take_any_org_that_was_collected(stack, lab):
    stack.run()
    lab.run()
    assert stack.verify({"org": "lab", "days": 2})["events"] == 50
    stack.watch({"org": "lab"})
    assert {key.split("/")[1] for key in stack.cloud.objects() if key.startswith("catalog/")} == {"org=lab"}
    for function, event in ((stack.verify, {"org": "typo", "days": 2}), (stack.watch, {"org": "typo"})):
        assert "'typo' was never collected" in stack.fails(SettingsError, event, function=function)


@pytest.mark.parametrize("function", ["verify", "watch"])
def test_an_event_for_several_orgs_starts_the_function_once_for_each(stack, function, monkeypatch):
    monkeypatch.setattr(fanout, "PAUSE", 0.01)
    started: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(LambdaStarter, "start", lambda it, event: started.append((it._arn, dict(event))))
    result = getattr(stack, function)({"orgs": ["main", "lab", "main"], "days": 2}, context=Context())
    assert result == {"started": ["main", "lab"]}
    assert started == [
        ("arn:aws:lambda:us-east-1:000000000000:function:collect", {"org": org, "days": 2}) for org in ("main", "lab")
    ]


def test_a_start_that_fails_is_raised_with_its_org_and_the_function(stack, monkeypatch):
    """The embedded AWS has no such function."""
    monkeypatch.setattr(fanout, "PAUSE", 0.01)
    error = stack.fails(StartError, {"orgs": ["main", "lab"], "days": 2}, function=stack.verify)
    assert "Not started for main, lab" in error
    assert "function:collect" in error


# the watch over all of them


def test_the_watch_tells_where_every_org_stands(stack, lab, watched):
    stack.run()
    lab.run()
    result = watched("main", "lab", "new")
    assert (result["orgs"], result["overdue"]) == (3, ["new"])
    assert 55 <= result["live_lag"] <= 90
    assert 55 <= result["publish_lag"] <= 90
    assert 0 <= result["silence"] <= 60


def test_the_watch_needs_the_table_alone_and_fails_without_it(stack, watched, monkeypatch):
    for name in ("ORG", "SLACK_TOKEN_SECRET_ARN", "SLACK_TOKEN_SECRETS", "ARCHIVE_BUCKET", "EVENT_STREAM"):
        monkeypatch.delenv(name)
    assert watched("main")["overdue"] == ["main"]
    stack.set(CHECKPOINT_TABLE=f"{stack.cloud.name}-none")
    stack.fails(StorageError, {"orgs": ["main"]}, function=stack.watch_over)


@pytest.mark.parametrize("event", [{}, {"orgs": []}, {"orgs": "main"}, {"orgs": ["a b"]}, {"orgs": [1]}])
def test_the_watch_refuses_what_names_no_orgs(stack, event):
    stack.fails(SettingsError, event, function=stack.watch_over)


# many


@pytest.mark.timeout(120)
def test_two_hundred_orgs_are_collected_apart_by_one_function(stack, watched):
    """As the schedules do it, one after the other in one warm function; then one token is revoked."""
    orgs = [Org(stack, f"org{number}", events=5) for number in range(200)]
    for org in orgs:
        org.put_token()
        assert org.run()["events"] == 5
    names = [org.name for org in orgs]
    objects, streamed = stack.cloud.objects(), set(stack.cloud.streamed())
    for org in orgs:
        mine = {key: body for key, body in objects.items() if f"/org={org.name}/" in key}
        served = org.slack.events()
        proof.prove(mine, [line for line in served if line in streamed], served)
    assert len(streamed) == 200 * 5
    assert (watched(*names)["orgs"], watched(*names)["overdue"]) == (200, [])
    orgs[77].slack.token("xoxp-revoked")
    for org in orgs[70:80]:
        org.later(120)
        stack.age(org.name, 1_000)
        if org is orgs[77]:
            stack.fails(TokenRefusedError, {"org": org.name})
        else:
            org.run()
    assert watched(*names)["overdue"] == ["org77"]
    assert bootstrap._token.cache_info().currsize == 200
