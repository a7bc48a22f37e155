"""The demonstration's proof finds what is wrong, and its screen shows every figure whole."""

import gzip
import json
import signal
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from local.demo import screen, summary
from local.demo.options import Options
from local.demo.proof import Evidence, Proof, prove
from local.demo.signals import Signals, StoppedError
from local.demo.summary import Figures
from local.demo.watch import Entry, Snapshot

ROOT = Path(__file__).resolve().parents[2]
START = 1_790_000_000
EVENTS = [b'{"id":"e%d","date_create":%d}' % (number, START + number) for number in range(10)]
WIDTHS = pytest.mark.parametrize("width", [80, 100, 140])


# ---- an archive as the collector writes it ---------------------------------------------------------------------------


def archive(*batches: list[bytes]) -> dict[str, bytes]:
    """A log of consecutive windows of ten seconds, and the objects that it names."""
    objects: dict[str, bytes] = {}
    add_entry(objects, window=None)
    for number, lines in enumerate(batches):
        low = START + 10 * number
        add_entry(objects, window={"lo": low, "hi": low + 9}, lines=lines)
    return objects


def add_entry(objects: dict[str, bytes], *, window: dict[str, int] | None, lines: list[bytes] | None = None) -> None:
    log = sorted(key for key in objects if key.startswith("log/"))
    body = gzip.compress(b"\n".join(lines) + b"\n", mtime=0) if lines else b""
    digest = sha256(body).hexdigest() if lines else None
    entry = {
        "number": len(log),
        "previous": sha256(objects[log[-1]]).hexdigest() if log else None,
        "pass": "live" if window else None,
        "window": window,
        "key": f"raw/org=main/dt=2026-09-21/{len(log)}.ndjson.gz" if lines else None,
        "count": len(lines or []),
        "bytes": len(body),
        "sha256": digest,
        "passes": {"live": {"watermark": window["hi"] if window else START - 1}},
    }
    objects[log_key(len(log))] = json.dumps(entry).encode()
    if lines:
        objects[str(entry["key"])] = body


def log_key(number: int) -> str:
    return f"log/org=main/{number:012}.json"


def rewritten(objects: dict[str, bytes], entry: int, **changes: object) -> dict[str, bytes]:
    key = log_key(entry)
    return objects | {key: json.dumps(json.loads(objects[key]) | changes).encode()}


def proof_of(objects: dict[str, bytes], streamed: list[bytes] = EVENTS, served: list[bytes] = EVENTS) -> Proof:
    return prove(Evidence(served, objects, Counter(streamed)))


def contradicted(proof: Proof) -> dict[str, tuple[str, ...]]:
    return {check.claim: check.faults for check in proof.checks if check.faults}


GOOD = archive(EVENTS[:4], [], EVENTS[4:])
LOST, TWICE, ALTERED = "no event was lost", "none was archived twice", "none was altered or made up"
STREAMED, FOREIGN = "every event is in the stream", "nothing else is in the stream"
GAP, SEAL = "the log has no gap", "each entry seals the one before it"
DIGEST, WINDOWS = "every object has its entry's SHA-256", "no second was left out or read twice"


# ---- the proof -------------------------------------------------------------------------------------------------------


def test_a_whole_archive_is_proven():
    proof = proof_of(GOOD)
    assert contradicted(proof) == {}
    assert proof.proven
    assert (proof.served, proof.archived, proof.streamed, proof.repeats, proof.objects) == (10, 10, 10, 0, 2)
    assert proof.unpacked == sum(len(event) + 1 for event in EVENTS)


def test_repeats_in_the_stream_are_allowed_and_counted():
    proof = proof_of(GOOD, [*EVENTS, *EVENTS[:3]])
    assert proof.proven
    assert (proof.streamed, proof.repeats) == (10, 3)


def test_nothing_at_all_proves_nothing():
    assert not proof_of({}, [], []).proven
    assert contradicted(proof_of({}, [], [])) == {GAP: ("there is no log",)}


