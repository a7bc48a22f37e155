"""What the tests of the deployed stack need."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from local.aws import EmbeddedAws
from local.slack import Settings, StandIn
from tests.e2e.stack import TOKEN, Stack
from tests.e2e.weather import Weather


@pytest.fixture
def slack() -> Iterator[StandIn]:
    """A Slack of this test's own; its order within a second and its last pages vary."""
    with StandIn(Settings(tokens=(TOKEN,), calls_per_minute=None, last_page="rotate")) as standin:
        yield standin


@pytest.fixture
def unused_ports() -> int:
    """A port that is free, as is the one after it."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


@pytest.fixture(scope="session")
def climate(aws: EmbeddedAws) -> Iterator[Weather]:
    """One deployment for all tests of a worker that ask for bad weather: it takes longer than most of them."""
    with StandIn(Settings(tokens=(TOKEN,))) as slack:
        stack = Stack.with_token(aws, slack)
    with Weather.over(stack) as weather:
        yield weather


@pytest.fixture
def weather(climate: Weather) -> Iterator[Weather]:
    """Calm, over a stack as if new, with a Slack of this test's own where the stack looks for it."""
    port = urlsplit(climate.stack.slack.url).port or 0
    with StandIn(Settings(tokens=(TOKEN,), calls_per_minute=None, last_page="rotate"), port=port) as slack:
        climate.begin_anew(slack)
        yield climate
