"""Whatever is done to an archive is found, and named."""

import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import DAY_START, raw_event
from tests.verify.archives import Forge, altered, collected, found, proof_of

OBJECTS = collected()
LOG = sorted(key for key in OBJECTS if key.startswith("log/"))
RAW = sorted((key for key in OBJECTS if key.startswith("raw/")), key=lambda key: int(key.split("-")[-2]))
NEWEST = len(LOG) - 1
HEAD = proof_of(OBJECTS).head


def without(*keys: str) -> dict[str, bytes]:
    return {key: body for key, body in OBJECTS.items() if key not in keys}


def only(kinds: dict[str, list[str]], kind: str) -> str:
    """The one thing that was found."""
    assert list(kinds) == [kind], kinds
    (text,) = kinds[kind]
    return text


# ---- without the digest chain ----


def test_a_changed_byte_of_a_batch():
    assert only(found(altered(OBJECTS, RAW[3], 30)), "altered").startswith(
        f"{RAW[3]}: has another SHA-256 than entry 4"
    )


def test_a_batch_cut_short_is_named_with_its_size():
    text = only(found({**OBJECTS, RAW[3]: OBJECTS[RAW[3]][:-1]}), "altered")
    assert f"{len(OBJECTS[RAW[3]]) - 1} bytes instead of {len(OBJECTS[RAW[3]])}" in text


def test_a_changed_byte_of_an_entry():
    at = OBJECTS[LOG[4]].index(b'"calls":') + len(b'"calls":')
    text = only(found(altered(OBJECTS, LOG[4], at)), "chain")
    assert text.startswith(f"{LOG[4]}: has another digest than entry 5 seals")


def test_an_entry_that_is_no_json():
    kinds = found({**OBJECTS, LOG[4]: b"gone"})
    assert kinds["unreadable"][0].startswith(f"{LOG[4]}: is no log entry")
    assert kinds["chain"][0].startswith(LOG[4])
    assert "entry 4 is missing or unreadable" in kinds["orphan"][0]


def test_a_deleted_batch():
    assert only(found(without(RAW[3])), "missing") == f"{RAW[3]}: is missing, with the 3 events of entry 4"


def test_an_entry_removed_from_the_middle():
    kinds = found(without(LOG[4]))
    assert kinds["gap"] == [f"{LOG[4]}: entry 4 of the log is missing, and entry 5 is there"]
    assert set(kinds) == {"gap", "orphan"}
    assert kinds["orphan"][0].startswith(RAW[3])


def test_several_entries_removed_are_one_gap():
    kinds = found(without(*LOG[4:7]))
    assert kinds["gap"] == [f"{LOG[4]}: entry 4 to 6 of the log is missing, and entry 7 is there"]


def test_the_first_entry_removed():
    assert found(without(LOG[0])) == {"gap": [f"{LOG[0]}: entry 0 of the log is missing, and entry 1 is there"]}


def test_the_newest_entry_removed_leaves_its_batch_as_a_hint():
    """It cannot be told from a commit that is under way, so it is a warning; a head that was kept tells them apart."""
    proof = proof_of(without(LOG[-1]))
    assert (proof.proven, dict(proof.totals)) == (True, {"ahead": 1})
    assert f"belongs to entry {NEWEST}, which is not there (yet)" in proof.findings[0].what
    assert only({k: v for k, v in found(without(LOG[-1]), head=HEAD).items() if k != "ahead"}, "head").startswith(
        LOG[-1]
    )


def test_the_newest_two_entries_removed_are_no_commit_under_way():
    kinds = found(without(*LOG[-2:]))
    assert kinds["truncated"][0].startswith(f"{RAW[-1]}: belongs to entry {NEWEST}, and neither")
    assert "ahead" in kinds


def test_the_newest_entry_and_its_batch_removed_are_seen_with_a_kept_head_only():
    assert found(without(LOG[-1], RAW[-1])) == {}
    assert only(found(without(LOG[-1], RAW[-1]), head=HEAD), "head").startswith(f"{LOG[-1]}: is missing")


