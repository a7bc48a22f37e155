"""The token's secret: when it is read, and what it must not hold. Its value is in no error."""

import json
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from slack_audit.adapters import secrets
from slack_audit.adapters.secrets import SecretToken
from slack_audit.adapters.slack import SlackSource
from slack_audit.errors import RefusedError, TokenRefusedError, UnavailableError
from slack_audit.ports import Query
from tests.builders import NO_FILTERS
from tests.conftest import Cloud
from tests.contract.wire import answering, client_at, nobody

TOKEN = "xoxp-1234567890-the-token-that-nobody-may-see"


@pytest.fixture
def reads(cloud: Cloud) -> Iterator[list[str]]:
    """The secrets that were read since the test began."""
    seen: list[str] = []
    events = cloud.clients.secrets.meta.events
    name = "before-call.secretsmanager.GetSecretValue"

    def note(params: dict[str, Any], **_: Any) -> None:
        seen.append(json.loads(params["body"])["SecretId"])

    events.register(name, note)
    yield seen
    events.unregister(name, note)


def holding(cloud: Cloud, value: str | bytes) -> SecretToken:
    return SecretToken(cloud.clients.secrets, cloud.secret(value))


def holding_token(cloud: Cloud, token: object = TOKEN) -> SecretToken:
    return holding(cloud, json.dumps({"token": token}))


def put(cloud: Cloud, token: str) -> None:
    cloud.clients.secrets.put_secret_value(SecretId=cloud.name, SecretString=json.dumps({"token": token}))


