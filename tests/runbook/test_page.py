"""The page as data: what it names exists, and the commands that are not executed are ones that AWS has."""

import ast
import re
import shutil
from functools import cache
from pathlib import Path

import msgspec
import pytest
from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from slack_audit.adapters.slack import ADVICE
from slack_audit.parts import Report
from slack_audit.settings import Settings
from slack_audit.verify.prove import prove
from tests.runbook import awscli, page
from tests.runbook.shell import Shell, aws_command
from tests.template.reading import ROOT, template
from tests.verify.archives import Memory

HARMLESS = ("bash", "cat", "cut", "date", "echo", "grep", "head", "mkdir", "sed", "sha256sum", "sleep", "tail", "tr")


def test_every_procedure_says_how_it_is_tested():
    table = page.text().rpartition("## How this page is tested")[2]
    assert re.findall(r"^\| ([A-Z][^|]+?) \|", table, re.MULTILINE) == page.chapter("Procedures")


def test_every_link_within_the_page_leads_to_a_heading():
    headings = {
        re.sub(r"[^a-z -]", "", it.lower()).replace(" ", "-")
        for it in re.findall(r"^#+ (.+)$", page.text(), re.MULTILINE)
    }
    links = re.findall(r"\]\(#([^)]+)\)", page.text())
    assert len(links) > 40
    assert set(links) <= headings


def test_every_alarm_stands_in_the_table_at_the_top():
    table = re.findall(r"^\| \[(\w+)\]\(#(\w+)\) \|", page.text().partition("## Set up the shell")[0], re.MULTILINE)
    assert sorted(name for name, _ in table) == sorted(page.chapter("Alarms"))
    assert all(name.lower() == anchor for name, anchor in table)


def test_the_alarm_on_top_is_made_of_the_three_that_its_section_names():
    rule = template()["Resources"]["CollectionBrokenAlarm"]["Properties"]["AlarmRule"]["Fn::Sub"]
    parts = re.findall(r"\$\{(\w+)\}", rule)
    assert [name for name in parts if name not in page.section("CollectionBrokenAlarm")] == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bchange (\w+)", page.text())) - {"PARAMETER"}))
def test_what_is_changed_is_a_parameter(name):
    assert name in template()["Parameters"]


def test_the_address_of_govslack_is_one_that_the_template_and_the_collector_take():
    (url,) = set(re.findall(r"SLACK=(\S+)", page.section("GovSlack")))
    assert re.fullmatch(template()["Parameters"]["SlackApiUrl"]["AllowedPattern"], url)
    assert settings_with(url).slack_api_url == url


def settings_with(url: str) -> Settings:
    environment = template()["Resources"]["CollectFunction"]["Properties"]["Environment"]["Variables"]
    return Settings.from_env(dict.fromkeys(environment, "1") | {"SLACK_API_URL": url})


# ---- every `aws` command of every document ----


def commands_in(document: Path) -> list[str]:
    """The blocks that a person copies, and the commands within a line."""
    text = document.read_text()
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found = [re.sub(r"(?m)^\$ ", "", it) for it in blocks] + re.findall(r"`(aws [^`]+)`", plain)
    return [it for it in found if re.search(r"\baws ", it)]


DOCUMENTS = [it for it in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if commands_in(it)]


@pytest.fixture(scope="module")
def noting(tmp_path_factory):
    """A shell in which nothing is done: `aws` looks its command up in the models, and others are not there."""
    folder = tmp_path_factory.mktemp("noting")
    for name in HARMLESS:
        (folder / name).symlink_to(shutil.which(name) or name)
    noted: list[str] = []

    def look_up(words: list[str], place: awscli.Place) -> int:
        noted.append(" ".join(words[:2]))
        try:
            call = awscli.understood(words, lambda _: b"[]")  # whatever a file would hold
            if isinstance(call, awscli.Call) and call.operation.input_shape is not None:
                said = ParamValidator().validate(call.parameters, call.operation.input_shape).generate_report()
                wrong = [it for it in said.splitlines() if "Invalid length" not in it]  # a variable without its value
                if wrong:
                    raise ParamValidationError(report=" ".join(wrong))
        except (awscli.UsageError, ParamValidationError, ValueError, KeyError) as error:
            noted.append(f"{' '.join(words)}: {error}")
            return awscli.BAD_USAGE
        place.say("x")
        return 0

    with aws_command(look_up, folder):
        yield Shell(folder, {"PATH": str(folder)}, "a-stack"), noted


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_aws_command_is_one_that_aws_has(document, noting):
    shell, noted = noting
    noted.clear()
    shell.try_to_run("set +eu", "command_not_found_handle() { return 0; }", *commands_in(document))
    assert [it for it in noted if ": " in it] == []
    assert len(noted) >= len(commands_in(document))


