"""From one event for all organisations to one for each: so that there is one schedule, however many there are."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from slack_audit.errors import StartError
from slack_audit.ports import Clock, Starter

logger = logging.getLogger(__name__)

LONGEST_START = 45.0  # seconds that one start may take, with its tries
PAUSE = 1.0  # seconds between two starts: hundreds at once would take the account's concurrency from the collection


def start_each(orgs: Sequence[str], asked: Mapping[str, Any], starter: Starter, clock: Clock) -> list[str]:
    """Starts the function for each of `orgs` with `asked` and its org; returns those that were started.

    One that cannot be started does not hold up the others: StartError names them all, at the end.
    """
    failures: dict[str, str] = {}
    for number, org in enumerate(orgs):
        if number and clock.time_left() >= LONGEST_START + PAUSE:
            clock.sleep(PAUSE)
        try:
            _start(org, asked, starter, clock)
        except StartError as error:
            failures[org] = str(error)
    for org, reason in failures.items():
        logger.error("not started", extra={"org": org, "reason": reason})
    if failures:
        raise StartError(
            f"Not started for {', '.join(failures)}; started for the other {len(orgs) - len(failures)}. The next day's "
            f"run makes up for it. The first one's reason: {next(iter(failures.values()))}"
        )
    return list(orgs)


def _start(org: str, asked: Mapping[str, Any], starter: Starter, clock: Clock) -> None:
    if clock.time_left() < LONGEST_START:
        raise StartError("There was no time left. Give the function more, or put fewer organisations into one stack.")
    starter.start({**asked, "org": org})
