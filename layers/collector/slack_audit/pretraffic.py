"""Before a new version of the collect function takes over: may it? Only what a person must mend stops it.

A token that was not put yet does not: the first deployment comes before it. An outage of Slack or AWS does not either:
the version that runs meets it as well, and the new one may be what is needed.
"""

from typing import Protocol

import msgspec

from slack_audit.check import Checked
from slack_audit.errors import CheckBusyError
from slack_audit.ports import Clock

WAIT = 10.0  # seconds between two tries while every run that may go on at once does
RESERVE = 210.0  # seconds that are left for the check itself and for the verdict


class Hook(msgspec.Struct, frozen=True):
    """What CodeDeploy asks: which deployment waits, and for which of its hooks."""

    deployment: str = msgspec.field(name="DeploymentId")
    execution: str = msgspec.field(name="LifecycleEventHookExecutionId")


class Version(Protocol):
    """A new version that takes no traffic yet."""

    def check(self, org: str) -> Checked:
        """What it sees, in one try. Raises CheckError."""


class Verdict(Protocol):
    """Whoever waits for what comes of it."""

    def tell(self, *, passed: bool) -> None:
        """Ends the waiting. Raises CheckError."""


def ask(version: Version, org: str, clock: Clock) -> Checked:
    """What the new version sees; waits for its turn as long as there is time. Raises CheckError."""
    while True:
        try:
            return version.check(org)
        except CheckBusyError:
            if clock.time_left() < RESERVE + WAIT:
                raise
            clock.sleep(WAIT)
