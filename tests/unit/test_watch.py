"""Where every organisation stands, from its checkpoint alone."""

from typing import Any

import pytest

from slack_audit.checkpoint import Checkpoint
from slack_audit.errors import StorageError
from slack_audit.passes import Pass
from slack_audit.watch import OVERDUE, Standing, Summary, standings, summary

NOW = 1_767_225_600


class Table:
    """Checkpoints by org; an error is raised."""

    def __init__(self, **items: Checkpoint | Exception) -> None:
        self._items = items

    def read(self, org: str) -> Checkpoint | None:
        found = self._items.get(org)
        if isinstance(found, Exception):
            raise found
        return found


def checkpoint(**changes: object) -> Checkpoint:
    values: dict[str, Any] = {
        "next": 10,
        "published": 10,
        "passes": {"live": Pass(NOW - 65)},
        "clock": 5,
        "streamed": NOW - 65,
        "succeeded": NOW - 20,
        "newest": NOW - 300,
    }
    return Checkpoint(**(values | changes))


def standing(item: Checkpoint | None) -> Standing:
    (found,) = standings(["main"], Table(**({"main": item} if item else {})), NOW + 0.9)
    return found


def test_an_org_that_is_on_time():
    assert standing(checkpoint()) == Standing("main", False, 20, 70, 70, 300)


@pytest.mark.parametrize(("ago", "overdue"), [(OVERDUE, False), (OVERDUE + 1, True)])
def test_an_org_is_overdue_a_quarter_of_an_hour_after_its_last_run_that_did_its_work(ago, overdue):
    assert standing(checkpoint(succeeded=NOW - ago)).overdue is overdue


def test_an_org_that_never_had_a_run_is_overdue_and_nothing_else_is_known():
    assert standing(None) == Standing("main", True, None, None, None, None)


def test_an_org_whose_runs_have_all_failed_is_overdue_with_the_lags_that_are_known():
    assert standing(checkpoint(succeeded=None)) == Standing("main", True, None, 70, 70, 300)


def test_a_lease_alone_is_no_run():
    assert standing(Checkpoint()) == Standing("main", True, None, None, None, None)


def test_what_waits_for_the_stream_counts_from_the_last_entry_that_is_there():
    assert standing(checkpoint(published=7, streamed=NOW - 4_000)).publish_lag == 4_005


def test_a_backlog_of_an_older_version_has_no_known_lag():
    assert standing(checkpoint(published=7, streamed=None)).publish_lag is None


def test_a_clock_that_runs_back_makes_no_negative_time():
    found = standing(checkpoint(succeeded=NOW + 50, newest=NOW + 50))
    assert (found.overdue, found.unsuccessful, found.silence) == (False, 0, 0)


def test_a_checkpoint_that_cannot_be_read_fails_the_watch():
    table = Table(main=checkpoint(), lab=StorageError("no table"))
    with pytest.raises(StorageError):
        standings(["main", "lab"], table, NOW)


def test_the_worst_of_all_is_told_and_what_is_not_known_does_not_count():
    found = [
        Standing("a", False, 10, 60, 90, 5),
        Standing("b", True, 5_000, 5_100, None, 70),
        Standing("c", True),
    ]
    assert summary(found) == Summary(3, ["b", "c"], 5_100, 90, 70)
    assert summary(found[2:]) == Summary(1, ["c"], None, None, None)