def test_a_lost_event_is_found():
    found = contradicted(proof_of(archive(EVENTS[:4], EVENTS[5:])))
    assert found == {LOST: ("e4 is not in the archive",)}


def test_many_lost_events_are_counted():
    found = contradicted(proof_of(archive(EVENTS[:2])))
    assert found[LOST] == (*(f"e{number} is not in the archive" for number in (2, 3, 4)), "and 5 more")


def test_an_event_archived_twice_is_found():
    found = contradicted(proof_of(archive(EVENTS, EVENTS[:1])))
    assert found == {TWICE: ("e0 is in the archive more than once",)}


def test_an_altered_event_is_found():
    changed = EVENTS[3].replace(b":", b": ", 1)
    found = contradicted(proof_of(archive([*EVENTS[:3], changed, *EVENTS[4:]])))
    assert found == {ALTERED: ("e3 was altered",)}


def test_an_invented_event_is_found():
    found = contradicted(proof_of(archive(EVENTS, [b"not JSON"])))
    assert found == {ALTERED: ("b'not JSON' is in the archive, but Slack never showed it",)}


def test_an_event_missing_in_the_stream_is_found():
    assert contradicted(proof_of(GOOD, EVENTS[:-1])) == {STREAMED: ("e9 is not in the stream",)}


def test_an_event_altered_in_the_stream_is_found():
    found = contradicted(proof_of(GOOD, [*EVENTS[:-1], EVENTS[-1] + b" "]))
    assert found == {
        STREAMED: ("e9 is not in the stream",),
        FOREIGN: ("e9 is in the stream, but Slack never showed it",),
    }


def test_a_gap_in_the_log_is_found():
    holed = {key: body for key, body in GOOD.items() if key != log_key(2)}
    found = contradicted(proof_of(holed))
    assert found[GAP] == (f"{log_key(3)} says number 3 and stands where 2 should",)
    assert found[SEAL] == (f"{log_key(3)} holds another digest of the entry before it",)
    assert found[WINDOWS][0] == f"the window of {log_key(3)} does not follow the one before it"


def test_an_entry_with_another_number_is_found():
    assert GAP in contradicted(proof_of(rewritten(GOOD, 3, number=4)))


def test_an_entry_that_was_changed_later_is_found():
    found = contradicted(proof_of(rewritten(GOOD, 2, time="another")))
    assert found == {SEAL: (f"{log_key(3)} holds another digest of the entry before it",)}


def test_an_entry_that_is_no_json_is_found():
    found = contradicted(proof_of(GOOD | {log_key(1): b"{"}))
    assert found[DIGEST][0] == f"{log_key(1)} cannot be read"
    assert GAP in found


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"sha256": "0" * 64}, "has another SHA-256 than its log entry says"),
        ({"count": 5}, "has 4 events, not 5"),
        ({"bytes": 1}, "bytes, not 1"),
    ],
)
def test_an_object_that_is_not_what_its_entry_says_is_found(change, fault):
    (said,) = contradicted(proof_of(rewritten(GOOD, 1, **change)))[DIGEST]
    assert said.endswith(fault)


def test_an_object_that_is_missing_is_found():
    key = "raw/org=main/dt=2026-09-21/1.ndjson.gz"
    found = contradicted(proof_of({name: body for name, body in GOOD.items() if name != key}))
    assert found[DIGEST] == (f"{key} is missing",)
    assert LOST in found


def test_an_object_that_was_cut_is_found():
    key = "raw/org=main/dt=2026-09-21/1.ndjson.gz"
    found = contradicted(proof_of(GOOD | {key: GOOD[key][:-9]}))
    assert found[DIGEST][0] == f"{key} has another SHA-256 than its log entry says"
    assert any("cannot be unpacked" in fault for fault in found[DIGEST])


def test_an_object_that_no_entry_names_is_found():
    found = contradicted(proof_of(GOOD | {"raw/org=main/x": b""}))
    assert found == {DIGEST: ("raw/org=main/x is named by no log entry",)}


