"""A deployed function that its timeout kills, wherever it stands: the lease expires, and the next run goes on."""

from collections.abc import Mapping

from tests.e2e.stack import settled
from tests.e2e.storms import HOUR, SHORT, prove, runs_until_done
from tests.e2e.weather import Weather
from tests.proof import log_of


def batches_without_an_entry(objects: Mapping[str, bytes]) -> set[str]:
    return {key for key in objects if key.startswith("raw/")} - {entry["key"] for entry in log_of(objects)}


def killed(weather: Weather) -> None:
    """A run that is killed, and one more that finds its lease; then the lease expires."""
    assert "Task timed out" in weather.stack.fail()["errorMessage"]
    assert weather.stack.invoke()["stopped"] == "lease_busy"
    weather.let_the_lease_expire()


def test_a_run_that_is_killed_in_the_middle_of_a_window_loses_and_repeats_nothing(weather: Weather) -> None:
    stack = weather.stack
    weather.configure(SHORT)
    stack.slack.change(page_limit=300)
    stack.slack.generate(2_000, start=settled(24 * HOUR - 600), end=settled())
    genesis, tries = 1, 2  # a third try of the same request would come after its run is dead
    weather.stores.spoil("hold", "PutObject", path="/log/", after=genesis, times=tries)
    killed(weather)  # between a batch and its log entry
    (batch,) = batches_without_an_entry(stack.objects())

    runs_until_done(weather)
    done = stack.objects()
    assert batch in done, "it was written once, and is now in the log"
    weather.stores.let_go(land=True)
    assert weather.stores.seen("PutObject", "landed late")
    assert stack.objects() == done, "what a dead run wrote comes too late to change anything"
    prove(weather)


def test_a_slow_slack_and_a_slow_s3_end_a_run_in_time(weather: Weather) -> None:
    """Nothing kills it: it keeps back what its slowest step may cost."""
    stack = weather.stack
    weather.configure(SHORT)
    stack.slack.change(page_limit=300, latency=(0.2, 0.6))
    stack.slack.generate(2_000, start=settled(20 * HOUR), end=settled())
    stack.slack.fault("hang", seconds=20, after=3)
    weather.injector.inject({"service": "s3", "latency": {"min": 200, "max": 500}})
    assert stack.invoke()["stopped"] == "time"
    assert {action.partition(":")[0] for _, action in weather.injector.fired()} == {"latency"}
    weather.clear_up()
    stack.slack.change(latency=0)
    runs_until_done(weather)
    prove(weather)
