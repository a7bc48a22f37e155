"""The log, entry by entry: each must be what the one before it leads to."""

import re
from collections.abc import Iterator
from datetime import timedelta

import msgspec

from slack_audit.verify.evidence import DAY, Entry, Fault, Pass, digest_of, entry_of, log_key
from slack_audit.verify.findings import Findings, Kind

LIVE = "live"
STANDING = (LIVE, "late", "final")
BACKFILL = re.compile(r"backfill-([0-9]{1,11})-([0-9]{1,11})")
TOLERANCE = timedelta(minutes=5)  # how far the time may step back without a word: clocks are corrected

type Passes = dict[str, Pass]


class LogCheck:
    """Follows one org's log. After something that cannot be followed it starts anew with the next entry, so that one
    fault is one finding and not a hundred."""

    def __init__(self, org: str, findings: Findings) -> None:
        self._org = org
        self._findings = findings
        self._next = 0
        self._before: Entry | None = None
        self._digest: str | None = None

    @property
    def next(self) -> int:
        """The number that comes next."""
        return self._next

    def starts_after(self, number: int, body: bytes | None) -> Entry | None:
        """The entry before the first one that is checked, taken as it is."""
        entry = entry_of(body) if body is not None else None
        self._next = number + 1
        self._digest = digest_of(body) if body is not None else None
        self._before = entry if isinstance(entry, Entry) and entry.number == number else None
        return self._before

    def skips_to(self, number: int) -> None:
        """Entries are missing: the one with this number is the next that is there."""
        last = f" to {number - 1}" if number - 1 > self._next else ""
        what = f"entry {self._next}{last} of the log is missing, and entry {number} is there"
        self._findings.add(Kind.GAP, log_key(self._org, self._next), what)
        self._next, self._before, self._digest = number, None, None

    def follow(self, body: bytes) -> Entry | None:
        """The next entry; None if it cannot be read, or is another one than its key says."""
        number, key = self._next, log_key(self._org, self._next)
        entry, before, sealed = entry_of(body), self._before, self._digest
        self._next, self._before, self._digest = number + 1, None, digest_of(body)
        if isinstance(entry, Fault):
            self._findings.add(Kind.FORMAT if entry.newer else Kind.UNREADABLE, key, entry.text)
            return None
        if (entry.org, entry.number) != (self._org, number):
            what = f"says that it is entry {entry.number} of org {entry.org!r}"
            self._findings.add(Kind.MISPLACED, key, what)
            self._digest = None
            return None
        for kind, where, what in self._faults(entry, before, sealed):
            self._findings.add(kind, where, what)
        self._before = entry
        return entry

    def _faults(self, entry: Entry, before: Entry | None, sealed: str | None) -> Iterator[tuple[Kind, str, str]]:
        key = log_key(self._org, entry.number)
        if entry.number == 0:
            yield from ((kind, key, what) for kind, what in _genesis_faults(entry))
        elif sealed is not None and entry.previous != sealed:
            where = log_key(self._org, entry.number - 1)
            yield Kind.CHAIN, where, f"has another digest than entry {entry.number} seals: one of the two was altered"
        if before is not None:
            yield from ((kind, key, what) for kind, what in _transition_faults(before, entry))
        yield from ((kind, key, what) for kind, what in _own_faults(entry))


def _genesis_faults(entry: Entry) -> Iterator[tuple[Kind, str]]:
    """Entry 0 starts all standing passes at the same second, and nothing else."""
    if entry.previous is not None:
        yield Kind.CHAIN, "is the first entry, and seals one before it"
    if entry.pass_ is not None or entry.window is not None:
        yield Kind.STATE, "is the first entry, and says that a window was read"
    starts = {it.watermark for it in entry.passes.values()}
    if set(entry.passes) != set(STANDING) or len(starts) != 1:
        yield Kind.STATE, f"is the first entry, and does not start {', '.join(STANDING)} at the same second"


