"""What must hold of the world, whatever happened in it. Written from the promises, not from the protocol's code."""

from collections.abc import Iterator

from tests.model.words import (
    DAY,
    LATE_LAG,
    LEAST_UNREAD,
    LIVE_LAG,
    MARGIN,
    PROMISE,
    SKEW,
    STANDING,
    Batch,
    Entry,
    Passes,
    ViolationError,
    Window,
    digest,
    marked,
)
from tests.model.world import World


def check(world: World) -> None:
    """Everything that must hold at any time. Raises ViolationError."""
    entries = log(world)
    check_windows(entries)
    check_ages(entries)
    check_batches(world, entries)
    check_orphans(world, entries)
    check_nothing_is_lost(world, entries)


def log(world: World) -> list[Entry]:
    """The log's entries: numbered from 0 without a gap, each sealing the one before."""
    entries = []
    previous = None
    for number in range(max(world.store.log, default=-1) + 1):
        entry = world.store.log.get(number)
        if entry is None or entry.number != number or entry.previous != previous:
            raise ViolationError("log", f"{entry} stands at {number} and should follow {previous}")
        previous = digest(entry)
        entries.append(entry)
    return entries


def check_windows(entries: list[Entry]) -> None:
    """Each pass reads every second once, in order; only an entry's own pass changes, and the mark never goes back."""
    passes: Passes = {}
    mark = 0
    for entry in entries:
        if entry.number == 0:
            check_genesis(entry)
        else:
            check_step(entry, passes)
        if entry.published < mark:
            raise ViolationError("mark", f"goes back at {entry}")
        passes, mark = entry.passes, entry.published


def check_genesis(entry: Entry) -> None:
    starts = {name: state.watermark for name, state in entry.passes.items()}
    if set(starts) != set(STANDING) or len(set(starts.values())) != 1:
        raise ViolationError("genesis", f"passes start at {starts}")


def check_step(entry: Entry, before: Passes) -> None:
    """From the passes before an entry to those after it."""
    name, window = entry.pass_ or "", entry.window
    others = {other: state for other, state in entry.passes.items() if other != name}
    if others != {other: state for other, state in before.items() if other != name}:
        raise ViolationError("windows", f"entry {entry.number} of {name} changes another pass")
    if window is None:
        return check_change(entry, before)
    if name not in before or before[name].paused:
        raise ViolationError("windows", f"{name} has ended or is paused, and reads {window} in entry {entry.number}")
    if window.lo != before[name].watermark + 1 or entry.passes[name] != before[name]._replace(watermark=window.hi):
        raise ViolationError("windows", f"{window} of {name} does not follow {before[name]}")
    if window.hi < window.lo or window.lo // DAY != window.hi // DAY:
        raise ViolationError("midnight", f"{window} of {name}")
    return None


def check_change(entry: Entry, before: Passes) -> None:
    """A backfill that is made, paused, resumed, cancelled or ended; a standing pass never is."""
    name = entry.pass_ or ""
    if name in STANDING or not name:
        raise ViolationError("windows", f"entry {entry.number} changes {name} without a window")
    if name in before and name in entry.passes and before[name].watermark != entry.passes[name].watermark:
        raise ViolationError("windows", f"entry {entry.number} moves {name} without a window")


def check_ages(entries: list[Entry]) -> None:
    """What final and the backfills read was as old as the promise says."""
    for entry in entries:
        if entry.window and is_final(entry.pass_) and entry.read_at - entry.window.hi < PROMISE:
            raise ViolationError("young", f"{entry.pass_} read {entry.window} at {entry.read_at}")


def is_final(name: str | None) -> bool:
    return name == "final" or (name or "").startswith("backfill")


def check_batches(world: World, entries: list[Entry]) -> None:
    """Each entry's object is there with the sealed bytes, its events lie in its window, and no id stands in two."""
    seen: dict[str, int] = {}
    for entry in entries:
        for second, id_ in committed(world, entry):
            if entry.window is None or not entry.window.lo <= second <= entry.window.hi:
                raise ViolationError("outside", f"{id_} of second {second} in {entry}")
            if id_ in seen:
                raise ViolationError("repeat", f"{id_} in entries {seen[id_]} and {entry.number}")
            seen[id_] = entry.number


def committed(world: World, entry: Entry) -> Batch:
    if entry.key is None:
        return ()
    batch = world.store.raw.get(entry.key)
    if batch is None or digest(batch) != entry.digest:
        raise ViolationError("lost", f"{entry} names an object that is {batch}")
    return batch


def check_orphans(world: World, entries: list[Entry]) -> None:
    """Only a table fault, or two runs at once, may leave an object that no entry names."""
    orphans = set(world.store.raw) - {entry.key for entry in entries}
    if orphans and not world.table_fault and not world.overlapped:
        raise ViolationError("orphan", f"no entry names {orphans}")


def check_nothing_is_lost(world: World, entries: list[Entry]) -> None:
    """What Slack showed in time, of each second that final or a backfill has read, is archived."""
    archived = {id_ for entry in entries for _, id_ in committed(world, entry)}
    read = {second for window in final_windows(entries) for second in range(window.lo, window.hi + 1)}
    for event in world.slack.events:
        in_time = event.shown_at - event.second <= PROMISE
        if event.second in read and in_time and event.id not in archived:
            raise ViolationError("lost", f"{event} is archived nowhere")


def final_windows(entries: list[Entry]) -> Iterator[Window]:
    return (entry.window for entry in entries if entry.window and is_final(entry.pass_))


def is_settled(world: World, target: int) -> bool:
    """Has every pass reached what it could read at `target`, is every backfill ended, and everything published?"""
    entries = log(world)
    item = world.table.item
    if not entries or item is None or item.owner is not None:
        return False
    passes = entries[-1].passes
    lags = {"live": LIVE_LAG, "late": LATE_LAG, "final": PROMISE + MARGIN}
    rest = LEAST_UNREAD + 2 * SKEW
    reached = all(passes[name].watermark >= target - lag - rest for name, lag in lags.items())
    return reached and set(passes) == set(STANDING) and is_published(world, entries)


def is_published(world: World, entries: list[Entry]) -> bool:
    """Every event of every entry that is marked for publishing."""
    item = world.table.item
    done = item is not None and item.state.published == len(entries)
    wanted = {id_ for entry in entries if marked(entry) for _, id_ in committed(world, entry)}
    if done and not wanted <= world.stream.accepted:
        raise ViolationError("unpublished", f"{wanted - world.stream.accepted}")
    return done


