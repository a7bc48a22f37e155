"""What the documents say is what the code does."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlglot
from typer.testing import CliRunner

from slack_audit import __version__, credentials, errors, replay_report, telemetry, verifying, wiring
from slack_audit.backfill import Start, order_of
from slack_audit.check import Outcome, Outside, check
from slack_audit.checkpoint import Checkpoint
from slack_audit.drift import Drift
from slack_audit.log import Filters, LogEntry
from slack_audit.parts import Report
from slack_audit.replay_plan import Destination, Stack, request_of
from slack_audit.settings import (
    DriftSettings,
    PreTrafficSettings,
    ReplaySettings,
    RotateSettings,
    Settings,
    VerifySettings,
)
from slack_audit.verify.findings import WARNINGS, Kind
from slack_audit.verify.prove import prove
from slack_audit_cli import codes
from slack_audit_cli.app import app
from slack_audit_cli.doctor.looks import NEEDS
from slack_audit_cli.sql.statements import queries, views
from tests.fakes import World
from tests.template.reading import template
from tests.verify.archives import Memory

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_every_parameter_stands_in_the_readme_with_its_default():
    table = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", README, re.MULTILINE))
    expected = {
        name: f"`{value['Default']}`" if value["Default"] != "" else "empty"
        for name, value in template()["Parameters"].items()
    }
    assert table == expected


def test_every_output_stands_in_the_readme():
    for name in template()["Outputs"]:
        assert f"`{name}`" in README, name


class Noted(dict[str, str]):
    """An environment that notes what is asked of it, and has something that every setting takes."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(("SLACK_API_URL", "SLACK_OAUTH_URL"), "https://slack.com/api"))
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, "1")


@pytest.mark.parametrize(
    ("function", "settings"),
    [
        ("CollectFunction", Settings),
        ("DriftFunction", DriftSettings),
        ("VerifyFunction", VerifySettings),
        ("PreTrafficFunction", PreTrafficSettings),
        ("ReplayFunction", ReplaySettings),
        ("RotateFunction", RotateSettings),
    ],
)
def test_settings_template_and_code_agree_on_the_environment(function, settings):
    environment = template()["Resources"][function]["Properties"]["Environment"]["Variables"]
    not_ours = {"REVISION", "COLLECT_CONCURRENCY", "MALLOC_ARENA_MAX"}
    ours = {name for name in environment if not name.startswith("POWERTOOLS_")} - not_ours
    noted = Noted()
    settings.from_env(noted)
    assert noted.asked == ours


def test_every_metric_is_documented():
    names = {
        value for name, value in vars(telemetry).items() if name.isupper() and name not in {"SERVICE", "NAMESPACE"}
    }
    documented = set(re.findall(r"^\| `(\w+)` \|", section("docs/architecture.md", "Metrics"), re.MULTILINE))
    assert documented == names


def test_every_field_of_a_log_entry_is_documented():
    fields = {field.encode_name for field in msgspec.structs.fields(LogEntry)}
    documented = set(re.findall(r"^\| `(\w+)` \|", section("docs/consumers.md", "The log entry"), re.MULTILINE))
    assert documented == fields


def test_every_attribute_of_the_checkpoint_is_documented():
    ours = {field.name for field in msgspec.structs.fields(Checkpoint)} - {"budget", "spans", "place"}
    expected = ours | {"org", "owner", "lease_until", "turn", "other_turn", "calls", "blocked_until", "shy_until"}
    documented = set(re.findall(r"^\| `(\w+)` \|", section("docs/architecture.md", "The checkpoint"), re.MULTILINE))
    assert documented == expected


def test_every_field_of_the_report_is_documented():
    fields = {field.name for field in msgspec.structs.fields(Report)}
    documented = set(re.findall(r"^\| `(\w+)` \|", section("docs/architecture.md", "What a run returns"), re.MULTILINE))
    assert documented == fields


def test_every_field_of_the_drift_watch_is_documented():
    fields = {field.name for field in msgspec.structs.fields(Drift)}
    documented = set(re.findall(r"^\| `(\w+)` \|", section("docs/drift.md", "What it returns"), re.MULTILINE))
    assert documented == fields