def test_two_entries_swapped():
    kinds = found({**OBJECTS, LOG[4]: OBJECTS[LOG[5]], LOG[5]: OBJECTS[LOG[4]]})
    assert kinds["misplaced"] == [
        f"{LOG[4]}: says that it is entry 5 of org 'main'",
        f"{LOG[5]}: says that it is entry 4 of org 'main'",
    ]


def test_an_entry_of_another_org():
    entry = json.loads(OBJECTS[LOG[4]]) | {"org": "other"}
    kinds = found({**OBJECTS, LOG[4]: json.dumps(entry).encode()})
    assert kinds["misplaced"] == [f"{LOG[4]}: says that it is entry 4 of org 'other'"]


def test_an_entry_and_its_batch_replaced_with_a_digest_of_their_own():
    forge = Forge(OBJECTS)
    forge.put(4, [raw_event(json.loads(forge.lines(4)[0])["date_create"], "forged")])
    sealed = forge.sealed()
    objects = {key: body for key, body in OBJECTS.items() if key != RAW[3]} | {
        LOG[4]: sealed[LOG[4]],
        forge.entries[4]["key"]: sealed[forge.entries[4]["key"]],
    }
    assert {text.split(":")[0] for text in found(objects)["chain"]} >= {LOG[4]}


def test_an_orphan_is_a_warning():
    orphan = RAW[3].replace("-4-", "-5-")
    proof = proof_of({**OBJECTS, orphan: OBJECTS[RAW[3]]})
    assert (proof.proven, proof.faults, proof.warnings) == (True, 0, 1)
    assert (proof.findings[0].kind, proof.findings[0].where) == ("orphan", orphan)
    assert proof.findings[0].is_warning
    assert "lost table" in proof.findings[0].advice


@pytest.mark.parametrize(
    "key",
    [
        "log/org=main/readme.txt",
        "log/org=main/000000000001.json.bak",
        "log/org=main/1.json",
        "raw/org=main/dt=2026-01-01/x.ndjson.gz",
        "raw/org=main/x",
        RAW[0].replace("dt=", "dt=2026-01-01/dt="),
    ],
)
def test_something_foreign(key):
    assert only(found({**OBJECTS, key: b"?"}), "foreign").startswith(f"{key}: is no ")


def test_another_orgs_archive_is_not_looked_at():
    assert found({**OBJECTS, "log/org=mainly/x": b"", "raw/org=mainly/x": b""}) == {}


@pytest.mark.parametrize("objects", [{}, {"log/org=other/000000000000.json": OBJECTS[LOG[0]]}])
def test_an_empty_archive(objects):
    proof = proof_of(objects)
    assert (proof.proven, proof.head) == (False, None)
    assert only(found(objects), "no_log") == "log/org=main/: there is no log"


def test_batches_without_a_log():
    kinds = found(without(*LOG))
    assert (len(kinds["no_log"]), len(kinds["truncated"])) == (1, len(RAW))


@pytest.mark.parametrize("text", [b'{"format":2}', b'{"format":2,"number":4,"window":[1,2]}'])
def test_a_later_format(text):
    kinds = found({**OBJECTS, LOG[4]: text})
    assert kinds["format"] == [f"{LOG[4]}: has format 2, and this version reads 1"]


# ---- by somebody who seals the chain anew ----


def first_second(forge: Forge, number: int) -> int:
    return int(json.loads(forge.lines(number)[0])["date_create"])


def test_an_event_repeated_in_another_window():
    forge = Forge(OBJECTS)
    again = forge.lines(4)[0]
    other = json.dumps(json.loads(again) | {"date_create": first_second(forge, 6)}).encode()
    forge.put(6, sorted([*forge.lines(6), other], key=lambda line: json.loads(line)["id"]))
    text = only(found(forge.sealed()), "repeated")
    assert text == f"event {json.loads(again)['id']}: is archived by entry 4 and again by entry 6"


