"""Checks an evidence package by itself: its files, where its events stand, its log entries, and the batches in it."""

import gzip
import re
from hashlib import sha256
from itertools import pairwise, zip_longest
from pathlib import Path
from zipfile import ZipFile

import msgspec

from slack_audit.errors import ArchiveDamagedError
from slack_audit.events import event_of
from slack_audit.log import decode, log_prefix
from slack_audit.verify.prove import Head
from slack_audit_cli.evidence import layout
from slack_audit_cli.evidence.layout import Manifest, NotAPackageError, Place
from slack_audit_cli.evidence.reading import UnreadableError, contents, lines, measured, member, opened

MOST_MANIFEST = 1 << 28  # bytes: a million files of the log and the archive
MOST_ENTRY = 1 << 20
MOST_LINE = 1 << 28
MOST_FINDINGS = 1_000  # kept; all are counted


class Sealed(msgspec.Struct, frozen=True):
    """What a log entry in the package says, and its own digest."""

    digest: str
    previous: str | None
    key: str | None
    sha256: str | None
    count: int


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
        places: dict[str, dict[int, str]] = {}
        files = _files(found, manifest)
        events = _events(found, manifest, places)
        entries, log = _entries(found, manifest)
        named = _named(entries, places)
        results = [files, events, log, named, _chain(entries, manifest, head)]
        if manifest.holds_batches:
            results.append(_batches(found, entries, places))
        return Checked(manifest, results)


