"""Slack's own lists, as the stand-in gives them, and what is new since the archive kept one."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from slack_audit.catalog import Listing
from slack_audit_cli.app import app
from slack_audit_cli.catalogues.listed import Kept, Listed
from tests.cli.account import InMemory, given

KEPT = {
    "actions": '{"actions":{"user":["user_login","user_went"]}}',
    "schemas": '{"schemas":[{"type":"workspace","workspace":{"id":"int","went":"string"}}]}',
}


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def typed(slack):
    def typed(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--slack-api-url", slack.url])

    return typed


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """With the lists that the drift watch kept, of which the last ones count."""
    folder = tmp_path / "catalog" / "org=main"
    folder.mkdir(parents=True)
    for kind, body in KEPT.items():
        (folder / f"{kind}-20251201T032000Z-aaaaaaaaaaaa.json").write_text("not to be read")
        (folder / f"{kind}-20260102T032000Z-bbbbbbbbbbbb.json").write_text(body)
    return tmp_path


def words(text: str) -> str:
    return " ".join(text.split())


def test_actions_are_shown_by_category_without_a_token(typed, slack):
    result = typed("actions", "--search", "LOGIN")
    assert (result.exit_code, result.stderr) == (0, "")
    said = words(result.stdout)
    assert said == "category action slack_cli cli_login user user_login user_login_failed 3 actions"
    (call,) = slack.calls()
    assert "authorization" not in repr(call).lower()


def test_a_category_is_searched_too(typed):
    said = json.loads(typed("actions", "--json", "--search", "anomaly").stdout)
    assert "anomaly" in said["actions"]
    assert said["compared_with"] is None


def test_schemas_are_shown_by_type(typed):
    said = words(typed("schemas", "--search", "usergroup").stdout)
    assert said.startswith("schema field is barrier barriered_from_usergroup string")
    assert said.endswith("fields")


def test_what_is_new_and_gone_is_marked(typed, archive):
    result = typed("actions", "--folder", str(archive), "--search", "user_")
    said = words(result.stdout)
    assert "+ user_logout new" in said
    assert "- user_went gone" in said
    assert "user_login user_login_failed" not in said, "one of them is new"
    assert said.endswith("1 gone (-) since 2026-01-02 03:20 UTC")
    found = json.loads(typed("actions", "--folder", str(archive), "--search", "user_", "--json").stdout)
    assert (found["gone"], "user_went" in found["actions"], "user_login" in found["new"]) == (
        ["user_went"],
        False,
        False,
    )
    assert found["compared_with"] == "catalog/org=main/actions-20260102T032000Z-bbbbbbbbbbbb.json"


def test_a_field_that_is_something_else_now_is_marked(typed, archive):
    found = json.loads(typed("schemas", "--folder", str(archive), "--json").stdout)
    assert (found["changed"], found["gone"]) == (["workspace.id"], ["workspace.went"])
    said = words(typed("schemas", "--folder", str(archive), "--search", "workspace").stdout)
    assert "~ id string" in said
    assert "- went string" in said


def test_an_archive_that_keeps_none_says_so(typed, tmp_path):
    result = typed("actions", "--folder", str(tmp_path), "--org", "labs")
    assert (result.exit_code, "the archive keeps none to compare with" in words(result.stdout)) == (0, True)


def test_a_kept_list_that_is_none_any_more_ends_with_2(typed, archive):
    (archive / "catalog/org=main/actions-20260103T032000Z-cccccccccccc.json").write_text("{}")
    result = typed("actions", "--folder", str(archive))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is no list of actions any more. Restore it" in result.stderr


def test_a_stack_names_slack_and_its_archive(slack, cloud, monkeypatch):
    aws = given(monkeypatch, InMemory(Org="labs", SlackApiUrl=slack.url))
    aws.outputs["ArchiveBucketName"] = cloud.bucket()
    in_memory = aws.client
    monkeypatch.setattr(aws, "client", lambda name: cloud.clients.s3 if name == "s3" else in_memory(name))
    key = "catalog/org=labs/actions-20260102T032000Z-bbbbbbbbbbbb.json"
    cloud.clients.s3.put_object(Bucket=cloud.name, Key=key, Body=KEPT["actions"].encode())
    result = CliRunner().invoke(app, ["actions", "--stack", "audit", "--json", "--search", "user_went"])
    assert (result.exit_code, json.loads(result.stdout)["gone"]) == (0, ["user_went"])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "status", "status": 503}, "answered with HTTP 503"),
        ({"kind": "rate_limit"}, "answered with HTTP 429"),
        ({"kind": "html"}, "The list could not be read."),
    ],
)
def test_what_slack_refuses_ends_with_2(typed, slack, fault, said):
    slack.fault(**fault)
    result = typed("actions")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--slack-api-url", "http://slack.example.com"), "is not allowed"),
        (("--bucket", "a", "--folder", "b"), "name one of the three"),
        (("--org", "../x"), "is no org"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(options, said):
    result = CliRunner().invoke(app, ["schemas", *options])
    assert (result.exit_code, said in words(result.stderr)) == (2, True)


def test_names_of_somebody_else_never_control_the_terminal(typed, monkeypatch):
    hostile = Listing({"user_\x1b[31mred[bold]": ("user\x07",)})
    monkeypatch.setattr("slack_audit_cli.catalogues.tell.ask", lambda *_: hostile)
    result = typed("actions")
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout
    assert "user_�[31mred[bold]" in result.stdout


def test_a_key_of_another_form_has_no_date():
    listed = Listed("actions", Listing({"a": ("b",)}), Kept("somewhere.json", Listing({"a": ("b",)})))
    assert listed.kept is not None
    assert listed.kept.since is None
