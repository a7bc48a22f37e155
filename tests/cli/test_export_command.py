"""slack-audit export: what a package holds, what it proves, and that nobody changes it unseen."""

import csv
import gc
import gzip
import io
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from typer.testing import CliRunner, Result

from slack_audit.verify.prove import prove
from slack_audit_cli.app import app
from slack_audit_cli.evidence import making, reading
from slack_audit_cli.evidence.making import chosen
from tests.cli.archives import written
from tests.verify.archives import Forge, collected, proof_of

OBJECTS = collected()
HEAD = proof_of(OBJECTS).head
FROM = ["--from", "2025-12-31T23:30:00Z", "--to", "2025-12-31T23:36:00Z"]
SIGNED = ["--by", "Grace Example", "--case", "2026-17", "--note", "for \x1b[2J the court"]

type Members = dict[str, bytes]


def export(*options: str) -> Result:
    return CliRunner().invoke(app, ["export", *options])


def checked(path: Path, *options: str) -> Result:
    return export("--check", str(path), *options)


def made(folder: Path, *options: str, objects: Mapping[str, bytes] = OBJECTS) -> tuple[Result, Path]:
    written(dict(objects), folder / "copy")
    target = folder / "case.zip"
    result = export("--folder", str(folder / "copy"), *FROM, *SIGNED, "--output", str(target), *options)
    return result, target


def members(path: Path) -> Members:
    with ZipFile(path) as found:
        return {name: found.read(name) for name in found.namelist()}


def rezipped(path: Path, contents: Members) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as out:
        for name, body in contents.items():
            out.writestr(name, body)
    return path


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """One that holds the batches, too."""
    result, path = made(tmp_path_factory.mktemp("package"), "--batches")
    assert result.exit_code == 0, result.stderr
    return members(path)


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


# ---- what is in it ----


def test_it_holds_the_lines_their_places_the_entries_and_a_proof(tmp_path):
    result, path = made(tmp_path)
    assert result.exit_code == 0
    found = members(path)
    lines, places = found["events.ndjson"].splitlines(), list(map(json.loads, found["provenance.ndjson"].splitlines()))
    assert len(lines) == len(places) == 18
    for line, place in zip(lines, places, strict=True):
        assert gzip.decompress(OBJECTS[place["object"]]).splitlines()[place["line"] - 1] == line
        assert place["sha256"] == sha256(line).hexdigest()
        assert place["id"] == json.loads(line)["id"]
        assert json.loads(found[f"log/org=main/{place['entry']:012}.json"])["key"] == place["object"]
    assert {name: body for name, body in found.items() if name.startswith("log/")} == {
        key: body for key, body in OBJECTS.items() if key.startswith("log/") and key >= "log/org=main/000000000003"
    }
    assert [row["id"] for row in csv.DictReader(io.StringIO(found["events.csv"].decode()))] == [
        place["id"] for place in places
    ]
    assert json.loads(found["verification.json"])["proven"]
    assert b"PROVEN: 324 events in 10 entries" in found["verification.txt"]
    assert not [name for name in found if name.startswith("raw/")]


def test_the_manifest_says_who_what_when_and_seals_all_the_others(package):
    manifest = json.loads(package["manifest.json"])
    assert list(package)[-1] == "manifest.json"
    assert manifest["members"] == {
        name: {"sha256": sha256(body).hexdigest(), "size": len(body)}
        for name, body in package.items()
        if name != "manifest.json"
    }
    assert (manifest["by"], manifest["case"], manifest["org"]) == ("Grace Example", "2026-17", "main")
    assert manifest["selection"] == {"since": 1767223800, "until": 1767224160}
    assert (manifest["events"], manifest["batches"], manifest["holds_batches"]) == (18, 6, True)
    assert manifest["log"] == {"first": 3, "last": 9, "consecutive": True}
    assert manifest["verification"] == {"proven": True, "faults": 0, "warnings": 0, "head": str(HEAD), "since": None}
    assert abs(datetime.fromisoformat(manifest["made"]) - datetime.now(UTC)).total_seconds() < 600


