"""The storm's time is virtual, and what is logged in it is kept."""

from collections.abc import Iterator

import pytest

from tests.faults.world import virtual_time


@pytest.fixture(scope="module", autouse=True)
def _virtual_time() -> Iterator[None]:
    with virtual_time():
        yield
