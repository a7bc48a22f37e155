"""The command as it is typed: what it prints, and what it ends with."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from slack_audit import __version__
from slack_audit.verify.prove import Head
from slack_audit_cli import app as command
from slack_audit_cli import asked
from slack_audit_cli.app import app
from slack_audit_cli.proofs import span
from tests.verify.archives import Forge, collected, proof_of

OBJECTS = collected()
LOG = sorted(key for key in OBJECTS if key.startswith("log/"))
RAW = sorted(key for key in OBJECTS if key.startswith("raw/"))
HEAD = proof_of(OBJECTS).head
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def run(tmp_path):
    """Runs the command on a folder with these objects."""

    def run_on(objects: dict[str, bytes], *options: str) -> Result:
        for key, body in objects.items():
            (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / key).write_bytes(body)
        return typed("--folder", str(tmp_path), *options)

    return run_on


def typed(*options: str) -> Result:
    return CliRunner().invoke(app, ["verify", *options])


def words(text: str) -> str:
    return " ".join(text.split())


TAMPERED = {key: body for key, body in OBJECTS.items() if key != RAW[2]}


# ---- 0: proven ----


def test_a_proven_archive_ends_with_0_and_says_what_it_covers(run):
    result = run(OBJECTS)
    assert (result.exit_code, result.stderr) == (0, "")
    said = words(result.stdout)
    assert "live 2025-12-31 22:30:00 2025-12-31 23:37:00 1h 7m 9 324 0" in said
    assert "final nothing read 0 0 0" in said
    assert "the whole log, entries 0 to 9, and everything under raw/" in said
    assert re.search(r"9 with 324 events, [0-9.]+ kB", said)
    assert "behind live 1m" in said
    assert "collected everything, by version 0.1.0, from entry 0 (2025-12-31 23:30:00)" in said
    assert "PROVEN: 324 events in 10 entries: none missing, repeated or altered." in said
    assert HEAD is not None
    assert f"Head {HEAD.number}:{HEAD.digest}" in said


def test_a_part_says_that_it_is_one(run):
    result = run(OBJECTS, "--since", "2025-12-31T23:35:00Z")
    said = words(result.stdout)
    assert result.exit_code == 0
    assert (
        "only entries 6 to 9 (since 2025-12-31 23:35:00); orphans of 1 day (2025-12-31); beside them 5 entries" in said
    )
    assert "PROVEN of this part: 12 events in 4 entries" in said


def test_on_a_narrow_terminal_no_line_of_the_table_is_broken(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert "live 12-31 22:30:00 12-31 23:37:00 1h 7m 9 324 0" in words(run(OBJECTS).stdout)


def test_orphans_alone_are_a_warning_unless_asked_to_be_strict(run):
    objects = {**OBJECTS, RAW[3].replace("-4-", "-5-"): b"x"}
    result = run(objects)
    assert result.exit_code == 0
    assert "! orphan (1)" in result.stdout
    assert "none missing, repeated or altered, with 1 warning." in result.stdout
    assert run(objects, "--strict").exit_code == 1
    assert run({}, "--strict", "--since", "1w").exit_code == 1


def test_filters_are_told_from_where_they_hold(run):
    forge = Forge(OBJECTS)
    forge.changed(9, filters={"action": "user_login", "actor": "W1", "entity": ""})
    assert "collected only action user_login, actor W1, by version 0.1.0, from entry 9" in words(
        run(forge.sealed()).stdout
    )


def test_json_is_all_there_is_on_stdout(run):
    result = run(OBJECTS, "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (said["proven"], said["faults"], said["warnings"], said["findings"]) == (True, 0, 0, [])
    assert said["coverage"]["passes"][0]["lag"] == 60
    assert HEAD is not None
    assert said["head"] == f"{HEAD.number}:{HEAD.digest}"


# ---- 1: findings ----


def test_a_tampered_archive_ends_with_1_and_names_what_is_wrong(run):
    result = run(TAMPERED)
    assert result.exit_code == 1
    assert "✗ missing (1)" in result.stdout
    assert f"  {RAW[2]}\n    is missing, with the 3 events of entry 3" in result.stdout
    assert "Restore it from the bucket's object versions" in result.stdout
    assert "NOT PROVEN: 1 finding." in result.stdout
    assert "Head" not in result.stdout


def test_json_names_it_too_with_what_to_do(run):
    result = run(TAMPERED, "--json")
    (finding,) = json.loads(result.stdout)["findings"]
    assert result.exit_code == 1
    assert (finding["kind"], finding["where"], finding["warning"]) == ("missing", RAW[2], False)
    assert finding["advice"].startswith("Restore it")


def test_of_many_a_few_are_shown_and_all_are_counted(run):
    foreign = {f"raw/org=main/{number:02}": b"" for number in range(30)}
    result = run({**OBJECTS, **foreign})
    assert "✗ foreign (30)" in result.stdout
    assert result.stdout.count("is no batch") == 5
    assert "and 25 more" in result.stdout


def test_a_gap_stands_in_the_table(run):
    result = run({key: body for key, body in OBJECTS.items() if key != LOG[4]})
    assert "1: 1m" in result.stdout


@pytest.mark.parametrize("head", ["9:" + "0" * 64, "10:" + "0" * 64])
def test_a_head_that_is_not_the_logs(run, head):
    assert run(OBJECTS, "--head", head).exit_code == 1


def test_an_empty_folder_is_a_finding(run):
    result = run({})
    assert result.exit_code == 1
    assert "there is no log" in result.stdout


def test_another_org_is_another_archive(run):
    assert run(OBJECTS, "--org", "other").exit_code == 1


# ---- 2: asked wrongly, or not to be read ----


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "name one of the three"),
        (["--bucket", "a", "--folder", "b"], "name one of the three"),
        (["--folder", ".", "--since", "tomorrow"], "'tomorrow' is no time"),
        (["--folder", ".", "--since", "99999w"], "'99999w' is no time"),
        (["--folder", ".", "--since", "0001-01-01T00:00:00+05:00"], "is no time"),
        (["--folder", ".", "--head", "12"], "'12' is no head"),
        (["--folder", ".", "--head", ""], "'' is no head"),
        (["--folder", ".", "--since", ""], "'' is no time"),
        (["--folder", ".", "--org", "../x"], "is no org"),
        (["--bucket", "a", "--endpoint-url", "x"], "Invalid endpoint: x"),
        (["--bucket", "a", "--frobnicate"], "No such option"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(options, reason):
    result = typed(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in words(result.stderr.replace("│", ""))


def test_a_folder_that_is_not_there_ends_with_2(tmp_path):
    result = typed("--folder", str(tmp_path / "none"), "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "The archive could not be read. There is no folder" in result.stderr


def test_without_credentials_it_says_how_to_get_some(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    result = typed("--bucket", "archive")
    assert result.exit_code == 2
    assert "Log in (aws sso login, aws configure), or name a --profile." in result.stderr
    result = typed("--bucket", "archive", "--profile", "nobody")
    assert result.exit_code == 2
    assert "Check the name of the profile." in result.stderr


def test_a_crash_ends_with_2_and_not_like_a_finding(monkeypatch, capsys):
    def crash(**_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(command, "app", crash)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    assert "a mistake of ours" in capsys.readouterr().err


# ---- a bucket ----


@pytest.fixture
def bucket(cloud, monkeypatch):
    """The options that name a bucket with the archive in it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    name = cloud.bucket()
    for key, body in OBJECTS.items():
        cloud.clients.s3.put_object(Bucket=name, Key=key, Body=body)
    return ["--bucket", name, "--endpoint-url", cloud.aws.endpoint, "--region", "us-east-1"]


