"""Do the events of a package stand where the log says, and does the log hold together?"""

import gzip
import re
from hashlib import sha256
from itertools import pairwise
from zipfile import ZipFile

import msgspec

from slack_audit.errors import ArchiveDamagedError
from slack_audit.events import event_on_a_line
from slack_audit.log import LogEntry, decode, log_prefix
from slack_audit.selection import Selection
from slack_audit.verify.prove import Head
from slack_audit_cli.evidence.layout import Manifest
from slack_audit_cli.evidence.reading import UnreadableError, contents, lines, measured, member
from slack_audit_cli.evidence.results import MOST_LINE, Result, is_asked_for

MOST_ENTRY = 1 << 20  # bytes

type Places = dict[str, dict[int, str]]
"""Of each log entry and object, as `<number> <key>`, the lines in which events stand, with their digests."""


class Sealed(msgspec.Struct, frozen=True):
    """What a log entry in the package says, and its own digest."""

    digest: str
    entry: LogEntry


def entries_in(found: ZipFile, manifest: Manifest) -> tuple[dict[int, Sealed], Result]:
    """The entries of the log that are in it."""
    result = Result("each log entry is at its place", "entries")
    prefix = log_prefix(manifest.org)
    entries: dict[int, Sealed] = {}
    for name in dict.fromkeys(found.namelist()):
        if not name.startswith("log/") or name.endswith("/"):
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
        entries[entry.number] = Sealed(digest, entry)
        result.well += 1
    return entries, result


def named(entries: dict[int, Sealed], places: Places) -> Result:
    """Does the entry that committed an event name the object in which it stands?"""
    result = Result("each log entry names its events' object", "objects")
    for place in places:
        number, _, key = place.partition(" ")
        entry = entries.get(int(number))
        if entry is None:
            result.tell(key, f"log entry {number} is not in the package")
        elif entry.entry.key != key:
            result.tell(key, f"log entry {number} names another object")
        else:
            result.well += 1
    return result


def chain(entries: dict[int, Sealed], manifest: Manifest, kept: Head | None) -> Result:
    """Each entry seals the one before, up to the head that was the archive's; and to the one that somebody kept."""
    result = Result("each log entry seals the one before it", "digests")
    for before, after in pairwise(sorted(entries)):
        if after == before + 1:
            _same(f"log entry {after}", entries[after].entry.previous, entries[before].digest, result)
    number, _, digest = (manifest.verification.head or "").partition(":")
    if re.fullmatch(r"[0-9]{1,12}", number) and int(number) in entries:
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


def stands(found: ZipFile, entries: dict[int, Sealed], places: Places, selection: Selection) -> Result:
    """Each event stands in its object, which the log entry seals, and no other one that is asked for does."""
    result = Result("each event stands in its sealed object", "events")
    concerned = {place.partition(" ")[2] for place in places}
    for name in found.namelist():
        if name.startswith("raw/") and not name.endswith("/") and name not in concerned:
            result.tell(name, "is an object in which no event of the package stands")
    for place, wanted in places.items():
        number, _, key = place.partition(" ")
        entry = entries.get(int(number))
        try:
            if entry is None or measured(found, found.getinfo(key))[0] != entry.entry.sha256:
                result.tell(key, f"is not the object that log entry {number} seals")
                continue
            _stand(found, entry.entry, wanted, selection, result)
        except KeyError:
            result.tell(key, "is missing")
        except UnreadableError as error:
            result.tell(key, str(error))
    return result


def _stand(found: ZipFile, entry: LogEntry, wanted: dict[int, str], selection: Selection, result: Result) -> None:
    left, key = dict(wanted), entry.key or ""
    with member(found, key) as packed, gzip.GzipFile(fileobj=packed) as file:
        for line, raw in enumerate(lines(file, MOST_LINE), 1):
            if line > entry.count:
                raise UnreadableError(f"has more lines than the {entry.count:,} that its log entry says")
            digest = left.pop(line, None)
            if digest is not None and sha256(raw).hexdigest() == digest:
                result.well += 1
            elif digest is not None:
                result.tell(f"{key}, line {line}", "is another event")
            elif line not in wanted and is_asked_for(selection, event_on_a_line(raw)):
                result.tell(f"{key}, line {line}", "is asked for by the selection, and not among the events")
    for line in left:
        result.tell(f"{key}, line {line}", "is not there")
