"""What a proof says of the time that was asked for: which of its seconds were read, and which were not."""

from collections.abc import Iterable

import msgspec

from slack_audit.passes import FINAL
from slack_audit.verify.coverage import Coverage, PassCoverage


class Stretch(msgspec.Struct, frozen=True):
    """A closed range of seconds, and why nothing of it was read."""

    lo: int
    hi: int
    why: str = ""


class Covered(msgspec.Struct, frozen=True):
    """Of the seconds `lo` to `hi`. `settled` is the last second that no late event is expected for any more."""

    lo: int | None
    hi: int
    unread: list[Stretch]
    settled: int | None


def covered(coverage: Coverage, since: int | None, until: int) -> Covered:
    """Without `since`, from the first second on that was read."""
    read = _joined((it.first, it.last) for it in coverage.passes if it.first is not None and it.last is not None)
    lo = since if since is not None else min((first for first, _ in read), default=None)
    unread = [] if lo is None else list(_unread(read, lo, until))
    return Covered(lo, until, unread, _settled(coverage.passes))


def _settled(passes: Iterable[PassCoverage]) -> int | None:
    return next((it.last for it in passes if it.name == FINAL), None)


def _joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same seconds in stretches that are apart, in order."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _unread(read: list[tuple[int, int]], lo: int, hi: int) -> Iterable[Stretch]:
    at, why = lo, "from before what this archive has read"
    for first, last in read:
        if first > at and at <= hi:
            yield Stretch(at, min(first - 1, hi), why)
        at, why = max(at, last + 1), "between two stretches that were read"
    if at <= hi:
        yield Stretch(at, hi, "not read yet" if read else "nothing was read at all")
