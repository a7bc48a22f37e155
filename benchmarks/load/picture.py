"""The picture of a simulation: `python -m benchmarks.load.picture FOLDER docs/load.png`."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.load.plan import DAY, HOUR, MINUTE, START, Plan, Stretch

INK, GREY, FAINT = "#16191f", "#687078", "#d5dbdb"
BLUE, ORANGE, RED, GREEN, PURPLE = "#1f77b4", "#e07b00", "#c0392b", "#2a8f4f", "#7d5ba6"
NEXT_DAY = 24.9  # hours; where the left half ends and the right one begins
type Row = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """One row of the picture: its title, the unit of its axis, and what draws it."""

    title: str
    unit: str
    draw: Callable[[Axes, list[Row]], None]


def draw(folder: Path, picture: Path) -> None:
    """From what a simulation wrote into its folder."""
    mpl.use("Agg")
    rows = [json.loads(line) for line in (folder / "rows.ndjson").read_text().splitlines()]
    summary = json.loads((folder / "summary.json").read_text())
    plan = Plan(hours=summary["hours"], rate=summary["rate"], seed=summary["seed"], small=summary["small"])
    figure = Figure(figsize=(16, 17), dpi=100, facecolor="white")
    grid = figure.subplots(
        len(PANELS), 2, sharex="col", sharey="row", gridspec_kw={"width_ratios": [4, 1], "wspace": 0.03, "hspace": 0.32}
    )
    day = [row for row in rows if row["minute"] * MINUTE < plan.seconds + 3 * HOUR // 4]
    after = [row for row in rows if row["minute"] * MINUTE >= plan.seconds + 3 * HOUR // 4]
    for panel, (left, right) in zip(PANELS, grid, strict=True):
        panel.draw(left, day)
        panel.draw(right, after)
        _style(left, panel)
        right.tick_params(axis="y", length=0)
        frame(right)
        _shade(left, plan)
        if left.get_legend_handles_labels()[0]:
            left.legend(loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=5, fontsize=9.5, frameon=False)
    _label_shades(grid[0][0], plan)
    _axes_of_time(grid[-1], plan, after)
    figure.suptitle(_heading(summary), x=0.065, y=0.985, ha="left", va="top", fontsize=17, fontweight="bold", color=INK)
    figure.text(0.065, 0.96, _lead(rows, summary), ha="left", va="top", fontsize=11, color=GREY, linespacing=1.5)
    figure.subplots_adjust(left=0.065, right=0.985, top=0.9, bottom=0.04)
    figure.savefig(picture)


def _heading(summary: Row) -> str:
    outcome = "; ".join(summary["faults"]) or "nothing lost, nothing archived twice"
    return f"{summary['hours']:g} hours at {summary['rate']:g} events a second: {outcome}"


def _lead(rows: list[Row], summary: Row) -> str:
    """What came out, and of what."""
    proven = "proves" if summary["proof"]["proven"] else "DOES NOT PROVE"
    spoiled, killed = sum(row.get("spoiled", 0) for row in rows), summary["starts"].get("killed", 0)
    return (
        f"{summary['archived']:,} of {summary['events']:,} events archived, once each; all of them in the stream, "
        f"with {summary['repeats_in_the_stream']:,} repeats; the verifier {proven} the archive.\n"
        f"Spoiled on purpose, by seed {summary['seed']}: {summary['slack_answers_spoiled']:,} answers of Slack, "
        f"{spoiled:,} calls of AWS, {killed} runs killed, Slack down once, Kinesis down once."
    )


# ---- the panels ----


def _events(axes: Axes, rows: list[Row]) -> None:
    hours = _hours(rows)
    axes.fill_between(hours, _of(rows, "happened"), color=FAINT, step="mid", label="happened in Slack", linewidth=0)
    axes.plot(hours, _of(rows, "events"), color=BLUE, lw=0.9, label="archived by a run")
    axes.set_yscale("symlog", linthresh=1_000)
    axes.set_ylim(0, 300_000)
    axes.set_yticks([0, 1_000, 10_000, 100_000], ["0", "1,000", "10,000", "100,000"])


def _lags(axes: Axes, rows: list[Row]) -> None:
    hours = _hours(rows)
    axes.plot(hours, _of(rows, "publish_lag"), color=ORANGE, lw=1.1, label="stream")
    axes.plot(hours, _of(rows, "lag"), color=BLUE, lw=1.1, label="archive")
    axes.axhline(900, color=RED, lw=1, ls=":", label="alarm: 15 minutes")
    killed = [row for row in rows if row["state"] == "killed"]
    axes.plot(_hours(killed), [40] * len(killed), "x", color=INK, ms=5, label="run killed")
    axes.set_yscale("log")
    axes.set_ylim(30, 6_000)
    axes.set_yticks([60, 300, 900, 3_600], ["1 min", "5 min", "15 min", "1 h"])
    axes.minorticks_off()


def _backlog(axes: Axes, rows: list[Row]) -> None:
    axes.fill_between(_hours(rows), _of(rows, "backlog"), color=ORANGE, alpha=0.7, linewidth=0)
    axes.set_ylim(0)


def _calls(axes: Axes, rows: list[Row]) -> None:
    axes.vlines(_hours(rows), 0, _of(rows, "calls"), color=BLUE, lw=0.9, label="calls")
    limited = [row for row in rows if row.get("rate_limited")]
    axes.plot(_hours(limited), _of(limited, "calls"), ".", color=RED, ms=5, label="one of them refused with 429")
    axes.set_ylim(0)


def _durations(axes: Axes, rows: list[Row]) -> None:
    ran = [row for row in rows if row["state"] in {"done", "failed"}]
    failed = [row for row in ran if row["state"] == "failed"]
    axes.vlines(_hours(ran), 0, _of(ran, "seconds"), color=GREEN, lw=0.9, label="a run")
    axes.plot(_hours(failed), _of(failed, "seconds"), ".", color=RED, ms=5, label="a run that failed")
    axes.set_ylim(0, 310)
    axes.set_yticks([0, 60, 120, 180, 240, 300])


def _memory(axes: Axes, rows: list[Row]) -> None:
    warm = [row for row in rows if row.get("peak")]
    megabytes = [row["peak"] / 1024 for row in warm]
    axes.plot(_hours(warm), megabytes, color=PURPLE, lw=1, label="most in a run, of the 512 MB that the function has")
    axes.set_ylim(0)


def _processor(axes: Axes, rows: list[Row]) -> None:
    warm = [row for row in rows if row.get("cpu")]
    axes.vlines(_hours(warm), 0, _of(warm, "cpu"), color=GREY, lw=0.9)
    axes.set_ylim(0)


PANELS = (
    Panel("Events a minute", "events", _events),
    Panel("How far behind Slack", "", _lags),
    Panel("Waiting for the stream", "log entries", _backlog),
    Panel("Calls to Slack in a run", "calls", _calls),
    Panel("Duration of a run, in simulated seconds (at most 300)", "seconds", _durations),
    Panel("Memory of the collector's process", "MB", _memory),
    Panel("Processor time of a run, as measured", "seconds", _processor),
)


# ---- axes ----


def _hours(rows: list[Row]) -> list[float]:
    return [row["minute"] / 60 for row in rows]


def _of(rows: list[Row], name: str) -> list[float]:
    return [row[name] for row in rows]


def _style(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, loc="left", fontsize=11.5, fontweight="bold", color=INK, pad=5)
    axes.set_ylabel(panel.unit, fontsize=9.5, color=GREY)
    frame(axes)


def frame(axes: Axes, grid: Literal["x", "y", "both"] = "y") -> None:
    """Faint lines behind what is drawn, and two sides of four."""
    axes.grid(visible=True, axis=grid, color=FAINT, lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelsize=9.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)


def _outages(plan: Plan) -> tuple[tuple[Stretch, str, str], ...]:
    return (plan.slack_is_down, "Slack is down", RED), (plan.stream_is_down, "Kinesis is down", ORANGE)


def _shade(axes: Axes, plan: Plan) -> None:
    for stretch, _, colour in _outages(plan):
        axes.axvspan((stretch.lo - START) / HOUR, (stretch.hi - START) / HOUR, color=colour, alpha=0.13, lw=0)
    axes.axvline(plan.hours, color=GREY, lw=0.8, ls="--")


def _label_shades(axes: Axes, plan: Plan) -> None:
    for stretch, name, colour in _outages(plan):
        minutes = round((stretch.hi - stretch.lo) / MINUTE)
        said, at = f"{name}, {minutes} min", (stretch.hi - START) / HOUR
        axes.text(at, 0.93, f" {said}", transform=axes.get_xaxis_transform(), color=colour, fontsize=9.5, va="top")


def _axes_of_time(grid: Any, plan: Plan, after: list[Row]) -> None:
    left, right = grid
    left.set_xlim(0, plan.hours * NEXT_DAY / 24)
    left.set_xticks(_ticks(0, plan.hours))
    left.set_xlabel("hours of the simulated day, then the late pass", fontsize=10, color=GREY)
    if after:
        ends = after[0]["minute"] / 60, after[-1]["minute"] / 60
        right.set_xlim(*ends)
        right.set_xticks(_ticks(ends[0], min(ends[1], plan.hours + DAY / HOUR + 1)))
    right.set_xlabel("25 hours later: the final pass", fontsize=10, color=GREY)


def _ticks(lo: float, hi: float) -> list[float]:
    step = max(1, round((hi - lo) / 8)) if hi - lo > 4 else 0.25
    first = -(-lo // step)
    return [number * step for number in range(int(first), int(hi // step) + 1)]


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
