"""A deployed function that its timeout kills, wherever it stands: the lease expires, and the next run goes on."""

from tests.e2e.stack import settled
from tests.e2e.storms import prove, runs_until_done
from tests.e2e.weather import Weather

HOUR = 3_600
SHORT = 14  # seconds: four to work in, ten for a run's reserve
ALL_TRIES = 3  # of one request of the function's AWS client


def killed(weather: Weather) -> None:
    """A run that is killed, and one more that finds its lease; then the lease expires."""
    assert "Task timed out" in weather.stack.fail()["errorMessage"]
    assert weather.stack.invoke()["stopped"] == "lease_busy"
    weather.let_the_lease_expire()


def test_runs_that_are_killed_lose_and_repeat_nothing(weather: Weather) -> None:
    """By what the first one leaves, later ones begin where the log goes on, and are killed at their first window."""
    stack = weather.stack
    stack.slack.change(page_limit=300)
    stack.slack.generate(2_000, start=settled(10 * HOUR), end=settled())
    weather.stores.spoil("lose", "PutObject", path="/raw/", after=2, times=ALL_TRIES)
    assert "Could not write s3://" in stack.fail()["errorMessage"]

    weather.configure(timeout=6)  # nothing can be read in that
    weather.stores.clear()
    weather.stores.spoil("hold_answer", "UpdateItem")
    killed(weather)  # with a lease that it does not know of

    weather.configure(timeout=SHORT)
    weather.stores.clear()
    weather.stores.spoil("hold", "PutObject", path="/log/", after=1, times=ALL_TRIES)
    killed(weather)  # between a batch and its log entry, which never lands
    assert weather.stores.seen("PutObject", "held")

    weather.stores.clear()
    weather.stores.spoil("hold", "PutObject", path="/log/", after=1, times=ALL_TRIES)
    killed(weather)
    weather.stores.let_go(land=True)  # the same, but the entry lands when its run is dead
    assert weather.stores.seen("PutObject", "landed late")

    weather.stores.clear()
    runs_until_done(weather)
    assert "committing what an earlier run had written" in weather.log()
    prove(weather)


def test_a_slow_slack_and_a_slow_s3_end_a_run_in_time(weather: Weather) -> None:
    """Nothing kills it: it keeps back what its slowest step may cost."""
    stack = weather.stack
    stack.slack.change(page_limit=300, latency=(0.2, 0.6))
    stack.slack.generate(2_000, start=settled(20 * HOUR), end=settled())
    stack.slack.fault("hang", seconds=20, after=3)
    weather.injector.inject({"service": "s3", "latency": {"min": 200, "max": 500}})
    weather.configure(timeout=SHORT)
    assert stack.invoke()["stopped"] == "time"
    assert {action.partition(":")[0] for _, action in weather.injector.fired()} == {"latency"}
    weather.clear_up()
    stack.slack.change(latency=0)
    runs_until_done(weather)
    prove(weather)
