"""What docs/report.md says of sections and options is what the code has."""

import inspect
import re
from pathlib import Path

from slack_audit_cli.commands.report import report
from slack_audit_cli.page.kinds import FAILURES, LOGINS, SECTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text()


def test_every_section_stands_there_with_its_patterns_in_their_order():
    rows = re.findall(r"^\| ([A-Z][^|]+) \| (`[^|]+`) \|$", PAGE, re.MULTILINE)
    assert [(title, tuple(re.findall("`([^`]+)`", said))) for title, said in rows] == [
        (it.title, it.patterns) for it in SECTIONS
    ]


def test_every_option_stands_there():
    documented = set(re.findall(r"^\| `--([a-z-]+)", PAGE, re.MULTILINE))
    plural = {
        "passes": "pass",
        "actions": "action",
        "actors": "actor",
        "entities": "entity",
        "ips": "ip",
        "from_": "from",
    }
    assert documented == {plural.get(it, it).replace("_", "-") for it in inspect.signature(report).parameters}


def test_sign_ins_stand_there():
    for name in (*LOGINS, *FAILURES):
        assert f"`{name}`" in PAGE