def test_the_procedures_that_are_not_executed_have_commands_that_are_looked_up():
    said = page.text().rpartition("## How this page is tested")[2]
    checked = re.findall(r"^\| ([A-Z][^|]+?) \| checked", said, re.MULTILINE)
    assert checked
    assert all(page.blocks(title) for title in checked)


# ---- the models' reader itself: a command that AWS does not have must not pass ----


@pytest.mark.parametrize(
    "command",
    [
        "lamda list-functions",
        "lambda list-function",
        "s3 list-objects --bucket b",
        "dynamodb get-item --table-name t",
        "dynamodb get-item --table-name t --key {} --table x",
        "dynamodb wait table-gone --table-name t",
        "kinesis delete-stream --stream-name s surplus",
        "lambda invoke --function-name f",
        "logs start-query --query-string q --start-time soon --end-time 2",
        "ce get-cost-and-usage --time-period Start=a,Till=b --granularity DAILY --metrics x",
        "ce get-cost-and-usage --time-period Start;a --granularity DAILY --metrics x",
        "sqs purge-queue --queue-url u --output text --query [",
        "s3 sync s3://b copy --delete-everything",
    ],
)
def test_a_command_that_aws_does_not_have_is_refused(command):
    with pytest.raises((awscli.UsageError, ValueError)):
        awscli.understood(command.split(), lambda _: b"")


def test_a_command_is_read_as_the_cli_reads_it():
    words = ["dynamodb", "create-table", "--table-name", "t", "--key-schema", "AttributeName=org,KeyType=HASH"]
    words += ["--attribute-definitions", "AttributeName=org,AttributeType=S", "--deletion-protection-enabled"]
    words += ["--sse-specification", 'Enabled=true,SSEType=KMS,KMSMasterKeyId="a, b"']
    call = awscli.understood(words, lambda _: b"")
    assert isinstance(call, awscli.Call)
    assert call.parameters == {
        "TableName": "t",
        "KeySchema": [{"AttributeName": "org", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "org", "AttributeType": "S"}],
        "DeletionProtectionEnabled": True,
        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "a, b"},
    }


# ---- what the page says of errors, and asks the logs for ----

# ---- CloudWatch Logs Insights reads our JSON, the embedded AWS does not ----

LOGGED = {
    "message", "reason", "org", "level",  # by every line of ours
    "errorMessage", "record.status",  # by Lambda itself: an error that a function ended with, a run that was killed
    "kind", "where", "what", "advice", "action",  # by findings and the drift watch
    *(field.name for field in msgspec.structs.fields(Report)),
    "found", "outcome",  # by the check before traffic
    "Step",  # by the rotation
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
    parts = ["Could not ", said.removeprefix("Could not ")] if said.startswith("Could not ") else [said]
    assert said in {"timeout", *ADVICE} or all(part in texts() for part in parts)


def test_every_refusal_of_slack_stands_on_the_page():
    """Those that only a wrong address brings say what to do themselves."""
    explained = page.section("What an error says")
    themselves = {"bad_endpoint", "method_not_allowed", "invalid_action", "invalid_workspace"}
    assert [code for code in ADVICE if code not in explained and code not in themselves] == []


@cache
def texts() -> str:
    """Every text in our code that is no docstring, with its literal parts put together."""
    found = []
    for path in (ROOT / "layers" / "collector" / "slack_audit").rglob("*.py"):
        tree = ast.parse(path.read_text())
        docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(it.value) for it in node.values if isinstance(it, ast.Constant)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
                found.append(node.value)
    return "\n".join(found)
