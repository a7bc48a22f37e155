"""The doctor as it is typed: what it says of a token, of an account, and of what it may not look at."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from rich.console import Console
from typer.testing import CliRunner, Result

from slack_audit.check import Finding, Outcome
from slack_audit_cli.app import app
from slack_audit_cli.doctor import orgs, report, resources, stack, token
from slack_audit_cli.doctor.looks import NEEDS, Account, Section, looked, meaning, some
from tests.contract.wire import nobody

TOKEN = "xoxp-stand-in-not-a-real-token"
WRONG = "xoxp-wrong-and-not-a-real-token"


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Nothing of the machine's own AWS configuration."""
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("COLUMNS", "120")


def typed(*options: str, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(app, ["doctor", *options], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "not-a-real-token" not in result.output, "a token was shown"
    return result


def findings(result: Result) -> dict[str, str]:
    return {
        it["name"]: it["outcome"] for section in json.loads(result.stdout)["sections"] for it in section["findings"]
    }


def words(text: str) -> str:
    return " ".join(text.replace("│", "").split())


@pytest.fixture
def here(aws) -> list[str]:
    """The options that name the embedded AWS."""
    return ["--endpoint-url", aws.endpoint, "--region", "us-east-1"]


@pytest.fixture
def with_token(here, slack, monkeypatch) -> Callable[..., Result]:
    """Tries a token against the stand-in."""

    def try_it(value: str, *options: str) -> Result:
        monkeypatch.setenv("SLACK_TOKEN", value)
        return typed("--token-from", "env:SLACK_TOKEN", "--slack-api-url", slack.url, *here, *options)

    return try_it


# ---- a token, before the first deployment ----


def test_a_token_that_slack_accepts_is_well(with_token, slack):
    result = with_token(TOKEN, "--json")
    assert result.exit_code == 0
    found = findings(result)
    assert [found[name] for name in ("token", "slack", "clock", "region", "identity")] == ["ok"] * 5
    assert [call.params for call in slack.calls()] == [{"limit": "1"}]


@pytest.mark.parametrize("columns", ["80", "120"])
def test_a_person_reads_it_in_lines_that_fit(with_token, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    said = with_token(WRONG).stdout
    assert max(map(len, said.splitlines())) <= int(columns)
    assert "✗ slack" in said
    assert "Put a user token (xoxp-...) of an organisation owner" in words(said)
    assert "1 of 7 things must be mended" in said


def test_a_wrong_token_is_wrong(with_token):
    result = with_token(WRONG, "--json")
    assert (result.exit_code, findings(result)["slack"]) == (1, "failed")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("team_not_authorized", "The app is installed on a workspace: install it on the organisation"),
        ("user_not_authorized", "The app was not installed by an organisation owner"),
        ("missing_scope", "Give the app the user scope auditlogs:read"),
        ("feature_not_enabled", "Audit logs need an Enterprise organisation"),
    ],
)
def test_what_slack_refuses_is_explained(with_token, slack, code, says):
    slack.fault("status", status=403, body=json.dumps({"ok": False, "error": code}))
    result = with_token(TOKEN)
    assert result.exit_code == 1
    assert says in words(result.stdout)


@pytest.mark.parametrize("rule", [{"kind": "status", "status": 503}, {"kind": "rate_limit"}, {"kind": "reset"}])
def test_an_outage_of_slack_and_its_limit_cannot_be_told(with_token, slack, rule):
    slack.fault(**rule)
    result = with_token(TOKEN, "--json")
    assert (result.exit_code, findings(result)["slack"]) == (3, "unknown")


def test_a_bot_token_is_of_the_wrong_kind(with_token):
    result = with_token("xoxb-not-a-real-token")
    assert result.exit_code == 1
    assert "The token is a bot token (xoxb-...)" in result.stdout


def test_a_wrong_address_is_told(here, slack, monkeypatch):
    monkeypatch.setenv("SLACK_TOKEN", TOKEN)
    result = typed("--token-from", "env:SLACK_TOKEN", "--slack-api-url", f"{slack.url}/v2", *here)
    assert result.exit_code == 1
    assert "Check SlackApiUrl" in result.stdout
    with nobody() as url:
        result = typed("--token-from", "env:SLACK_TOKEN", "--slack-api-url", url, *here)
    assert result.exit_code == 3
    assert "check SlackApiUrl, and the way from here to Slack" in words(result.stdout)


def test_a_clock_that_is_off_is_a_warning(with_token, slack):
    slack.change(clock_offset=-90)
    result = with_token(TOKEN)
    assert result.exit_code == 0
    assert "seconds behind ours" in result.stdout
    assert "Nothing is wrong, " in result.stdout


def test_a_token_comes_from_a_file_or_standard_input(here, slack, tmp_path):
    kept = tmp_path / "token"
    kept.write_text(f"{TOKEN}\n")
    for source, stdin in ((f"file:{kept}", None), ("-", f"{TOKEN}\n")):
        result = typed("--token-from", source, "--slack-api-url", slack.url, *here, "--json", stdin=stdin)
        assert (result.exit_code, findings(result)["slack"]) == (0, "ok")


def test_at_a_terminal_it_is_asked_for_without_being_shown(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(token, "getpass", lambda prompt: f" {TOKEN} " if "not shown" in prompt else "")
    assert token.read("-") == TOKEN


def test_tools_that_are_not_there_are_a_warning(with_token, monkeypatch):
    monkeypatch.setenv("PATH", "")
    result = with_token(TOKEN)
    assert result.exit_code == 0
    assert "! sam" in result.stdout
    assert "Install the SAM CLI" in result.stdout


# ---- asked wrongly ----


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "name one of the two, or both"),
        (["--token-from", TOKEN], "a token does not belong into a command"),
        (["--token-from", "env:"], "a token does not belong into a command"),
        (["--token-from", "env:NOBODY_SET_THIS"], "there is no token"),
        (["--token-from", "file:/nobody/has/this"], "cannot be read (FileNotFoundError)"),
        (["--token-from", "-"], "there is no token"),
        (["--stack", "x", "--org", "../x"], "is no org"),
        (["--stack", "x", "--slack-api-url", "http://api.slack.com/audit/v1"], "is not allowed: an https address"),
        (["--frobnicate"], "No such option"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(options, reason):
    result = typed(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in words(result.stderr)


def test_the_help_tells_the_exit_codes():
    said = words(CliRunner().invoke(app, ["doctor", "--help"]).stdout)
    assert "Ends with 0 if all is well or only to be looked at, 1 if something must be mended, 2 if it was" in said
    assert "3 if something could not be told" in said


# ---- the account ----


def test_a_stack_that_is_not_there_is_told_with_region_and_account(here):
    result = typed("--stack", "nobody-has-this", *here)
    assert result.exit_code == 1
    assert "There is no stack nobody-has-this in region us-east-1 of this account." in result.stdout
    assert "Check --stack, --region and --profile" in result.stdout


def test_without_credentials_it_says_how_to_get_some(here, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    result = typed("--stack", "x", *here)
    assert result.exit_code == 1
    assert "Log in (aws sso login, aws configure)" in result.stdout
    assert "stack x" not in result.stdout, "nothing else can be looked at"


def test_a_profile_that_is_not_there(here):
    result = typed("--stack", "x", "--profile", "nobody", *here)
    assert result.exit_code == 1
    assert "Check the name of the profile." in result.stdout


def test_no_region_and_one_that_nobody_knows():
    assert "No region is set." in typed("--stack", "x").stdout
    with nobody() as url:
        result = typed("--stack", "x", "--endpoint-url", url, "--region", "us-est-1")
    assert result.exit_code == 1
    assert "No region us-est-1 is known." in result.stdout


def test_a_region_without_an_endpoint_is_wrong(monkeypatch):
    monkeypatch.setattr(Account, "_client", lambda *_: unreachable())
    result = typed("--stack", "x", "--region", "us-est-1")
    assert result.exit_code == 1
    assert "AWS has no region us-est-1." in result.stdout


def test_a_known_region_that_does_not_answer_cannot_be_told(monkeypatch):
    monkeypatch.setattr(Account, "_client", lambda *_: unreachable())
    result = typed("--stack", "x", "--region", "eu-central-1")
    assert result.exit_code == 3
    assert "check the network" in result.stdout


def unreachable() -> Any:
    class Client:
        def get_caller_identity(self) -> None:
            raise EndpointConnectionError(endpoint_url="https://sts.us-est-1.amazonaws.com/")

    return Client()


def test_an_endpoint_at_which_nobody_answers_is_wrong():
    with nobody() as url:
        result = typed("--stack", "x", "--endpoint-url", url, "--region", "us-east-1")
    assert result.exit_code == 1
    assert f"Nothing answers at {url}." in result.stdout


def test_an_endpoint_that_is_none_is_wrong():
    result = typed("--stack", "x", "--endpoint-url", "nonsense", "--region", "us-east-1")
    assert result.exit_code == 1
    assert "Invalid endpoint: nonsense" in result.stdout


# ---- what a failure to look means ----


def refused(code: str, operation: str = "DescribeTable") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@pytest.mark.parametrize(
    ("error", "outcome", "says"),
    [
        (refused("AccessDenied", "GetBucketEncryption"), "unknown", "s3:GetEncryptionConfiguration"),
        (refused("AccessDeniedException"), "unknown", "dynamodb:DescribeTable"),
        (refused("ExpiredToken"), "failed", "log in again"),
        (refused("SignatureDoesNotMatch"), "failed", "secret key"),
        (refused("ResourceNotFoundException"), "failed", "deleted behind the stack's back"),
        (refused("InternalError"), "unknown", "Try again"),
        (NoCredentialsError(), "failed", "Log in"),
        (EndpointConnectionError(endpoint_url="https://x.example.com"), "unknown", "check the network"),
    ],
)
def test_a_look_that_fails_is_a_finding_and_keeps_what_was_found_before(error, outcome, says):
    def look() -> Iterator[Finding]:
        yield Finding("thing", Outcome.OK, "there")
        raise error

    first, last = looked("thing", look())
    assert (first.outcome, last.outcome) == (Outcome.OK, outcome)
    assert says in f"{last.what} {last.advice}"
    assert meaning("thing", error) == last


def test_who_may_not_look_is_told_what_it_takes():
    found = meaning("bucket", refused("AccessDenied", "GetPublicAccessBlock"))
    assert found.what == "You may not look at it: that needs s3:GetBucketPublicAccessBlock."
    assert meaning("x", refused("AccessDenied", "Strange")).what == "You may not look at it: that needs Strange."
    assert all(action.count(":") == 1 for action in NEEDS.values())


def test_of_many_names_three_are_shown():
    assert some(["a"]) == "a"
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c, and 2 more"


# ---- a stack's state ----


def stack_of(status: str = "CREATE_COMPLETE", **changes: Any) -> stack.Stack:
    values: dict[str, Any] = {
        "name": "collector",
        "status": status,
        "parameters": {"Org": "main"},
        "outputs": dict.fromkeys(stack.OURS, "x") | {"CollectFunctionName": "collector-Collect"},
        "resources": [],
    }
    return stack.Stack(**(values | changes))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("CREATE_COMPLETE", "ok"),
        ("UPDATE_COMPLETE", "ok"),
        ("UPDATE_IN_PROGRESS", "warning"),
        ("UPDATE_ROLLBACK_COMPLETE", "warning"),
        ("ROLLBACK_COMPLETE", "failed"),
        ("CREATE_FAILED", "failed"),
        ("UPDATE_ROLLBACK_FAILED", "failed"),
        ("DELETE_FAILED", "failed"),
    ],
)
def test_a_stacks_state_says_how_its_last_deployment_went(status, outcome):
    (found,) = stack.state(stack_of(status))
    assert (found.outcome, status in found.what) == (outcome, True)
    assert bool(found.advice) is (outcome != "ok")


def test_a_stack_of_another_kind_is_told():
    _, found = stack.state(stack_of(outputs={}))
    assert found.outcome is Outcome.FAILED
    assert "ArchiveBucketName, CheckpointTableName" in found.what
    assert not stack.is_ours(stack_of(outputs={}))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"Org": "main"}, ["main"]),
        ({"Org": "main", "Orgs": ""}, ["main"]),
        ({"Org": "main", "Orgs": "labs,sales"}, ["main", "labs", "sales"]),
    ],
)
def test_a_stack_collects_these_orgs(parameters, expected):
    assert stack_of(parameters=parameters).orgs == expected


