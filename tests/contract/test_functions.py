"""Asking a version of the collect function: what Lambda can say no to."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from slack_audit.adapters.functions import CollectVersion
from slack_audit.errors import CheckBusyError, CheckError
from tests.contract.wire import client_at, nobody


@pytest.fixture
def client() -> Any:
    session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return session.client("lambda")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("TooManyRequestsException", 429, CheckBusyError),
        ("AccessDeniedException", 403, CheckError),
        ("ServiceException", 500, CheckError),
    ],
)
def test_what_lambda_refuses_is_an_error_with_its_cause(client, code, status, kind):
    with Stubber(client) as stub:
        stub.add_client_error("invoke", code, http_status_code=status)
        with pytest.raises(CheckError, match=f"Could not ask version-7 for a check .*{code}") as error:
            CollectVersion(client, "version-7").check("main")
    assert type(error.value) is kind
    assert error.value.__cause__ is not None


def test_a_lambda_that_does_not_answer_is_an_error():
    with nobody() as url, pytest.raises(CheckError, match="version-7 did not answer"):
        CollectVersion(client_at("lambda", url), "version-7").check("main")
