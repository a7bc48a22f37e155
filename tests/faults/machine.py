"""Everything that may happen to a deployment, in any order: the rules of the long storm.

After every run the log is gapless and chained, no id stands twice in what it names, and below the publish mark the
stream has accepted everything (`World._is_plausible`). At the end the weather clears, everything settles, and all of it
is proven.
"""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.faults.faults import ALL
from tests.faults.sweep import LEAVES_ORPHANS
from tests.faults.world import World

LATEST = 3_500  # seconds after which Slack shows an event at the latest: final reads a second after 3,900

moments = st.integers(1, 40)
kinds = st.sampled_from(sorted(ALL))


def range_of(backfill: str) -> tuple[int, int]:
    _, lo, hi = backfill.split("-")
    return int(lo), int(hi)


class Storm(RuleBasedStateMachine):
    """One deployment's life. `lives` counts those that were lived to their end."""

    lives = 0

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.slack.page = 10
        self.numbers = 0
        self.orphans = False
        self.kept: dict[str, Any] = {}

    def new_numbers(self, count: int) -> list[int]:
        self.numbers += count
        return list(range(self.numbers - count, self.numbers))

    # what happens in the organisation

    @rule(ago=st.integers(0, 59), count=st.integers(1, 3))
    def something_happens(self, ago, count):
        self.world.slack.add(self.world.slack.now - ago, self.new_numbers(count))

    @rule(spread=st.lists(st.integers(60, 3_000), min_size=1, max_size=6))
    def it_was_busy(self, spread):
        for ago in spread:
            self.world.slack.add(self.world.slack.now - ago, self.new_numbers(2))

    @rule(ago=st.integers(0, 600), late=st.integers(100, LATEST))
    def something_will_be_shown_late(self, ago, late):
        self.world.slack.add(self.world.slack.now - ago, self.new_numbers(2), late=max(ago, late))

    @rule(ago=st.integers(0, 300), count=st.integers(8, 25))
    def many_things_happen_in_one_second(self, ago, count):
        self.world.slack.add(self.world.slack.now - ago, self.new_numbers(count))

    @rule()
    def somebody_rotates_the_token(self):
        token = f"xoxp-{self.world.runs}-storm"
        self.world.cloud.secretsmanager.token = self.world.slack.token = token

    # time and runs

    @rule(minutes=st.integers(1, 100))
    def time_passes(self, minutes):
        self.world.pass_time(60 * minutes)

    @rule()
    def a_run(self):
        self.world.next()
        self.world.pass_time(60)

    @rule(number=moments, kind=kinds)
    def a_run_in_which_something_goes_wrong(self, number, kind):
        self.world.border.faults = {len(self.world.border.names) + number: ALL[kind]}
        self.orphans |= kind in LEAVES_ORPHANS
        self.a_run()

    @rule(first=moments, second=moments, one=kinds, other=kinds)
    def a_run_in_which_two_things_go_wrong(self, first, second, one, other):
        start = len(self.world.border.names) + first
        self.world.border.faults = {start: ALL[one], start + second: ALL[other]}
        self.orphans |= bool({one, other} & LEAVES_ORPHANS)
        self.a_run()

    @rule(number=moments, how=st.sampled_from(["overtaken", "a second stack"]))
    def two_runs_overlap(self, number, how):
        self.a_run_in_which_something_goes_wrong(number, how)

    # the table and the stream

    @rule()
    def the_table_is_lost(self):
        self.orphans |= "plan" in self.world.cloud.dynamodb.item
        self.world.cloud.dynamodb.item = {}

    @rule()
    def a_backup_of_the_table_is_made(self):
        self.kept = dict(self.world.cloud.dynamodb.item)

    @precondition(lambda self: self.kept)
    @rule()
    def the_table_is_restored(self):
        self.orphans = True
        self.world.cloud.dynamodb.item = dict(self.kept)

    @rule()
    def the_stream_goes_down_or_comes_back(self):
        self.world.cloud.kinesis.down = not self.world.cloud.kinesis.down

    # backfills

    @rule(ago=st.integers(0, 20_000), seconds=st.integers(1, 6_000), publish=st.booleans())
    def a_backfill_is_wanted(self, ago, seconds, publish):
        lo = self.world.slack.now - ago
        self._order({"from": lo, "to": lo + seconds, "publish": publish})

    @precondition(lambda self: self.world.backfills())
    @rule(data=st.data(), what=st.sampled_from(["pause", "resume", "cancel"]))
    def a_backfill_is_touched(self, data, what):
        name = data.draw(st.sampled_from(sorted(self.world.backfills())))
        self._order({what: name})
        if what != "resume":
            self.world.backfilled.discard(range_of(name))

    def _order(self, wanted: dict[str, object]) -> None:
        """A person's order, sent once: it is carried out, or refused with a text that says why."""
        self.world.wanted = wanted
        self.world.order()
        self.world.wanted = None

    # the end

    def teardown(self) -> None:
        self.world.cloud.kinesis.down = False
        self.world.settle()
        self.world.prove(orphans=self.orphans)
        type(self).lives += 1
