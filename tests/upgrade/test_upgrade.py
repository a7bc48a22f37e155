"""The present code goes on from what every released version left, and loses and repeats nothing."""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from slack_audit import __version__
from slack_audit.errors import ArchiveDamagedError
from slack_audit.log import FORMAT, decode
from slack_audit.passes import BACKFILL, FINAL, STANDING
from tests import proof
from tests.builders import ALL_LAGS, raw_event
from tests.upgrade.record import HERE, STATES, Deployment, Item, record
from tests.verify.archives import proof_of

ROOT = HERE.parent.parent
RELEASED = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
RECORDED = sorted(path.name for path in HERE.glob("[0-9]*"))
CASES = [f"{path.parent.name}/{path.name}" for path in sorted(HERE.glob("[0-9]*/*"))]
SINCE_THE_PASSES = {"late_found", "backfills"}  # states that 0.1.0 does not have


def objects_of(folder: Path) -> dict[str, bytes]:
    """What the bucket holds."""
    bucket = folder / "bucket"
    return {path.relative_to(bucket).as_posix(): path.read_bytes() for path in bucket.rglob("*") if path.is_file()}


def item_of(folder: Path) -> Item:
    """What the table holds, as boto3 gives it."""
    item: Item = _with_bytes(json.loads((folder / "item.json").read_text()))
    return item


def _with_bytes(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: base64.b64decode(v) if k == "B" and isinstance(v, str) else _with_bytes(v) for k, v in value.items()}
    return [_with_bytes(inner) for inner in value] if isinstance(value, list) else value