def test_an_event_repeated_in_the_same_batch():
    forge = Forge(OBJECTS)
    forge.put(4, [forge.lines(4)[0], *forge.lines(4)])
    assert only(found(forge.sealed()), "repeated").endswith("is archived twice by entry 4")


def test_an_event_without_an_id_repeated():
    forge = Forge(OBJECTS)
    nameless = raw_event(first_second(forge, 4), id=None)
    forge.put(4, [*forge.lines(4), nameless, nameless])
    assert only(found(forge.sealed()), "repeated").startswith(f"event sha256:{sha256(nameless).hexdigest()}")


def test_an_event_without_a_usable_second_may_be_there_again():
    forge = Forge(OBJECTS)
    for number in (4, 6):
        forge.put(number, [raw_event(0, "timeless"), *forge.lines(number)])
    proof = proof_of(forge.sealed())
    assert (proof.totals, proof.coverage.exempt) == ({}, 2)


def test_an_event_outside_its_window():
    forge = Forge(OBJECTS)
    stray = raw_event(forge.entries[4]["window"]["hi"] + 1, "stray")
    forge.put(4, [*forge.lines(4), stray])
    assert only(found(forge.sealed()), "outside").startswith(
        f"{forge.entries[4]['key']}, event {json.loads(stray)['id']}: is of the second"
    )


def test_events_out_of_order():
    forge = Forge(OBJECTS)
    forge.put(4, forge.lines(4)[::-1])
    kinds = found(forge.sealed())
    assert list(kinds) == ["order"]
    assert kinds["order"][0].startswith(forge.entries[4]["key"])


def test_a_window_left_out():
    forge = Forge(OBJECTS)
    window = forge.entries[4]["window"]
    forge.move(4, window["lo"] + 5, window["hi"])
    text = only(found(forge.sealed()), "window")
    assert (
        text
        == f"{LOG[4]}: live goes on at {window['lo'] + 5}: the seconds {window['lo']} to {window['lo'] + 4} were left out"
    )
    live = proof_of(forge.sealed()).coverage.passes[0]
    assert (live.gaps, live.missing) == (1, 5)


def test_a_window_read_twice():
    forge = Forge(OBJECTS)
    window = forge.entries[4]["window"]
    forge.move(4, window["lo"] - 5, window["hi"])
    assert only(found(forge.sealed()), "window").endswith(f"{window['lo'] - 5} to {window['lo'] - 1} were read twice")


def test_a_window_that_ends_before_it_starts():
    forge = Forge(OBJECTS)
    lo = forge.entries[-1]["window"]["hi"] + 1
    forge.append("live", lo, lo - 1)
    assert "ends before it starts" in only(found(forge.sealed()), "window")


def test_a_window_across_midnight():
    forge = Forge(OBJECTS)
    lo = forge.entries[-1]["window"]["hi"] + 1
    forge.append("live", lo, DAY_START)
    assert (
        only(found(forge.sealed()), "window")
        == f"{LOG[-1][:-7]}10.json: the window {lo} to {DAY_START} of live crosses midnight"
    )


