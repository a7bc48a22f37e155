"""What a page of the largest size costs the stand-in for Slack, so that it does not hide what the collector costs.

python -m benchmarks.standin
"""

import time

from local.slack import DEFAULT_TOKEN, Settings
from local.slack.calls import Call
from local.slack.director import Director
from local.slack.organisation import Organisation

EVENTS = 12_000
TRIES = 9


def measure() -> list[float]:
    """CPU seconds of each of some answers with 9,999 events, without the socket."""
    organisation = Organisation(Settings(calls_per_minute=None))
    director = Director(organisation)
    director.accept(director.ordered({"count": EVENTS}))
    call = Call("GET", "/audit/v1/logs", {"limit": "9999"}, f"Bearer {DEFAULT_TOKEN}")
    costs = []
    for _ in range(TRIES):
        start = time.thread_time()
        organisation.answer(call)
        costs.append(time.thread_time() - start)
    return costs


if __name__ == "__main__":
    print(f"a page of 9,999 events: {min(measure()) * 1000:.0f} ms of CPU")
