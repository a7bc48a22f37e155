"""How a moment looks: for people who watch, and as one line for files."""

from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from local.demo.watch import Entry, Snapshot

LINES_BESIDE_BATCHES = 11  # of the dashboard
LINES_ABOVE = 9  # of the terminal that are left to what was printed before
MOST_BATCHES = 14


def dashboard(snapshot: Snapshot, *, phase: str, elapsed: float, height: int) -> RenderableType:
    """All of it, for a terminal of so many lines."""
    rows = max(2, min(MOST_BATCHES, height - LINES_BESIDE_BATCHES - LINES_ABOVE))
    return Group(
        Rule(Text(f" {phase}  {duration(elapsed)} ", style="bold"), style="cyan", align="left"),
        _gauges(snapshot),
        _facts(snapshot),
        Text(),
        _batches(snapshot, rows),
    )


def line(snapshot: Snapshot, phase: str) -> str:
    """The same in one line."""
    return (
        f"{clock(snapshot.now)} {phase}: {snapshot.archived:,} of {snapshot.shown:,} archived, "
        f"{snapshot.streamed:,} streamed, {snapshot.calls:,} calls to Slack; {_next_run(snapshot)}"
    )


def clock(second: float) -> str:
    """The time of day, in UTC."""
    return f"{datetime.fromtimestamp(second, UTC):%H:%M:%S}"


def duration(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def distance(seconds: int) -> str:
    """A length of time in the units that suit it."""
    minutes, hours = seconds // 60, seconds // 3_600
    if hours >= 2:
        return f"{hours:,} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes >= 2 else f"{seconds} s"


def _gauges(snapshot: Snapshot) -> Table:
    """How many of the events that Slack shows are archived, and how many are in the stream."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for _ in range(2):
        table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    objects = f"{snapshot.objects:,} objects, {decimal(snapshot.stored)}"
    table.add_row("archived", *_gauge(snapshot.archived, snapshot.shown), objects)
    table.add_row("streamed", *_gauge(snapshot.streamed, snapshot.shown), f"{snapshot.repeats:,} repeats")
    return table


def _gauge(done: int, total: int) -> tuple[ProgressBar, str, str]:
    share = 100 * done // total if total else 0
    return ProgressBar(total=max(total, 1), completed=done), f"{done:,} of {total:,}", f"{share} %"


def _facts(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("watermark", _watermark(snapshot))
    table.add_row("Slack", _calls(snapshot))
    table.add_row("schedule", _next_run(snapshot))
    return table


def _watermark(snapshot: Snapshot) -> str:
    if snapshot.watermark is None:
        return "no watermark yet"
    moment = datetime.fromtimestamp(snapshot.watermark, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC, lag {distance(snapshot.lag or 0)}"


def _calls(snapshot: Snapshot) -> str:
    return (
        f"{snapshot.calls:,} calls, {snapshot.calls_last_minute} in the last minute "
        f"(limit {snapshot.calls_allowed}), {snapshot.faults} answered badly"
    )


def _next_run(snapshot: Snapshot) -> str:
    if snapshot.running_since is not None:
        return f"a run is under way, for {max(0, snapshot.now - snapshot.running_since):.0f} s"
    left = (snapshot.next_run or snapshot.now) - snapshot.now
    return f"next run in about {left:.0f} s" if left >= 1 else "next run any moment now"


def _batches(snapshot: Snapshot, rows: int) -> Table:
    """The newest windows, newest first; always as many rows, so that nothing jumps."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    table.add_column("entry", justify="right", no_wrap=True)
    table.add_column("pass", no_wrap=True)
    table.add_column("window (UTC)", no_wrap=True, min_width=24)
    for name in ("events", "size"):
        table.add_column(name, justify="right", no_wrap=True, min_width=8)
    table.add_column("in the stream", no_wrap=True)
    shown = [entry for entry in snapshot.entries if entry.window is not None][:rows]
    for entry in shown:
        table.add_row(*_batch(entry, published=entry.number < snapshot.published))
    for _ in range(rows - len(shown)):
        table.add_row()
    return table


def _batch(entry: Entry, *, published: bool) -> tuple[str | Text, ...]:
    low, high = entry.window or (0, 0)
    window = f"{datetime.fromtimestamp(low, UTC):%b %d %H:%M:%S}–{clock(high)}"
    sent = Text("✓", style="green") if published else Text("not yet", style="yellow")
    nothing_new = Text("–", style="dim")
    return (
        f"{entry.number}",
        entry.pass_name or "",
        window,
        f"{entry.events:,}" if entry.events else nothing_new,
        decimal(entry.size) if entry.events else nothing_new,
        sent if entry.events else nothing_new,
    )
