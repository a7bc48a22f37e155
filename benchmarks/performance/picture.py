"""The picture of docs/performance.md: what a million events cost, growth, pages, and the call budget."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from benchmarks.performance.figures import Figure
from benchmarks.performance.goals import LEAST_FILL, LEAST_SHARE, MOST_MB
from benchmarks.performance.paced import PER_MINUTE

INK, GREY, FAINT = "#16191f", "#687078", "#d5dbdb"
BLUE, ORANGE, RED, GREEN, PURPLE = "#1f77b4", "#e07b00", "#c0392b", "#2a8f4f", "#7d5ba6"
BARS = {
    "bare-fetch": ("bare: fetch", GREY),
    "bare-put": ("bare: fetch, gzip, put", GREY),
    "drain": ("collector: S3, DynamoDB", BLUE),
    "drain-kinesis": ("collector: and Kinesis", BLUE),
    "dlt": ("dlt: S3", ORANGE),
    "airbyte": ("Airbyte CDK: S3", ORANGE),
}


def draw(figures: Mapping[str, Figure], picture: Path) -> None:
    """One file; a panel without figures stays empty."""
    mpl.use("Agg")
    canvas = Canvas(figsize=(13, 8.4), dpi=100, facecolor="white")
    (bars, growth), (fill, paced) = canvas.subplots(2, 2)
    _bars(bars, figures)
    _growth(growth, _of(figures, "growth-"))
    _fill(fill, _of(figures, "fill-"))
    _paced(paced, figures.get("paced"))
    canvas.subplots_adjust(left=0.15, right=0.94, top=0.95, bottom=0.07, hspace=0.32, wspace=0.3)
    canvas.savefig(picture)


def _of(figures: Mapping[str, Figure], beginning: str) -> list[tuple[float, Figure]]:
    """Those of one kind, by the number in their names."""
    found = [(float(name.removeprefix(beginning)), it) for name, it in figures.items() if name.startswith(beginning)]
    return sorted(found, key=lambda it: it[0])


def _bars(axes: Axes, figures: Mapping[str, Figure]) -> None:
    shown = [(*BARS[name], it.cpu / it.events * 1e6) for name, it in figures.items() if name in BARS][::-1]
    _style(axes, "CPU seconds for a million events", grid="x")
    axes.barh([name for name, _, _ in shown], [cost for *_, cost in shown], color=[colour for _, colour, _ in shown])
    for place, (_, _, cost) in enumerate(shown):
        axes.text(cost, place, f" {cost:,.1f}", va="center", fontsize=9.5, color=INK)
    axes.set_xlim(0, max((cost for *_, cost in shown), default=1) * 1.15)


def _growth(axes: Axes, rows: list[tuple[float, Figure]]) -> None:
    _style(axes, "Growth: CPU seconds, and peak memory", grid="both")
    sizes = [size for size, _ in rows]
    axes.plot(sizes, [it.cpu for _, it in rows], "o-", color=BLUE, lw=1.2, ms=5, label="CPU seconds")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("events", fontsize=9.5, color=GREY)
    memory = axes.twinx()
    memory.plot(sizes, [it.peak_mb for _, it in rows], "s--", color=PURPLE, lw=1.2, ms=4, label="MB at most")
    memory.set_ylim(0, MOST_MB * 1.25)
    memory.axhline(MOST_MB, color=RED, lw=1, ls=":")
    memory.tick_params(colors=PURPLE, labelsize=9.5)
    memory.spines["top"].set_visible(False)
    lines = [*axes.get_lines(), memory.get_lines()[0]]
    axes.legend(lines, ["CPU seconds", "MB at most"], loc="upper left", fontsize=9.5, frameon=False)


def _fill(axes: Axes, rows: list[tuple[float, Figure]]) -> None:
    _style(axes, "Share of Slack's page that is filled, by the rate of a steady history", grid="y")
    axes.plot([rate for rate, _ in rows], [it.told["fill"] for _, it in rows], "o-", color=GREEN, lw=1.2, ms=5)
    axes.axhline(LEAST_FILL, color=RED, lw=1, ls=":")
    axes.set_xscale("log")
    axes.set_xticks([rate for rate, _ in rows], [f"{rate:g}" for rate, _ in rows])
    axes.minorticks_off()
    axes.set_xlabel("events a second", fontsize=9.5, color=GREY)
    axes.set_ylim(0, 1)


def _paced(axes: Axes, figure: Figure | None) -> None:
    _style(axes, f"Calls to Slack in each minute, of {PER_MINUTE} allowed", grid="y")
    minutes = figure.told["minutes"] if figure else []
    axes.bar(range(1, len(minutes) + 1), minutes, color=BLUE, width=0.6)
    axes.axhline(PER_MINUTE * LEAST_SHARE, color=RED, lw=1, ls=":")
    axes.set_xticks(range(1, len(minutes) + 1))
    axes.set_xlabel("minute of the drain", fontsize=9.5, color=GREY)


def _style(axes: Axes, title: str, *, grid: str) -> None:
    axes.set_title(title, loc="left", fontsize=11.5, fontweight="bold", color=INK, pad=6)
    axes.grid(visible=True, axis=grid, color=FAINT, lw=0.6)  # type: ignore[arg-type]  # one of three texts
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelsize=9.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