def test_the_readme_is_carried_out_with_sha256sum_and_unzip_alone(tmp_path):
    result, path = made(tmp_path, "--batches")
    readme = members(path)["README.txt"].decode()
    assert max(map(len, readme.splitlines())) <= 120
    assert "\x1b" not in readme
    steps = re.findall(r"^       (\S.*?)(?:  +is .*)?$", readme, re.MULTILINE)
    place = json.loads(members(path)["provenance.ndjson"].splitlines()[6])
    said = "\n".join(steps).replace("raw/org=.../....ndjson.gz", place["object"]).replace("3p", f"{place['line']}p")
    ran = subprocess.run(["bash", "-euc", said], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert sha256(path.read_bytes()).hexdigest() in ran.stdout
    assert ran.stdout.count(place["sha256"]) == 2
    assert HEAD is not None
    assert HEAD.digest in ran.stdout
    assert "events.ndjson: OK" in ran.stdout
    assert members(path)["events.ndjson"].splitlines()[6].decode() in ran.stdout
    assert f"SHA-256 {sha256(path.read_bytes()).hexdigest()}" in result.stdout


def test_the_same_request_gives_the_same_bytes_but_for_the_time(package, tmp_path):
    _, path = made(tmp_path, "--batches")
    other = members(path)
    changing = {"manifest.json", "README.txt", "SHA256SUMS", "verification.txt"}
    assert list(other) == list(package)
    assert {name for name in package if package[name] != other[name]} <= changing


def test_nothing_found_is_a_package_with_the_head(tmp_path):
    result, path = made(tmp_path, "--action", "nobody_did")
    assert result.exit_code == 0
    assert members(path)["events.ndjson"] == b""
    assert json.loads(members(path)["manifest.json"])["log"] == {"first": 9, "last": 9, "consecutive": True}
    assert checked(path).exit_code == 0


def test_an_archive_with_findings_gives_a_package_that_says_so_and_ends_with_1(tmp_path):
    other = max(key for key in OBJECTS if key.startswith("raw/"))
    result, path = made(tmp_path, objects={key: body for key, body in OBJECTS.items() if key != other})
    assert result.exit_code == 1
    assert "NOT PROVEN of the whole archive: 1 finding; verification.txt names them" in result.stdout
    assert "The archive was NOT PROVEN when this was made" in result.stdout
    assert other.encode() in members(path)["verification.txt"]
    assert checked(path).exit_code == 0


def test_only_what_was_written_since_then_is_verified(tmp_path):
    result, path = made(tmp_path, "--verify-since", "2025-12-31T23:35:00Z")
    assert result.exit_code == 0
    assert "of what was written since 2025-12-31T23:35:00+00:00" in result.stdout
    assert json.loads(members(path)["verification.json"])["scope"]["first"] == 6


@pytest.mark.parametrize(
    ("numbers", "head", "expected"),
    [
        ([], None, []),
        ([], 7, [7]),
        ([3, 5], 9, range(3, 10)),
        ([3, 5], None, range(3, 6)),
        ([3, 5], 20_000, range(3, 6)),
        ([3, 20_000], 30_000, [3, 20_000]),
    ],
)
def test_as_much_of_the_log_as_proves_most(numbers, head, expected):
    assert chosen(numbers, head) == expected


# ---- a package is checked ----


def test_a_whole_package_is_said_to_be_whole(package, tmp_path, monkeypatch):
    path = rezipped(tmp_path / "case.zip", package)
    result = checked(path, "--head", str(HEAD))
    assert result.exit_code == 0
    assert "WHOLE: 18 events, and all of the package is as its manifest says." in result.stdout
    assert "\x1b" not in result.stdout
    assert r"for \u001b[2J the court" in result.stdout
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, checked(path).stdout.splitlines())) <= 80


def names_in(package: Members) -> list[str]:
    return [name for name in package if name != "manifest.json"]


def test_each_file_that_is_altered_is_named(package, tmp_path):
    for name in names_in(package):
        body = package[name]
        for altered in (body + b" ", body[:-1], body[:5] + bytes([body[5] ^ 1]) + body[6:]):
            result = checked(rezipped(tmp_path / "case.zip", {**package, name: altered}))
            assert result.exit_code == 1, name
            assert f"  {name}\n    has other bytes than the manifest says" in result.stdout


