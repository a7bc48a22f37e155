"""What a check looked at."""

import msgspec

from slack_audit.errors import SelectionError
from slack_audit.events import Event
from slack_audit.selection import Selection

MOST_LINE = 1 << 28  # bytes
MOST_FINDINGS = 1_000  # kept; all are counted


def is_asked_for(selection: Selection, event: Event) -> bool:
    """Of a manifest's selection, which nobody need have carried out: what it cannot be evaluated on, it never gave."""
    try:
        return selection.wants(event)
    except SelectionError:
        return False


class Result(msgspec.Struct):
    """One thing that was looked at: how many were well, and what was wrong with others (where, what)."""

    what: str
    of: str
    well: int = 0
    wrong: int = 0
    findings: list[tuple[str, str]] = msgspec.field(default_factory=list)

    def tell(self, where: str, what: str) -> None:
        """One that is wrong."""
        self.wrong += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append((where, what))