def test_every_finding_of_the_drift_watch_is_documented_as_it_is_logged():
    said = section("docs/drift.md", "What it says")
    code = [ROOT / "layers/collector/slack_audit/drift.py", ROOT / "functions/drift/app.py"]
    logged = re.findall(
        r'(?:logger\.(?:info|warning|error)\(|_tell\(logging\.\w+, )"([^"]+)"', "".join(it.read_text() for it in code)
    )
    assert len(logged) > 8
    assert [it for it in logged if f"`{it}`" not in said] == []


def test_every_field_of_the_daily_check_is_documented():
    fields = set(prove("main", Memory({})).summary())
    documented = set(
        re.findall(r"^\| `(\w+)` \|", section("docs/verify.md", "What the daily check returns"), re.MULTILINE)
    )
    assert documented == fields


def test_every_kind_of_finding_is_documented_as_what_it_is():
    for title, kinds in (("Findings", set(Kind) - WARNINGS), ("Warnings", WARNINGS)):
        documented = set(re.findall(r"^\| `(\w+)` \|", section("docs/verify.md", title), re.MULTILINE))
        assert documented == {kind.value for kind in kinds}


def test_the_value_of_a_rotated_token_is_documented_as_it_is_read():
    text = (ROOT / "docs" / "token.md").read_text()
    (shown,) = re.findall(r"^ *(\{.*refresh_token.*\})$", text, re.MULTILINE)
    assert shown == credentials.FORM
    assert set(credentials.credentials_of(shown, "name").fields) == set(credentials.NAMES)


def test_what_a_failed_rotation_says_is_documented_as_it_is_said():
    rows = re.findall(r"^\| (.*?) \|", section("docs/token.md", "When rotation fails"), re.MULTILINE)
    documented = [said for row in rows for said in re.findall(r"`([^`]+)`", row)]
    code = "".join(path.read_text() for path in (ROOT / "layers/collector/slack_audit").rglob("*.py"))
    assert len(documented) > 8
    assert [said for said in documented if re.sub(r"the (new|current) token", "the {", said) not in code] == []


@pytest.mark.parametrize("command", ["verify", "doctor", "replay"])
def test_every_option_of_the_command_is_documented(command):
    shown = CliRunner().invoke(app, [command, "--help"]).stdout
    documented = set(re.findall(r"^\| `(--[\w-]+)", section(f"docs/{command}.md", "The command"), re.MULTILINE))
    assert documented == set(re.findall(r"^ +(--[\w-]+)", shown, re.MULTILINE)) - {"--help"}


COMMANDS = {
    "status": [["status"]],
    "backfill": [["backfill", it] for it in ("start", "list", "pause", "resume", "cancel")],
    "actions and schemas": [["actions"], ["schemas"]],
    "fetch": [["fetch"]],
}


@pytest.mark.parametrize("title", COMMANDS)
def test_every_option_of_the_command_is_documented_in_its_section(title):
    shown = "".join(CliRunner().invoke(app, [*words, "--help"]).stdout for words in COMMANDS[title])
    rows = re.findall(r"^\| (`--.*?) \|", section("docs/cli.md", title), re.MULTILINE)
    documented = {option for row in rows for option in re.findall(r"--[\w-]+", row)}
    assert documented == set(re.findall(r"^ +(--[\w-]+)", shown, re.MULTILINE)) - {"--help"}


def test_every_command_and_every_shared_option_stands_in_the_overview():
    text = (ROOT / "docs" / "cli.md").read_text().partition("\n## Options of several commands")[0]
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    commands = {it.name or getattr(it.callback, "__name__", "") for it in app.registered_commands}
    assert commands | {it.name for it in app.registered_groups} <= listed
    shared = set(re.findall(r"^\| `(--[\w-]+)", section("docs/cli.md", "Options of several commands"), re.MULTILINE))
    shown = CliRunner().invoke(app, ["actions", "--help"]).stdout
    assert shared == set(re.findall(r"^ +(--[\w-]+)", shown, re.MULTILINE)) - {"--help", "--search"}


def test_the_exit_codes_are_documented():
    documented = re.findall(r"^\| (\d+) \|", section("docs/cli.md", "Output and exit codes"), re.MULTILINE)
    expected = [codes.WELL, codes.WRONG, codes.NOT_DONE, codes.UNKNOWN, codes.INTERRUPTED, codes.CLOSED]
    assert [int(it) for it in documented] == expected


