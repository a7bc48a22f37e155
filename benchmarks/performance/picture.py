"""The picture of docs/performance.md: what a million events cost, growth, pages, and the call budget."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from benchmarks.load.picture import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, frame
from benchmarks.performance.figures import Figure
from benchmarks.performance.goals import LEAST_FILL, LEAST_SHARE, MOST_MB
from benchmarks.performance.paced import PER_MINUTE

BARS = {
    "bare-fetch": ("bare: fetch", GREY),
    "bare-put": ("bare: fetch, gzip, put", GREY),
    "drain": ("collector: S3, DynamoDB", BLUE),
    "drain-kinesis": ("collector: and Kinesis", BLUE),
    "dlt": ("dlt: S3", ORANGE),
    "airbyte": ("Airbyte CDK: S3", ORANGE),
}
STARTS = {
    "cold-empty": ("empty function with boto3", GREY),
    "cold-collect": ("collect function", BLUE),
}


def draw(figures: Mapping[str, Figure], picture: Path) -> None:
    """One file; a panel without figures stays empty."""
    mpl.use("Agg")
    canvas = Canvas(figsize=(16, 8.4), dpi=100, facecolor="white")
    (bars, cpu, memory), (cold, fill, paced) = canvas.subplots(2, 3)
    _bars(bars, "CPU seconds for a million events", _costs(figures))
    _growth(cpu, _of(figures, "growth-"))
    _memory(memory, _of(figures, "growth-"))
    _bars(cold, "CPU seconds of a cold start", _starts(figures))
    _fill(fill, _of(figures, "fill-"))
    _paced(paced, figures.get("paced"))
    canvas.subplots_adjust(left=0.13, right=0.985, top=0.95, bottom=0.07, hspace=0.32, wspace=0.22)
    canvas.savefig(picture)


def _of(figures: Mapping[str, Figure], beginning: str) -> list[tuple[float, Figure]]:
    """Those of one kind, by the number in their names."""
    found = [(float(name.removeprefix(beginning)), it) for name, it in figures.items() if name.startswith(beginning)]
    return sorted(found, key=lambda it: it[0])


def _costs(figures: Mapping[str, Figure]) -> list[tuple[str, str, float]]:
    return [(*BARS[name], it.cpu / it.events * 1e6) for name, it in figures.items() if name in BARS]


def _starts(figures: Mapping[str, Figure]) -> list[tuple[str, str, float]]:
    return [(*STARTS[name], it.cpu) for name, it in figures.items() if name in STARTS]


def _bars(axes: Axes, title: str, shown: list[tuple[str, str, float]]) -> None:
    """Each with its name, its colour and its length, from above."""
    _style(axes, title, grid="x")
    places = range(len(shown), 0, -1)
    axes.barh(places, [length for *_, length in shown], color=[colour for _, colour, _ in shown])
    axes.set_yticks(places, [name for name, *_ in shown])
    for place, (*_, length) in zip(places, shown, strict=True):
        axes.text(length, place, f" {length:,.3g}", va="center", fontsize=9.5, color=INK)
    axes.set_xlim(0, max((length for *_, length in shown), default=1) * 1.15)


def _growth(axes: Axes, rows: list[tuple[float, Figure]]) -> None:
    _style(axes, "CPU seconds, by the events of a backlog", grid="both")
    axes.plot([size for size, _ in rows], [it.cpu for _, it in rows], "o-", color=BLUE, lw=1.2, ms=5)
    axes.set_xscale("log")
    axes.set_yscale("log")


def _memory(axes: Axes, rows: list[tuple[float, Figure]]) -> None:
    _style(axes, "Peak MB, by the events of a backlog", grid="y")
    axes.plot([size for size, _ in rows], [it.peak_mb for _, it in rows], "o-", color=PURPLE, lw=1.2, ms=5)
    axes.axhline(MOST_MB, color=RED, lw=1, ls=":")
    axes.set_xscale("log")
    axes.set_ylim(0)


def _fill(axes: Axes, rows: list[tuple[float, Figure]]) -> None:
    _style(axes, "Share of a page filled, by events a second", grid="y")
    axes.plot([rate for rate, _ in rows], [it.told["fill"] for _, it in rows], "o-", color=GREEN, lw=1.2, ms=5)
    axes.axhline(LEAST_FILL, color=RED, lw=1, ls=":")
    axes.set_xscale("log")
    axes.set_xticks([rate for rate, _ in rows], [f"{rate:g}" for rate, _ in rows])
    axes.minorticks_off()
    axes.set_ylim(0, 1)


def _paced(axes: Axes, figure: Figure | None) -> None:
    _style(axes, f"Calls to Slack by minute, of {PER_MINUTE}", grid="y")
    minutes = figure.told["minutes"] if figure else []
    axes.bar(range(1, len(minutes) + 1), minutes, color=BLUE, width=0.6)
    axes.axhline(PER_MINUTE * LEAST_SHARE, color=RED, lw=1, ls=":")
    axes.set_ylim(0)
    axes.set_xticks(range(1, len(minutes) + 1))


def _style(axes: Axes, title: str, *, grid: Literal["x", "y", "both"]) -> None:
    axes.set_title(title, loc="left", fontsize=11.5, fontweight="bold", color=INK, pad=6)
    frame(axes, grid)