# ---- how far an organisation is ----


@pytest.mark.parametrize(
    ("lag", "paused", "outcome"),
    [(60, False, "ok"), (899, False, "ok"), (900, False, "failed"), (9_000, True, "warning")],
)
def test_a_lag_is_wrong_from_a_quarter_of_an_hour_on_unless_it_is_paused(lag, paused, outcome):
    assert orgs._lag(lag, paused=paused).outcome == outcome


@pytest.mark.parametrize(("entries", "outcome"), [(0, "ok"), (10, "ok"), (11, "warning")])
def test_a_backlog_is_worth_a_look(entries, outcome):
    assert orgs._backlog(entries).outcome == outcome


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({}, "is free"),
        ({"owner": "run", "lease_until": 1_767_225_700}, "until 00:01:40 UTC at most"),
        ({"owner": "run", "lease_until": 1_767_225_500}, "died and left its lease"),
    ],
)
def test_a_lease_is_free_held_or_left_behind(item, says):
    found = orgs._lease(item, 1_767_225_600)
    assert says in found.what
    assert found.outcome is Outcome.OK


def test_the_last_verification_is_told():
    said = {"at": 1_767_225_600_000, "proven": True, "events": 12_345, "last": 7, "faults": 0}
    assert orgs._verified(stack_of(), "main", said).what == (
        "The archive was proven at 2026-01-01 00:00 UTC: 12,345 events up to entry 7."
    )
    wrong = orgs._verified(stack_of(), "main", said | {"proven": False, "faults": 3})
    assert (wrong.outcome, "3 findings" in wrong.what) == (Outcome.FAILED, True)
    none = orgs._verified(stack_of(outputs={"VerifyFunctionName": "verify-it"}), "main", None)
    assert (none.outcome, "verify-it" in none.advice) == (Outcome.WARNING, True)