def test_each_file_that_is_removed_is_named(package, tmp_path):
    for name in names_in(package):
        left = {key: body for key, body in package.items() if key != name}
        result = checked(rezipped(tmp_path / "case.zip", left))
        assert result.exit_code == 1, name
        assert f"  {name}\n    is missing" in result.stdout


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("more.txt", "is not in the manifest: it was added"),
        ("log/org=main/000000000010.json", "is not in the manifest: it was added"),
        ("../../etc/cron.d/x", "has a name that leads out of the folder"),
        ("/etc/passwd", "has a name that leads out of the folder"),
        ("C:\\x", "has a name that leads out of the folder"),
        ("a\x1b[2J", "has a name that leads out of the folder"),
    ],
)
def test_a_file_that_is_added_is_named(package, tmp_path, name, what):
    result = checked(rezipped(tmp_path / "case.zip", {**package, name: b"x"}))
    assert result.exit_code == 1
    assert what in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_in_it_twice_is_named(package, tmp_path):
    path = rezipped(tmp_path / "case.zip", package)
    with ZipFile(path, "a") as out:
        out.writestr("events.ndjson", package["events.ndjson"])
    result = checked(path)
    assert result.exit_code == 1
    assert "  events.ndjson\n    is in it twice" in result.stdout


def test_a_package_that_was_unpacked_and_packed_again_is_whole(package, tmp_path):
    folders = {"log/": b"", "log/org=main/": b"", "raw/": b""}
    assert checked(rezipped(tmp_path / "case.zip", {**folders, **package})).exit_code == 0
    result = checked(rezipped(tmp_path / "case.zip", {**package, "../": b""}))
    assert "leads out of the folder" in result.stdout


# A forger who seals the manifest anew: the digests inside do not let him.


def sealed(contents: Members) -> Members:
    """With a manifest that fits."""
    others = {name: body for name, body in contents.items() if name != "manifest.json"}
    manifest = json.loads(contents["manifest.json"])
    manifest["members"] = {
        name: {"sha256": sha256(body).hexdigest(), "size": len(body)} for name, body in others.items()
    }
    manifest["events"] = len(others["events.ndjson"].splitlines())
    return {**others, "manifest.json": json.dumps(manifest).encode()}


def with_line(contents: Members, name: str, number: int, change: Callable[[bytes], bytes]) -> Members:
    lines = contents[name].splitlines()
    lines[number] = change(lines[number])
    return {**contents, name: b"".join(line + b"\n" for line in lines)}


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda line: line.replace(old, new)


def with_fields(**fields: object) -> Callable[[bytes], bytes]:
    return lambda line: json.dumps(json.loads(line) | fields).encode()


def swapped(contents: Members) -> Members:
    lines = contents["events.ndjson"].splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]
    return {**contents, "events.ndjson": b"".join(lines)}


def replaced_event(contents: Members) -> Members:
    """The line and its provenance."""
    changed = with_line(contents, "events.ndjson", 4, replaced(b"Ada Example", b"Eve Example"))
    digest = sha256(changed["events.ndjson"].splitlines()[4]).hexdigest()
    return with_line(changed, "provenance.ndjson", 4, with_fields(sha256=digest))


def removed_event(contents: Members, *names: str) -> Members:
    return contents | {
        name: b"".join(contents[name].splitlines(keepends=True)[1:]) for name in (names or ("events.ndjson",))
    }


def changed_entry(contents: Members) -> Members:
    return with_line(contents, "log/org=main/000000000005.json", 0, replaced(b'"calls":', b'"calls":1'))


def batch_of(contents: Members, number: int = 5) -> str:
    return str(json.loads(contents[f"log/org=main/{number:012}.json"])["key"])


def changed_batch(contents: Members) -> Members:
    key = batch_of(contents)
    return {**contents, key: gzip.compress(gzip.decompress(contents[key]).replace(b"Ada", b"Eve"))}