@pytest.mark.parametrize("name", ["late", "backfill-1-1767225700"])
def test_a_pass_that_overtakes_live(name):
    forge = Forge(OBJECTS)
    lo, hi = forge.entries[-1]["window"]["hi"] - 5, forge.entries[-1]["window"]["hi"] + 1
    for entry in forge.entries:
        entry["passes"][name] = {"watermark": lo - 1, "end": None, "publish": True, "paused": False}
    forge.append(name, lo, hi)
    assert "lies above what live has read" in found(forge.sealed())["overtaken"][0]


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"count": 4}, "count", "holds 3 events; entry 4 says 4"),
        ({"bytes": 1}, "count", "entry 4 says 1"),
        ({"count": 0}, "count", "names the object"),
        ({"window": None}, "count", "but not its window"),
        ({"sha256": None}, "count", "but not its window, its digest"),
        ({"key": "raw/org=main/x"}, "key", "names the object raw/org=main/x; its window"),
        ({"key": "raw/org=main/../../etc/passwd"}, "key", "names the object"),
        ({"key": None}, "count", "names no object, but 3 events"),
        ({"sha256": "0" * 64}, "key", "its window, number and digest give"),
        ({"sha256": "x"}, "unreadable", "is no log entry"),
        ({"sha256": "0" * 64}, "missing", "is missing, with the 3 events of entry 4"),
        ({"published": 5}, "mark", "all entries below 5 are published"),
        ({"published": 0}, "mark", "moves the publish mark back, from 3 to 0"),
        ({"pass_": "final"}, "state", "final is at"),
        ({"pass_": "backfill-1-2"}, "state", "a pass that the entry before it does not have"),
        ({"pass_": None}, "state", "reads for None"),
        ({"time": "2025-12-01T00:00:00+00:00"}, "time", "was written at 2025-12-01"),
        ({"time": "yesterday"}, "unreadable", "is no log entry"),
        ({"time": "2025-12-31T23:30:00"}, "unreadable", "is no log entry"),
        ({"passes": {}}, "overtaken", "lies above what live has read"),
        ({"number": -4}, "unreadable", "is no log entry"),
        ({"window": {"lo": 10**30, "hi": 1}}, "unreadable", "is no log entry"),
        ({"window": {"lo": 99_999_999_999, "hi": 99_999_999_999}}, "window", "were left out"),
    ],
)
def test_a_changed_field(fields, kind, words):
    kinds = found(Forge(OBJECTS).changed(4, **fields).sealed())
    assert kind in kinds
    assert words in " ".join(kinds[kind])
    assert LOG[4] in kinds[kind][0] or "-4-" in kinds[kind][0] or "entry 4" in kinds[kind][0]


@pytest.mark.parametrize("name", ["live", "late", "final"])
def test_a_rewritten_watermark(name):
    forge = Forge(OBJECTS)
    forge.entries[4]["passes"][name]["watermark"] += 7
    kinds = found(forge.sealed())
    assert any(text.startswith(f"{LOG[4]}: changes more than its window does: {name} is at") for text in kinds["state"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"window": {"lo": 1, "hi": 2}}, "says that a window was read"),
        ({"pass_": "live"}, "says that a window was read"),
        ({"passes": {}}, "does not start live, late, final at the same second"),
    ],
)
def test_a_first_entry_that_is_no_beginning(fields, words):
    assert any(words in text for text in found(Forge(OBJECTS).changed(0, **fields).sealed())["state"])


def test_a_first_entry_that_seals_one_before_it():
    entry = json.loads(OBJECTS[LOG[0]]) | {"previous": "0" * 64}
    assert (
        f"{LOG[0]}: is the first entry, and seals one before it"
        in found({**OBJECTS, LOG[0]: json.dumps(entry).encode()})["chain"]
    )


STEPS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a pass that is no backfill": ("late", lambda passes: passes.pop("late")),
    "nothing": (f"backfill-{DAY_START}-{DAY_START + 9}", lambda passes: None),
    "a beginning that its name does not say": (
        f"backfill-{DAY_START}-{DAY_START + 9}",
        lambda passes: passes.update(
            {f"backfill-{DAY_START}-{DAY_START + 9}": passes["live"] | {"end": DAY_START + 9}}
        ),
    ),
    "another pass beside it": (
        "backfill-1-2",
        lambda passes: (
            passes.update({"backfill-1-2": passes["live"] | {"watermark": 0, "end": 2}}) or passes.pop("late")
        ),
    ),
}


@pytest.mark.parametrize("what", STEPS)
def test_a_step_without_a_window_that_changes(what):
    name, change = STEPS[what]
    forge = Forge(OBJECTS)
    change(forge.append(name)["passes"])
    assert "no creating, pausing, resuming or ending" in only(found(forge.sealed()), "state")