def test_events_without_an_object_are_found():
    found = contradicted(proof_of(rewritten(GOOD, 2, count=1)))
    assert found[DIGEST] == (f"{log_key(2)} counts events, but names no object",)


def test_a_stretch_of_time_that_nobody_read_is_found():
    objects = archive(EVENTS)
    add_entry(objects, window={"lo": START + 20, "hi": START + 29})
    assert contradicted(proof_of(objects)) == {
        WINDOWS: (f"the window of {log_key(2)} does not follow the one before it",)
    }


def test_a_watermark_that_no_window_gives_is_found():
    found = contradicted(proof_of(rewritten(GOOD, 3, passes={"live": {"watermark": START + 99}})))
    assert found == {WINDOWS: (f"{log_key(3)} says other watermarks than its window gives",)}


def test_another_pass_may_begin_later():
    objects = archive(EVENTS)
    add_entry(objects, window=None)
    passes = {"live": {"watermark": START + 9}, "backfill": {"watermark": START - 100}}
    assert proof_of(rewritten(objects, 2, passes=passes)).proven


# ---- what is seen ----------------------------------------------------------------------------------------------------


def test_an_entry_of_the_log_is_read():
    assert Entry.read(GOOD[log_key(0)]) == Entry(0, None, None, 0, 0, START - 1)
    size = len(GOOD["raw/org=main/dt=2026-09-21/1.ndjson.gz"])
    assert Entry.read(GOOD[log_key(1)]) == Entry(1, "live", (START, START + 9), 4, size, START + 9)


LARGE = Snapshot(
    now=START + 100_000.0,
    shown=10_123_456,
    entries=tuple(
        Entry(number, "live", (START + number, START + number + 3_600), 9_999 if number % 3 else 0, 1_234_567, START)
        for number in range(12_340, 12_300, -1)
    ),
    logged=12_341,
    published=12_335,
    archived=10_012_345,
    objects=12_012,
    stored=1_234_567_890,
    streamed=9_876_543,
    repeats=54_321,
    calls=23_456,
    calls_last_minute=49,
    faults=321,
    next_run=START + 100_017.0,
)


def shown(snapshot: Snapshot, width: int, height: int = 40) -> list[str]:
    console = Console(record=True, width=width, height=height, file=StringIO())
    console.print(screen.dashboard(snapshot, phase="collecting the backlog", elapsed=83.4, height=height))
    return console.export_text().splitlines()


@WIDTHS
def test_the_screen_shows_every_figure_whole(width):
    lines = shown(LARGE, width)
    text = "\n".join(lines)
    for figure in (
        "collecting the backlog  1:23",
        "10,012,345 of 10,123,456  98 %  12,012 objects, 1.2 GB",
        "9,876,543 of 10,123,456  97 %  54,321 repeats",
        "2026-09-21 14:13:20 UTC, lag 27 h 46 min",
        "23,456 calls, 49 in the last minute (limit 50), 321 answered badly",
        "next run in about 17 s",
        "12340  live  Sep 21 17:39:00–18:39:00     9,999    1.2 MB  not yet",
        "12334  live  Sep 21 17:38:54–18:38:54     9,999    1.2 MB  ✓",
    ):
        assert figure in text
    assert "…" not in text
    assert max(map(len, lines)) <= width


@WIDTHS
def test_the_screen_shows_that_nothing_is_there_yet(width):
    text = "\n".join(shown(Snapshot(now=START, shown=60_000, next_run=START - 1), width))
    for figure in ("0 of 60,000", "0 objects", "no watermark yet", "next run any moment now"):
        assert figure in text


@pytest.mark.parametrize("height", [24, 30, 45, 200])
def test_the_screen_leaves_room_for_what_was_printed_before_and_does_not_jump(height):
    full, empty = shown(LARGE, 80, height), shown(Snapshot(now=START), 80, height)
    assert len(full) == len(empty) <= height - 8


