"""docs/search.md says what the commands do."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slack_audit_cli.app import app
from slack_audit_cli.commands.search import Format
from slack_audit_cli.evidence import layout
from slack_audit_cli.evidence.making import MOST_ENTRIES
from slack_audit_cli.evidence.reading import MOST_TIMES
from slack_audit_cli.searching.columns import COLUMNS
from slack_audit_cli.searching.table import TITLES

TEXT = (Path(__file__).parents[2] / "docs" / "search.md").read_text()


def section(title: str) -> str:
    found = re.search(rf"^(##+) {re.escape(title)}\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[2]


@pytest.mark.parametrize(("command", "title"), [("search", "The search"), ("export", "The evidence package")])
def test_every_option_is_documented(command, title):
    shown = CliRunner().invoke(app, [command, "--help"]).stdout
    options = re.findall(r"^\| `(--[\w-]+)", section(title), re.MULTILINE)
    assert len(options) == len(set(options))
    assert set(options) == set(re.findall(r"^ +(--[\w-]+)", shown, re.MULTILINE)) - {"--help"}


def test_every_column_is_documented_in_its_order():
    assert tuple(re.findall(r"^\| `(\w+)` \|", section("What comes out"), re.MULTILINE)) == COLUMNS


def test_every_format_is_documented():
    (row,) = re.findall(r"^\| `--format FORMAT` \| (.*)$", TEXT, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == {it.value for it in Format}
    assert all(title in section("The search") for title in TITLES)


def test_every_file_of_a_package_is_documented():
    assert set(re.findall(r"^\| `([^`]+)` \|", section("What is in it"), re.MULTILINE)) == layout.BESIDE | {
        "log/…",
        "raw/…",
    }
    assert f"{MOST_ENTRIES:,}" in section("What is in it")
    assert f"{MOST_TIMES} times" in section("What a check finds")
