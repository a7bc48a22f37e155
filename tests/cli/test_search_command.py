"""slack-audit search as it is typed: what comes out in each form, and what is left where it ends early."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from slack_audit_cli.app import app
from slack_audit_cli.searching.columns import COLUMNS, text, visible
from slack_audit_cli.searching.parquet import columnar
from slack_audit_cli.searching.table import widths
from slack_audit_cli.searching.writers import cell, inert
from tests.builders import DAY_START, raw_event
from tests.cli.archives import archive_of, written
from tests.verify.archives import pack

ROOT = Path(__file__).parents[2]
T = DAY_START
HOSTILE = "\x1b[2J\u202egnp.exe\r\n[bold red]"
EVENTS = [
    raw_event(T, 0, actor={"type": "user", "user": {"id": "W1", "name": "=HYPERLINK(1)", "email": "eve@example.com"}}),
    raw_event(T + 1, 0, action="file_shared", entity={"type": "file", "file": {"id": "F1", "title": "Q3 / plan"}}),
    raw_event(T + 2, 0, actor={"type": "user", "user": {"id": 1006, "name": HOSTILE}}, details={"a": [1, True]}),
    raw_event(T + 61, 0, context={"ip_address": "192.0.2.7", "ua": "curl", "app": {"id": "A1", "name": "App"}}),
    raw_event(None, 0, actor=[], entity=7, context={"ip_address": 3, "location": {"type": "workspace", "id": "T1"}}),
]
OBJECTS = archive_of(("live", T, T + 59, EVENTS[:3]), ("late", T + 60, T + 119, [EVENTS[4], EVENTS[3]]))
ORDERED = [*EVENTS[:3], EVENTS[4], EVENTS[3]]


@pytest.fixture
def folder(tmp_path):
    return written(OBJECTS, tmp_path / "copy")


def search(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["search", "--folder", str(folder), *options])


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# ---- the time and the place ----


@pytest.mark.parametrize("day", ["2026-01-01", "20260101", "2026-W01-4"])
def test_a_day_at_the_end_is_meant_with_all_of_it(folder, day):
    assert search(folder, "--to", day).stdout_bytes == b"".join(raw + b"\n" for raw in ORDERED)


@pytest.mark.parametrize("org", ["nobody", "main"])
def test_an_archive_without_a_log_is_no_answer(folder, tmp_path, org):
    (tmp_path / "empty").mkdir()
    result = search(folder if org == "nobody" else tmp_path / "empty", "--org", org)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"There is no log of the organisation '{org}'. Check --org" in result.stderr


def test_what_an_earlier_search_had_found_is_not_overwritten(folder, tmp_path):
    (tmp_path / "found.csv.part").write_text("the first half")
    result = search(folder, "--output", str(tmp_path / "found.csv"))
    assert result.exit_code == 2
    assert "move or remove it" in " ".join(result.stderr.split())
    assert (tmp_path / "found.csv.part").read_text() == "the first half"
    assert not (tmp_path / "found.csv").exists()


def test_no_formula_begins_after_a_semicolon_either():
    assert inert('a;=1;"+2; Linux; +http') == "a;'=1;\"'+2; Linux; +http"


# ---- NDJSON ----


def test_on_a_pipe_the_lines_are_slacks_bytes(folder):
    result = search(folder)
    assert result.exit_code == 0
    assert result.stdout_bytes == b"".join(raw + b"\n" for raw in ORDERED)
    assert result.stderr == "5 found: 5 events in 2 batches looked at.\n"


def test_what_is_asked_for_is_found(folder):
    result = search(
        folder, "--actor", "EVE@example.com", "--from", "2026-01-01", "--to", "2026-01-01", "--pass", "live"
    )
    assert result.stdout_bytes == EVENTS[0] + b"\n"
    assert search(folder, "--ip", "192.0.2.0/24", "--where", "context.app").stdout_bytes == EVENTS[3] + b"\n"


def test_nothing_found_is_an_answer(folder):
    result = search(folder, "--action", "nobody_did")
    assert (result.exit_code, result.stdout_bytes) == (0, b"")
    assert result.stderr == "Nothing found: 5 events in 2 batches looked at.\n"


def test_a_limit_says_that_there_may_be_more_and_from_when(folder):
    result = search(folder, "--limit", "2")
    assert result.stdout_bytes == b"".join(raw + b"\n" for raw in EVENTS[:2])
    assert result.stderr.startswith("2 found, and there may be more, from 2026-01-01T00:00:01Z on")


def test_an_orphan_is_counted_and_not_shown(folder):
    written({f"raw/org=main/dt=2026-01-01/{T}-{T + 9}-1-0123456789ab.ndjson.gz": pack(EVENTS)}, folder)
    result = search(folder)
    assert len(result.stdout_bytes.splitlines()) == 5
    assert "looked at, 1 objects that the log does not name passed over." in result.stderr


# ---- CSV and Parquet ----


def test_a_sheet_has_typed_columns_and_carries_out_nothing(folder):
    result = search(folder, "--format", "csv")
    found = rows(result.stdout)
    assert tuple(found[0]) == COLUMNS
    assert [it["time"] for it in found] == [f"2026-01-01T00:00:0{n}Z" for n in range(3)] + ["", "2026-01-01T00:01:01Z"]
    assert found[0]["actor_name"] == "'=HYPERLINK(1)"
    assert (found[1]["entity_id"], found[1]["entity_name"]) == ("F1", "Q3 / plan")
    assert found[2]["actor_id"] == "1006"
    assert found[2]["actor_name"] == r"\u001b[2J\u202egnp.exe\u000d\u000a[bold red]"
    assert found[2]["details"] == '{"a":[1,true]}'
    assert (found[3]["ip_address"], found[3]["location_id"], found[3]["actor_id"]) == ("3", "T1", "")
    assert (found[4]["app_name"], found[4]["pass"], found[4]["entry"], found[4]["line"]) == ("App", "late", "2", "2")
    assert [it["event"].encode() for it in found] == ORDERED
    assert all(it["object"] in OBJECTS for it in found)
    assert len(result.stdout.splitlines()) == 6


@pytest.mark.parametrize("said", ["", "a", 'a"b', '"', ",", '","', " a ", "a;b", "é👩‍👧", "'"])
def test_a_cell_is_read_as_it_was_written(said):
    assert next(csv.reader([f"{cell(said)},{cell(5)},{cell(None)}"])) == [said, "5", ""]


@pytest.mark.parametrize("said", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1"])
def test_what_a_spreadsheet_takes_for_a_formula_is_text(said):
    assert inert(said) == f"'{said}"


@pytest.mark.parametrize("said", ["", "a=1", " =1", "1-1", "{}", "👩‍👩‍👧", "سلام‌ها"])
def test_other_text_is_as_it_is(said):
    assert inert(said) == said


def test_a_parquet_file_has_typed_columns(folder, tmp_path):
    target = tmp_path / "o'[1]*.parquet"
    assert search(folder, "--output", str(target)).exit_code == 0
    assert [it.name for it in tmp_path.iterdir() if it.is_file()] == [target.name]
    copied = tmp_path / "plain.parquet"
    copied.write_bytes(target.read_bytes())
    with duckdb.connect() as database:
        typed = dict(database.execute(f"SELECT name, type FROM parquet_schema('{copied}')").fetchall())
        shown = database.execute(
            f"SELECT id, date_create, epoch(time), actor_id, event, line, typeof(time) FROM '{copied}'"
        ).fetchall()
        codecs = database.execute(f"SELECT DISTINCT compression FROM parquet_metadata('{copied}')").fetchall()
    assert [name for name in typed if name in COLUMNS] == list(COLUMNS)
    assert [typed[name] for name in ("date_create", "entry", "line")] == ["INT64"] * 3
    assert [it[4].encode() for it in shown] == ORDERED
    assert shown[2][:4] == (f"{T + 2}-0", T + 2, T + 2, "1006")
    assert shown[3][1:3] == (None, None)
    assert shown[0][6] == "TIMESTAMP WITH TIME ZONE"
    assert codecs == [("ZSTD",)]


def test_an_event_of_any_size_fits_into_a_parquet_file(tmp_path):
    large = raw_event(T, 0, details={"x": "y" * 20_000_000})
    folder = written(archive_of(("live", T, T + 9, [large])), tmp_path / "copy")
    assert search(folder, "--output", str(tmp_path / "a.parquet")).exit_code == 0
    query = f"SELECT length(event), length(details) FROM '{tmp_path / 'a.parquet'}'"
    assert duckdb.execute(query).fetchall() == [(len(large), 20_000_008)]


def test_the_name_of_the_file_says_its_form(folder, tmp_path):
    for name in ("a.csv", "a.ndjson", "a.jsonl"):
        assert search(folder, "--output", str(tmp_path / name)).stdout == ""
    assert len(rows((tmp_path / "a.csv").read_text())) == 5
    assert (tmp_path / "a.ndjson").read_bytes() == (tmp_path / "a.jsonl").read_bytes()


def test_nothing_found_is_a_file_too(folder, tmp_path):
    for name in ("a.csv", "a.ndjson", "a.parquet"):
        assert search(folder, "--action", "x", "--output", str(tmp_path / name)).exit_code == 0
    assert (tmp_path / "a.csv").read_bytes() == ",".join(COLUMNS).encode() + b"\r\n"
    assert (tmp_path / "a.ndjson").read_bytes() == b""
    assert duckdb.execute(f"SELECT count(*) FROM '{tmp_path / 'a.parquet'}'").fetchall() == [(0,)]


# ---- the table ----


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_table_fits_the_terminal_and_shows_what_would_hide(folder, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    result = search(folder, "--format", "table")
    lines = result.stdout.splitlines()
    assert len(lines) == 6
    assert all(cell_len(line) <= width for line in lines)
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert lines[0].split()[:2] == ["time", "(UTC)"]
    assert lines[1].startswith("01-01 00:00:00  " if width < 92 else "2026-01-01 00:00:00  ")
    if width == 120:
        assert r"\u001b[2J\u202egnp.exe\u000d\u000a[bold red]" in lines[3]
        assert "file: Q3 / plan" in lines[2]
        assert lines[4].startswith("no time")


def test_a_table_of_many_rows_keeps_the_widths_of_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    many = [raw_event(T + at, 0, action="a" if at < 200 else "b" * 50) for at in range(250)]
    result = search(written(archive_of(("live", T, T + 300, many)), tmp_path), "--format", "table")
    lines = result.stdout.splitlines()
    assert len(lines) == 251
    assert "bbbbb…  Ada Example" in lines[-1]


def test_the_widest_column_gives_way_first():
    assert widths([["t" * 14, "a" * 10, "b" * 60, "c" * 10, "d"]], 80) == [14, 10, 37, 10, 1]
    assert widths([["t" * 14, "", "", "", ""]], 80) == [14, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("a", "a"),
        ("", ""),
        (1006, "1006"),
        (1.5, "1.5"),
        (True, "true"),
        (None, None),
        ([1], None),
        ({"a": 1}, None),
    ],
)
def test_a_column_is_text_or_nothing(said, expected):
    assert text(said) == expected


def test_an_entity_is_called_by_the_first_name_that_says_something(tmp_path):
    things = [
        {"name": "", "title": "Q3"},
        {"channel": "C1", "name": []},
        {"id": 0, "email": "a@example.com"},
        "x",
        None,
    ]
    made = [raw_event(T, n, entity={"type": "t", "t": it}) for n, it in enumerate(things)]
    found = rows(search(written(archive_of(("live", T, T, made)), tmp_path), "--format", "csv").stdout)
    called = [("", "Q3"), ("C1", ""), ("0", "a@example.com"), ("", ""), ("", "")]
    assert [(it["entity_id"], it["entity_name"]) for it in found] == called


def test_what_would_move_a_terminal_is_seen():
    assert visible("a\x07\x9b\u2028\U000e0041é👩‍👧") == "a\\u0007\\u009b\\u2028\\udb40\\udc41é👩‍👧"


# ---- asked wrongly, not to be read, ended early ----


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--format", "parquet"], "a Parquet file needs a name"),
        (["--format", "table", "--output", "x"], "a table is for the terminal"),
        (["--format", "xml"], "is not one of"),
        (["--ip", "nowhere"], "is no address"),
        (["--where", "a["], "is no JMESPath"),
        (["--from", "2d", "--to", "3d"], "Z is before --from"),
        (["--limit", "0"], "greater than or equal to 1"),
        (["--output", "/tmp"], "/tmp is a folder: name a file in it"),
        (["--output", "/tmp", "--format", "parquet"], "/tmp is a folder: name a file in it"),
        (["--output", "/nowhere/at/all.csv"], "cannot be written (No such file or directory)"),
        (["--output", "/nowhere/at/all.parquet"], "cannot be written (No such file or directory)"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(folder, options, reason):
    result = search(folder, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in " ".join(result.stderr.replace("│", "").split())


def test_a_damaged_batch_ends_it_with_how_far_it_came(folder, tmp_path):
    last = max(key for key in OBJECTS if key.startswith("raw/"))
    written({last: b"x"}, folder)
    target = tmp_path / "a.ndjson"
    result = search(folder, "--output", str(target))
    assert result.exit_code == 2
    assert "the 2 events before 2026-01-01T00:00:01Z" not in result.stderr
    assert "has other bytes than its log entry says. Run slack-audit verify" in result.stderr
    assert not target.exists()


def test_an_expression_that_fails_midway_leaves_a_part_and_says_how_to_go_on(folder, tmp_path):
    result = search(folder, "--where", "date_create || length(date_create)", "--output", str(tmp_path / "b.ndjson"))
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert "the 3 events before 2026-01-01T00:00:02Z and some of that second were written to" in said
    assert "Go on with --from 2026-01-01T00:00:02Z" in said
    assert "cannot be evaluated on event 'None-0'" in said
    assert not (tmp_path / "b.ndjson").exists()
    assert (tmp_path / "b.ndjson.part").read_bytes() == b"".join(raw + b"\n" for raw in EVENTS[:3])
    first = (tmp_path / "b.ndjson.part").read_bytes().splitlines()
    rest = search(folder, "--from", "2026-01-01T00:00:02Z").stdout_bytes.splitlines()
    assert list(dict.fromkeys(first + rest)) == ORDERED


def test_a_broken_search_leaves_no_parquet(folder, tmp_path):
    result = search(folder, "--where", "length(date_create)", "--output", str(tmp_path / "b.parquet"))
    assert result.exit_code == 2
    assert "Nothing was written: a Parquet file is whole or none." in result.stderr
    assert [it.name for it in tmp_path.iterdir() if it.is_file()] == []


def test_a_full_disk_ends_with_2_and_a_sentence(folder):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        ran = _run(folder, stdout=full)
        _, said = ran.communicate(timeout=60)
    assert ran.returncode == 2
    assert "The output could not be written: [Errno 28]" in said
    assert "Traceback" not in said


def test_ctrl_c_says_how_to_go_on(folder):
    last = max(key for key in OBJECTS if key.startswith("raw/"))
    (folder / last).unlink()
    os.mkfifo(folder / last)  # reading it waits for ever
    ran = _run(folder, stdout=subprocess.PIPE)
    with open(folder / last, "wb"):
        ran.send_signal(signal.SIGINT)
        _, said = ran.communicate(timeout=60)
    assert ran.returncode not in {0, 1}
    assert "It ended early: " in said
    assert "Traceback" not in said


def _run(folder: Path, stdout: Any) -> subprocess.Popen[str]:
    path = f"{ROOT / 'cli'}:{ROOT / 'layers' / 'collector'}"
    command = [sys.executable, "-m", "slack_audit_cli", "search", "--folder", str(folder)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": path}, stdout=stdout)


def test_every_line_is_an_event_of_the_archive(folder):
    assert {json.loads(line)["id"] for line in search(folder).stdout.splitlines()} == {
        json.loads(raw)["id"] for raw in EVENTS
    }


def test_ctrl_c_while_parquet_is_packed_is_ctrl_c(tmp_path, monkeypatch):
    def interrupted(**_: object) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(duckdb, "connect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        columnar(tmp_path / "rows", tmp_path / "found.parquet", 1)


def test_aws_without_a_region_is_told_how_to_go_on(monkeypatch, tmp_path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    result = CliRunner().invoke(app, ["search", "--stack", "audit"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "You must specify a region. Name a --region, or set one with aws configure." in result.stderr


def test_what_a_message_quotes_controls_no_terminal(tmp_path):
    result = CliRunner().invoke(app, ["search", "--folder", str(tmp_path / "\x1b[2J\nthere")])
    assert result.exit_code == 2
    assert "There is no folder" in result.stderr
    assert ("\x1b" in result.stderr, result.stderr.count("\n")) == (False, 1)
