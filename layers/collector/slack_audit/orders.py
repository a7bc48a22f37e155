"""Carries out an order for the backfills, under the same lease and in the same log as everything else.

It reads nothing from Slack: the runs on schedule do the work.
"""

import logging

import msgspec

from slack_audit.backfill import List, Order, State, moment, states
from slack_audit.checkpoint import Checkpoint
from slack_audit.commit import Ledger, Provenance
from slack_audit.deadline import LEASE_GRACE, LEAST_RESERVE
from slack_audit.errors import LeaseBusyError, LeaseLostError, SettingsError
from slack_audit.parts import Parts, Policy
from slack_audit.recover import roll_forward

logger = logging.getLogger(__name__)

LEASE_WAIT = 1.0  # seconds between two looks at a lease that another run holds
TRIES = 5  # against other runs that commit at the same time


class Outcome(msgspec.Struct, frozen=True):
    """What an order answers: all backfills that have not ended, as they stand now."""

    org: str
    backfills: list[State]


def carry_out(order: Order | List, parts: Parts, policy: Policy) -> Outcome:
    """Does it, and says which backfills there are.

    Raises CollectorError. After a StorageError the change may stand: sending the order again does no harm.
    """
    if isinstance(order, List):
        newest = roll_forward(policy.org, Checkpoint(), parts.archive)
        return Outcome(policy.org, states(newest.passes))
    ledger = _leased(parts, policy)
    try:
        ledger.roll_forward()
        _write(order, ledger, parts, policy)
    except LeaseLostError:
        raise
    except Exception:
        ledger.try_to_release()
        raise
    ledger.release()
    return Outcome(policy.org, states(ledger.checkpoint.passes))


def _leased(parts: Parts, policy: Policy) -> Ledger:
    """With the lease, for which it waits as long as there is time: a run on schedule may hold it."""
    ledger = Ledger(policy.org, parts.archive, parts.checkpoints)
    while True:
        now = parts.clock.now()
        if ledger.acquire(parts.owner, now=now, until=now + parts.clock.time_left() + LEASE_GRACE):
            return ledger
        if parts.clock.time_left() < LEAST_RESERVE + LEASE_WAIT:
            raise LeaseBusyError(
                f"Another run of org {policy.org} held the lease all the time. Nothing was changed: send the order "
                "again when that run has ended."
            )
        parts.clock.sleep(LEASE_WAIT)


def _write(order: Order, ledger: Ledger, parts: Parts, policy: Policy) -> None:
    for _ in range(TRIES):
        checkpoint = ledger.checkpoint
        if checkpoint.next == 0:
            raise SettingsError(
                f"Org {policy.org} has no log yet: its first run starts one. Send the order again after that."
            )
        slack_now = int((parts.clock.now() + (checkpoint.clock or 0)) // 1)
        passes = order.applied(checkpoint.passes, slack_now)
        if passes == checkpoint.passes:
            return
        if ledger.change(order.name, passes, Provenance(policy.filters, policy.version, slack_now, 0)):
            logger.info("backfill changed", extra={"backfill": order.name, "at": moment(slack_now)})
            return
    raise LeaseBusyError(
        f"Other runs of org {policy.org} kept committing first. Nothing was changed: send the order again."
    )