def test_a_bucket_is_proven_like_a_folder(bucket):
    result = typed(*bucket, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["coverage"]["events"] == 324
    assert typed(*bucket, "--since", "2025-12-31T23:35:00Z").exit_code == 0


def test_what_is_missing_in_a_bucket_is_named(bucket, cloud):
    cloud.clients.s3.delete_object(Bucket=cloud.name, Key=RAW[2])
    result = typed(*bucket)
    assert result.exit_code == 1
    assert f"{RAW[2]}\n    is missing" in result.stdout


def test_a_bucket_that_is_not_there_ends_with_2(bucket):
    result = typed("--bucket", "nobody-has-this", *bucket[2:])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Check the bucket's name, and the account and region of these credentials." in result.stderr


# ---- the command itself ----


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "slack_audit_cli", "version"]
    path = f"{ROOT / 'cli'}:{ROOT / 'layers' / 'collector'}"
    ran = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": path}, check=True)
    assert ran.stdout == f"{__version__}\n"


def test_it_says_its_version():
    assert CliRunner().invoke(command.app, ["version"]).stdout == f"{__version__}\n"


def test_it_can_be_interrupted(tmp_path):
    ready = tmp_path / "log" / "org=main"
    ready.mkdir(parents=True)
    os.mkfifo(ready / "000000000000.json")  # reading it waits for ever
    path = f"{ROOT / 'cli'}:{ROOT / 'layers' / 'collector'}"
    command_line = [sys.executable, "-m", "slack_audit_cli", "verify", "--folder", str(tmp_path)]
    running = subprocess.Popen(command_line, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": path})
    with open(ready / "000000000000.json", "wb"):  # opens as soon as it is being read
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert running.returncode not in {0, 1}
    assert "Traceback" not in said


def test_the_help_tells_the_exit_codes():
    said = words(CliRunner().invoke(app, ["verify", "--help"]).stdout)
    assert "Ends with 0 if it is proven, 1 if not (what is wrong is named), 2 if it was asked wrongly" in said


NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2d", NOW - timedelta(days=2)),
        ("36h", NOW - timedelta(hours=36)),
        ("15m", NOW - timedelta(minutes=15)),
        ("1w", NOW - timedelta(days=7)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T12:00:00+02:00", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_time_can_be_said_in_these_ways(text, expected):
    assert asked.moment(text, NOW) == expected


def test_a_head_is_a_number_and_a_digest():
    assert asked.head("7:" + "a" * 64) == Head(7, "a" * 64)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (3_725, "1h 2m"), (86_400, "1d"), (90_000, "1d 1h"), (86_401, "1d")],
)
def test_a_span_is_told_in_two_units(seconds, said):
    assert span(seconds) == said
