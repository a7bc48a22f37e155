"""A stand-in whose clock stands still, without a rate limit, and a client of it."""

from collections.abc import Iterator

import pytest

from local.slack import Settings, StandIn
from tests.local.clients import Client, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[StandIn]:
    with StandIn(Settings(calls_per_minute=None), host_clock=clock) as standin:
        yield standin


@pytest.fixture
def client(slack: StandIn) -> Client:
    return Client(slack)
