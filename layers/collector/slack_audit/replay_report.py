"""The end of a replay: its results against the log, which is read once more from its first entry to its last.

What the items say is not believed: each entry is read again, each must seal the one before it up to the one that the
plan names, and each batch that may hold what was wanted must be among the results with the digest and the count that
its entry says.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from slack_audit.deadline import Deadline
from slack_audit.errors import ArchiveDamagedError, ReplayError
from slack_audit.log import LogEntry, digest
from slack_audit.ports import Archive
from slack_audit.replay import Result, Sealed, Sent, bodies, result_key, sealed
from slack_audit.replay_plan import Destination, Item, Plan, written_once
from slack_audit.selection import Selection
from slack_audit.verify.vault import Vault, fetched

MOST_FINDINGS = 20  # that are told; all are counted


class Totals(msgspec.Struct, frozen=True):
    """What was counted: log entries, their batches that may hold what is wanted, the events of these, the wanted ones
    among them, and those that the target took."""

    entries: int = 0
    batches: int = 0
    read: int = 0
    selected: int = 0
    sent: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(*(mine + theirs for mine, theirs in zip(_figures(self), _figures(other), strict=True)))


class Checking(msgspec.Struct, frozen=True, kw_only=True):
    """How far a report is: done, or how many items were compared, with what was found so far. `head` is the digest of
    the last entry that was compared."""

    done: bool = False
    items: int = 0
    head: str | None = None
    totals: Totals = Totals()
    differences: int = 0
    findings: list[str] = []


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the archive at the end. `first`, `last` and `head` are of the log, as in the plan."""

    format: int = 1
    clean: bool
    org: str
    replay_id: str
    selection: Selection
    target: Destination
    first: int
    last: int
    head: str
    items: int
    totals: Totals
    differences: int
    findings: list[str]


def compare(plan: Plan, so_far: Checking, *, vault: Vault, deadline: Deadline) -> Checking:
    """Compares items for as long as there is time, at least one. Raises StorageError."""
    items = plan.items()
    left = items[so_far.items :]
    entries = bodies(plan.org, Item(left[0].first, plan.last), vault) if left else iter(())
    for item, result in fetched(vault, left, lambda it: result_key(plan, it)):
        with deadline.step():
            so_far = _with_item(plan, item, so_far, islice(entries, item.last - item.first + 1), result)
        if not deadline.has_time():
            break
    return msgspec.structs.replace(so_far, done=so_far.items == len(items))


def conclude(plan: Plan, checked: Checking, archive: Archive) -> Report:
    """Writes the report. Raises ReplayError where anything differs; the report says what."""
    differences, findings = checked.differences, list(checked.findings)
    if checked.head != plan.head:
        differences += 1
        findings.append(f"The log's entry {plan.last} is not the one that the replay was planned with.")
    report = Report(
        clean=not differences,
        org=plan.org,
        replay_id=plan.replay_id,
        selection=plan.selection,
        target=plan.target,
        first=plan.first,
        last=plan.last,
        head=plan.head,
        items=checked.items,
        totals=checked.totals,
        differences=differences,
        findings=findings[:MOST_FINDINGS],
    )
    body = msgspec.json.encode(report)
    # One that is not clean has a name of its own, for the next one may be, and nothing is written over.
    key = plan.key("report.json" if report.clean else f"report-{digest(body)[:12]}.json")
    written_once(archive, key, body)
    if not report.clean:
        raise ReplayError(
            f"The replay {plan.replay_id} differs from the log in {differences} places, see {archive.uri(key)}. "
            f"{' '.join(findings[:3])} Run slack-audit verify, mend the archive, then start a new replay."
        )
    return report


def _with_item(
    plan: Plan, item: Item, so_far: Checking, found: Iterable[tuple[int, bytes | None]], body: bytes | None
) -> Checking:
    """After one more item, with its entries and its result as they were found."""
    findings: list[str] = []
    totals, head = Totals(), so_far.head
    there = list(found)  # all of them, so that the next item's come next whatever is wrong with these
    try:
        entries = list(sealed(plan.org, there))
        head = entries[-1].digest
        result = _result(result_key(plan, item), body)
        findings += _joints(item, entries, result, so_far.head)
        totals = _counted(plan, entries, result)
        findings += _differences(plan, entries, result)
    except ArchiveDamagedError as error:
        findings.append(str(error))
    return Checking(
        items=so_far.items + 1,
        head=head,
        totals=so_far.totals + totals,
        differences=so_far.differences + len(findings),
        findings=(so_far.findings + findings)[:MOST_FINDINGS],
    )


def _result(key: str, body: bytes | None) -> Result:
    try:
        return msgspec.json.decode(body or b"", type=Result)
    except msgspec.DecodeError as error:
        raise ArchiveDamagedError(f"{key} is no result of an item ({'missing' if body is None else error}).") from None


def _joints(item: Item, entries: list[Sealed], result: Result, before: str | None) -> Iterator[str]:
    """Where the item does not join what is before it, or was made from other entries."""
    if before is not None and entries[0].entry.previous != before:
        yield f"The log's entry {item.first} does not seal the one before it."
    if (result.item, result.previous, result.head) != (item, entries[0].entry.previous, entries[-1].digest):
        yield f"The entries {item.first} to {item.last} are not those that were replayed."


def _wanted(plan: Plan, entries: list[Sealed]) -> list[LogEntry]:
    return [it.entry for it in entries if plan.selection.wants_entry(it.entry)]


def _counted(plan: Plan, entries: list[Sealed], result: Result) -> Totals:
    return Totals(
        entries=len(entries),
        batches=len(_wanted(plan, entries)),
        read=sum(it.read for it in result.sent),
        selected=sum(it.selected for it in result.sent),
        sent=sum(it.sent for it in result.sent),
    )


def _differences(plan: Plan, entries: list[Sealed], result: Result) -> Iterator[str]:
    """Each wanted entry must have its line, and each line its entry, in the same order."""
    wanted = _wanted(plan, entries)
    lines = {it.number: it for it in result.sent}
    if [it.number for it in result.sent] != [it.number for it in wanted if it.number in lines]:
        yield f"The result of the entries from {result.item.first} on has lines twice, or of other entries."
    for entry in wanted:
        line = lines.get(entry.number)
        if line is None:
            yield f"The log's entry {entry.number} was not replayed."
        elif (line.key, line.sha256, line.read) != (entry.key, entry.sha256, entry.count):
            yield (
                f"Of entry {entry.number}, {line.read} events with SHA-256 {line.sha256} were read; the log says "
                f"{entry.count} with {entry.sha256}."
            )
        elif not _is_sent(line):
            yield f"Of entry {entry.number}, {line.selected} events were wanted and {line.sent} sent."


def _is_sent(line: Sent) -> bool:
    return line.sent == line.selected <= line.read


def _figures(totals: Totals) -> tuple[int, ...]:
    return msgspec.structs.astuple(totals)