def test_without_the_checks_log_group_it_cannot_be_told():
    unknown = orgs.lately(Account("us-east-1", None, None), stack_of()).unknown
    assert unknown is not None
    assert unknown.outcome is Outcome.UNKNOWN


# ---- alarms ----


def alarm(name: str, state: str = "OK", *, enabled: bool = True, actions: int = 1) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "StateValue": state,
        "StateUpdatedTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "ActionsEnabled": enabled,
        "AlarmActions": ["arn"] * actions,
        "AlarmDescription": f"What {name} means.",
    }


@pytest.mark.parametrize(
    ("alarms", "outcomes", "says"),
    [
        pytest.param([alarm("a"), alarm("b", actions=0)], ["ok"], "are armed", id="armed"),
        pytest.param([alarm("a", "ALARM"), alarm("b")], ["warning", "ok"], "What a means.", id="one is on"),
        pytest.param([alarm("a", enabled=False), alarm("b")], ["warning"], "silenced: a.", id="one is silenced"),
        pytest.param([alarm("a")], ["warning"], "gone: b.", id="one is gone"),
        pytest.param([alarm("a", actions=0), alarm("b", actions=0)], ["warning"], "tells anybody", id="nobody is told"),
    ],
)
def test_alarms_are_armed_on_silenced_gone_or_mute(monkeypatch, alarms, outcomes, says):
    class Client:
        def describe_alarms(self, *, AlarmNames: list[str]) -> Any:  # noqa: N803
            assert AlarmNames == ["a", "b"]
            return {"MetricAlarms": alarms}

    monkeypatch.setattr(Account, "_client", lambda *_: Client())
    found = list(resources._alarms(Account("us-east-1", None, None), ["a", "b"]))
    assert [it.outcome for it in found] == outcomes
    assert says in f"{found}"