def test_a_run_under_way_is_shown():
    running = Snapshot(now=START + 7.0, running_since=float(START), next_run=START + 60.0)
    assert "a run is under way, for 7 s" in "\n".join(shown(running, 80))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(13, "13 s"), (119, "119 s"), (125, "2 min 5 s"), (7_199, "119 min 59 s"), (7_260, "2 h 1 min")],
)
def test_a_lag_is_told_in_units_that_suit_it(seconds, said):
    assert screen.distance(seconds) == said


@pytest.mark.parametrize(
    ("watermark", "published", "drained", "settled"),
    [
        (START, 2, True, True),
        (START - 1, 2, True, False),
        (START, 1, True, False),
        (START, 2, False, False),
    ],
)
def test_all_is_collected_when_it_is_archived_published_and_read(watermark, published, drained, settled):
    entry = Entry(1, "live", (START - 9, START), 1, 1, watermark)
    snapshot = Snapshot(now=START, entries=(entry,), logged=2, published=published, drained=drained)
    assert snapshot.has_settled(START) is settled
    assert not Snapshot(now=START, drained=True).has_settled(START)


def test_one_line_says_it_all():
    assert screen.line(LARGE, "collecting the backlog") == (
        "18:00:00 collecting the backlog: 10,012,345 of 10,123,456 archived, 9,876,543 streamed, "
        "23,456 calls to Slack; next run in about 17 s"
    )


FIGURES = Figures(backlog=10_000_000, runs=12, calls=12_345, faults=321, seconds=211.0)


def summed_up(proof: Proof, width: int) -> str:
    console = Console(record=True, width=width, file=StringIO())
    console.print(summary.render(proof, FIGURES))
    text = console.export_text()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    return text


@WIDTHS
def test_the_summary_says_what_is_proven(width):
    proof = Proof(
        checks=proof_of(GOOD).checks,
        served=10_123_456,
        archived=10_123_456,
        objects=12_345,
        stored=1_234_567_890,
        unpacked=9_876_543_210,
        streamed=10_123_456,
        repeats=54_321,
    )
    text = summed_up(proof, width)
    for figure in (
        "10,000,000 as the backlog, 123,456 live",
        "12,345 objects, 1.2 GB (9.9 GB unpacked)",
        "54,321 repeats",
        "PROVEN: shown = archived = streamed = 10,123,456 events; none lost, none twice.",
    ):
        assert figure in text
    assert text.count("✓") == len(proof.checks)
    assert "NOT" not in text


@WIDTHS
def test_the_summary_says_what_is_missing(width):
    proof = proof_of(archive(EVENTS[:4], EVENTS[5:]))
    text = summed_up(proof, width)
    assert "NOT PROVEN: 1 of 9 claims are contradicted, see ✗." in text
    assert "✗  no event was lost" in text
    assert "e4 is not in the archive" in text


# ---- how it is asked for and stopped ---------------------------------------------------------------------------------


def test_the_default_is_what_the_issue_asks_for():
    options = Options.parse([])
    assert options.events >= 50_000
    assert options.live_events > 0
    assert not options.keep


@pytest.mark.parametrize("wrong", [["--events", "0"], ["--seconds", "-1"], ["--per-second", "inf"], ["--port", "x"]])
def test_options_that_make_no_sense_are_refused(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        Options.parse(wrong)
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err


@pytest.mark.parametrize(("number", "name", "code"), [(signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143)])
def test_a_signal_stops_once(number, name, code):
    with Signals() as signals:
        with pytest.raises(StoppedError, match=name) as stopped:
            signal.raise_signal(number)
        signal.raise_signal(number)  # is ignored: it stops already
        with pytest.raises(StoppedError):
            signals.check()
    assert stopped.value.exit_code == code


def test_the_way_out_is_not_interrupted():
    with Signals() as signals:
        signals.ignore()
        signal.raise_signal(signal.SIGINT)
        signals.check()


def test_the_command_explains_itself():
    command = [sys.executable, "-m", "local.demo", "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=20).stdout
    for option in ("--events", "--per-second", "--seconds", "--seed", "--port", "--faults", "--keep", "--plain"):
        assert option in said
