"""What must hold of the world, whatever happened in it. Written from the promises, not from the protocol's code."""

from collections.abc import Iterator

from tests.model import scale
from tests.model.words import (
    Batch,
    Entry,
    Pass,
    Passes,
    ViolationError,
    digest,
    marked,
)
from tests.model.world import World

Found = Iterator[tuple[str, str]]  # kind and text of what is wrong


def check(world: World) -> None:
    """Everything that must hold at any time. Raises ViolationError."""
    entries = log(world)
    checks = (lost, repeats, windows, young, orphans)
    found = [violation for look in checks for violation in look(world, entries)]
    if found:
        raise ViolationError(*found)


def log(world: World) -> list[Entry]:
    """The log's entries: numbered from 0 without a gap, each sealing the one before. Raises ViolationError."""
    entries = []
    previous = None
    for number in range(max(world.store.log, default=-1) + 1):
        entry = world.store.log.get(number)
        if entry is None or entry.number != number or entry.previous != previous:
            raise ViolationError(("log", f"{entry} stands at {number} and should follow {previous}"))
        previous = digest(entry)
        entries.append(entry)
    return entries


def lost(world: World, entries: list[Entry]) -> Found:
    """What Slack showed in time, of each second that final or a backfill is past, is archived with the sealed bytes."""
    for entry in entries:
        batch = world.store.raw.get(entry.key) if entry.key else None
        if entry.key and digest(batch) != entry.digest:
            yield "lost", f"{entry} names an object that is {batch}"
    archived = {id_ for entry in entries for _, id_ in batch_of(world, entry)}
    done = promised(entries)
    for event in world.slack.events:
        if event.second in done and event.shown_at - event.second <= scale.PROMISE and event.id not in archived:
            yield "lost", f"{event} is archived nowhere"


def promised(entries: list[Entry]) -> set[int]:
    """The seconds from the first that live read to final's watermark, and what backfills have read."""
    done: set[int] = set()
    if entries:
        done.update(range(entries[0].passes["live"].watermark + 1, entries[-1].passes["final"].watermark + 1))
    for entry in entries:
        if entry.window and is_final(entry.pass_):
            done.update(range(entry.window.lo, entry.window.hi + 1))
    return done


def batch_of(world: World, entry: Entry) -> Batch:
    return world.store.raw.get(entry.key, ()) if entry.key else ()


def repeats(world: World, entries: list[Entry]) -> Found:
    """No id stands in two committed batches, and each event lies in its batch's window."""
    seen: dict[str, int] = {}
    for entry in entries:
        for second, id_ in batch_of(world, entry):
            if entry.window is None or not entry.window.lo <= second <= entry.window.hi:
                yield "outside", f"{id_} of second {second} in {entry}"
            if id_ in seen:
                yield "repeat", f"{id_} in entries {seen[id_]} and {entry.number}"
            seen[id_] = entry.number


def windows(world: World, entries: list[Entry]) -> Found:
    """Each pass reads every second once, in order; only an entry's own pass changes, and the mark never goes back."""
    passes: Passes = {}
    mark = 0
    for entry in entries:
        yield from step(entry, passes) if entry.number else genesis(entry)
        if entry.published < mark:
            yield "mark", f"goes back at {entry}"
        passes, mark = entry.passes, entry.published


def genesis(entry: Entry) -> Found:
    starts = {name: state.watermark for name, state in entry.passes.items()}
    if set(starts) != set(scale.STANDING) or len(set(starts.values())) != 1:
        yield "genesis", f"passes start at {starts}"


def step(entry: Entry, before: Passes) -> Found:
    """From the passes before an entry to those after it."""
    name, window, after = entry.pass_ or "", entry.window, entry.passes
    if {**before, name: None} != {**after, name: None}:
        yield "windows", f"entry {entry.number} of {name} changes another pass: {before}, {after}"
    elif window is None:
        if name in scale.STANDING or not is_same_second(before.get(name), after.get(name)):
            yield "windows", f"entry {entry.number} moves {name} without a window"
    elif name not in before or before[name].paused or window.lo != before[name].watermark + 1:
        yield "windows", f"{window} of {name} does not follow {before.get(name)}"
    elif window.hi < window.lo or after.get(name) != before[name]._replace(watermark=window.hi):
        yield "windows", f"after {window}, {name} is {after.get(name)}"
    elif window.lo // scale.DAY != window.hi // scale.DAY:
        yield "midnight", f"{window} of {name}"


def is_same_second(before: Pass | None, after: Pass | None) -> bool:
    return before is None or after is None or before.watermark == after.watermark


def young(world: World, entries: list[Entry]) -> Found:
    """What final and the backfills read was as old as the promise says."""
    for entry in entries:
        if entry.window and is_final(entry.pass_) and entry.read_at - entry.window.hi < scale.PROMISE:
            yield "young", f"{entry.pass_} read {entry.window} at {entry.read_at}"


def is_final(name: str | None) -> bool:
    return name == "final" or (name or "").startswith("backfill")


def orphans(world: World, entries: list[Entry]) -> Found:
    """Only a table fault, or two runs at once, may leave an object that no entry names."""
    unnamed = set(world.store.raw) - {entry.key for entry in entries}
    if unnamed and not world.table_fault and not world.overlapped:
        yield "orphan", f"no entry names {unnamed}"


def has_read(world: World, target: int) -> bool:
    """Has every pass reached what it could read at `target`, and every backfill its end?"""
    newest = world.store.log.get(len(world.store.log) - 1)
    if newest is None:
        return False
    lags = {"live": scale.LIVE_LAG, "late": scale.LATE_LAG, "final": scale.PROMISE + scale.MARGIN}
    rest = scale.LEAST_UNREAD + 2 * scale.SKEW
    reached = all(newest.passes[name].watermark >= target - lag - rest for name, lag in lags.items())
    return reached and set(newest.passes) == set(scale.STANDING)


def is_published(world: World, until: int) -> bool:
    """Was the lease given back, with the mark at entry `until` or beyond?"""
    item = world.table.item
    return item is not None and item.owner is None and item.state.published >= until


def check_published(world: World) -> None:
    """Of a world that has settled: every event of every entry that is marked for publishing is in the stream."""
    wanted = {id_ for entry in log(world) if marked(entry) for _, id_ in batch_of(world, entry)}
    if not wanted <= world.stream.accepted:
        raise ViolationError(("unpublished", f"{wanted - world.stream.accepted}"))
