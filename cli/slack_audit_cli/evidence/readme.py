"""The README.txt in a package, for somebody who has neither this tool nor an AWS account."""

from contextlib import suppress
from typing import Any

import msgspec

from slack_audit.selection import Selection
from slack_audit_cli.evidence.layout import Manifest
from slack_audit_cli.searching.columns import clock, visible

README = """EVIDENCE FROM A SLACK AUDIT LOG ARCHIVE

{facts}

WHAT IS IN IT

events.ndjson       the events, one a line, each byte as Slack sent it
events.csv          the same to read in a spreadsheet; text that would be a formula has an apostrophe before it
provenance.ndjson   for each line of events.ndjson: the event's id, the number of the log entry that committed it,
                    the object of the archive, the line in it (from 1), the SHA-256 of the line
log/                entries of the archive's log, as they are; each names its object with its SHA-256, and holds the
                    SHA-256 of the entry before it as "previous"
{batches}
verification.txt    what the verification of the archive found when this was made; verification.json is the same
SHA256SUMS          the SHA-256 of every file but itself and the manifest
manifest.json       who made this, when and how, and the SHA-256 and size of every other file


HOW TO CHECK IT WITHOUT ANY TOOL OF OURS

1. Was the package changed since it was made? Compare its SHA-256 with the one in the custody log:
       sha256sum case.zip
   On a Mac: shasum -a 256 case.zip. On Windows: certutil -hashfile case.zip SHA256
2. Is every file in it what it was? In an empty folder:
       unzip case.zip && sha256sum --check SHA256SUMS
3. Is an event what the archive holds? Take its line, without the line break, and its line of provenance.ndjson:
       sed -n 7p events.ndjson | tr -d '\\n' | sha256sum
       sed -n 7p provenance.ndjson
   Both digests must be the same.
{own}
5. Do the log entries belong together? The digest of each must be the "previous" of the next one:
       sha256sum log/org={org}/*.json
   The newest entry's digest is the archive's head when this was made. Whoever kept that head elsewhere, at that time
   or later, can tell that nothing before it was replaced: the head stands above.

With the tool, which needs no account for it: slack-audit export --check case.zip


WHAT IT PROVES, AND WHAT IT DOES NOT

- That these lines are the ones that the archive committed, in the order of the numbered log.
- Not that there are no other events: the selection above says which ones were asked for.
- Nothing of what Slack never showed. Who may write to the archive could have replaced all of it, consistently, before
  this was made; a head that was kept outside of it shows that.
"""

WITH_BATCHES = "raw/                the whole objects of the archive in which these events stand, as they are (gzip)"
WITHOUT_BATCHES = "                    (the objects of the archive are not in here)"
FROM_BATCHES = """4. Does it stand in the archive's object? With the object and the line that provenance.ndjson names:
       sha256sum raw/org=.../....ndjson.gz              is the "sha256" of its log entry
       gunzip -c raw/org=.../....ndjson.gz | sed -n 3p  is the event"""
FROM_ARCHIVE = """4. Does it stand in the archive's object? That object is not in here. Ask for a package with it
   (--batches), or for the object itself: its SHA-256 must be the "sha256" of its log entry in log/."""


def read_me(manifest: Manifest) -> str:
    """The page. What somebody typed is shown without anything that moves a terminal."""
    return README.format(
        facts="\n".join(f"{name:<14}{visible(value)}" for name, value in facts(manifest) if value),
        batches=WITH_BATCHES if manifest.holds_batches else WITHOUT_BATCHES,
        own=FROM_BATCHES if manifest.holds_batches else FROM_ARCHIVE,
        org=manifest.org,
    )


def facts(manifest: Manifest) -> list[tuple[str, str]]:
    """What the manifest says, in the order in which a person asks."""
    log, proof = manifest.log, manifest.verification
    span = f", {manifest.first_event} to {manifest.last_event}" if manifest.events else ""
    entries = "none" if log.first is None else f"{log.first} to {log.last}"
    return [
        ("case", manifest.case),
        ("made by", manifest.by),
        ("made", f"{manifest.made} with {manifest.tool}"),
        ("note", manifest.note),
        ("archive", f"organisation {manifest.org} in {manifest.source}"),
        ("selection", _asked(manifest.selection)),
        ("events", f"{manifest.events:,} from {manifest.batches:,} objects{span}"),
        ("log entries", entries + ("" if log.consecutive else ", only those that the events come from")),
        ("head", proof.head or "there is no log"),
        ("verification", _verdict(manifest)),
    ]


def _asked(selection: Selection) -> str:
    """With its times as people read them."""
    said: dict[str, Any] = msgspec.to_builtins(selection)
    for name in {"since", "until"} & set(said):
        with suppress(ValueError, OverflowError, OSError):  # a manifest of somebody's may say any number
            said[name] = clock(said[name])
    shown = (f"{name} {', '.join(value) if isinstance(value, tuple | list) else value}" for name, value in said.items())
    return "; ".join(shown) or "everything"


def _verdict(manifest: Manifest) -> str:
    proof = manifest.verification
    part = f" of what was written since {proof.since}" if proof.since else " of the whole archive"
    if proof.proven:
        return f"PROVEN{part}" + (f", with {_many(proof.warnings, 'warning')}" if proof.warnings else "")
    return f"NOT PROVEN{part}: {_many(proof.faults, 'finding')}; verification.txt names them"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
