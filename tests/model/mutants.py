"""Every mutant by name, and how it must be caught.

The first names are those of "What must be tested of it" in the protocol; the others are what earlier models had found,
and what this one shows to be needed.
"""

from typing import NamedTuple

from tests.model import mutants_reading as reading
from tests.model import mutants_writing as writing
from tests.model.protocol import Run

SEEDS = 200  # in which a mutant must be caught


class Mutant(NamedTuple):
    """`kind` is the invariant that it must break; `table` says that only a table that is lost or restored shows it."""

    protocol: type[Run]
    kind: str
    table: bool = False


RANDOM = {
    "watermark before batch": Mutant(writing.WatermarkBeforeBatch, "lost"),
    "table before log": Mutant(writing.TableBeforeLog, "log"),
    "newest committed first": Mutant(reading.NewestCommittedFirst, "lost"),
    "cut answer kept": Mutant(reading.CutAnswerKept, "lost"),
    "empty answer taken as the end": Mutant(reading.EmptyAnswerIsTheEnd, "lost"),
    "no cursor in a crowded second": Mutant(reading.NoCursorInACrowdedSecond, "lost"),
    "no dropping": Mutant(reading.NoDropping, "repeat"),
    "dropping by live's objects only": Mutant(reading.DroppingByLivesObjectsOnly, "repeat"),
    "dropping by objects inside the window only": Mutant(reading.DroppingByObjectsInsideOnly, "repeat"),
    "dropping at read-ahead": Mutant(reading.DroppingAtReadAhead, "repeat"),
    "late starting at now": Mutant(reading.LateStartsAtNow, "genesis"),
    "final starting at now": Mutant(reading.FinalStartsAtNow, "lost"),
    "a shorter final lag": Mutant(reading.ShorterFinalLag, "lost"),
    "no plan": Mutant(writing.NoPlan, "orphan"),
    "plan of another number": Mutant(writing.PlanOfAnotherNumber, "repeat"),
    "no If-None-Match on the log": Mutant(writing.NoIfNoneMatchOnTheLog, "log"),
    "mark before acknowledgement": Mutant(writing.MarkBeforeAcknowledgement, "mark"),
    "mark that skips": Mutant(writing.MarkThatSkips, "mark"),
    "partial failures ignored": Mutant(writing.PartialFailuresIgnored, "mark"),
    "window across midnight": Mutant(reading.WindowAcrossMidnight, "midnight"),
    "host clock": Mutant(reading.HostClock, "lost"),
    "partial item write": Mutant(writing.PartialItemWrite, "windows"),
    "live always first": Mutant(reading.LiveAlwaysFirst, "stuck"),
    "span forgotten": Mutant(reading.SpanForgotten, "stuck"),
    "exact final lag under drift": Mutant(reading.ExactFinalLag, "lost"),
    "read-ahead kept after a cut answer": Mutant(reading.AheadOfACutAnswer, "windows"),
    "read-ahead kept after a lost race": Mutant(writing.ReadAheadKept, "windows"),
    "an orphan taken for held": Mutant(reading.OrphanTakenForHeld, "lost", table=True),
    "a stray event archived": Mutant(reading.StrayArchived, "outside"),
    "a young backfill": Mutant(reading.YoungBackfill, "lost"),
    "the answer's date not asked": Mutant(reading.DateNotAsked, "young"),
    "budget inside a crowded second": Mutant(reading.BudgetInsideACrowdedSecond, "stuck"),
    "no publishing when Slack refuses": Mutant(writing.NoPublishingWhenRefused, "stuck"),
    "a lost table starts anew": Mutant(writing.LostTableStartsAnew, "lost", table=True),
    "a lost table forgets backfills": Mutant(writing.LostTableForgetsBackfills, "windows", table=True),
    "a lost table forgets the mark": Mutant(writing.LostTableForgetsTheMark, "mark", table=True),
    "a plan without its batch": Mutant(writing.PlanWithoutItsBatch, "lost"),
    "any entry is ours": Mutant(writing.AnyEntryIsOurs, "log", table=True),
    "the end of a backfill not logged": Mutant(writing.EndOfABackfillNotLogged, "windows"),
    "the end of a backfill only after its last window": Mutant(writing.EndOnlyAfterTheLastWindow, "stuck"),
    "the publish flag of now": Mutant(writing.PublishFlagOfNow, "mark"),
    "pass above live, live drops nothing": Mutant(reading.AboveLivesWatermarkAndLiveDropsNothing, "repeat"),
}

# Random histories do not show these within their seeds: it takes one exact moment, or a stream that stays slow.
DIRECTED = {
    "backlog before capture": Mutant(writing.BacklogBeforeCapture, "stuck"),
    "a stream that is down ends the run": Mutant(writing.StreamDownEndsTheRun, "stuck"),
    "a batch's key without its digest": Mutant(writing.KeyWithoutDigest, "lost", table=True),
}

EQUIVALENT = {
    "one walk is enough": (
        reading.OneWalkIsEnough,
        (
            "The protocol assumes that the order is stable within one walk; then one walk shows the second as it was at its "
            "first page. Where Slack breaks that assumption it loses events, which a directed test shows."
        ),
    ),
    "a pass above live's watermark": (
        reading.AboveLivesWatermark,
        (
            "Every pass drops what the archive holds, live too, so the order of two passes over a second does not matter. "
            "Together with the next one it repeats events, and is caught."
        ),
    ),
    "live drops nothing": (
        reading.LiveDropsNothing,
        (
            "No pass reads above live's committed watermark, so nobody has archived what live reads. "
            "Together with the one before it repeats events, and is caught."
        ),
    ),
    "plan of another head": (
        writing.PlanOfAnotherHead,
        (
            "The log is written once, so there is one entry before number n: a plan for n names it, or it is another log. "
            "The comparison is there for a bucket that was replaced under a kept table."
        ),
    ),
}