def test_a_backfill_that_goes_beyond_its_end():
    forge = Forge(OBJECTS)
    lo = forge.entries[0]["passes"]["live"]["watermark"] + 1
    name = f"backfill-{lo}-{lo + 9}"
    forge.append(name)["passes"][name] = {"watermark": lo - 1, "end": lo + 9, "publish": True, "paused": False}
    forge.append(name, lo, lo + 10)
    assert f"goes beyond the end of the backfill, {lo + 9}" in only(found(forge.sealed()), "window")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no gzip", "cannot be unpacked"),
        (b"", "is not one whole gzip stream"),
        ("trailing", "is not one whole gzip stream"),
        ("cut", "is not one whole gzip stream"),
        ("open", "does not end with a line break"),
    ],
)
def test_a_batch_that_is_none_although_its_digest_is_right(body, words):
    forge = Forge(OBJECTS)
    entry = forge.entries[4]
    old = forge.objects.pop(entry["key"])
    made = {"trailing": old + b"x", "cut": old[:-4], "open": gzip.compress(b"{}")}
    body = made[body] if isinstance(body, str) else body
    digest = sha256(body).hexdigest()
    entry |= {"sha256": digest, "bytes": len(body), "key": entry["key"].replace(entry["sha256"][:12], digest[:12])}
    forge.objects[entry["key"]] = body
    text = only(found(forge.sealed()), "unreadable")
    assert text.startswith(entry["key"])
    assert words in text


def test_an_id_that_would_play_with_a_terminal_is_shown_as_text():
    forge = Forge(OBJECTS)
    nasty = raw_event(first_second(forge, 4), id="\x1b[2J" + "x" * 200)
    forge.put(4, [nasty, *forge.lines(4), nasty])
    text = found(forge.sealed())["repeated"][0]
    assert "\x1b" not in text
    assert len(text) < 160


def test_a_key_that_would_play_with_a_terminal_is_shown_as_text():
    nasty = "raw/org=main/\x1b[2J\n" + "x" * 900
    text = only(found({**OBJECTS, nasty: b""}), "foreign")
    assert text.startswith("raw/org=main/\\x1b[2J\\nxxx")
    assert len(text) < 600


def test_thousands_of_faults_are_all_counted_and_a_few_kept():
    foreign = {f"raw/org=main/{number}": b"" for number in range(5_000)}
    proof = proof_of({**OBJECTS, **foreign})
    assert (proof.totals, len(proof.findings)) == ({"foreign": 5_000}, 20)


# ---- any byte ----


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_found(data):
    """Nothing inside the archive seals the newest entry, but a head that was kept does."""
    key = data.draw(st.sampled_from(sorted(OBJECTS)))
    at = data.draw(st.integers(0, len(OBJECTS[key]) - 1))
    change = data.draw(st.integers(1, 255))
    proof = proof_of(altered(OBJECTS, key, at, change), head=HEAD if key == LOG[-1] else None)
    assert not proof.proven
    number = int(key[-17:-5]) if key.startswith("log/") else int(key.split("-")[-2])
    named = " ".join(f"{it.where} {it.what}" for it in proof.findings)
    assert key in named or f"entry {number}" in named


@settings(max_examples=100, deadline=None)
@given(gone=st.sets(st.sampled_from(sorted(set(OBJECTS) - {LOG[-1]})), min_size=1))
def test_whatever_is_deleted_is_found(gone):
    proof = proof_of(without(*gone), head=HEAD)
    assert not proof.proven


@settings(max_examples=100, deadline=None)
@given(
    keys=st.tuples(st.sampled_from(sorted(OBJECTS)), st.sampled_from(sorted(OBJECTS))).filter(lambda it: it[0] != it[1])
)
def test_any_two_objects_exchanged_are_found(keys):
    one, other = keys
    assert not proof_of({**OBJECTS, one: OBJECTS[other], other: OBJECTS[one]}).proven