def shown(error: BaseException | None) -> str:
    """Everything that a log could show of an error, and of what led to it."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), *traceback.format_exception(error)]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(json.dumps({"token": TOKEN}), id="as documented"),
        pytest.param(json.dumps({"token": TOKEN, "note": "Ada's"}), id="with something else"),
        pytest.param(json.dumps({"token": f"  {TOKEN}\n"}), id="with white space around it, as pasting leaves it"),
        pytest.param(json.dumps({"token": TOKEN}, indent=2), id="over several lines"),
        pytest.param(json.dumps({"token": TOKEN}).encode(), id="as bytes"),
    ],
)
def test_the_token_is_read_from_json(cloud, value):
    assert holding(cloud, value)() == TOKEN


def test_a_rotated_token_is_one_too(cloud):
    assert holding_token(cloud, "xoxe.xoxp-1-Mi0yLTE=")() == "xoxe.xoxp-1-Mi0yLTE="


# When it is read


def test_the_token_is_kept_for_five_minutes(cloud, reads):
    assert secrets.MAX_AGE == 300
    token = holding_token(cloud)
    assert [token(), token(), token()] == [TOKEN] * 3
    assert len(reads) == 1


def test_a_token_that_is_too_old_is_read_again(cloud, reads, monkeypatch):
    monkeypatch.setattr(secrets, "MAX_AGE", 0)
    token = holding_token(cloud)
    token()
    put(cloud, "xoxp-new")
    assert token() == "xoxp-new"
    assert len(reads) == 2


def test_a_fresh_token_comes_from_the_secret_itself_and_is_kept_from_then_on(cloud, reads):
    token = holding_token(cloud)
    token()
    put(cloud, "xoxp-new")
    assert token() == TOKEN
    assert token(True) == "xoxp-new"
    assert token() == "xoxp-new"
    assert len(reads) == 2


def test_secrets_do_not_share_what_they_keep(cloud):
    first = holding_token(cloud)
    other = Cloud(cloud.aws, cloud.clients, f"{cloud.name}-other")
    second = holding_token(other, "xoxp-other")
    assert (first(), second(), first()) == (TOKEN, "xoxp-other", TOKEN)


# What gives no token


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(TOKEN, id="the bare token"),
        pytest.param(f'{{"token": "{TOKEN}"', id="broken JSON"),
        pytest.param(f"{{'token': '{TOKEN}'}}", id="JSON of another language"),
        pytest.param(f'{{"Token": "{TOKEN}"}}', id="another name"),
        pytest.param(f'["{TOKEN}"]', id="a list"),
        pytest.param(f'{{"token": ["{TOKEN}"]}}', id="a list of tokens"),
        pytest.param('{"token": null}', id="null"),
        pytest.param('{"token": 1234567890}', id="a number"),
        pytest.param("{}", id="an empty object"),
        pytest.param(b"\xff\xfe" + TOKEN.encode(), id="bytes that are no text"),
    ],
)
def test_a_value_of_another_form_gives_no_token_and_shows_the_form(cloud, value):
    error = refusal(cloud, value)
    assert "is not JSON of the form" in str(error)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("  \n", id="white space"),
        pytest.param(f"{TOKEN}\nX-Header: injected", id="a new line and a header"),
        pytest.param(f"{TOKEN}\r\n{TOKEN}", id="two lines"),
        pytest.param(f"Bearer {TOKEN}", id="a space"),
        pytest.param(f"{TOKEN}\x00", id="a control character"),
        pytest.param(f"{TOKEN}–", id="a dash that is none of ASCII's"),
    ],
)
def test_a_token_that_is_none_is_refused(cloud, token):
    error = refusal(cloud, json.dumps({"token": token}))
    assert "is empty or holds characters that no token has" in str(error)


def test_a_secret_without_a_value_says_how_to_put_one(cloud):
    token = SecretToken(cloud.clients.secrets, cloud.name)
    with Stubber(cloud.clients.secrets) as stub:  # the embedded AWS answers such a secret with 200 and no value
        missing = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
        stub.add_client_error("get_secret_value", "ResourceNotFoundException", missing, 400)
        with pytest.raises(TokenRefusedError, match=f"{cloud.name} gives no token: it has no value yet"):
            token()


def test_a_secret_that_does_not_exist_says_so(cloud):
    with pytest.raises(TokenRefusedError, match="or does not exist"):
        SecretToken(cloud.clients.secrets, cloud.name)()


def test_a_value_that_was_put_right_is_taken(cloud):
    token = holding(cloud, "nonsense")
    with pytest.raises(TokenRefusedError):
        token()
    put(cloud, TOKEN)
    assert token(True) == TOKEN


def refusal(cloud: Cloud, value: str | bytes) -> TokenRefusedError:
    """Names the secret and the command that puts a token; the value is nowhere in it."""
    arn = cloud.secret(value)
    with pytest.raises(TokenRefusedError) as raised:
        SecretToken(cloud.clients.secrets, arn)()
    assert f"aws secretsmanager put-secret-value --secret-id '{arn}'" in str(raised.value)
    assert TOKEN not in shown(raised.value)
    return raised.value


def test_no_token_that_the_secret_gives_upsets_the_http_client(cloud):
    """Its errors show the header. So every character that we let pass is one that it sends."""
    every = "".join(map(chr, range(0x21, 0x7F)))
    token = holding_token(cloud, every)
    with answering(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n") as wire:
        with pytest.raises(TokenRefusedError, match="HTTP 401") as raised:
            SlackSource(wire.url, "main", token, "0.1.0").read(Query(None, NO_FILTERS), 5.0)
        (request,) = wire.requests
    assert f"Authorization: Bearer {every}\r\n".encode() in request
    assert every not in shown(raised.value)


# What is no answer


@pytest.mark.parametrize(
    ("code", "status", "error", "advice"),
    [
        ("AccessDeniedException", 400, RefusedError, "function's role"),
        ("DecryptionFailure", 400, RefusedError, "function's role"),
        ("InternalServiceError", 500, UnavailableError, "tried again"),
        ("ThrottlingException", 400, UnavailableError, "tried again"),
    ],
)
def test_what_secrets_manager_refuses_is_an_error_and_no_refused_token(cloud, code, status, error, advice):
    token = SecretToken(cloud.clients.secrets, cloud.name)
    with Stubber(cloud.clients.secrets) as stub:
        stub.add_client_error("get_secret_value", code, http_status_code=status)
        with pytest.raises(error, match=f"{cloud.name} .*{code}.*{advice}"):
            token()


def test_a_deleted_secret_is_an_error_that_names_it(cloud):
    token = holding_token(cloud)
    cloud.clients.secrets.delete_secret(SecretId=cloud.name, RecoveryWindowInDays=7)
    with pytest.raises(RefusedError, match=cloud.name) as raised:
        token()
    assert TOKEN not in shown(raised.value)


def test_a_secrets_manager_that_does_not_answer_is_an_error():
    with nobody() as url, pytest.raises(UnavailableError, match="Could not read the secret name"):
        SecretToken(client_at("secretsmanager", url), "name")()
