"""What a verification finds: typed, named, counted in full, with a bounded number of examples."""

from collections import Counter
from enum import StrEnum

import msgspec

MOST_EXAMPLES = 20  # kept of each kind
LONGEST = 500  # characters of a key or a sentence


class Kind(StrEnum):
    """What is wrong. The value is its name in JSON, logs and docs/verify.md."""

    NO_LOG = "no_log"
    SILENT = "silent"
    GAP = "gap"
    FOREIGN = "foreign"
    UNREADABLE = "unreadable"
    FORMAT = "format"
    MISPLACED = "misplaced"
    CHAIN = "chain"
    HEAD = "head"
    STATE = "state"
    MARK = "mark"
    WINDOW = "window"
    OVERTAKEN = "overtaken"
    KEY = "key"
    MISSING = "missing"
    ALTERED = "altered"
    COUNT = "count"
    OUTSIDE = "outside"
    ORDER = "order"
    REPEATED = "repeated"
    TRUNCATED = "truncated"
    ORPHAN = "orphan"
    AHEAD = "ahead"
    TIME = "time"


WARNINGS = frozenset({Kind.ORPHAN, Kind.AHEAD, Kind.TIME})
"""Worth a look, but nothing of the archive is missing, repeated or altered."""

_RESTORE = (
    "Compare it with its object versions (aws s3api list-object-versions --prefix KEY) and restore the first one."
)
_COLLECTOR = "The collector never writes this: find out who wrote it, and restore from the bucket's object versions."

ADVICE: dict[Kind, str] = {
    Kind.NO_LOG: "Check bucket and org. If the collector has not run yet, put the token and let it run first.",
    Kind.SILENT: "Nothing was verified. Look why the collector does not run: its schedule, its errors.",
    Kind.GAP: "Restore these entries from the bucket's object versions, where a deletion is only a marker.",
    Kind.FOREIGN: "Nothing but the collector should write here: find out who did, and move it elsewhere.",
    Kind.UNREADABLE: _RESTORE,
    Kind.FORMAT: "Verify with the version that wrote it, or a newer one.",
    Kind.MISPLACED: _RESTORE,
    Kind.CHAIN: _RESTORE,
    Kind.HEAD: "The log up to there is not the one that the kept head was taken from. " + _RESTORE,
    Kind.STATE: _COLLECTOR,
    Kind.MARK: _COLLECTOR,
    Kind.WINDOW: _COLLECTOR,
    Kind.OVERTAKEN: _COLLECTOR,
    Kind.KEY: _COLLECTOR,
    Kind.MISSING: "Restore it from the bucket's object versions, where a deletion is only a marker.",
    Kind.ALTERED: _RESTORE,
    Kind.COUNT: _COLLECTOR,
    Kind.OUTSIDE: _COLLECTOR,
    Kind.ORDER: _COLLECTOR,
    Kind.REPEATED: "Readers must drop repeats by id until it is understood. " + _COLLECTOR,
    Kind.TRUNCATED: "The newest entries of the log were removed: restore them from the bucket's object versions.",
    Kind.ORPHAN: "Nothing to mend: a lost table or an overlapping run leaves it. Read only what the log names.",
    Kind.AHEAD: "Verify again in ten minutes. If it stays while the collector runs, the newest entry was removed.",
    Kind.TIME: "Nothing to mend: a clock was corrected between two runs.",
}


class Finding(msgspec.Struct, frozen=True):
    """`where` is the key, the entry or the event; `what` says what is wrong with it."""

    kind: Kind
    where: str
    what: str

    @property
    def is_warning(self) -> bool:
        """Does the archive prove itself in spite of it?"""
        return self.kind in WARNINGS

    @property
    def advice(self) -> str:
        """What a person does about it."""
        return ADVICE[self.kind]


class Findings:
    """All of them counted, the first of each kind kept."""

    def __init__(self, most: int = MOST_EXAMPLES) -> None:
        self._most = most
        self._kept: dict[Kind, list[Finding]] = {}
        self.totals: Counter[Kind] = Counter()

    def add(self, kind: Kind, where: str, what: str) -> None:
        """Counts one; keeps it if it is among the first of its kind."""
        self.totals[kind] += 1
        kept = self._kept.setdefault(kind, [])
        if len(kept) < self._most:
            kept.append(Finding(kind, clear(where), clear(what)))

    def wants(self, kind: Kind) -> bool:
        """Would one more of this kind be kept?"""
        return len(self._kept.get(kind, [])) < self._most

    def kept(self) -> list[Finding]:
        """By kind, gravest first."""
        return [finding for kind in Kind for finding in self._kept.get(kind, [])]


def clear(text: str, longest: int = LONGEST) -> str:
    """As a person may be shown it. Keys and ids are what somebody else wrote: they may be endless, or play with a
    terminal."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= longest else f"{shown[:longest]}…"
