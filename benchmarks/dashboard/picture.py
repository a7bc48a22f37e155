"""Every widget drawn at its place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from benchmarks.dashboard.body import COLUMNS, Metric, Widget, metrics
from benchmarks.dashboard.recording import Line, Recording

INK, GREY, FAINT, PAGE = "#16191f", "#687078", "#d5dbdb", "#f2f3f3"
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf")
NOTHING = "no data in this recording"
CELL = 0.66, 0.52  # inches of a cell of the grid
HOUR = 60  # minutes


@dataclass
class Drawn:
    """What was drawn of one widget: the labels of its lines, and of those that have no data in the recording."""

    widget: Widget
    lines: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def draw(widgets: list[Widget], recording: Recording, picture: Path, *, footer: str) -> list[Drawn]:
    """Draws them all, with a line below; says what of each."""
    mpl.use("Agg")
    rows = _rows(widgets)
    figure = Figure(figsize=(COLUMNS * CELL[0], rows * CELL[1]), dpi=100, facecolor=PAGE)
    drawn = [Drawn(it) for it in widgets]
    for it in drawn:
        _card(figure, it.widget, rows)
        _KINDS[it.widget.kind](figure, it, recording)
    figure.text(0.15 / COLUMNS, 0.35 / rows, footer, fontsize=9, color=GREY, va="center")
    figure.savefig(picture, facecolor=PAGE)
    return drawn


# ---- places ----


def _rows(widgets: list[Widget]) -> int:
    """Of the grid, with one for the footer."""
    return max(it.y + it.height for it in widgets) + 1


def _box(widget: Widget, rows: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height as shares of the figure, with a margin."""
    gap_x, gap_y = 0.1 / COLUMNS, 0.1 / rows
    return (
        widget.x / COLUMNS + gap_x,
        1 - (widget.y + widget.height) / rows + gap_y,
        widget.width / COLUMNS - 2 * gap_x,
        widget.height / rows - 2 * gap_y,
    )


def _card(figure: Figure, widget: Widget, rows: int) -> None:
    left, bottom, width, height = _box(widget, rows)
    card = FancyBboxPatch((left, bottom), width, height, boxstyle="square,pad=0", transform=figure.transFigure)
    card.set(facecolor="white", edgecolor=FAINT, linewidth=0.8, zorder=-1)
    figure.add_artist(card)
    at_top = bottom + height - 0.12 / rows
    figure.text(left + 0.15 / COLUMNS, at_top, widget.title, fontsize=10.5, fontweight="bold", color=INK, va="top")


def _inside(figure: Figure, widget: Widget, margins: tuple[float, float, float, float]) -> Axes:
    """Axes inside of the card, with margins in cells: left, right, bottom, top."""
    rows = round(figure.get_figheight() / CELL[1])
    left, bottom, width, height = _box(widget, rows)
    before, behind, below, above = margins
    return figure.add_axes(
        (
            left + before / COLUMNS,
            bottom + below / rows,
            width - (before + behind) / COLUMNS,
            height - (below + above) / rows,
        )
    )


def _blank(figure: Figure, widget: Widget) -> Axes:
    """Axes over all of the card in cells of the grid, from its top left corner, without anything on them."""
    axes = _inside(figure, widget, (0, 0, 0, 0))
    axes.set(xlim=(0, widget.width), ylim=(widget.height, 0))
    axes.axis("off")
    return axes


# ---- kinds ----


def _text(figure: Figure, drawn: Drawn, _: Recording) -> None:
    axes, y = _blank(figure, drawn.widget), 0.3
    for line in drawn.widget.properties["markdown"].splitlines():
        is_heading = line.startswith("#")
        size, weight, colour = (15, "bold", INK) if is_heading else (10.5, "normal", GREY)
        axes.text(0.2, y, line.lstrip("# "), fontsize=size, fontweight=weight, color=colour, va="top")
        y += 0.85 if is_heading else 0.5
        drawn.lines.append(line)