FORGED = [
    (swapped, "events.ndjson, line 3\n    is not the event"),
    (lambda it: with_line(it, "events.ndjson", 0, replaced(b"Ada", b"Eve")), "events.ndjson, line 1\n    is not the"),
    (replaced_event, "line 2\n    is another event"),
    (removed_event, "events.ndjson, line 18\n    is missing, its provenance is not"),
    (lambda it: removed_event(it, "provenance.ndjson"), "events.ndjson, line 18\n    has no place in the provenance"),
    (lambda it: with_line(it, "provenance.ndjson", 4, with_fields(line=9)), "line 9\n    is not there"),
    (lambda it: with_line(it, "provenance.ndjson", 4, with_fields(line=1)), "has the same place as another"),
    (lambda it: with_line(it, "provenance.ndjson", 4, with_fields(entry=9)), "log entry 9 names another object"),
    (lambda it: with_line(it, "provenance.ndjson", 4, with_fields(entry=77)), "log entry 77 is not in the package"),
    (lambda it: with_line(it, "provenance.ndjson", 4, with_fields(id="x")), "is not the event 'x'"),
    (lambda it: with_line(it, "provenance.ndjson", 4, lambda _: b"[]"), "line 5\n    has no place in the provenance"),
    (changed_entry, "log entry 6\n    holds another digest than the entry has"),
    (changed_batch, "is not the object that log entry 5 seals"),
    (lambda it: {k: v for k, v in it.items() if k != batch_of(it)}, "ndjson.gz\n    is missing"),
    (lambda it: {**it, "log/org=main/000000000004.json": b"{}"}, "is not a log entry"),
    (lambda it: {**it, "log/org=main/000000000012.json": it["log/org=main/000000000004.json"]}, "entry 4 of 'main'"),
    (lambda it: {**it, "log/x": it["log/org=main/000000000004.json"]}, "log/x\n    says that it is entry 4"),
]


@pytest.mark.parametrize(("forge", "what"), FORGED)
def test_who_seals_the_manifest_anew_is_found_by_the_digests_inside(package, tmp_path, forge, what):
    result = checked(rezipped(tmp_path / "case.zip", sealed(forge(package))))
    assert result.exit_code == 1
    assert what in result.stdout
    assert re.search(r"^ALTERED: \d+ findings?\.$", result.stdout, re.MULTILINE)


def without(contents: Members, *numbers: int) -> Members:
    """Without these lines, and their provenance."""
    for name in ("events.ndjson", "provenance.ndjson"):
        kept = [line for at, line in enumerate(contents[name].splitlines(keepends=True)) if at not in numbers]
        contents = {**contents, name: b"".join(kept)}
    return contents


def test_an_event_that_is_left_out_is_found_in_its_object(package, tmp_path):
    result = checked(rezipped(tmp_path / "case.zip", sealed(without(package, 4))))
    assert result.exit_code == 1
    assert "is asked for by the selection, and not among the events" in result.stdout


def test_an_object_whose_events_are_all_left_out_is_named(package, tmp_path):
    places = [json.loads(line)["object"] for line in package["provenance.ndjson"].splitlines()]
    gone = batch_of(package)
    numbers = [at for at, place in enumerate(places) if place == gone]
    result = checked(rezipped(tmp_path / "case.zip", sealed(without(package, *numbers))))
    assert result.exit_code == 1
    assert f"  {gone}\n    is an object in which no event of the package stands" in result.stdout


def test_an_event_that_the_selection_does_not_ask_for_is_named(package, tmp_path):
    manifest = json.loads(package["manifest.json"])
    manifest["selection"]["actions"] = ["nobody_did"]
    result = checked(rezipped(tmp_path / "case.zip", {**package, "manifest.json": json.dumps(manifest).encode()}))
    assert result.exit_code == 1
    assert "events.ndjson, line 1\n    is none that the selection asks for" in result.stdout


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("events.csv", replaced(b"Ada", b"Eve")),
        ("README.txt", replaced(b"PROVEN", b"PROVED")),
        ("SHA256SUMS", lambda sums: sums[1:]),
    ],
)
def test_what_people_read_is_compared_with_the_events_and_the_manifest(package, tmp_path, name, change):
    result = checked(rezipped(tmp_path / "case.zip", sealed({**package, name: change(package[name])})))
    assert result.exit_code == 1
    assert f"  {name}\n    does not say what the events and the manifest say" in result.stdout


