"""What the check of a package found, as a person reads it."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slack_audit_cli.evidence import layout
from slack_audit_cli.evidence.checking import Checked
from slack_audit_cli.evidence.readme import facts
from slack_audit_cli.evidence.results import Result
from slack_audit_cli.searching.columns import visible

MOST_SHOWN = 20  # findings of a kind


def show(checked: Checked, digest: str, console: Console) -> None:
    """What the package says of itself, what was looked at, what is wrong, and the verdict last."""
    said = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    said.add_column(style="dim", no_wrap=True)
    said.add_column(overflow="fold")
    for name, value in facts(checked.manifest):
        if value:
            said.add_row(name, Text(visible(value)))
    console.print(said)
    console.print()
    console.print(_results(checked))
    for result in checked.results:
        _show_findings(result, console)
    console.print()
    console.print(_verdict(checked), soft_wrap=True)
    if not checked.manifest.verification.proven:
        warning = "The archive was NOT PROVEN when this was made: verification.txt in it says why."
        console.print(Text(warning, style="bold yellow"), soft_wrap=True)
    console.print(Text(f"SHA-256 {digest}", style="bold"), soft_wrap=True)
    console.print("Compare it with the custody log.")


def _results(checked: Checked) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True, justify="right")
    for it in checked.results:
        mark = Text("✗", style="bold red") if it.wrong else Text("✓", style="green")
        table.add_row(
            mark, it.what, f"{it.well:,} of {it.well + it.wrong:,} {it.of}" if it.wrong else f"{it.well:,} {it.of}"
        )
    if checked.manifest.tool != layout.TOOL:
        said = f"made with another version than {visible(layout.TOOL)}: sheet and README are not compared"
        table.add_row("-", Text(said, style="dim"), "")
    if not checked.manifest.holds_batches:
        table.add_row("-", Text("the archive's objects are not in it: compare them with the archive", style="dim"), "")
    return table


def _show_findings(result: Result, console: Console) -> None:
    if not result.wrong:
        return
    console.print()
    console.print(Text(f"✗ {result.what}: not so", style="bold red"), soft_wrap=True)
    for where, what in result.findings[:MOST_SHOWN]:
        console.print(Text(f"  {visible(where)}\n    {visible(what)}"), soft_wrap=True)
    if result.wrong > MOST_SHOWN:
        console.print(Text(f"  and {result.wrong - MOST_SHOWN:,} more", style="dim"))


def _verdict(checked: Checked) -> Text:
    wrong = sum(it.wrong for it in checked.results)
    if wrong:
        return Text(f"ALTERED: {wrong:,} finding{'' if wrong == 1 else 's'}.", style="bold red")
    return Text(
        f"WHOLE: {checked.manifest.events:,} events, and all of the package is as its manifest says.",
        style="bold green",
    )