def _alarms(figure: Figure, drawn: Drawn, _: Recording) -> None:
    """Their names: what state they would be in is not in the recording."""
    axes, columns = _blank(figure, drawn.widget), 7
    names = [alarm.rpartition(":")[2] for alarm in drawn.widget.properties["alarms"]]
    width = drawn.widget.width / columns
    for number, name in enumerate(names):
        x, y = number % columns * width, 0.65 + number // columns * 1.0
        tile = FancyBboxPatch((x + 0.2, y), width - 0.4, 0.75, boxstyle="square,pad=0", facecolor=PAGE, edgecolor=FAINT)
        axes.add_patch(tile)
        axes.text(x + 0.35, y + 0.4, name, fontsize=8.8, color=INK, va="center")
    said = "their states are not in this recording"
    axes.text(drawn.widget.width - 0.2, 0.12, said, fontsize=9, color=GREY, va="top", ha="right", style="italic")
    drawn.lines = names


def _metric(figure: Figure, drawn: Drawn, recording: Recording) -> None:
    found = [(metric, recording.lines(metric)) for metric in metrics(drawn.widget)]
    for metric, lines in found:
        drawn.lines += [line.label for line in lines]
        if not lines:
            drawn.missing.append(metric.label)
    if drawn.widget.properties["view"] == "singleValue":
        _single_values(figure, drawn.widget, found)
    else:
        _time_series(figure, drawn.widget, found, recording.end)


def _single_values(figure: Figure, widget: Widget, found: list[tuple[Metric, list[Line]]]) -> None:
    axes, width = _blank(figure, widget), widget.width / len(found)
    for number, (metric, lines) in enumerate(found):
        x = number * width + 0.2
        axes.text(x, 2.55, metric.label, fontsize=9.5, color=GREY, va="bottom")
        if not lines:
            axes.text(x, 1.5, NOTHING, fontsize=9, color=GREY, va="center", style="italic")
            continue
        values = lines[0].values
        axes.text(x, 1.3, f"{values[-1]:,.0f}", fontsize=21, color=INK, va="center")
        if widget.properties.get("sparkline") and len(values) > 1 and max(values) > min(values):
            _sparkline(axes, values, (x, 2.1), (width - 0.6, 0.5))


def _sparkline(axes: Axes, values: list[float], corner: tuple[float, float], size: tuple[float, float]) -> None:
    """A small line from its lower left corner on."""
    lowest, highest = min(values), max(values)
    xs = [corner[0] + size[0] * number / (len(values) - 1) for number in range(len(values))]
    ys = [corner[1] - size[1] * (value - lowest) / (highest - lowest) for value in values]
    axes.plot(xs, ys, color=COLOURS[0], lw=0.8)


