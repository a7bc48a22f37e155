"""Makes an evidence package: the selected events, where they stand, and what proves that they stood there."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import msgspec
from rich.console import Console

from slack_audit.errors import ArchiveDamagedError
from slack_audit.log import decode, digest, log_key
from slack_audit.selection import Selection
from slack_audit.verify.prove import Proof, prove
from slack_audit.verify.vault import Vault, fetched
from slack_audit_cli.committed import VERIFY, Found, Progress, events
from slack_audit_cli.evidence import layout
from slack_audit_cli.evidence.layout import Log, Manifest, Place, Verified
from slack_audit_cli.evidence.package import Package
from slack_audit_cli.evidence.readme import read_me
from slack_audit_cli.proofs import as_json, show
from slack_audit_cli.searching.columns import clock
from slack_audit_cli.searching.writers import Sheet

MOST_ENTRIES = 10_000  # of the log in one package: about 1 KB each
WIDTH = 100  # columns of the verification as text

type Bars = Callable[[str], AbstractContextManager[Progress]]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, and who asks. `since`: only what was written from then on is verified."""

    org: str
    selection: Selection
    by: str
    case: str = ""
    note: str = ""
    with_batches: bool = False
    since: datetime | None = None


class Gathered(msgspec.Struct):
    """What the events came from: of each log entry the object and its SHA-256."""

    events: int = 0
    first: int | None = None
    last: int | None = None
    objects: dict[int, tuple[str, str]] = msgspec.field(default_factory=dict)

    def note(self, found: Found) -> Place:
        """One more event; where it stands."""
        entry = found.entry
        self.events += 1
        self.first = found.place if self.first is None else self.first
        self.last = found.place
        key, sealed = entry.key or "", entry.sha256 or ""
        self.objects[entry.number] = (key, sealed)
        return Place(found.event.id, entry.number, key, found.line, digest(found.event.raw))


def make(request: Request, vault: Vault, source: str, out: BinaryIO, bars: Bars, now: datetime) -> Manifest:
    """Writes the package. Raises StorageError, SelectionError and OSError."""
    with Package(out) as package:
        with bars("batches") as tell:
            gathered = _events(package, request, vault, tell)
        with bars("verification") as tell:
            proof = prove(request.org, vault, since=request.since, progress=tell)
        package.add(layout.PROOF, as_json(proof).encode() + b"\n")
        package.add(layout.PROOF_TO_READ, _as_text(proof, source).encode())
        with bars("log") as tell:
            log = _log(package, request.org, vault, gathered, proof, tell)
        if request.with_batches:
            _batches(package, vault, gathered)
        manifest = _manifest(request, source, gathered, proof, log, now)
        package.add(layout.README, read_me(manifest).encode())
        package.add(layout.SUMS, layout.sums_of(package.members))
        manifest = msgspec.structs.replace(manifest, members=dict(package.members))
        package.add(layout.MANIFEST, layout.written_manifest(manifest))
        package.end()
    return manifest


def _events(package: Package, request: Request, vault: Vault, tell: Progress) -> Gathered:
    """The lines as they are; beside them, what waits for its turn in the zip."""
    gathered = Gathered()
    with TemporaryDirectory(prefix="slack-audit-") as folder:
        places, rows = Path(folder) / layout.PROVENANCE, Path(folder) / layout.SHEET
        with package.member(layout.EVENTS) as lines, open(places, "wb") as placed, open(rows, "wb") as table:
            sheet = Sheet(table)
            for found in events(request.org, vault, request.selection, tell):
                lines.write(found.event.raw + b"\n")
                placed.write(msgspec.json.encode(gathered.note(found)) + b"\n")
                sheet.write(found)
        package.add_file(layout.PROVENANCE, places)
        package.add_file(layout.SHEET, rows)
    return gathered


def _as_text(proof: Proof, source: str) -> str:
    page = io.StringIO()
    show(proof, source, Console(file=page, width=WIDTH, color_system=None, force_terminal=False))
    return page.getvalue()


def _log(package: Package, org: str, vault: Vault, gathered: Gathered, proof: Proof, tell: Progress) -> Log:
    """The entries, as they are. One that the events rely on must be what it was when they were read."""
    numbers = chosen(sorted(gathered.objects), proof.head.number if proof.head else None)
    there: list[int] = []
    for done, (number, body) in enumerate(fetched(vault, numbers, lambda number: log_key(org, number)), 1):
        key = log_key(org, number)
        relied = gathered.objects.get(number)
        entry = decode(body, key) if body is not None and relied else None
        if relied and (entry is None or (entry.key, entry.sha256) != relied):
            raise ArchiveDamagedError(f"{key} changed while the package was made. {VERIFY}")
        if body is not None:
            package.add(key, body)
            there.append(number)
        tell(done, len(numbers))
    whole = len(there) == len(range(there[0], there[-1] + 1)) if there else True
    return Log(there[0] if there else None, there[-1] if there else None, whole)


def chosen(numbers: list[int], head: int | None) -> range | list[int]:
    """The entries that prove most: from the first one concerned to the head, which seals them all; where these are too
    many, to the last one concerned; else only those. Without any, the head alone."""
    if not numbers:
        return [] if head is None else [head]
    for last in (numbers[-1] if head is None else max(head, numbers[-1]), numbers[-1]):
        if last - numbers[0] < MOST_ENTRIES:
            return range(numbers[0], last + 1)
    return numbers


def _batches(package: Package, vault: Vault, gathered: Gathered) -> None:
    for (key, sealed), body in _fetched_objects(vault, gathered):
        if body is None or digest(body) != sealed:
            raise ArchiveDamagedError(f"{key} changed while the package was made. {VERIFY}")
        package.add(key, body, packed=True)


def _fetched_objects(vault: Vault, gathered: Gathered) -> Iterator[tuple[tuple[str, str], bytes | None]]:
    return fetched(vault, (gathered.objects[number] for number in sorted(gathered.objects)), lambda it: it[0])


def _manifest(request: Request, source: str, gathered: Gathered, proof: Proof, log: Log, now: datetime) -> Manifest:
    head = str(proof.head) if proof.head else None
    since = request.since.astimezone(UTC).isoformat() if request.since else None
    return Manifest(
        tool=layout.TOOL,
        made=f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        by=request.by,
        case=request.case,
        note=request.note,
        org=request.org,
        source=source,
        selection=request.selection,
        events=gathered.events,
        first_event=None if gathered.first is None else clock(gathered.first),
        last_event=None if gathered.last is None else clock(gathered.last),
        batches=len(gathered.objects),
        holds_batches=request.with_batches,
        log=log,
        verification=Verified(proof.proven, proof.faults, proof.warnings, head, since),
        members={},
    )
