"""A proof as a person reads it, and as JSON."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import msgspec
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from slack_audit.verify.coverage import Coverage, PassCoverage, Since
from slack_audit.verify.findings import WARNINGS, Finding
from slack_audit.verify.prove import Proof, Scope

NARROW = 92  # columns: below, the years and some space are left out
MOST_SHOWN = 5  # examples of a kind; JSON has more


def as_json(proof: Proof) -> str:
    """All of it, indented."""
    said: dict[str, Any] = msgspec.to_builtins(proof)
    said |= {"faults": proof.faults, "warnings": proof.warnings}
    said["head"] = str(proof.head) if proof.head else None
    said["findings"] = [
        {**msgspec.to_builtins(it), "warning": it.is_warning, "advice": it.advice} for it in proof.findings
    ]
    for it in said["coverage"]["passes"]:
        it["lag"] = proof.coverage.lag(it["name"])
    return msgspec.json.format(msgspec.json.encode(said), indent=2).decode()


def show(proof: Proof, where: str, console: Console) -> None:
    """What was looked at, what it covers, what is wrong, and the verdict last, where the eye is."""
    console.print(Text(f"Archive of {proof.org} in {where}", style="bold"), soft_wrap=True)
    console.print()
    if proof.coverage.entries:
        console.print(_passes(proof.coverage, narrow=console.width < NARROW))
        console.print()
        console.print(_figures(proof))
        console.print()
    for kind, findings in groupby(proof.findings, key=lambda it: it.kind):
        _show_kind(list(findings), proof.totals[kind], console)
    console.print(_verdict(proof), soft_wrap=True)
    if proof.proven and proof.head is not None:
        console.print(Text(f"Head {proof.head}", style="bold"), soft_wrap=True)
        console.print("Keep it outside the bucket: with --head it shows later that nothing before it was replaced.")


def _passes(coverage: Coverage, *, narrow: bool) -> Table:
    """Of a backfill, JSON has the whole name; here its stretch names it."""
    table = Table(box=None, padding=(0, 1 if narrow else 2, 0, 0), header_style="dim")
    for title in ("pass", "from (UTC)", "to (UTC)"):
        table.add_column(title, no_wrap=True)
    for title in ("covers", "windows", "events", "gaps"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", style="dim", no_wrap=True)
    for it in coverage.passes:
        table.add_row(*_row(it, "%m-%d %H:%M:%S" if narrow else "%Y-%m-%d %H:%M:%S"))
    return table


def _row(it: PassCoverage, clock: str) -> tuple[str | Text, ...]:
    name, state = it.name.partition("-")[0], "" if it.state == "running" else it.state
    if it.first is None or it.last is None:
        return name, Text("nothing read", style="dim"), "", "", "0", "0", "0", state
    gaps = Text(f"{it.gaps}: {span(it.missing)}", style="bold red") if it.gaps else Text("0")
    first, last = (f"{datetime.fromtimestamp(at, UTC):{clock}}" for at in (it.first, it.last))
    return name, first, last, span(it.seconds), f"{it.windows:,}", f"{it.events:,}", gaps, state


def _figures(proof: Proof) -> Table:
    coverage = proof.coverage
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("scope", _scope(proof.scope))
    table.add_row(
        "entries", f"{coverage.entries:,}, written {_moment(coverage.first_time)} to {_moment(coverage.newest_time)}"
    )
    table.add_row(
        "batches",
        f"{coverage.objects:,} with {coverage.events:,} events, {decimal(coverage.stored)}"
        f" ({decimal(coverage.unpacked)} unpacked)",
    )
    lags = [(it.name, coverage.lag(it.name)) for it in coverage.passes if it.end is None and it.windows]
    behind = ", ".join(f"{name} {span(lag)}" for name, lag in lags if lag is not None)
    table.add_row("behind", behind or "nothing read")
    table.add_row("stream", f"all entries below {coverage.published:,} were published when the newest was written")
    for it in coverage.in_force:
        table.add_row(
            "collected", f"{_filters(it)}, by version {it.version}, from entry {it.entry:,} ({_moment(it.time)})"
        )
    return table


def _scope(scope: Scope) -> str:
    if scope.days is None:
        return f"the whole log, entries {scope.first:,} to {scope.last or 0:,}, and everything under raw/"
    days = " to ".join(sorted({*scope.days[:1], *scope.days[-1:]})) or "none"
    part = f"only entries {scope.first:,} to {scope.last or 0:,} (since {_moment(scope.since)})"
    beside = f"beside them {scope.consulted:,} entries and {scope.neighbours:,} batches from before"
    return f"{part}; orphans of {_many(len(scope.days), 'day')} ({days}); {beside}"


def _filters(it: Since) -> str:
    said = [f"{name} {value}" for name, value in msgspec.structs.asdict(it.filters).items() if value]
    return f"only {', '.join(said)}" if said else "everything"


def _show_kind(findings: list[Finding], total: int, console: Console) -> None:
    kind = findings[0].kind
    style, mark = ("yellow", "!") if kind in WARNINGS else ("red", "✗")
    console.print(Text(f"{mark} {kind} ({total:,})", style=f"bold {style}"))
    for it in findings[:MOST_SHOWN]:
        console.print(Text(f"  {it.where}\n    {it.what}"), soft_wrap=True)
    if total > MOST_SHOWN:
        console.print(Text(f"  and {total - min(total, MOST_SHOWN):,} more", style="dim"))
    console.print(Text(f"  {findings[0].advice}", style="italic"))
    console.print()


def _verdict(proof: Proof) -> Text:
    some = f", with {_many(proof.warnings, 'warning')}" if proof.warnings else ""
    if not proof.proven:
        return Text(f"NOT PROVEN: {_many(proof.faults, 'finding')}{some}.", style="bold red")
    what = f"{proof.coverage.events:,} events in {proof.coverage.entries:,} entries"
    part = "" if proof.scope.first == 0 else " of this part"
    return Text(f"PROVEN{part}: {what}: none missing, repeated or altered{some}.", style="bold green")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else "never"


def span(seconds: int) -> str:
    """The two largest units: `3d 4h`."""
    days, rest = divmod(seconds, 86_400)
    parts = [(days, "d"), (rest // 3_600, "h"), (rest % 3_600 // 60, "m"), (rest % 60, "s")]
    first = next((at for at, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count:,}{unit}" for count, unit in parts[first : first + 2] if count) or "0s"