def _own_faults(entry: Entry) -> Iterator[tuple[Kind, str]]:
    """What an entry says of itself must agree with itself."""
    if entry.published > entry.number:
        yield Kind.MARK, f"says that all entries below {entry.published} are published: it is itself not written yet"
    batch = (entry.key, entry.sha256, entry.count, entry.bytes)
    if entry.key is None and batch != (None, None, 0, 0):
        yield Kind.COUNT, f"names no object, but {entry.count} events and {entry.bytes} bytes"
    if entry.key is not None and (entry.window is None or entry.sha256 is None or not entry.count):
        yield Kind.COUNT, f"names the object {entry.key}, but not its window, its digest and its events"
    elif entry.key is not None and entry.key != entry.proper_key:
        yield Kind.KEY, f"names the object {entry.key}; its window, number and digest give {entry.proper_key}"
    yield from _window_faults(entry)


def _window_faults(entry: Entry) -> Iterator[tuple[Kind, str]]:
    window, name = entry.window, entry.pass_
    if window is None:
        return
    span = f"the window {window.lo} to {window.hi} of {name}"
    if window.lo > window.hi or window.lo // DAY != window.hi // DAY:
        yield Kind.WINDOW, f"{span} ends before it starts" if window.lo > window.hi else f"{span} crosses midnight"
    state, live = entry.passes.get(name or ""), entry.passes.get(LIVE)
    if state is None or state.watermark != window.hi:
        yield Kind.STATE, f"{span} was read, and the pass is not said to be at its end"
    elif state.end is not None and window.hi > state.end:
        yield Kind.WINDOW, f"{span} goes beyond the end of the backfill, {state.end}"
    if live is None or window.hi > live.watermark:
        yield Kind.OVERTAKEN, f"{span} lies above what live has read"


def _transition_faults(before: Entry, entry: Entry) -> Iterator[tuple[Kind, str]]:
    """What an entry says must follow from the one before it."""
    if entry.published < before.published:
        yield Kind.MARK, f"moves the publish mark back, from {before.published} to {entry.published}"
    if entry.time < before.time - TOLERANCE:
        yield Kind.TIME, f"was written at {entry.time.isoformat()}, the entry before it at {before.time.isoformat()}"
    if entry.window is None:
        if not _is_a_step_of_a_backfill(entry, before.passes):
            yield Kind.STATE, "reads no window, and is no creating, pausing, resuming or ending of one backfill"
        return
    name = entry.pass_ or ""
    state = before.passes.get(name)
    if state is None:
        yield Kind.STATE, f"reads for {entry.pass_}, a pass that the entry before it does not have"
        return
    if entry.window.lo != state.watermark + 1:
        yield Kind.WINDOW, _does_not_follow(entry, state.watermark)
    expected = {**before.passes, name: msgspec.structs.replace(state, watermark=entry.window.hi)}
    if entry.passes != expected:
        yield Kind.STATE, f"changes more than its window does: {_difference(expected, entry.passes)}"


def _does_not_follow(entry: Entry, watermark: int) -> str:
    lo = entry.window.lo if entry.window else 0
    if lo > watermark + 1:
        return f"{entry.pass_} goes on at {lo}: the seconds {watermark + 1} to {lo - 1} were left out"
    return f"{entry.pass_} goes on at {lo}: the seconds {lo} to {watermark} were read twice"


def _is_a_step_of_a_backfill(entry: Entry, before: Passes) -> bool:
    """Creating, pausing, resuming, ending or cancelling of the one backfill that the entry names, and nothing else."""
    name, after = entry.pass_ or "", entry.passes
    made = BACKFILL.fullmatch(name)
    if made is None or _without(before, name) != _without(after, name):
        return False
    if name not in before:
        created = after.get(name)
        return created is not None and (created.watermark + 1, created.end) == (int(made[1]), int(made[2]))
    if name not in after:
        return True
    return before[name] == msgspec.structs.replace(after[name], paused=before[name].paused)


def _without(passes: Passes, name: str) -> Passes:
    return {other: state for other, state in passes.items() if other != name}


def _difference(expected: Passes, found: Passes) -> str:
    changed = [name for name in [*expected, *(set(found) - set(expected))] if expected.get(name) != found.get(name)]
    return "; ".join(f"{name} is {_told(found.get(name))}, not {_told(expected.get(name))}" for name in changed)


def _told(state: Pass | None) -> str:
    if state is None:
        return "not there"
    end = f" of {state.end}" if state.end is not None else ""
    return f"at {state.watermark}{end}{'' if state.publish else ', unpublished'}{', paused' if state.paused else ''}"
