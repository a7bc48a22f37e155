"""The command as it is typed: what it writes, says and ends with."""

import json
import os
import re
from hashlib import sha256
from typing import Any

import pytest
from typer.testing import CliRunner

from slack_audit import __version__
from slack_audit_cli.app import app
from slack_audit_cli.page.render import as_block
from tests.report.archive import HOSTILE, NOON, archive, event, hostile, ordinary, write


@pytest.fixture
def made(tmp_path):
    """Runs the command on an archive; what it printed and the page."""

    def run(forge, *options: str, folder=None):
        output = tmp_path / "report.html"
        folder = folder or write(forge, tmp_path / "bucket")
        result = CliRunner().invoke(app, ["report", "--folder", str(folder), "--output", str(output), *options])
        return result, output.read_text(encoding="utf-8") if output.exists() else ""

    return run


def data_of(page: str) -> Any:
    (block,) = re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(block)


def test_a_page_is_written_whole_and_its_digest_told(made, tmp_path):
    result, page = made(archive(ordinary()), "--from", "2026-01-01T12:00:00Z", "--to", "2026-01-01T13:00:00Z")
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"SHA-256 {sha256(page.encode()).hexdigest()}" in result.stderr
    assert sorted(it.name for it in tmp_path.iterdir()) == ["bucket", "report.html"]
    assert f"by slack-audit {__version__}" in page
    assert "2026-01-01 12:00:00</time> to <time>2026-01-01 13:00:00" in page
    assert "Proven: nothing missing, repeated or altered" in page
    assert "Every second of the range was read." in page
    assert "Late events may still be found: nothing of the range is settled yet." in page
    assert data_of(page)["figures"]["events"] == 40


def test_a_selection_is_said_and_kept_to(made):
    result, page = made(archive(ordinary()), "--action", "user_login*", "--ip", "198.51.100.0/24")
    assert result.exit_code == 0
    assert "actions: user_login*" in page
    assert data_of(page)["figures"]["actions"] == [["user_login_failed", 3]]


def test_what_was_not_read_is_said(made):
    _, page = made(archive(ordinary()), "--from", "2025-12-31", "--to", "2026-01-02")
    assert "2025-12-31 00:00:00 to 2025-12-31 23:59:59 (1d): from before what this archive has read" in page
    assert "2026-01-01 13:00:01 to 2026-01-02 23:59:59 (1d 10h): not read yet" in page


def test_an_altered_batch_ends_with_1_and_a_page_of_what_is_left(made, tmp_path):
    forge = archive(ordinary(), [event(NOON + 5, "late 1")])
    folder = write(forge, tmp_path / "bucket")
    (folder / forge.entries[1]["key"]).write_bytes(b"altered")
    result, page = made(forge, folder=folder)
    assert result.exit_code == 1
    assert "Not proven: 2 findings" in page or "Not proven: 1 finding" in page
    assert "Finding: altered (1)" in page
    assert "1 batch could not be read, and what is in them is not in this report" in page
    assert data_of(page)["figures"]["events"] == 1


def test_an_entry_that_nobody_can_read_ends_with_1_and_a_page(made, tmp_path):
    forge = archive(ordinary(), [event(NOON + 5, "late 1")])
    folder = write(forge, tmp_path / "bucket")
    (folder / "log/org=main/000000000001.json").write_bytes(b"broken")
    result, page = made(forge, folder=folder)
    assert result.exit_code == 1
    assert "Finding: unreadable (1)" in page
    assert data_of(page)["figures"]["events"] == 1


def test_an_archive_without_a_log_is_a_page_that_says_so(made, tmp_path):
    (tmp_path / "empty").mkdir()
    result, page = made(None, folder=tmp_path / "empty")
    assert result.exit_code == 1
    assert "Finding: no_log (1)" in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "soon"], "is no time"),
        (["--org", "../x"], "is no org"),
        (["--rows", "0"], "--rows"),
        (["--ip", "nowhere"], "is no address"),
        (["--where", "details.x > "], "is no JMESPath"),
    ],
)
def test_what_was_asked_wrongly_ends_with_2_and_no_page(made, options, said):
    result, page = made(archive(ordinary()), *options)
    assert (result.exit_code, page) == (2, "")
    assert said in " ".join(result.stderr.split())


def test_a_file_that_cannot_be_written_ends_with_2(tmp_path):
    folder = write(archive(ordinary()), tmp_path / "bucket")
    output = tmp_path / "nowhere" / "report.html"
    result = CliRunner().invoke(app, ["report", "--folder", str(folder), "--output", str(output)])
    assert result.exit_code == 2
    assert "cannot be written" in "".join(result.stderr.split("\n"))
    assert "Traceback" not in result.stderr


def test_the_page_is_as_readable_as_the_umask_says_and_leaves_nothing_beside_it(tmp_path):
    folder, output = write(archive(ordinary()), tmp_path / "bucket"), tmp_path / "out" / "report.html"
    output.parent.mkdir()
    before = os.umask(0o077)
    try:
        CliRunner().invoke(app, ["report", "--folder", str(folder), "--output", str(output)])
    finally:
        os.umask(before)
    assert output.stat().st_mode & 0o777 == 0o600
    assert os.listdir(output.parent) == ["report.html"]


def test_a_time_before_all_events_is_the_beginning(made):
    result, page = made(archive(ordinary()), "--from", "0001-01-01")
    assert result.exit_code == 0
    assert data_of(page)["figures"]["events"] == 40


def test_more_events_than_rows_are_all_counted(made):
    more = [event(NOON + 1_500 + n, f"more {n}") for n in range(300)]
    _, page = made(archive(ordinary() + more), "--rows", "100")
    data = data_of(page)
    assert data["figures"]["events"] == 340
    assert len(data["rows"]) == 100
    kept = {data["actions"][row[1]] for row in data["rows"]}
    assert {"anomaly", "manual_export_started", "role_change_to_owner"} <= kept


def test_no_text_of_an_event_ends_a_block_or_begins_anything(made):
    _, page = made(archive(ordinary() + hostile()))
    data = data_of(page)
    assert data["figures"]["events"] == 40 + 2 * len(HOSTILE)
    assert page.count("</script>") == page.count("<script") == 3
    assert "<img" not in page.partition("<script>")[0]
    assert "alert(3)" in page


def test_a_block_holds_no_character_that_could_end_it():
    block = as_block({"a": "</script><!--&\u2028\u2029"})
    assert not set("<>&\u2028\u2029") & set(block.decode())
    assert json.loads(block) == {"a": "</script><!--&\u2028\u2029"}


def test_an_org_and_a_selection_are_no_markup(made):
    _, page = made(archive(ordinary()), "--actor", "<script>alert(1)</script>")
    assert "<script>alert" not in page
    assert "actors: &lt;script&gt;alert(1)&lt;/script&gt;" in page
