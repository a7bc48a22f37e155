"""Where every organisation of the stack stands, from the checkpoints alone: a run that never starts says nothing."""

from collections.abc import Iterable, Sequence

import msgspec

from slack_audit.checkpoint import Checkpoint
from slack_audit.ports import Standpoints

OVERDUE = 900  # seconds without a run that did its work


class Standing(msgspec.Struct, frozen=True):
    """Where one organisation stands, in seconds; what is not known is None. `unsuccessful` since the end of the last
    run that did its work, `silence` since new events were last archived."""

    org: str
    overdue: bool
    unsuccessful: int | None = None
    live_lag: int | None = None
    publish_lag: int | None = None
    silence: int | None = None

    def figures(self) -> dict[str, object]:
        """For a line of the log."""
        return msgspec.structs.asdict(self)


class Summary(msgspec.Struct, frozen=True):
    """All of them: how many there are, which are overdue, and the worst of each figure, None where none is known."""

    orgs: int
    overdue: list[str]
    live_lag: int | None
    publish_lag: int | None
    silence: int | None


def standings(orgs: Sequence[str], standpoints: Standpoints, now: float) -> list[Standing]:
    """Each organisation at `now`, by the host's clock. Raises StorageError."""
    return [_standing(org, standpoints.read(org), now) for org in orgs]


def summary(found: Sequence[Standing]) -> Summary:
    """The worst of them."""
    return Summary(
        orgs=len(found),
        overdue=[it.org for it in found if it.overdue],
        live_lag=_worst(it.live_lag for it in found),
        publish_lag=_worst(it.publish_lag for it in found),
        silence=_worst(it.silence for it in found),
    )


def _standing(org: str, checkpoint: Checkpoint | None, now: float) -> Standing:
    """An organisation without a checkpoint never had a run: it is overdue, and nothing else is known of it."""
    if checkpoint is None:
        return Standing(org, overdue=True)
    unsuccessful = _since(checkpoint.succeeded, now)
    slack_now = now + (checkpoint.clock or 0)
    return Standing(
        org,
        overdue=unsuccessful is None or unsuccessful > OVERDUE,
        unsuccessful=unsuccessful,
        live_lag=checkpoint.lag(slack_now),
        publish_lag=checkpoint.publish_lag(slack_now),
        silence=_since(checkpoint.newest, now),
    )


def _since(moment: int | None, now: float) -> int | None:
    return None if moment is None else max(0, int(now) - moment)


def _worst(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
