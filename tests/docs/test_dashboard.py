"""The picture of the dashboard, drawn anew from what was recorded, and what the dashboard shows."""

import json

import pytest

from benchmarks.dashboard import body
from benchmarks.dashboard.body import Metric, Widget, metrics, widgets
from benchmarks.dashboard.recording import Recording
from benchmarks.template import ROOT
from slack_audit import telemetry

RECORDED = ROOT / "benchmarks" / "recorded" / "metrics.ndjson"
NAMES = {value for name, value in vars(telemetry).items() if name.isupper() and isinstance(value, str)}


def test_every_widget_of_the_template_is_drawn_from_the_recording(tmp_path):
    from benchmarks.dashboard.picture import draw  # noqa: PLC0415 - it takes seconds

    asked = widgets()
    drawn = draw(asked, Recording(RECORDED, 24 * 60), tmp_path / "dashboard.png", footer="a test")
    assert (tmp_path / "dashboard.png").read_bytes().startswith(b"\x89PNG")
    assert [it.widget for it in drawn] == asked
    assert [it.widget.title for it in drawn if not it.lines and not it.missing] == []
    of_ours = [it for it in drawn if it.widget.kind == "metric" and not _is_of_aws_alone(it.widget)]
    assert [it.widget.title for it in of_ours if not it.lines] == []
    assert next(it for it in drawn if it.widget.kind == "log").lines


def _is_of_aws_alone(widget: Widget) -> bool:
    return all(metric.namespace.startswith("AWS/") for metric in metrics(widget))


def test_every_metric_of_ours_that_the_dashboard_shows_is_one_that_we_write():
    shown = {it.name for widget in widgets() for it in metrics(widget) if it.namespace == telemetry.NAMESPACE}
    assert len(shown) > 15
    assert shown - NAMES == set()


def test_the_recording_is_small_enough_to_be_kept():
    assert RECORDED.stat().st_size < 300_000


def test_widgets_lie_on_the_grid_and_not_on_each_other():
    taken: set[tuple[int, int]] = set()
    for widget in widgets():
        cells = {(widget.x + x, widget.y + y) for x in range(widget.width) for y in range(widget.height)}
        assert not cells & taken, widget.title
        assert max(x for x, _ in cells) < body.COLUMNS
        taken |= cells


def a_widget(*rows: list[object]) -> Widget:
    return Widget("metric", 0, 0, 12, 6, {"title": "", "stat": "Sum", "period": 300, "metrics": list(rows)})


def test_a_metrics_options_go_before_the_widgets_and_the_shorthand_is_written_out():
    found = metrics(
        a_widget(
            ["Ours", "Lag", "service", "stack", "pass", "live", {"label": "lag", "stat": "Maximum", "yAxis": "right"}],
            ["...", "late", {"period": 60}],
            [".", "Calls", ".", "."],
            [{"expression": "SEARCH('{Ours,org} MetricName=\"Lag\"', 'Maximum', 300)", "label": ""}],
        )
    )
    assert found == [
        Metric("Ours", "Lag", {"service": "stack", "pass": "live"}, "lag", "Maximum", 300, True),
        Metric("Ours", "Lag", {"service": "stack", "pass": "late"}, "Lag", "Sum", 60, False),
        Metric("Ours", "Calls", {"service": "stack"}, "Calls", "Sum", 300, False),
        Metric("Ours", "Lag", None, "", "Sum", 300, False),
    ]


def test_an_expression_that_nobody_understands_is_not_drawn_as_something_else():
    with pytest.raises(ValueError, match="RATE"):
        metrics(a_widget([{"expression": "RATE(m1)"}]))


@pytest.mark.parametrize(
    ("stat", "values"), [("Sum", [3, 3]), ("Maximum", [2, 3]), ("Average", [1.5, 3]), ("SampleCount", [2, 1])]
)
def test_values_are_put_together_by_periods_up_to_the_recordings_end(tmp_path, stat, values):
    said = {"namespace": "Ours", "dimensions": {"service": "other", "org": "main"}, "metric": "Lag", "unit": "Seconds"}
    lines = [{**said, "runs": [[0, [1, 2]], [5, [3]], [10, [9]]]}, {"actions": {"user_login": 2, "file_shared": 5}}]
    (tmp_path / "metrics.ndjson").write_text("\n".join(map(json.dumps, lines)))
    recording = Recording(tmp_path / "metrics.ndjson", 9)
    (line,) = recording.lines(Metric("Ours", "Lag", {"service": "stack", "org": "main"}, "lag", stat, 300, False))
    assert (line.label, line.minutes, line.values) == ("lag", [0, 5], values)
    (found,) = recording.lines(Metric("Ours", "Lag", None, "", stat, 300, False))
    assert (found.label, found.values) == ("main", values)
    assert recording.lines(Metric("Ours", "Lag", {"service": "stack"}, "lag", stat, 300, False)) == []
    assert recording.top_actions(1) == [("file_shared", 5)]
