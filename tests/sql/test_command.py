"""The command as it is typed: where it reads, how it writes, and what it ends with."""

import _thread
import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from slack_audit.adapters.vault_folder import FolderVault
from slack_audit_cli import opened
from slack_audit_cli.app import app
from slack_audit_cli.sql import shown
from slack_audit_cli.sql.cached import CachedVault
from slack_audit_cli.sql.dialect import question
from slack_audit_cli.sql.statements import queries
from slack_audit_cli.sql.store import Answer, Column, Store
from tests.builders import DAY_START, raw_event
from tests.sql.events import archive
from tests.verify.archives import Forge, Memory, altered, collected

ROOT = Path(__file__).parents[2]
OBJECTS = archive()
FROM = ("--from", "2025-12-31")


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return laid_out(tmp_path_factory.mktemp("archive"), OBJECTS)


def laid_out(root: Path, objects: dict[str, bytes]) -> Path:
    for key, body in objects.items():
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(body)
    return root


def typed(*options: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["sql", *options], input=stdin)


# ---- 0, 1, 2 ----


def test_a_query_is_answered_as_lines_of_json_on_a_pipe(folder):
    done = typed("--folder", str(folder), "SELECT action, time FROM events WHERE action = 'app_installed'")
    assert (done.exit_code, done.stderr) == (0, "")
    (row,) = map(json.loads, done.stdout.splitlines())
    assert row["action"] == "app_installed"
    assert row["time"].startswith("2026-01-01T00:00:")


def test_a_query_can_come_on_stdin(folder):
    assert typed("--folder", str(folder), stdin="SELECT 1 AS one").stdout == '{"one":1}\n'
    assert typed("--folder", str(folder), "-", stdin="SELECT 2 AS two;").stdout == '{"two":2}\n'


def test_a_named_query_is_of_the_time_that_is_asked_for_or_of_the_last_week(folder):
    assert len(typed("--folder", str(folder), "--query", "exports", *FROM).stdout.splitlines()) == 4
    assert typed("--folder", str(folder), "--query", "exports", "--to", "2026-01-02").stdout.count("\n") == 4
    assert typed("--folder", str(folder), "--query", "exports").stdout == ""


