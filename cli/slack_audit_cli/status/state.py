"""Where an organisation stands, and what of it a person should look at. Times are epoch seconds, spans seconds."""

from collections.abc import Iterator, Mapping

import msgspec

from slack_audit.checkpoint import Checkpoint
from slack_audit.log import LogEntry
from slack_audit.passes import BACKFILL, LIVE, STANDING, Pass, Passes, kind_of, lags
from slack_audit.watch import OVERDUE
from slack_audit_cli.proofs import span

HOUR = 3_600  # seconds
DEFAULTS = {
    "LagAlarmSeconds": 900,
    "SilenceHours": 24,
    "LiveLagSeconds": 60,
    "LatePassMinutes": 35,
    "FinalPassHours": 25,
}


class Limits(msgspec.Struct, frozen=True):
    """From when on something is wrong, as the stack's alarms have it. `keeps` is how far each kind of pass stays away
    from now; a paused stack may lag."""

    lag: int
    silence: int
    keeps: dict[str, int]
    paused: bool = False


def limits_of(parameters: Mapping[str, str], *, paused: bool = False) -> Limits:
    """By the parameters of a stack, the template's defaults for those that it has not."""
    said = {name: int(text) if (text := parameters.get(name, "")).isdigit() else DEFAULTS[name] for name in DEFAULTS}
    return Limits(
        lag=said["LagAlarmSeconds"],
        silence=said["SilenceHours"] * HOUR,
        keeps=lags(
            live_seconds=said["LiveLagSeconds"],
            late_minutes=said["LatePassMinutes"],
            final_hours=said["FinalPassHours"],
        ),
        paused=paused,
    )


class PassState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a pass is. `state` is running, paused or off; `keeps` is None where that is not known."""

    name: str
    read_up_to: int
    behind: int
    keeps: int | None
    state: str
    end: int | None
    publish: bool


class OrgState(msgspec.Struct, frozen=True, kw_only=True):
    """One organisation; what is not known is None. `problems` say what is wrong, and what to do.

    `entries` of the log, of which those below `published` are in the stream. `written` is when the newest entry was
    written, as only the log says.
    """

    org: str
    passes: list[PassState] = []
    entries: int = 0
    published: int = 0
    stream_behind: int | None = None
    succeeded: int | None = None
    newest_event: int | None = None
    lease_until: int | None = None
    limited_until: int | None = None
    plan: bool | None = None
    written: str | None = None
    version: str | None = None
    problems: list[str] = []


def of_checkpoint(org: str, found: tuple[Checkpoint, int | None] | None, limits: Limits, now: float) -> OrgState:
    """By the table, at `now` by the host's clock."""
    checkpoint, lease_until = found or (Checkpoint(), None)
    slack_now = int(now + (checkpoint.clock or 0))
    state = OrgState(
        org=org,
        passes=_passes(checkpoint.passes, slack_now, limits.keeps),
        entries=checkpoint.next,
        published=checkpoint.published,
        stream_behind=checkpoint.publish_lag(slack_now),
        succeeded=checkpoint.succeeded,
        newest_event=checkpoint.newest,
        lease_until=lease_until,
        limited_until=checkpoint.budget.blocked_until if checkpoint.budget.is_blocked(now) else None,
        plan=checkpoint.plan is not None,
    )
    return msgspec.structs.replace(state, problems=list(_problems(state, limits, int(now))))


def of_entry(entry: LogEntry, now: float, age: int | None) -> OrgState:
    """By the newest entry of the log, and how many seconds old that is, None where it does not matter."""
    problems = [] if age is None or age <= OVERDUE else [f"Nothing was committed for {span(age)}. {LOOK}"]
    return OrgState(
        org=entry.org,
        passes=_passes(entry.passes, int(now), {}),
        entries=entry.number + 1,
        published=entry.published,
        written=entry.time,
        version=entry.version,
        problems=problems,
    )


def _passes(passes: Passes, slack_now: int, keeps: Mapping[str, int]) -> list[PassState]:
    """The standing ones first."""
    order = [*(name for name in STANDING if name in passes), *sorted(set(passes) - set(STANDING))]
    return [
        PassState(
            name=name,
            read_up_to=passes[name].watermark,
            behind=max(0, slack_now - passes[name].watermark),
            keeps=keeps.get(kind_of(name)),
            state=_state(name, passes[name], keeps),
            end=passes[name].end,
            publish=passes[name].publish,
        )
        for name in order
    ]


def _state(name: str, of: Pass, keeps: Mapping[str, int]) -> str:
    if of.paused:
        return "paused"
    return "off" if keeps and kind_of(name) not in keeps else "running"


LOOK = "slack-audit doctor says what is wrong, or the last line of the collect function's log."


def _problems(state: OrgState, limits: Limits, now: int) -> Iterator[str]:
    if limits.paused:
        return
    if not state.passes:
        yield f"No run has read anything yet: put the token, and wait a minute. {LOOK}"
        return
    if state.succeeded is None or now - state.succeeded > OVERDUE:
        since = "yet" if state.succeeded is None else f"for {span(now - state.succeeded)}"
        yield f"No run did its work {since}. {LOOK}"
    for it in state.passes:
        if kind_of(it.name) != BACKFILL and it.state == "running" and it.behind > _most_behind(it, limits):
            yield f"The pass {it.name} is {span(it.behind)} behind: runs fail, or catch up after an outage. {LOOK}"
    if state.stream_behind is not None and state.stream_behind > limits.lag:
        yield (
            f"The stream is {span(state.stream_behind)} behind: {state.entries - state.published:,} entries wait. "
            "They go out by themselves, in order; if it does not shrink, add shards."
        )
    if state.newest_event is not None and now - state.newest_event > limits.silence:
        yield (
            f"No new event was archived for {span(now - state.newest_event)}. If the organisation is not that quiet, "
            "compare ActionFilter, ActorFilter and EntityFilter with what it does."
        )


def _most_behind(it: PassState, limits: Limits) -> int:
    """Live's limit is the alarm's own; the others keep a distance beside it."""
    return limits.lag + (0 if it.name == LIVE else it.keeps or 0)