def test_every_option_of_sql_is_documented():
    shown = CliRunner().invoke(app, ["sql", "--help"]).stdout
    said = (ROOT / "docs" / "sql.md").read_text()
    documented = set(re.findall(r"^\| `(--[\w-]+)", said, re.MULTILINE))
    assert documented == set(re.findall(r"^ +(--[\w-]+)", shown, re.MULTILINE)) - {"--help"}


def test_every_named_query_and_column_of_sql_is_documented():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", section("docs/sql.md", "The queries"), re.MULTILINE))
    assert rows == {it.name: it.answers for it in queries().values()}
    cells = re.findall(r"^\| (`.*?`) \|", section("docs/sql.md", "The columns of events"), re.MULTILINE)
    (tree,) = sqlglot.parse(views()["events"].sql, read="athena")
    assert isinstance(tree, sqlglot.exp.Query)
    assert re.findall(r"`(\w+)`", " ".join(cells)) == tree.named_selects


def test_what_the_doctor_needs_is_documented_as_a_policy():
    (policy,) = re.findall(r"```json\n(.*?)```", section("docs/doctor.md", "What it looks at"), re.DOTALL)
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Action"] == sorted(NEEDS.values())


def test_every_finding_of_a_check_is_documented_in_its_order():
    world = World()
    outside = Outside(lambda _: "xoxp-unreal", *world.parts_of_a_check())
    names = [it.name for it in check("main", Filters(), outside).findings]
    assert re.findall(r"^\| `(\w+)` \|", section("docs/doctor.md", "What the function sees"), re.MULTILINE) == names


def test_every_outcome_is_documented():
    documented = re.findall(r"^\| `(\w+)` \|", section("docs/doctor.md", "The command"), re.MULTILINE)
    assert documented == [it.value for it in Outcome]


def test_the_changelog_and_the_project_name_this_version():
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("sample", ["collect.json", "drift.json"])
def test_the_sample_events_are_what_the_functions_take(sample):
    event = json.loads((ROOT / "events" / sample).read_text())
    assert event == {"org": template()["Parameters"]["Org"]["Default"]}
    backfill = json.loads((ROOT / "events" / "backfill.json").read_text())
    assert backfill["org"] == event["org"]
    order = order_of(backfill["backfill"])
    assert isinstance(order, Start)
    assert order.name == "backfill-1767225600-1769903999"
    assert wiring.requested.__doc__ is not None
    assert '{"org": "main"}' in wiring.requested.__doc__


def test_the_sample_of_a_check_is_what_the_collect_function_takes():
    event = json.loads((ROOT / "events" / "check.json").read_text())
    assert event == {"org": template()["Parameters"]["Org"]["Default"], "check": True}


def test_the_orders_that_the_readme_shows_are_understood():
    shown = re.findall(r"^order '(.*?)'", README, re.MULTILINE)
    assert len(shown) == 3
    for payload in shown:
        order_of(json.loads(payload)["backfill"])


def test_the_sample_of_the_daily_check_is_what_it_takes():
    event = json.loads((ROOT / "events" / "verify.json").read_text())
    assert verifying.requested_days(event) == 2
    assert verifying.requested_days.__doc__ is not None
    assert '{"org": "main", "days": 2}' in verifying.requested_days.__doc__


def test_the_sample_of_a_replay_is_a_request_that_may_be_made():
    event = json.loads((ROOT / "events" / "replay-plan.json").read_text())
    assert request_of(event["request"], Stack("archive", "live")).target == Destination(stream="investigation")


def test_every_field_of_a_replays_report_is_documented():
    documented = set(re.findall(r"`(\w+)`", section("docs/replay.md", "The report")))
    fields = {name for it in (replay_report.Report, replay_report.Totals) for name in it.__struct_fields__}
    assert fields - {"format"} <= documented