def test_a_package_of_another_version_is_checked_but_for_what_people_read(package, tmp_path):
    manifest = package["manifest.json"].replace(b'"tool": "slack-audit ', b'"tool": "slack-audit 0.')
    result = checked(rezipped(tmp_path / "case.zip", {**package, "manifest.json": manifest}))
    assert result.exit_code == 0
    assert "made with another version" in result.stdout


def test_a_file_that_is_none_of_a_package_is_named_also_where_the_manifest_has_it(package, tmp_path):
    result = checked(rezipped(tmp_path / "case.zip", sealed({**package, "EVENTS.NDJSON": b"x"})))
    assert result.exit_code == 1
    assert "  EVENTS.NDJSON\n    is no file of a package, though the manifest names it" in result.stdout


def test_a_link_is_named(package, tmp_path):
    path = rezipped(tmp_path / "case.zip", {name: body for name, body in package.items() if name != "events.csv"})
    with ZipFile(path, "a") as out:
        link = zipfile.ZipInfo("events.csv")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        out.writestr(link, "/etc/passwd")
    result = checked(path)
    assert result.exit_code == 1
    assert "  events.csv\n    is a link to another file: do not unpack it" in result.stdout


def test_a_head_that_was_kept_finds_an_archive_that_was_replaced(tmp_path):
    forge = Forge(OBJECTS)
    forge.put(5, [line.replace(b"Ada", b"Eve") for line in forge.lines(5)])
    result, path = made(tmp_path, "--batches", objects=forge.sealed())
    assert (result.exit_code, checked(path).exit_code) == (0, 0)
    result = checked(path, "--head", str(HEAD))
    assert result.exit_code == 1
    assert "the head that was given\n    holds another digest" in result.stdout
    assert "log entry 77 is not in the package" in checked(path, "--head", f"77:{'0' * 64}").stdout


# ---- what is no package ----


@pytest.mark.parametrize("body", [b"", b"no zip", b"PK\x03\x04" + b"\x00" * 60])
def test_what_is_no_zip_ends_with_2(tmp_path, body):
    (tmp_path / "case.zip").write_bytes(body)
    result = checked(tmp_path / "case.zip")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be read as a zip" in result.stderr


@pytest.mark.parametrize("manifest", [None, b"", b"{}", b"[" * 100_000, b"\xff", b'{"format":2}'])
def test_a_zip_without_a_manifest_of_ours_ends_with_2(package, tmp_path, manifest):
    others = {name: body for name, body in package.items() if name != "manifest.json"}
    contents = others if manifest is None else {**others, "manifest.json": manifest}
    result = checked(rezipped(tmp_path / "case.zip", contents))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "manifest.json" in result.stderr


def test_a_bomb_is_not_read(tmp_path, package):
    result = checked(rezipped(tmp_path / "case.zip", {**package, "x": bytes(200_000_000)}))
    assert result.exit_code == 2
    assert "would unpack to" in result.stderr


def test_too_many_files_are_not_read(tmp_path, package, monkeypatch):
    monkeypatch.setattr(reading, "MOST_MEMBERS", 5)
    assert "nothing in it was read" in checked(rezipped(tmp_path / "case.zip", package)).stderr


def test_a_batch_that_unpacks_to_more_than_its_entry_says_is_left(package, tmp_path):
    """Its entry is forged as well, so that its digest fits."""
    key, name = batch_of(package), "log/org=main/000000000005.json"
    bomb = gzip.compress(b"\n" * 5_000_000)
    entry = json.loads(package[name]) | {"sha256": sha256(bomb).hexdigest()}
    result = checked(rezipped(tmp_path / "case.zip", sealed({**package, key: bomb, name: json.dumps(entry).encode()})))
    assert result.exit_code == 1
    assert "has more lines than the 3 that its log entry says" in result.stdout


