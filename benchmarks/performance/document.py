"""Tables and pictures into docs/performance.md, between its markers."""

import re
from collections.abc import Iterable, Mapping

from benchmarks.performance import ROOT
from benchmarks.performance.figures import Figure
from benchmarks.performance.tables import Table

DOCUMENT = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance.png"


class NoMarkerError(Exception):
    """The document has no place for a table."""


def write(shown: Iterable[Table], figures: Mapping[str, Figure], facts: Mapping[str, str]) -> None:
    """What was measured replaces what stood there; the rest stays."""
    from benchmarks.performance.picture import draw  # noqa: PLC0415 - matplotlib, which nobody else needs

    text = DOCUMENT.read_text()
    for table in shown:
        text = filled(text, table.name, table.written())
    text = filled(text, "machine", "\n".join(f"- {name}: {value}" for name, value in facts.items()))
    DOCUMENT.write_text(text)
    if any(name.startswith("growth") for name in figures):  # a part of a run has no picture of all
        draw(figures, PICTURE)


def filled(text: str, name: str, content: str) -> str:
    """The text with the content between `<!-- name -->` and `<!-- /name -->`. Raises NoMarkerError."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise NoMarkerError(f"docs/performance.md has no <!-- {name} --> and <!-- /{name} -->")
    return pattern.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)
