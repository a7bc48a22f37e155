"""The verifier's parts alone."""

from contextlib import closing
from datetime import UTC, datetime
from io import FileIO

from hypothesis import given
from hypothesis import strategies as st

from slack_audit.verify import uniqueness
from slack_audit.verify.evidence import LATEST_SECOND, Window, name_of, number_of
from slack_audit.verify.findings import ADVICE, Findings, Kind
from slack_audit.verify.leftovers import UNKNOWN, Names, Stretches
from slack_audit.verify.uniqueness import MOST_HELD, RECORD, Ids, short
from slack_audit.verify.vault import first_since, newest_number

seconds = st.integers(0, 60)
windows = st.tuples(seconds, seconds).map(lambda it: Window(min(it), max(it)))


@given(newest=st.none() | st.integers(0, 5_000))
def test_the_newest_number_is_found_in_a_few_looks(newest):
    looks: list[int] = []

    def is_there(number: int) -> bool:
        looks.append(number)
        return newest is not None and number <= newest

    assert newest_number(is_there) == newest
    assert len(looks) <= 30


@given(times=st.lists(st.integers(0, 50), min_size=1).map(sorted), since=st.integers(-1, 51))
def test_the_first_entry_since_a_time_is_found(times, since):
    moments = [datetime.fromtimestamp(1_000 + second, UTC) for second in times]
    expected = next((number for number, time in enumerate(times) if time >= since), len(times))
    assert first_since(datetime.fromtimestamp(1_000 + since, UTC), len(times) - 1, moments.__getitem__) == expected


def test_an_entry_without_a_time_is_looked_at():
    assert first_since(datetime.fromtimestamp(2_000, UTC), 4, lambda number: None) == 0


@given(read=st.lists(windows), asked=windows)
def test_overlapping_windows_are_found(read, asked):
    stretches = Stretches()
    for window in read:
        stretches.add(window)
    expected = any(window.lo <= asked.hi and asked.lo <= window.hi for window in read)
    assert stretches.overlap(asked) is expected


@given(
    ids=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 2**39)), max_size=30),
    held=st.sampled_from([1, 3 * RECORD, MOST_HELD]),
)
def test_every_repeat_is_found_and_nothing_else_however_few_are_held_in_memory(ids, held):
    with closing(Ids(most_held=held)) as kept:
        for identity, number in ids:
            kept.add([short(identity)], number)
        repeats = list(kept.repeated())
    assert len(repeats) == len(ids) - len({identity for identity, _ in ids})
    assert all((short_id, number) in {(short(i), n) for i, n in ids} for short_id, _, number in repeats)


class Full(FileIO):
    """A file on a disk that has room for so many more bytes."""

    room = 3 * RECORD

    def write(self, data):
        self.room, taken = max(0, self.room - len(data)), data[: self.room]
        return super().write(taken)


def test_where_the_disk_is_full_the_ids_stay_in_memory(monkeypatch, tmp_path):
    monkeypatch.setattr(uniqueness, "TemporaryFile", lambda buffering: Full(tmp_path / "ids", "w+"))
    with closing(Ids(most_held=2 * RECORD)) as kept:
        for number, identity in enumerate("abcdefabcdef"):
            kept.add([short(identity)], number)
        repeats = {(before, again) for _, before, again in kept.repeated()}
    assert repeats == {(number, number + 6) for number in range(6)}


def test_names_are_kept_by_number_with_those_left_out_unknown():
    names = Names(5)
    names.note(5, "a")
    names.note(8, "b")
    names.note(9, None)
    assert [names.of(number) for number in (5, 6, 7, 8, 10)] == [short("a"), UNKNOWN, UNKNOWN, short("b"), UNKNOWN]
    assert names.of(9) not in {UNKNOWN, short("b")}


def test_every_kind_has_its_advice():
    assert set(ADVICE) == set(Kind)


def test_only_the_first_of_a_kind_are_kept_and_all_are_counted():
    findings = Findings(most=2)
    for number in range(5):
        assert findings.wants(Kind.GAP) is (number < 2)
        findings.add(Kind.GAP, str(number), "is missing")
    findings.add(Kind.NO_LOG, "", "there is none")
    assert [it.where for it in findings.kept()] == ["", "0", "1"]
    assert findings.totals == {Kind.GAP: 5, Kind.NO_LOG: 1}


def test_the_latest_second_has_a_day():
    assert Window(LATEST_SECOND, LATEST_SECOND).day == "5138-11-16"


def test_names_that_are_none():
    assert number_of("log/org=a.b/000000000001.json", "a_b") is None
    assert number_of("log/org=main/000000000001.json\n", "main") is None
    assert name_of("raw/org=main/dt=2026-01-01/1-2-3-0123456789ab.ndjson.gz", "other") is None
