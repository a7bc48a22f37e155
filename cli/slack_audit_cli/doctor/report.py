"""What the doctor found, as a person reads it and as JSON."""

from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slack_audit.check import Finding, Outcome
from slack_audit_cli.doctor.looks import Section

MARKS = {
    Outcome.OK: ("✓", "green"),
    Outcome.WARNING: ("!", "bold yellow"),
    Outcome.MISSING: ("✗", "bold red"),
    Outcome.FAILED: ("✗", "bold red"),
    Outcome.UNKNOWN: ("?", "bold magenta"),
}
WRONG = {Outcome.FAILED, Outcome.MISSING}


def verdict(sections: list[Section]) -> Outcome:
    """The worst of it: what is wrong counts more than what could not be told."""
    outcomes = {it.outcome for section in sections for it in section.findings}
    for worst in (Outcome.FAILED, Outcome.MISSING, Outcome.UNKNOWN, Outcome.WARNING):
        if worst in outcomes:
            return worst
    return Outcome.OK


def as_json(sections: list[Section]) -> str:
    """All of it, indented."""
    said: dict[str, Any] = {"verdict": verdict(sections).value, "sections": msgspec.to_builtins(sections)}
    return msgspec.json.format(msgspec.json.encode(said), indent=2).decode()


def show(sections: list[Section], console: Console) -> None:
    """Section by section, and the verdict last, where the eye is."""
    width = max(len(it.name) for section in sections for it in section.findings)
    for section in sections:
        console.print(Text(section.name, style="bold"))
        table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, min_width=width)
        table.add_column(overflow="fold")
        for it in section.findings:
            mark, style = MARKS[it.outcome]
            table.add_row(Text(mark, style=style), it.name, _said(it))
        console.print(table)
        console.print()
    console.print(_conclusion(sections))


def _said(finding: Finding) -> Text:
    if not finding.advice:
        return Text(finding.what)
    return Text.assemble(finding.what, "\n", (finding.advice, "italic"))


def _conclusion(sections: list[Section]) -> Text:
    findings = [it for section in sections for it in section.findings]
    wrong = sum(it.outcome in WRONG for it in findings)
    unknown = sum(it.outcome is Outcome.UNKNOWN for it in findings)
    warnings = sum(it.outcome is Outcome.WARNING for it in findings)
    beside = [f"{unknown} could not be told" if unknown else "", f"{warnings} to look at" if warnings else ""]
    rest = "".join(f", {it}" for it in beside if it)
    if wrong:
        return Text(f"{wrong} of {len(findings)} things must be mended{rest}.", style="bold red")
    if unknown:
        return Text(f"Nothing is known to be wrong{rest}.", style="bold magenta")
    return Text(f"{'Nothing is wrong' if warnings else 'All is well'}{rest}.", style="bold green")
