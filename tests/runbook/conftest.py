"""One deployed stack for the tests of a module, and a shell of the person on call."""

from collections.abc import Iterator

import pytest

from local.aws import EmbeddedAws
from tests.runbook.living import Living
from tests.runbook.shell import Shell, on_call


@pytest.fixture(scope="module")
def stack(aws: EmbeddedAws) -> Iterator[Living]:
    with Living.starting(aws) as stack:
        yield stack


@pytest.fixture(scope="module")
def shell(stack: Living, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with on_call(stack.aws, tmp_path_factory.mktemp("oncall"), stack.name) as ready:
        yield ready
