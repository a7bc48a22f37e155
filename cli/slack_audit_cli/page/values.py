"""What the template shows of a report: the range, the verdict and the coverage, in words."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import msgspec

from slack_audit import __version__
from slack_audit.selection import Selection
from slack_audit.verify.coverage import PassCoverage, Since
from slack_audit.verify.findings import WARNINGS, Finding
from slack_audit.verify.prove import Proof
from slack_audit_cli.page.covered import Covered, covered
from slack_audit_cli.page.figures import DELAYS, LONGER, outcome_of
from slack_audit_cli.page.gathered import Gathered
from slack_audit_cli.page.kinds import GROUPS, SHOWN, group_of
from slack_audit_cli.page.reading import visible
from slack_audit_cli.page.timeline import MOST_BARS, ORIGIN, WIDTHS
from slack_audit_cli.proofs import span

MOST_UNREADABLE = 10  # keys that are named


class Asked(msgspec.Struct, frozen=True):
    """What a report is of: the org, where its archive stands, the selection, and when it is made."""

    org: str
    where: str
    selection: Selection
    now: datetime


def values_of(asked: Asked, proof: Proof, found: Gathered) -> dict[str, Any]:
    """The template's values."""
    until = min(asked.selection.until or int(asked.now.timestamp()), int(asked.now.timestamp()))
    range_ = covered(proof.coverage, asked.selection.since, until)
    return {
        "org": asked.org,
        "where": visible(asked.where),
        "made": moment(int(asked.now.timestamp())),
        "version": __version__,
        "since": _start(range_),
        "until": moment(until),
        "selected": list(_selected(asked.selection)),
        "proof": proof,
        "findings": list(_findings(proof)),
        "unreadable": [visible(it) for it in found.unreadable[:MOST_UNREADABLE]],
        "unreadable_count": len(found.unreadable),
        "batches": found.batches,
        "unread": [(moment(it.lo), moment(it.hi), span(it.hi - it.lo + 1), it.why) for it in range_.unread],
        "settled": _settled(range_),
        "passes": [_pass(it) for it in proof.coverage.passes],
        "in_force": [_in_force(it) for it in proof.coverage.in_force],
        "sections": SHOWN,
        "figures": found.figures.as_json(),
    }


def data_of(asked: Asked, found: Gathered) -> dict[str, Any]:
    """What the scripts show."""
    names = [str(it) for it in found.table["actions"]]
    return {
        "groups": [it.title for it in GROUPS],
        "shown": [{"id": it.id, "title": it.title} for it in SHOWN],
        "widths": WIDTHS,
        "bars": MOST_BARS,
        "origin": ORIGIN,
        "delayNames": DELAYS,
        "longer": LONGER,
        "delayOrder": [*(name for _, name in DELAYS), LONGER],
        "actionGroups": [group_of(it) for it in names],
        "actionOutcomes": [outcome_of(it) for it in names],
        "since": asked.selection.since,
        "until": asked.selection.until,
        "figures": found.figures.as_json(),
        **found.table,
    }


def moment(second: int | None) -> str:
    """`2026-01-01 12:00:00`, UTC."""
    return "" if second is None else f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M:%S}"


def _start(range_: Covered) -> str:
    return "the beginning" if range_.lo is None else moment(range_.lo)


def _settled(range_: Covered) -> str:
    """Up to when no late event is expected; empty where that is all that was asked for."""
    if range_.settled is None:
        return "nothing of the range is settled yet"
    return "" if range_.settled >= range_.hi else f"the range is settled up to {moment(range_.settled)}"


def _selected(selection: Selection) -> Iterator[tuple[str, str]]:
    """What was asked for besides the time."""
    for name in ("passes", "actions", "actors", "entities", "ips"):
        if said := getattr(selection, name):
            yield name, visible(", ".join(said), 500)
    if selection.where:
        yield "where", visible(selection.where, 500)


def _findings(proof: Proof) -> Iterator[tuple[str, int, bool, str, list[Finding]]]:
    for kind, some in groupby(proof.findings, key=lambda it: it.kind):
        shown = list(some)
        yield kind.value, proof.totals[kind], kind in WARNINGS, shown[0].advice, shown[:5]


def _pass(it: PassCoverage) -> tuple[str, str, str, str, str, str, str]:
    gaps = f"{it.gaps:,}: {span(it.missing)}" if it.gaps else "0"
    state = "" if it.state == "running" else it.state
    return it.name, moment(it.first), moment(it.last), f"{it.windows:,}", f"{it.events:,}", gaps, state


def _in_force(it: Since) -> tuple[int, str, str, str]:
    said = [f"{name} {value}" for name, value in msgspec.structs.asdict(it.filters).items() if value]
    filters = f"only {', '.join(said)}" if said else "everything"
    return it.entry, f"{it.time.astimezone(UTC):%Y-%m-%d %H:%M:%S}", visible(filters, 500), it.version