def test_a_file_whose_bytes_are_damaged_is_named(package, tmp_path):
    path = tmp_path / "case.zip"
    with ZipFile(path, "w", zipfile.ZIP_STORED) as out:
        for name, body in package.items():
            out.writestr(name, body)
    found = path.read_bytes()
    path.write_bytes(found.replace(b"EVIDENCE FROM", b"evidence from"))
    result = checked(path)
    assert result.exit_code == 1
    assert "  README.txt\n    cannot be read (Bad CRC-32" in result.stdout


# ---- asked wrongly, or not made ----


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--output", "new.zip"], "a package needs a file and somebody who signs it off"),
        (["--by", "Grace Example"], "a package needs a file and somebody who signs it off"),
        (["--by", " ", "--output", "new.zip"], "a package needs a file and somebody who signs it off"),
        (["--by", "x", "--output", __file__], "is there already: evidence is not overwritten"),
        (["--by", "x", "--output", "/nowhere/x.zip"], "cannot be written (No such file or directory)"),
        (["--by", "x", "--output", "new.zip", "--verify-since", "soon"], "'soon' is no time"),
        (["--check", "/nowhere/x.zip"], "cannot be read as a zip"),
        (["--check", "x.zip", "--head", "7"], "'7' is no head"),
    ],
)
def test_what_is_asked_wrongly_ends_with_2_and_leaves_nothing(tmp_path, monkeypatch, options, reason):
    monkeypatch.chdir(tmp_path)
    written(OBJECTS, tmp_path / "copy")
    result = export("--folder", "copy", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in " ".join(result.stderr.replace("│", "").split())
    assert [it.name for it in tmp_path.iterdir()] == ["copy"]


def test_a_damaged_batch_among_those_wanted_makes_no_package(tmp_path):
    key = json.loads(OBJECTS["log/org=main/000000000005.json"])["key"]
    result, path = made(tmp_path, objects={**OBJECTS, key: b"x"})
    assert result.exit_code == 2
    assert f"{key} has other bytes than its log entry says" in result.stderr
    assert not path.exists()
    assert [it.name for it in tmp_path.iterdir()] == ["copy"]


def test_an_archive_that_changes_meanwhile_makes_no_package(tmp_path, monkeypatch):
    entry = tmp_path / "copy" / "log" / "org=main" / "000000000005.json"

    def proving(*args, **named):
        proof = prove(*args, **named)
        entry.unlink()
        return proof

    monkeypatch.setattr(making, "prove", proving)
    result, path = made(tmp_path)
    assert result.exit_code == 2
    assert "000000000005.json changed while the package was made" in result.stderr
    assert not path.exists()


def test_of_an_org_that_is_not_there_no_package_is_made(tmp_path):
    folder = written(collected(1), tmp_path / "copy")
    options = ["--folder", str(folder), "--org", "nobody", "--by", "Grace Example", "--output", str(tmp_path / "c.zip")]
    result = CliRunner().invoke(app, ["export", *options])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "There is no log of the organisation 'nobody'." in result.stderr
    assert os.listdir(tmp_path) == ["copy"]


def test_ctrl_c_while_a_package_is_made_leaves_nothing_and_says_nothing(tmp_path, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    ignored: list[object] = []
    monkeypatch.setattr(making, "prove", interrupted)
    monkeypatch.setattr("sys.unraisablehook", ignored.append)
    result, path = made(tmp_path)
    gc.collect()
    assert (result.exit_code, ignored, os.listdir(path.parent)) == (130, [], ["copy"])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--check", "case.zip", "--output", "other.zip"], "it checks, and makes none"),
        (["--check", "case.zip", "--head", ""], "'' is no head"),
        (["--folder", ".", "--by", "Grace", "--output", "o.zip", "--head", f"1:{'0' * 64}"], "compared by --check"),
        (["--folder", ".", "--by", "Grace", "--output", "o.zip", "--verify-since", ""], "'' is no time"),
    ],
)
def test_what_would_be_passed_over_is_refused(options, reason):
    result = export(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in " ".join(result.stderr.split())