def _time_series(figure: Figure, widget: Widget, found: list[tuple[Metric, list[Line]]], end: float) -> None:
    has_right = any(metric.on_the_right for metric, _ in found)
    legend_rows = -(-len(found) // (1 if widget.width <= 8 else 2))
    axes = _inside(figure, widget, (0.95, 0.95 if has_right else 0.3, 0.75 + 0.36 * legend_rows, 0.75))
    right = axes.twinx() if has_right else axes
    handles = list(_plotted((axes, right), widget, found, end))
    sides = widget.properties.get("yAxis", {})
    _scale(axes, sides.get("left", {}))
    if has_right:
        _scale(right, sides.get("right", {}))
    for line in widget.properties.get("annotations", {}).get("horizontal", []):
        axes.set_ylim(top=max(axes.get_ylim()[1], line["value"] * 1.15))
        axes.axhline(line["value"], color="#d13212", lw=1, ls="--")
        said = f"{line['label']}: {line['value']:,}"
        axes.text(end, line["value"], f"{said} ", fontsize=8, color="#d13212", ha="right", va="bottom")
    axes.set_xlim(0, end)
    axes.set_xticks(*_hours(end))
    is_narrow = widget.width <= 8
    axes.legend(
        handles=handles,
        ncols=1 if is_narrow else 2,
        loc="upper left",
        bbox_to_anchor=(-0.02, -0.16 if is_narrow else -0.14),
        fontsize=8.5,
        frameon=False,
        labelspacing=0.25,
        handlelength=1.2,
    )


def _plotted(
    sides: tuple[Axes, Axes], widget: Widget, found: list[tuple[Metric, list[Line]]], end: float
) -> Iterator[Any]:
    """A handle for the legend for each metric, with or without data. Points stand in the middle of their periods."""
    axes, right = sides
    stacked = widget.properties.get("stacked", False)
    below: dict[float, float] = {}
    for (metric, lines), colour in zip(found, cycle(COLOURS)):
        if not lines:
            label = f"{metric.label or metric.name}: {NOTHING}"
            yield axes.plot([], [], color=FAINT, lw=2, label=label)[0]
        for line in lines:
            if stacked:
                yield _on_top(axes, line, colour, below, metric.period)
            else:
                on = right if metric.on_the_right else axes
                dot = "o" if len(line.values) < 4 else ""
                middles = [min(minute + metric.period / 120, end) for minute in line.minutes]
                yield on.plot(middles, line.values, color=colour, lw=1.1, label=line.label, marker=dot, ms=4)[0]


def _on_top(axes: Axes, line: Line, colour: str, below: dict[float, float], period: int) -> Any:
    """An area on what is there; where a line has no value it adds nothing."""
    values = dict(zip(line.minutes, line.values, strict=True))
    minutes = sorted(values.keys() | below.keys())
    floor = [below.get(minute, 0.0) for minute in minutes]
    top = [before + values.get(minute, 0.0) for minute, before in zip(minutes, floor, strict=True)]
    below.update(zip(minutes, top, strict=True))
    width = period / 60
    return axes.fill_between(
        [it for minute in minutes for it in (minute, minute + width)],
        [it for value in floor for it in (value, value)],
        [it for value in top for it in (value, value)],
        color=colour,
        alpha=0.75,
        lw=0,
        label=line.label,
    )


def _scale(axes: Axes, side: dict[str, Any]) -> None:
    _, highest = axes.get_ylim()
    top = side.get("max", highest if highest > 0.1 else 1)
    axes.set_ylim(-0.02 * top, top)  # a line of zeros is to be seen
    axes.set_ylabel(side.get("label", ""), fontsize=8.5, color=GREY)
    axes.tick_params(colors=GREY, labelsize=8, length=2)
    axes.yaxis.set_major_formatter(lambda value, _: _short(value))
    axes.grid(visible=True, axis="y", color=FAINT, lw=0.5)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(FAINT)


def _short(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _hours(end: float) -> tuple[list[float], list[str]]:
    step = max(1, round(end / HOUR / 8)) if end > HOUR else 0.25
    ticks = [number * step for number in range(int(end / HOUR / step) + 1)]
    return [tick * HOUR for tick in ticks], [f"{int(tick) % 24:02}:{round(tick % 1 * 60):02}" for tick in ticks]


def _log(figure: Figure, drawn: Drawn, recording: Recording) -> None:
    """Bars of the events by action, which is what the only query of the dashboard is for."""
    top = recording.top_actions(15)
    axes = _inside(figure, drawn.widget, (3.4, 0.9, 0.2, 0.7))
    axes.axis("off")
    if not top:
        drawn.missing.append(drawn.widget.title)
        axes.text(0, 0.5, NOTHING, fontsize=9, color=GREY, style="italic")
        return
    drawn.lines = [name for name, _ in top]
    axes.barh(range(len(top)), [count for _, count in top], color=COLOURS[0], height=0.7)
    axes.set_ylim(len(top) - 0.4, -0.6)
    for number, (name, count) in enumerate(top):
        axes.text(0, number, f"{name} ", fontsize=8.5, color=INK, ha="right", va="center")
        axes.text(count, number, f" {count:,}", fontsize=8.5, color=GREY, va="center")


_KINDS: dict[str, Callable[[Figure, Drawn, Recording], None]] = {
    "text": _text,
    "alarm": _alarms,
    "metric": _metric,
    "log": _log,
}