def test_what_must_be_empty_and_is_not_ends_with_1(folder, tmp_path):
    assert typed("--folder", str(folder), "--query", "orphans", *FROM).exit_code == 1
    whole = laid_out(tmp_path, collected())
    assert typed("--folder", str(whole), "--query", "orphans", *FROM).exit_code == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["SELECT nope FROM events"], 'Referenced column "nope" not found'),
        (["DROP TABLE raw"], "Only queries"),
        (["--query", "nope"], "there is no 'nope'"),
        (["--query", "exports", "SELECT 1"], "not both"),
        (["--format", "xml", "SELECT 1"], "the formats are"),
        (["--format", "parquet", "SELECT 1"], "needs a place"),
        (["--format", "table", "--output", "x", "SELECT 1"], "for the screen"),
        (["--org", "../x", "SELECT 1"], "is no org"),
        (["--from", "soon", "SELECT 1"], "is no time"),
        (["--bucket", "b", "SELECT 1"], "one of the three"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2_and_a_sentence(folder, options, why):
    done = typed("--folder", str(folder), *options)
    assert done.exit_code == 2
    assert why in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.output


def test_a_batch_that_is_not_what_its_entry_says_ends_with_2(tmp_path):
    objects = collected()
    key = next(it for it in objects if it.startswith("raw/"))
    for made, why in ((altered(objects, key, 20), "other bytes"), ({**objects, key: b""}, "other bytes")):
        done = typed("--folder", str(laid_out(tmp_path, made)), "SELECT count(*) FROM events")
        assert done.exit_code == 2
        assert why in done.stderr


def test_the_queries_are_listed_with_what_they_answer():
    said = " ".join(typed("--list").stdout.split())
    for query in queries().values():
        assert f"{query.name} {query.answers}" in said


# ---- formats ----


def test_csv_json_and_parquet_hold_the_same(folder, tmp_path):
    asked = ["--folder", str(folder), "SELECT id, time, date_create FROM events ORDER BY id"]
    rows = [json.loads(line) for line in typed(*asked).stdout.splitlines()]
    assert len(rows) > 20
    assert json.loads(typed(*asked, "--format", "json").stdout) == rows
    assert typed(*asked, "--output", str(tmp_path / "a.csv")).stdout == ""
    read = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert read == [{**it, "date_create": str(it["date_create"])} for it in rows]
    assert typed(*asked, "--format", "parquet", "--output", str(tmp_path / "a.parquet")).exit_code == 0
    found = duckdb.execute(f"SELECT id, date_create FROM '{tmp_path / 'a.parquet'}' ORDER BY id").fetchall()
    assert found == [(it["id"], it["date_create"]) for it in rows]


def test_a_name_cannot_steer_the_terminal(tmp_path):
    hostile = {"type": "user", "user": {"id": "W1", "name": "[red]x\x1b[2Jy\u202ez\nw"}}
    forge = Forge(collected())
    forge.append("live", DAY_START + 600, DAY_START + 659, [raw_event(DAY_START + 600, "h", actor=hostile)])
    root = laid_out(tmp_path, forge.sealed())
    asked = f"SELECT actor_name FROM events WHERE date_create = {DAY_START + 600}"
    done = typed("--folder", str(root), "--format", "table", asked)
    assert "[red]x\\x1b[2Jy\\u202ez\\nw" in done.stdout
    assert not {"\x1b", "\u202e"} & set(done.stdout)


def screen(columns: int, names: list[str], rows: list[tuple[str | None, ...]]) -> str:
    seen = io.StringIO()
    console = Console(width=columns, file=seen, color_system=None)
    shown.show(Answer([Column(it, "VARCHAR") for it in names], iter(rows)), console)
    return seen.getvalue()


def test_a_table_that_would_be_too_narrow_is_shown_as_records():
    names = [f"column_{at}" for at in range(10)]
    row = tuple("a value of some length" for _ in names)
    assert "─ 1" in screen(80, names, [row])
    assert "─ 1" not in screen(160, names, [row])
    assert all(len(line) <= 80 for line in screen(80, names, [row]).splitlines())


def test_a_table_says_that_there_is_more():
    assert "the first 200 rows; --format" in screen(80, ["a"], [("x",)] * 300)
    assert "\n1 row\n" in screen(80, ["a"], [(None,)])


# ---- from S3 ----


class Counted(Memory):
    """Counts what is fetched."""

    def get_many(self, keys):
        return (self.get(key) for key in keys)


def test_what_was_fetched_is_not_fetched_again(tmp_path, monkeypatch):
    vault = Counted(OBJECTS)
    monkeypatch.setattr("slack_audit_cli.commands.sql.archive", lambda *_, **__: opened.Archive(vault, "s3://b"))
    asked = ["--bucket", "b", "--cache", str(tmp_path / "kept"), "SELECT count(*) FROM events"]
    first = typed(*asked)
    fetched = [key for key in vault.read if key.startswith("raw/")]
    assert fetched
    vault.read.clear()
    assert typed(*asked).stdout == first.stdout
    assert [key for key in vault.read if key in OBJECTS] == []
    kept = FolderVault(tmp_path / "kept")
    assert all(kept.get(key) == OBJECTS[key] for key in fetched)
    assert not list((tmp_path / "kept").rglob("*.part"))


def test_a_key_that_leads_out_of_the_cache_is_not_kept(tmp_path):
    vault = CachedVault(Memory({"raw/../../out": b"x"}), tmp_path / "kept")
    assert vault.get("raw/../../out") == b"x"
    assert not (tmp_path.parent / "out").exists()
    assert not (tmp_path / "out").exists()


def test_a_cache_that_cannot_be_written_ends_with_2(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(
        "slack_audit_cli.commands.sql.archive", lambda *_, **__: opened.Archive(Memory(OBJECTS), "s3://b")
    )
    done = typed("--bucket", "b", "--cache", str(tmp_path / "file" / "x"), "SELECT 1")
    assert done.exit_code == 2
    assert "Name another --cache" in done.stderr


# ---- Ctrl-C ----


def test_ctrl_c_ends_a_query_and_the_store_goes_on(tmp_path):
    with Store(tmp_path, org="main") as store:
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            store.ask(
                question("SELECT count(*) FROM UNNEST(sequence(1, 3000000)) a(x), UNNEST(sequence(1, 3000000)) b(y)")
            )
        assert time.monotonic() - began < 20
        assert list(store.ask(question("SELECT 1")).rows) == [(1,)]


def test_the_folder_is_gone_afterwards(folder, tmp_path):
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": "layers/collector:functions:cli"}
    command = [
        sys.executable,
        "-m",
        "slack_audit_cli",
        "sql",
        "--folder",
        str(folder),
        "SELECT count(*) AS n FROM events",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert json.loads(done.stdout)["n"] > 20
    assert list(tmp_path.iterdir()) == []


# ---- files ----


@pytest.mark.parametrize("name", ["answer.csv", "answer.parquet"])
def test_a_file_that_cannot_be_written_ends_with_2_and_a_sentence(folder, tmp_path, name):
    done = typed("--folder", str(folder), "--output", str(tmp_path / "nowhere" / name), "SELECT 1 AS one")
    assert done.exit_code == 2
    assert "cannot be written" in " ".join(done.stderr.split())


def test_a_file_that_was_cut_off_has_no_name(folder, tmp_path, monkeypatch):
    def cut_off(_answer: Answer, _form: str, to: io.TextIOBase) -> int:
        to.write("half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(shown, "write", cut_off)
    assert typed("--folder", str(folder), "--output", str(tmp_path / "a.csv"), "SELECT 1 AS one").exit_code != 0
    assert list(tmp_path.iterdir()) == []


def test_a_text_is_no_formula_in_csv(folder):
    done = typed("--folder", str(folder), "--format", "csv", "SELECT '=1+1' AS a, 7 AS b, 'x' AS c")
    assert list(csv.reader(io.StringIO(done.stdout))) == [["a", "b", "c"], ["'=1+1", "7", "x"]]


def test_days_without_a_batch_cost_no_listing(monkeypatch):
    vault = Memory(OBJECTS)
    monkeypatch.setattr("slack_audit_cli.commands.sql.archive", lambda *_, **__: opened.Archive(vault, "s3://b"))
    done = typed("--bucket", "b", "--from", "0001-01-01", "--to", "9999-12-31", "SELECT count(*) AS n FROM events")
    assert done.exit_code == 0
    assert len(vault.listed) == 2


def test_an_org_that_is_not_there_is_no_answer(folder):
    done = typed("--folder", str(folder), "--org", "nobody", "SELECT count(*) FROM events")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "There is no log of the organisation 'nobody'." in done.stderr


def test_ctrl_c_while_lines_are_read_in_is_ctrl_c(tmp_path, monkeypatch):
    with Store(tmp_path, org="main") as store:
        monkeypatch.setattr(store, "_work", lambda _sql, _failed: _thread.interrupt_main())
        with pytest.raises(KeyboardInterrupt):
            store.take_lines([(b"object", b"2026-01-01", b"1", b"{}")])
        monkeypatch.undo()


def test_what_was_read_in_until_ctrl_c_is_not_there_twice_after_the_next_time(tmp_path, monkeypatch):
    monkeypatch.setattr("slack_audit_cli.sql.store.CHUNK", 20)
    line = (b"object", b"2026-01-01", b"1", b'{"id":"1"}')

    def interrupted() -> Iterator[tuple[bytes, ...]]:
        yield from (line, line)
        raise KeyboardInterrupt

    with Store(tmp_path, org="main") as store:
        with pytest.raises(KeyboardInterrupt):
            store.take_lines(interrupted())
        store.take_lines([line])
        assert list(store.ask(question("SELECT count(*) FROM events")).rows) == [(1,)]
