"""Where organisations stand, by the table of a stack and by the log of an archive."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from typer.testing import CliRunner, Result

from slack_audit.budget import Budget
from slack_audit_cli.app import app
from slack_audit_cli.status.read import newest, orgs_in
from tests.builders import raw_event
from tests.cli.account import InMemory, given, refused
from tests.fakes import World
from tests.verify.archives import Memory, collected

HOUR = 3_600
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


class Stands:
    """A stack whose organisation main was collected for some minutes, and the host's clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws = given(monkeypatch, InMemory())
        self.world = World(lags={"live": 60, "late": 2_100, "final": 90_300, "backfill": 90_300})
        self.world.slack.add([raw_event(int(self.world.clock.time) - 600, n) for n in range(3)])
        self.world.until_done()
        clock = SimpleNamespace(time=lambda: self.world.clock.time, sleep=lambda _: None)
        monkeypatch.setattr("slack_audit_cli.commands.status.time", clock)

    def looks(self, *options: str, org: str = "main", **changes: object) -> Result:
        lease = {name: changes.pop(name) for name in ("owner", "lease_until") if name in changes}
        self.aws.checkpoint(org, msgspec.structs.replace(self.world.table.item, **changes), **lease)
        return typed("--stack", "audit", *options)


@pytest.fixture
def stands(monkeypatch) -> Stands:
    return Stands(monkeypatch)


def typed(*options: str) -> Result:
    return CliRunner().invoke(app, ["status", *options])


def words(text: str) -> str:
    return " ".join(text.split())


# ---- a stack ----


def test_a_stack_on_which_all_is_well(stands):
    result = stands.looks()
    assert (result.exit_code, result.stderr) == (0, "")
    said = words(result.stdout)
    assert "Stack audit at 2026-01-01 00:" in said
    assert "live 2026-01-01 00:" in said
    assert "1m 1m running" in said
    assert "final 2025-12-31 23:33:19" in said
    assert "1d 1h running" in said
    assert "stream holds all" in said
    assert "last run did its work" in said
    assert "lease free: no run is under way" in said
    assert said.endswith("Nothing is wrong.")


def test_json_is_all_there_is_on_stdout(stands):
    result = stands.looks("--json")
    said = json.loads(result.stdout)
    (main,) = said["orgs"]
    assert (result.stderr, said["wrong"], said["paused"], main["problems"]) == ("", False, False, [])
    live = main["passes"][0]
    assert live["name"] == "live"
    assert said["at"] - live["read_up_to"] == live["behind"] == live["keeps"] == 60
    assert main["entries"] == main["published"] == stands.world.table.item.next
    assert said["at"] == int(stands.world.clock.time)


def test_behind_is_by_slacks_clock(stands):
    said = json.loads(stands.looks("--json", clock=40).stdout)
    assert said["orgs"][0]["passes"][0]["behind"] == 100


def test_what_is_under_way_is_told_and_nothing_is_wrong(stands):
    now = int(stands.world.clock.time)
    result = stands.looks(
        owner="a-run", lease_until=now + 100, plan=b"{}", budget=Budget(blocked_until=now + 30), published=1
    )
    said = words(result.stdout)
    assert "lease held until 00:" in said
    assert "slack says to wait until 00:" in said
    assert "is being written" in said
    assert "stream holds the entries below 1 of" in said
    assert result.exit_code == 0


def test_a_lease_that_was_left_is_told(stands):
    now = int(stands.world.clock.time)
    assert "left by a run that died" in stands.looks(owner="a-run", lease_until=now - 100).stdout


def test_backfills_are_told_with_their_end(stands):
    stands.world.order(from_="2025-12-01", to="2025-12-10")
    stands.world.order(pause="backfill-1764547200-1765411199")
    result = stands.looks()
    assert "backfill 2025-11-30 23:59:59" in words(result.stdout)
    assert "paused, to 2025-12-10 23:59" in words(result.stdout)
    assert result.exit_code == 0, "an old watermark is what a backfill has"


@pytest.mark.parametrize(
    ("parameters", "changes", "said"),
    [
        ({}, {"succeeded": 1_767_225_600}, "No run did its work for 33m"),
        ({}, {"succeeded": None}, "No run did its work yet"),
        ({"LagAlarmSeconds": "120"}, {"clock": 70}, "The pass live is 2m 10s behind"),
        ({"SilenceHours": "1"}, {"newest": 1_767_200_000}, "No new event was archived for 7h"),
        ({"LagAlarmSeconds": "1000"}, {"streamed": 1_767_225_600, "published": 0}, "The stream is 33m"),
    ],
)
def test_what_a_person_should_look_at_ends_with_1(stands, parameters, changes, said):
    stands.aws.parameters |= parameters
    result = stands.looks(**changes)
    assert result.exit_code == 1
    assert f"✗ {said}" in words(result.stdout)
    assert "To be looked at: main." in result.stdout
    stands.aws.parameters["ScheduleState"] = "DISABLED"
    paused = stands.looks(**changes)
    assert (paused.exit_code, "The collection is paused" in paused.stdout) == (0, True)


def test_a_pass_that_is_off_may_stand_still(stands):
    stands.aws.parameters |= {"LatePassMinutes": "0", "FinalPassHours": "0"}
    passes = {**stands.world.table.item.passes}
    passes["late"] = passes["late"].at(passes["late"].watermark - 900_000)
    result = stands.looks(passes=passes)
    assert result.exit_code == 0
    assert words(result.stdout).count(" off") == 2
    stands.aws.parameters |= {"LatePassMinutes": "35"}
    assert "✗ The pass late is 10d" in words(stands.looks(passes=passes).stdout)


