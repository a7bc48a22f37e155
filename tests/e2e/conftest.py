"""What the tests of the deployed stack need."""

import socket
from collections.abc import Iterator

import pytest

from local.slack import Settings, StandIn
from tests.e2e.stack import TOKEN


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