# ---- the report ----


def section_of(*outcomes: Outcome) -> list[Section]:
    return [Section("things", [Finding(f"thing {it}", it, "what it is", "what to do") for it in outcomes])]


OK, WARNING, MISSING, FAILED, UNKNOWN = Outcome.OK, Outcome.WARNING, Outcome.MISSING, Outcome.FAILED, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("outcomes", "worst", "says"),
    [
        ([OK], OK, "All is well."),
        ([OK, WARNING], WARNING, "Nothing is wrong, 1 to look at."),
        ([OK, UNKNOWN, WARNING], UNKNOWN, "Nothing is known to be wrong, 1 could not be told, 1 to look at."),
        ([MISSING, UNKNOWN], MISSING, "1 of 2 things must be mended, 1 could not be told."),
        ([FAILED, MISSING, OK], FAILED, "2 of 3 things must be mended."),
    ],
)
def test_what_is_wrong_counts_more_than_what_could_not_be_told(outcomes, worst, says):
    shown = Console(file=io.StringIO(), width=100)
    report.show(section_of(*outcomes), shown)
    assert report.verdict(section_of(*outcomes)) is worst
    assert says in shown.file.getvalue()  # type: ignore[attr-defined]


def test_json_says_all_of_it():
    said = json.loads(report.as_json(section_of(OK, FAILED)))
    assert said["verdict"] == "failed"
    assert said["sections"][0]["findings"][1] == {
        "name": "thing failed",
        "outcome": "failed",
        "what": "what it is",
        "advice": "what to do",
    }