def test_every_organisation_of_the_stack_is_told(stands):
    stands.aws.parameters["Orgs"] = "labs,new"
    stands.looks(org="labs")
    result = stands.looks("--json")
    said = json.loads(result.stdout)
    assert [(it["org"], bool(it["problems"])) for it in said["orgs"]] == [
        ("main", False),
        ("labs", False),
        ("new", True),
    ]
    assert "put the token" in said["orgs"][2]["problems"][0]
    assert result.exit_code == 1
    assert stands.looks("--org", "labs").exit_code == 0
    other = stands.looks("--org", "sales")
    assert (other.exit_code, "collects main, labs, new" in words(other.stderr)) == (2, True)


def test_a_narrow_terminal_breaks_no_line_of_the_table(stands, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stands.world.order(from_="2025-12-01", to="2025-12-10")
    result = stands.looks(owner="a-run", lease_until=int(stands.world.clock.time) + 100, published=1)
    assert "backfill  2025-11-30 23:59:59" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        ("DescribeStacks", "ExpiredToken", "These credentials have expired: log in again."),
        ("DescribeStacks", "AccessDenied", "It needs cloudformation:DescribeStacks."),
        ("GetItem", "AccessDeniedException", "Could not read the checkpoint of org main in table checkpoints"),
    ],
)
def test_what_cannot_be_read_ends_with_2(stands, call, code, said):
    stands.aws.refuses[call] = [refused(code, call)]
    result = stands.looks()
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in words(result.stderr)


def test_a_stack_that_is_none_of_ours_ends_with_2(stands):
    stands.aws.outputs.clear()
    assert "has no output CheckpointTableName" in words(stands.looks().stderr)
    assert typed("--stack", "nobody").exit_code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "name one of the three"),
        (["--stack", "audit", "--folder", "."], "name one of the three"),
        (["--folder", ".", "--watch"], "it draws on a terminal"),
        (["--folder", ".", "--org", "../x"], "is no org"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(options, said):
    result = typed(*options)
    assert (result.exit_code, said in words(result.stderr)) == (2, True)


# ---- an archive ----


def kept(objects: dict[str, bytes], folder: Path) -> str:
    for key, body in objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)
    return str(folder)


def test_an_archive_alone_says_what_its_newest_entry_says(tmp_path):
    objects = collected()
    labs = {key.replace("org=main", "org=labs"): body for key, body in collected(3).items()}
    objects |= {key: body.replace(b'"org":"main"', b'"org":"labs"') for key, body in labs.items()}
    result = typed("--folder", kept(objects, tmp_path))
    said = words(result.stdout)
    assert "live 2025-12-31 23:37:00" in said
    assert "newest entry 9, written 2025-12-31 23:38:00 by version 0.1.0" in said
    assert said.index("labs pass") < said.index("main pass")
    assert (result.exit_code, "keeps" in said) == (0, False)
    (main,) = json.loads(typed("--folder", str(tmp_path), "--org", "main", "--json").stdout)["orgs"]
    assert (main["entries"], main["succeeded"]) == (10, None)


def test_a_folder_without_a_log_ends_with_1(tmp_path):
    assert typed("--folder", str(tmp_path)).exit_code == 1
    result = typed("--folder", str(tmp_path), "--org", "main")
    assert (result.exit_code, "There is no log" in result.stdout) == (1, True)


def test_a_log_without_its_beginning_ends_with_2(tmp_path):
    objects = collected(2)
    del objects["log/org=main/000000000000.json"]
    result = typed("--folder", kept(objects, tmp_path))
    assert (result.exit_code, "Run slack-audit verify" in result.stderr) == (2, True)


def test_a_bucket_in_which_nothing_was_committed_lately_ends_with_1(cloud, monkeypatch):
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "no_proxy": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    bucket = cloud.bucket()
    for key, body in collected(1).items():
        cloud.clients.s3.put_object(Bucket=bucket, Key=key, Body=body)
    result = typed("--bucket", bucket, "--endpoint-url", cloud.aws.endpoint, "--region", "us-east-1")
    assert (result.exit_code, "✗ Nothing was committed for" in result.stdout) == (1, True)


def test_the_newest_entry_is_found_in_a_few_looks():
    vault = Memory({f"log/org=main/{n:012}.json": b"" for n in range(5_000)})
    with pytest.raises(Exception, match="is not a log entry"):
        newest(vault, "main")
    assert vault.read[-1] == "log/org=main/000000004999.json"
    assert len(vault.read) < 40


def test_the_organisations_of_an_archive_are_found_without_reading_their_logs():
    names = ["a", "a-b", "a0", "a_b", "b", "main", "main2"]
    vault = Memory({f"log/org={org}/{n:012}.json": b"" for org in names for n in range(3)})
    assert sorted(orgs_in(vault)) == sorted(names)
    assert len(vault.listed) == len(names) + 1


# ---- --watch ----


def test_watching_goes_on_until_ctrl_c(tmp_path):
    folder = kept(collected(1), tmp_path)
    ours, theirs = pty.openpty()
    path = f"{ROOT / 'cli'}:{ROOT / 'layers' / 'collector'}"
    command = [sys.executable, "-m", "slack_audit_cli", "status", "--folder", folder, "--watch", "--every", "1"]
    environment = {"PYTHONPATH": path, "PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment) as running:
        os.close(theirs)
        seen = b""
        while seen.count(b"Nothing is wrong.") < 2:
            seen += os.read(ours, 4_096)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    os.close(ours)
    assert (running.returncode, said) == (130, b"")
