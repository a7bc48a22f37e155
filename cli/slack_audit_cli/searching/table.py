"""A table for people, printed as its rows come: as wide as the terminal, measured by its first rows."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from slack_audit_cli.committed import Found
from slack_audit_cli.proofs import NARROW
from slack_audit_cli.searching.columns import Row, row_of, visible

TITLES = ("time (UTC)", "action", "actor", "entity", "from")
MEASURED = 200  # rows that are held back to see how wide the columns should be
GAP = 2
LEAST = 8  # cells, which a column keeps however narrow the terminal is


class Table:
    """Five columns: who did what to what, when and from where."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held: list[list[str]] = []
        self._widths: list[int] = []

    def write(self, found: Found) -> None:
        """Its row, once the columns' widths are known."""
        cells = cells_of(row_of(found), narrow=self._console.width < NARROW)
        if self._widths:
            self._print(cells)
            return
        self._held.append(cells)
        if len(self._held) == MEASURED:
            self._begin()

    def end(self) -> None:
        """What was held back."""
        if self._held and not self._widths:
            self._begin()

    def _begin(self) -> None:
        self._widths = widths([list(TITLES), *self._held], self._console.width)
        self._print(list(TITLES), style="dim")
        for cells in self._held:
            self._print(cells)

    def _print(self, cells: Sequence[str], style: str = "") -> None:
        line = Text(style=style)
        for at, (said, width) in enumerate(zip(cells, self._widths, strict=True)):
            cut = Text(said, end="")
            cut.truncate(width, overflow="ellipsis", pad=at < len(cells) - 1)
            line.append_text(cut)
            line.append(" " * GAP if at < len(cells) - 1 else "")
        self._console.print(line, no_wrap=True, overflow="crop", highlight=False)


def widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Of the columns: as wide as what stands in them, the widest made narrower until all fit; the time stays whole."""
    found = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    while sum(found) + GAP * (len(found) - 1) > width:
        widest = max(range(1, len(found)), key=lambda at: found[at])
        if found[widest] <= LEAST:
            break
        found[widest] -= 1
    return found


def cells_of(row: Row, *, narrow: bool) -> list[str]:
    """A row as people read it."""
    time = str(row.time or "no time").replace("T", " ").removesuffix("Z")
    who = row.actor_name or row.actor_email or row.actor_id
    what = row.entity_name or row.entity_id
    kind = row.entity_type
    thing = f"{kind}: {what}" if kind and what else kind or what
    said = (row.action, who, thing, row.ip_address)
    return [time[5:] if narrow and row.time else time, *(visible(str(it or "")) for it in said)]
