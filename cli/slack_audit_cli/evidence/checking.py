"""Checks an evidence package by itself: its files, where its events stand, its log entries, and the batches in it."""

import stat
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import msgspec

from slack_audit.errors import SelectionError
from slack_audit.events import event_on_a_line
from slack_audit.selection import Selection, checked
from slack_audit.verify.prove import Head
from slack_audit_cli.evidence import layout
from slack_audit_cli.evidence.derived import derived
from slack_audit_cli.evidence.layout import Manifest, NotAPackageError, Place
from slack_audit_cli.evidence.reading import UnreadableError, contents, lines, measured, member, opened
from slack_audit_cli.evidence.results import MOST_LINE, Result, is_asked_for
from slack_audit_cli.evidence.standing import Places, chain, entries_in, named, stands

MOST_MANIFEST = 1 << 28  # bytes: a million files of the log and the archive


class Checked(msgspec.Struct, frozen=True):
    """What a check found."""

    manifest: Manifest
    results: list[Result]

    @property
    def whole(self) -> bool:
        """Is nothing wrong?"""
        return not any(it.wrong for it in self.results)


def check(path: Path, head: Head | None = None) -> Checked:
    """Looks at all of it. `head` is one that somebody kept. Raises NotAPackageError."""
    with opened(path) as found:
        manifest = _manifest(found, path)
        places: Places = {}
        files = _files(found, manifest)
        events = _events(found, manifest, places)
        entries, log = entries_in(found, manifest)
        results = [files, events, log, named(entries, places), chain(entries, manifest, head)]
        if manifest.holds_batches:
            results.append(stands(found, entries, places, manifest.selection))
        if not any(it.wrong for it in results) and (more := derived(found, manifest, entries)) is not None:
            results.append(more)
        return Checked(manifest, results)


def _manifest(found: ZipFile, path: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(contents(found, layout.MANIFEST, MOST_MANIFEST), type=Manifest)
        checked(manifest.selection)
    except UnreadableError as error:
        raise NotAPackageError(f"{path} is no evidence package: {layout.MANIFEST} {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, SelectionError) as error:
        raise NotAPackageError(f"{path} has no {layout.MANIFEST} that this version knows ({error}).") from None
    return manifest


def _files(found: ZipFile, manifest: Manifest) -> Result:
    """Each file that the manifest names, and no other."""
    result = Result("no file was added, removed or altered", "files")
    seen: set[str] = set()
    for info in found.infolist():
        name = info.filename
        if wrong := _misplaced(info, seen, manifest):
            result.tell(name, wrong)
        elif name in manifest.members:
            _measure(found, name, manifest.members[name], result)
        seen.add(name)
    for name in dict.fromkeys([layout.EVENTS, layout.PROVENANCE, *manifest.members]):
        if name not in seen:
            result.tell(name, "is missing")
    return result


def _misplaced(info: ZipInfo, seen: set[str], manifest: Manifest) -> str:
    """What is wrong with its name; of a folder, which zip writes for itself, nothing."""
    if _leads_outside(info.filename):
        return "has a name that leads out of the folder it is unpacked into: do not unpack it"
    if info.filename in seen:
        return "is in it twice"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link to another file: do not unpack it"
    if info.filename in manifest.members and not _belongs(info.filename):
        return "is no file of a package, though the manifest names it"
    is_known = info.filename in manifest.members or info.filename == layout.MANIFEST
    return "" if is_known or (info.is_dir() and not info.file_size) else "is not in the manifest: it was added"


def _belongs(name: str) -> bool:
    return name in layout.BESIDE or name.startswith(("log/org=", "raw/org="))


def _leads_outside(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/") or not name.isprintable()


def _measure(found: ZipFile, name: str, said: layout.Member, result: Result) -> None:
    try:
        if measured(found, found.getinfo(name)) == (said.sha256, said.size):
            result.well += 1
        else:
            result.tell(name, "has other bytes than the manifest says")
    except UnreadableError as error:
        result.tell(name, str(error))


def _events(found: ZipFile, manifest: Manifest, places: Places) -> Result:
    """Each line with its digest and its id; notes where it should stand."""
    result = Result("each event is what its provenance says", "events")
    try:
        with member(found, layout.EVENTS) as raws, member(found, layout.PROVENANCE) as said:
            pairs = zip_longest(lines(raws, MOST_LINE), lines(said, MOST_LINE))
            for number, (raw, place) in enumerate(pairs, 1):
                _event(f"{layout.EVENTS}, line {number}", raw, place, result, places, manifest.selection)
    except UnreadableError as error:
        result.tell(f"{layout.EVENTS} or {layout.PROVENANCE}", str(error))
    if result.well + result.wrong != manifest.events and not result.wrong:
        result.tell(layout.EVENTS, f"has {result.well:,} events, and the manifest says {manifest.events:,}")
    return result


def _event(
    where: str, raw: bytes | None, said: bytes | None, result: Result, places: Places, selection: Selection
) -> None:
    place = None if said is None else _place(said)
    if place is None or raw is None:
        result.tell(where, "has no place in the provenance" if raw is not None else "is missing, its provenance is not")
        return
    digest, event = sha256(raw).hexdigest(), event_on_a_line(raw)
    if (digest, event.id) != (place.sha256, place.id):
        result.tell(where, f"is not the event {place.id!r} that its provenance says")
    elif places.setdefault(f"{place.entry} {place.object}", {}).setdefault(place.line, digest) != digest:
        result.tell(where, f"has the same place as another: line {place.line} of {place.object}")
    elif not is_asked_for(selection, event):
        result.tell(where, "is none that the selection asks for")
    else:
        result.well += 1


def _place(said: bytes) -> Place | None:
    try:
        return msgspec.json.decode(said, type=Place)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
