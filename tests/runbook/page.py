"""docs/runbook.md as the tests read it: sections, and the commands in them."""

import re
from functools import cache

from tests.template.reading import ROOT

RUNBOOK = ROOT / "docs" / "runbook.md"


@cache
def text() -> str:
    return RUNBOOK.read_text()


def section(title: str, within: str | None = None) -> str:
    """What stands under a heading."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{2,3}} |\Z)", within or text(), re.MULTILINE | re.DOTALL)
    assert found, f"docs/runbook.md has no section {title!r}"
    return found[2]


def chapter(title: str) -> list[str]:
    """The headings under a chapter."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text(), re.MULTILINE | re.DOTALL)
    assert found, f"docs/runbook.md has no chapter {title!r}"
    return re.findall(r"^### (.+)$", found[1], re.MULTILINE)


def blocks(title: str) -> list[str]:
    """The commands under a heading, as they would be copied."""
    return re.findall(r"^```sh\n(.*?)^```$", section(title), re.MULTILINE | re.DOTALL)
