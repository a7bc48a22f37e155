"""The long storm: lives of a deployment in which anything may happen next.

`make test` lives a few dozen of them, always the same. For a longer storm, with new lives every time:

    STORM_EXAMPLES=2000 STORM_STEPS=60 pytest tests/faults/test_machine.py --timeout 0
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.figures import EXAMPLES, STEPS
from tests.faults.machine import Storm

WANTED = int(os.environ.get("STORM_EXAMPLES", EXAMPLES))

STORM = settings(
    max_examples=WANTED,
    stateful_step_count=int(os.environ.get("STORM_STEPS", STEPS)),
    derandomize="STORM_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def test_whatever_happens_in_whatever_order_everything_settles_and_is_proven():
    lived = Storm.lives
    run_state_machine_as_test(Storm, settings=STORM)
    assert Storm.lives - lived >= WANTED