def test_every_error_of_a_replay_is_documented_with_what_to_do():
    rows = re.findall(r"^\| (`\w+Error`.*?) \|", section("docs/replay.md", "When it fails"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert {"SettingsError", "SinkRefusedError", "ArchiveDamagedError", "ReplayError"} <= named
    assert named <= set(vars(errors))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_every_document_is_found_from_the_readme():
    found, to_read = set(), [ROOT / "README.md"]
    while to_read:
        document = to_read.pop()
        found.add(document)
        links = re.findall(r"\]\((?!https?:|#)([^)#]+\.md)", document.read_text())
        targets = {(document.parent / link).resolve() for link in links}
        to_read += [target for target in targets - found if target.exists()]
    assert set(DOCUMENTS) - found == set()


SECURITY_PAGES = ("SECURITY.md", "docs/threat-model.md", "docs/supply-chain.md", "docs/keep.md")
OF_AWS = {"PublishLayerVersion", "UpdateFunctionCode", "UpdateItem", "ScheduleKeyDeletion", "IteratorAge"}


@pytest.mark.parametrize("document", SECURITY_PAGES)
def test_what_the_security_pages_name_is_there(document):
    known = {value for name, value in vars(telemetry).items() if name.isupper()} | OF_AWS
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:=\w+)?`", (ROOT / document).read_text()))
    assert {name for name in named - known if name not in json.dumps(template())} == set()


def test_the_findings_that_the_threat_model_relies_on_are_the_verifiers():
    text = (ROOT / "docs" / "threat-model.md").read_text()
    words = {word for said in re.findall(r"the verifier[^|]*?: ([^|]+)", text) for word in re.findall(r"`(\w+)`", said)}
    assert len(words) > 6
    assert words <= {kind.value for kind in Kind}


@pytest.mark.parametrize("command", re.findall(r"^make (\w+)", README, re.MULTILINE))
def test_every_make_target_that_the_readme_names_exists(command):
    assert re.search(rf"^{command}:.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_module_stands_in_the_import_contracts():
    """So that a new one is not overlooked: the core is pure, and the verifier shares nothing with the collector."""
    contracts = {
        it["id"]: it for it in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    }
    package = ROOT / "layers" / "collector" / "slack_audit"
    modules = {
        f"slack_audit.{path.stem}"
        for path in package.iterdir()
        if path.name != "__init__.py" and "__pyc" not in path.name
    }
    wires = "bootstrap deploying drifting replaying rotating verifying watching wiring"
    impure = {f"slack_audit.{name}" for name in ("adapters", "settings", "telemetry", *wires.split())}
    assert modules - impure == {name for name in contracts["pure"]["source_modules"] if name.count(".") == 1}
    assert modules - {"slack_audit.errors", "slack_audit.verify"} == set(contracts["apart"]["forbidden_modules"])


def test_every_decision_is_listed_by_its_title():
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    for path in sorted((ROOT / "docs" / "adr").glob("0*.md")):
        title = path.read_text().splitlines()[0].removeprefix("# ")
        assert f"[{title}]({path.name})" in index


def test_the_ci_calls_make_test_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec make test"]


def test_no_lock_file_and_no_registry_is_named():
    for path in [*ROOT.glob("requirements/*.txt"), ROOT / "layers/collector/requirements.txt"]:
        assert not re.search(r"https?://|--index-url|--find-links", path.read_text())


@pytest.mark.parametrize("path", [*sorted((ROOT / "tests" / "e2e").glob("*.py")), ROOT / "tests" / "proof.py"])
def test_the_end_to_end_tests_know_nothing_of_the_package(path):
    assert not re.search(
        r"^\s*(from|import) (slack_audit|collect|drift|pretraffic|rotate|verify|watch)\b",
        path.read_text(),
        re.MULTILINE,
    )


def test_the_metrics_have_the_dimensions_that_the_table_says(capsys: pytest.CaptureFixture[str]):
    found = {"live": 1, "late": 1, "final": 1}
    report = Report(org="main", found=found, longest_delay=found, calls=1, calls_by_status={"200": 1}, lag=1, backlog=0)
    report.publish_lag = report.backfill_remaining = 1
    telemetry.record(report, None, 1)
    written: dict[str, set[str]] = {}
    for line in capsys.readouterr().out.splitlines():
        (directive,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]:
            for names in directive["Dimensions"]:
                written.setdefault(metric["Name"], set()).add(next((name for name in names if name != "service"), ""))
    rows = re.findall(r"^\| `(\w+)` \| \w+ \| (.*?) ?\| ", section("docs/architecture.md", "Metrics"), re.MULTILINE)
    for name, dimensions in rows:
        if name in written:
            plain = set() if dimensions.endswith("only") else {""}
            assert written[name] == plain | set(re.findall(r"`(\w+)`", dimensions)), name
    assert len(written) > 15


def section(path: str, title: str) -> str:
    text = (ROOT / path).read_text()
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{path} has no section {title!r}"
    return found[1]
