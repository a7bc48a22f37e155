"""Do the files that people read still say what the events and the manifest say?

The sheet and the README are what a reader opens, and nothing in the log seals them: they are made once more, and
compared.
"""

import io
from collections.abc import Buffer, Iterator
from hashlib import sha256
from typing import override
from zipfile import ZipFile

import msgspec

from slack_audit.events import event_on_a_line
from slack_audit_cli.committed import Found
from slack_audit_cli.evidence import layout
from slack_audit_cli.evidence.layout import Manifest, Place
from slack_audit_cli.evidence.reading import lines, member
from slack_audit_cli.evidence.readme import read_me
from slack_audit_cli.evidence.results import MOST_LINE, Result
from slack_audit_cli.evidence.standing import Sealed
from slack_audit_cli.searching.writers import Sheet


def derived(found: ZipFile, manifest: Manifest, entries: dict[int, Sealed]) -> Result | None:
    """Of a package whose events and entries are right. None for one of another version of the tool, which may write
    them in another way. Raises UnreadableError."""
    if manifest.tool != layout.TOOL:
        return None
    result = Result("what people read says the same", "files")
    for name, digest in _expected(found, manifest, entries):
        said = manifest.members.get(name)
        if said is not None and said.sha256 == digest:
            result.well += 1
        else:
            result.tell(name, "does not say what the events and the manifest say")
    return result


def _expected(found: ZipFile, manifest: Manifest, entries: dict[int, Sealed]) -> Iterator[tuple[str, str]]:
    yield layout.SHEET, _sheet(found, entries)
    yield layout.README, sha256(read_me(manifest).encode()).hexdigest()
    others = {name: it for name, it in manifest.members.items() if name != layout.SUMS}
    yield layout.SUMS, sha256(layout.sums_of(others)).hexdigest()


def _sheet(found: ZipFile, entries: dict[int, Sealed]) -> str:
    out = _Digest()
    with (
        io.BufferedWriter(out) as table,
        member(found, layout.EVENTS) as raws,
        member(found, layout.PROVENANCE) as places,
    ):
        sheet = Sheet(table)
        for raw, said in zip(lines(raws, MOST_LINE), lines(places, MOST_LINE), strict=True):
            place = msgspec.json.decode(said, type=Place)
            sheet.write(Found(event_on_a_line(raw), entries[place.entry].entry, place.line))
    return out.digest.hexdigest()


class _Digest(io.RawIOBase):
    """Keeps nothing of what is written but its SHA-256."""

    def __init__(self) -> None:
        self.digest = sha256()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Buffer, /) -> int:
        self.digest.update(data)
        return memoryview(data).nbytes