class Updated(Deployment):
    """The present code in the place of the version that left these files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lags=ALL_LAGS)
        known = json.loads((folder / "world.json").read_text())
        for line in (folder / "slack.ndjson").read_text().splitlines():
            shown = json.loads(line)
            self.slack.add([shown["event"].encode()], visible_at=shown["visible_at"])
        self.archive.objects = objects_of(folder)
        self.dynamodb.item = item_of(folder)
        self.clock.time, self.slack.offset = known["now"], known["slack_ahead"]
        line_of = {json.loads(raw)["id"]: raw for _, raw, _ in self.slack.events}
        self.streamed = [line_of[name] for name in known["streamed"]]
        self.left = dict(self.archive.objects)

    def go_on(self) -> None:
        """Minutes with events, some of them late; then no more, until every pass and every backfill is through."""
        self.clock.time = max(self.clock.time, self.dynamodb.lease_until) + 180
        for minute in range(5):
            self.happen(f"after{minute}")
            second = self.slack.now - 80
            self.slack.add([raw_event(second, f"late{minute}")], visible_at=second + 900)
            self.run()
            self.next_minute()
        for name in self.paused():
            self.order(resume=name)
        self.until_done(runs=60)
        self.next_minute(2 + ALL_LAGS[FINAL] // 60)
        self.until_done(runs=60)

    def paused(self) -> list[str]:
        return [name for name, state in proof.log_of(self.archive.objects)[-1]["passes"].items() if state["paused"]]

    def served(self) -> list[bytes]:
        """What Slack has in the stretches that somebody reads for the last time."""
        read = proof.covered(self.archive.objects, kinds=(FINAL, BACKFILL))
        return [raw for second, raw, _ in self.slack.events if any(lo <= second <= hi for lo, hi in read)]

    def prove(self) -> None:
        """Nothing lost, nothing twice, by two checks that share no code; and nothing of the older version changed."""
        assert {key: self.archive.objects[key] for key in self.left} == self.left
        assert {raw for _, raw, _ in self.slack.events} == set(self.served()), "the passes did not get through"
        proof.prove(self.archive.objects, self.streamed + self.stream.lines, self.served())
        assert proof_of(self.archive.objects).totals == {}


@pytest.fixture(scope="module")
def of_the_present(tmp_path_factory):
    """What the present code leaves in every state."""
    folder = tmp_path_factory.mktemp("present")
    record(folder)
    return folder


@pytest.fixture(params=[*CASES, *(f"present/{state}" for state in STATES)])
def left(request):
    """A folder with what a version left in one state."""
    version, state = request.param.split("/")
    return (request.getfixturevalue("of_the_present") if version == "present" else HERE / version) / state


# ---- forward ----


def test_it_goes_on_and_nothing_is_lost_or_archived_twice(left):
    world = Updated(left)
    world.go_on()
    world.prove()


def test_it_goes_on_too_if_the_table_was_lost_with_the_update(left):
    world = Updated(left)
    world.clock.time = max(world.clock.time, world.dynamodb.lease_until + 1)
    world.dynamodb.item = {}
    planned = {key for key in world.left if key.startswith("raw/")} - named_by_the_log(world.left)
    world.go_on()
    # The table alone knew of a plan: its batch stays as an orphan, whose events are archived by another batch.
    assert [it.where for it in proof_of(world.archive.objects).findings] == sorted(planned)
    for orphan in planned:
        del world.archive.objects[orphan], world.left[orphan]
    world.prove()


def test_what_was_published_is_not_published_again(left):
    world = Updated(left)
    mark = int(world.dynamodb.item.get("published", {"N": "0"})["N"])
    below = {line for entry in proof.log_of(world.left)[:mark] for line in lines_of(world.left, entry)}
    world.go_on()
    assert below.isdisjoint(world.stream.lines)
    assert below <= {*world.streamed} | unpublished(world.left)


@pytest.mark.parametrize("version", RECORDED)
def test_a_wait_that_slack_asked_for_is_kept_across_the_update(version):
    world = Updated(HERE / version / "rate_limited")
    assert world.run().stopped == "rate_limited"
    assert world.slack.queries == []


def test_the_spans_and_the_calls_of_the_last_minute_are_known_after_the_update(left):
    world = Updated(left)
    item = world.dynamodb.item
    checkpoint = world.parts().checkpoints.acquire("updated", now=9e9, until=9e9)
    assert checkpoint is not None
    assert checkpoint.spans == {name: int(state["M"]["span"]["N"]) for name, state in item["passes"]["M"].items()}
    calls = [[int(part["N"]) for part in call["L"]] for call in item["calls"]["L"]]
    assert [list(call) for call in checkpoint.budget.calls] == calls
    assert checkpoint.clock == int(item["clock"]["N"])


def test_a_lease_that_an_older_version_holds_is_respected_until_it_expires(left):
    world = Updated(left)
    if (until := world.dynamodb.lease_until) == 0:
        assert world.run().stopped != "lease_busy"
        return
    world.clock.time = until
    assert world.run().stopped == "lease_busy"
    world.clock.time = until + 1
    assert world.run().stopped != "lease_busy"


def test_a_planned_batch_of_an_older_version_is_committed_as_that_version_planned_it(left):
    world = Updated(left)
    waiting = {key for key in world.left if key.startswith("raw/")} - named_by_the_log(world.left)
    plan = world.dynamodb.item.get("plan", {"B": None})["B"]
    world.go_on()
    assert waiting <= named_by_the_log(world.archive.objects)
    if waiting:
        assert plan in world.archive.objects.values()


def named_by_the_log(objects: Mapping[str, bytes]) -> set[str]:
    # Not proof.committed: a planned batch that no entry names yet is what is looked for.
    return {entry["key"] for entry in proof.log_of(objects) if entry["key"]}


def lines_of(objects: Mapping[str, bytes], entry: dict[str, Any]) -> list[bytes]:
    return proof._lines_of(objects, entry, set())


def unpublished(objects: Mapping[str, bytes]) -> set[bytes]:
    """Lines of backfills that are not to be published."""
    return {
        line
        for entry in proof.log_of(objects)
        if entry["window"] and not entry["passes"][entry["pass"]]["publish"]
        for line in lines_of(objects, entry)
    }


# ---- every release has its fixture ----


def test_every_released_version_is_recorded_in_all_its_states():
    assert sorted(RELEASED) == RECORDED, "record it with its own code: python -m tests.upgrade.record (README.md)"
    for version in RECORDED:
        states = {path.name for path in (HERE / version).iterdir()}
        assert states >= set(STATES) - (SINCE_THE_PASSES if version == "0.1.0" else set()), version


def test_this_version_is_one_of_them_or_newer_than_all():
    assert __version__ == max([*RECORDED, __version__], key=Version)


@pytest.mark.parametrize("case", CASES)
def test_what_is_recorded_was_written_by_the_version_that_it_is_said_to_be_of(case):
    version, state = case.split("/")
    entries = proof.log_of(objects_of(HERE / version / state))
    assert {entry["version"] for entry in entries} == {version}
    assert json.loads((HERE / version / state / "world.json").read_text())["version"] == version


def test_the_states_are_what_they_are_called():
    for version in RECORDED:
        held = {path.name: item_of(path) for path in (HERE / version).iterdir()}
        killed = {name for name, item in held.items() if "owner" in item}
        assert killed == {"reading", "plan_saved", "batch_written", "entry_written"}
        assert {name for name, item in held.items() if "plan" in item} == {
            "plan_saved",
            "batch_written",
            "entry_written",
        }
        behind = {name for name, item in held.items() if item["published"] != item["next"]}
        assert behind == {"publish_backlog"}
        world = json.loads((HERE / version / "rate_limited" / "world.json").read_text())
        assert int(held["rate_limited"]["blocked_until"]["N"]) > world["now"]
        assert held["rate_limited"]["clock"] == {"N": "7"}
        logged = len(proof.log_of(objects_of(HERE / version / "entry_written")))
        assert logged == int(held["entry_written"]["next"]["N"]) + 1


@pytest.mark.parametrize("version", [it for it in RECORDED if it != "0.1.0"])
def test_from_the_passes_on_a_late_find_and_both_backfills_are_there(version):
    found = proof.log_of(objects_of(HERE / version / "late_found"))
    assert [entry["count"] for entry in found if entry["pass"] == "late" and entry["count"]] == [1]
    last = proof.log_of(objects_of(HERE / version / "backfills"))[-1]["passes"]
    states = sorted((state["publish"], state["paused"]) for name, state in last.items() if name not in STANDING)
    assert states == [(False, True), (True, False)]


# ---- back: what an older version would find ----


def test_an_older_version_can_read_what_this_one_writes_or_refuses_it_by_its_format(of_the_present):
    """Every version reads a log entry by these names and types, ignores names that it does not know, and refuses a
    larger format with a text that says so. So a name may come; none may go or change without a new format."""
    entries = [entry for state in STATES for entry in proof.log_of(objects_of(of_the_present / state))]
    written = types_of(entries)
    for case in CASES:
        version, state = case.split("/")
        for name, kinds in types_of(proof.log_of(objects_of(HERE / version / state))).items():
            assert kinds <= written.get(name, set()) or {entry["format"] for entry in entries} != {1}, name


def test_the_attributes_of_the_item_keep_their_types(of_the_present):
    """An item that an older version cannot read says nothing to it, and it starts from the log: no harm, but the call
    budget is forgotten. Within a format of the log that shall not happen."""
    written: dict[str, set[str]] = {}
    for state in STATES:
        for name, value in item_of(of_the_present / state).items():
            written.setdefault(name, set()).update(value)
    for case in CASES:
        version, state = case.split("/")
        for name, value in item_of(HERE / version / state).items():
            assert set(value) <= written.get(name, set()), f"{version}: {name}"


def types_of(entries: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The JSON types that stand under each name, with the names inside passes and windows."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        inner = {f"passes.{name}": value for state in entry["passes"].values() for name, value in state.items()}
        inner |= {
            f"{part}.{name}": value for part in ("window", "filters") for name, value in (entry[part] or {}).items()
        }
        for name, value in {**entry, **inner}.items():
            found.setdefault(name, set()).add(type(value).__name__)
    return found


def test_attributes_that_this_version_does_not_know_do_not_confuse_it(left):
    world = Updated(left)
    before = dict(world.dynamodb.item)
    passes = {name: {"M": {**state["M"], "mood": {"S": "fine"}}} for name, state in before["passes"]["M"].items()}
    unknown = {
        "seen_by_a_later_version": {"N": "1767225600"},
        "a_map": {"M": {"x": {"BOOL": True}}},
        "passes": {"M": passes},
    }
    world.dynamodb.item = {**before, **unknown}
    world.go_on()
    world.prove()
    again = Updated(left)
    again.go_on()
    assert again.archive.objects == world.archive.objects, "it went another way"


def test_a_log_of_a_later_format_is_refused_and_nothing_is_written():
    world = Updated(HERE / RECORDED[-1] / "steady")
    number = int(world.dynamodb.item["next"]["N"])
    newest = proof.log_of(world.archive.objects)[-1]
    key = f"log/org=main/{number:012}.json"
    later = {**newest, "number": number, "format": FORMAT + 1, "new": "field"}
    world.archive.objects[key] = json.dumps(later).encode()
    before = dict(world.archive.objects)
    with pytest.raises(ArchiveDamagedError, match=f"has format {FORMAT + 1}; this version reads {FORMAT}. Deploy the"):
        world.run()
    assert world.archive.objects == before


def test_a_field_that_this_version_does_not_know_does_no_harm_within_the_format():
    objects = objects_of(HERE / RECORDED[-1] / "steady")
    key = max(key for key in objects if key.startswith("log/"))
    assert decode(json.dumps({**json.loads(objects[key]), "new": "field"}).encode(), key) == decode(objects[key], key)