def _manifest(found: ZipFile, path: Path) -> Manifest:
    try:
        return msgspec.json.decode(contents(found, layout.MANIFEST, MOST_MANIFEST), type=Manifest)
    except UnreadableError as error:
        raise NotAPackageError(f"{path} is no evidence package: {layout.MANIFEST} {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAPackageError(f"{path} has no {layout.MANIFEST} that this version knows ({error}).") from None


def _files(found: ZipFile, manifest: Manifest) -> Result:
    """Each file that the manifest names, and no other."""
    result = Result("no file was added, removed or altered", "files")
    seen: set[str] = set()
    for info in found.infolist():
        said = manifest.members.get(info.filename)
        if _leads_outside(info.filename):
            result.tell(info.filename, "has a name that leads out of the folder it is unpacked into: do not unpack it")
        elif info.filename in seen:
            result.tell(info.filename, "is in it twice")
        elif said is None and info.filename != layout.MANIFEST:
            result.tell(info.filename, "is not in the manifest: it was added")
        elif said is not None:
            _measure(found, info.filename, said, result)
        seen.add(info.filename)
    for name in [*(layout.EVENTS, layout.PROVENANCE), *manifest.members]:
        if name not in seen:
            seen.add(name)
            result.tell(name, "is missing")
    return result


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


def _events(found: ZipFile, manifest: Manifest, places: dict[str, dict[int, str]]) -> Result:
    """Each line with its digest and its id; notes where it should stand."""
    result = Result("each event is what its provenance says", "events")
    try:
        with member(found, layout.EVENTS) as raws, member(found, layout.PROVENANCE) as said:
            pairs = zip_longest(lines(raws, MOST_LINE), lines(said, MOST_LINE))
            for number, (raw, place) in enumerate(pairs, 1):
                _event(f"{layout.EVENTS}, line {number}", raw, place, result, places)
    except UnreadableError as error:
        result.tell(f"{layout.EVENTS} or {layout.PROVENANCE}", str(error))
    if result.well + result.wrong != manifest.events and not result.wrong:
        result.tell(layout.EVENTS, f"has {result.well:,} events, and the manifest says {manifest.events:,}")
    return result


def _event(
    where: str, raw: bytes | None, said: bytes | None, result: Result, places: dict[str, dict[int, str]]
) -> None:
    place = None if said is None else _place(said)
    if place is None or raw is None:
        result.tell(where, "has no place in the provenance" if raw is not None else "is missing, its provenance is not")
        return
    digest = sha256(raw).hexdigest()
    if (digest, event_of(raw).id) != (place.sha256, place.id):
        result.tell(where, f"is not the event {place.id!r} that its provenance says")
    elif places.setdefault(f"{place.entry} {place.object}", {}).setdefault(place.line, digest) != digest:
        result.tell(where, f"has the same place as another: line {place.line} of {place.object}")
    else:
        result.well += 1


def _place(said: bytes) -> Place | None:
    try:
        return msgspec.json.decode(said, type=Place)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _entries(found: ZipFile, manifest: Manifest) -> tuple[dict[int, Sealed], Result]:
    """The entries of the log that are in it."""
    result = Result("each log entry is at its place", "entries")
    prefix = log_prefix(manifest.org)
    entries: dict[int, Sealed] = {}
    for name in dict.fromkeys(found.namelist()):
        if not name.startswith("log/"):
            continue
        number = re.fullmatch(rf"{re.escape(prefix)}([0-9]{{12}})\.json", name)
        try:
            body = contents(found, name, MOST_ENTRY)
            entry = decode(body, name)
        except (UnreadableError, ArchiveDamagedError) as error:
            result.tell(name, str(error))
            continue
        if number is None or (entry.org, entry.number) != (manifest.org, int(number[1])):
            result.tell(name, f"says that it is entry {entry.number} of {entry.org!r}")
            continue
        digest = sha256(body).hexdigest()
        entries[entry.number] = Sealed(digest, entry.previous, entry.key, entry.sha256, entry.count)
        result.well += 1
    return entries, result


def _named(entries: dict[int, Sealed], places: dict[str, dict[int, str]]) -> Result:
    """Does the entry that committed an event name the object in which it stands?"""
    result = Result("each log entry names its events' object", "objects")
    for place in places:
        number, _, key = place.partition(" ")
        entry = entries.get(int(number))
        if entry is None:
            result.tell(key, f"log entry {number} is not in the package")
        elif entry.key != key:
            result.tell(key, f"log entry {number} names another object")
        else:
            result.well += 1
    return result


def _chain(entries: dict[int, Sealed], manifest: Manifest, kept: Head | None) -> Result:
    """Each entry seals the one before, up to the head that was the archive's; and to the one that somebody kept."""
    result = Result("each log entry seals the one before it", "digests")
    for before, after in pairwise(sorted(entries)):
        if after == before + 1:
            _same(f"log entry {after}", entries[after].previous, entries[before].digest, result)
    number, _, digest = (manifest.verification.head or "").partition(":")
    if number.isdecimal() and int(number) in entries:
        _same("the head that the manifest says", digest, entries[int(number)].digest, result)
    if kept is not None and kept.number not in entries:
        result.tell("the head that was given", f"log entry {kept.number} is not in the package")
    elif kept is not None:
        _same("the head that was given", kept.digest, entries[kept.number].digest, result)
    return result


def _same(where: str, said: str | None, digest: str, result: Result) -> None:
    if said == digest:
        result.well += 1
    else:
        result.tell(where, "holds another digest than the entry has")


def _batches(found: ZipFile, entries: dict[int, Sealed], places: dict[str, dict[int, str]]) -> Result:
    """Each event stands in its object, which is the one that the log entry seals."""
    result = Result("each event stands in its sealed object", "events")
    for place, wanted in places.items():
        number, _, key = place.partition(" ")
        entry = entries.get(int(number))
        try:
            if entry is None or measured(found, found.getinfo(key))[0] != entry.sha256:
                result.tell(key, f"is not the object that log entry {number} seals")
                continue
            _stand(found, key, wanted, entry.count, result)
        except KeyError:
            result.tell(key, "is missing")
        except UnreadableError as error:
            result.tell(key, str(error))
    return result


def _stand(found: ZipFile, key: str, wanted: dict[int, str], count: int, result: Result) -> None:
    left = dict(wanted)
    with member(found, key) as packed, gzip.GzipFile(fileobj=packed) as file:
        for line, raw in enumerate(lines(file, MOST_LINE), 1):
            if line > count:
                raise UnreadableError(f"has more lines than the {count:,} that its log entry says")
            digest = left.pop(line, None)
            if digest is not None and sha256(raw).hexdigest() == digest:
                result.well += 1
            elif digest is not None:
                result.tell(f"{key}, line {line}", "is another event")
    for line in left:
        result.tell(f"{key}, line {line}", "is not there")
