"""Every archive keeps the promises of `ports.Archive`; then what only S3 can do wrong."""

import zlib
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, cast

import pytest
from botocore.stub import Stubber

from slack_audit.adapters.s3 import S3Archive
from slack_audit.errors import StorageError, StorageRefusedError
from slack_audit.ports import Archive
from tests import fakes
from tests.conftest import Cloud
from tests.contract.wire import answering, client_at, nobody

KEY = "log/org=main/000000000000.json"
BATCH = "raw/org=main/dt=2026-01-01/1767225600-1767229199-1-0123456789ab.ndjson.gz"


@pytest.fixture(params=["memory", "s3"])
def archive(request: pytest.FixtureRequest) -> Archive:
    if request.param == "memory":
        return fakes.Archive(fakes.Faults())
    return cast(Archive, request.getfixturevalue("s3"))


@pytest.fixture
def s3(cloud: Cloud) -> S3Archive:
    return S3Archive(cloud.clients.s3, cloud.bucket())


def test_a_missing_object_is_none(archive):
    assert archive.get(KEY) is None
    assert not archive.exists(KEY)


def test_what_is_put_is_there(archive):
    assert archive.put_new(KEY, b"one")
    assert archive.get(KEY) == b"one"
    assert archive.exists(KEY)


def test_the_first_writer_wins(archive):
    assert archive.put_new(KEY, b"first")
    assert not archive.put_new(KEY, b"second")
    assert archive.get(KEY) == b"first"


def test_the_same_bytes_again_stood_there_before(archive):
    archive.put_new(KEY, b"same")
    assert not archive.put_new(KEY, b"same")


def test_an_object_does_not_stand_under_a_part_of_its_key(archive):
    archive.put_new(KEY, b"one")
    assert not archive.exists("log/org=main")
    assert archive.get("log/org=main/") is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(range(256)), id="every byte"),
        pytest.param(zlib.compress(b"{}\n" * 1000, wbits=31), id="gzip, which nobody unpacks on the way"),
        pytest.param('{"name":"Zoë ☃"}\r\n'.encode(), id="text"),
        pytest.param(bytes(range(256)) * 32_768, id="8 MiB"),
    ],
)
def test_the_bytes_stay_exactly_as_they_are(archive, body):
    archive.put_new(BATCH, body)
    assert archive.get(BATCH) == body


@pytest.mark.parametrize(
    ("after", "most", "expected"),
    [("", 9, [0, 1, 2]), ("", 2, [0, 1]), ("log/a/1", 9, [2]), ("log/a/2", 9, []), ("log/a/00", 1, [1])],
)
def test_keys_are_listed_in_order_from_after_another(archive, after, most, expected):
    for number in (2, 0, 1):
        archive.put_new(f"log/a/{number}", b"x")
    archive.put_new("log/b/0", b"x")
    assert archive.keys("log/a/", after=after, most=most) == [f"log/a/{number}" for number in expected]
    assert archive.keys("log/c/", after="", most=2) == []


def test_its_address_ends_with_the_key(archive):
    assert archive.uri(BATCH).startswith("s3://")
    assert archive.uri(BATCH).endswith(f"/{BATCH}")


# S3 alone


def test_of_many_writers_at_once_one_wins(s3):
    bodies = [f"writer {number}".encode() for number in range(8)]
    with ThreadPoolExecutor(len(bodies)) as writers:
        won = list(writers.map(lambda body: s3.put_new(KEY, body), bodies))
    assert won.count(True) == 1
    assert s3.get(KEY) == bodies[won.index(True)]


def test_s3_checked_the_bytes_and_keeps_their_digest(s3, cloud):
    s3.put_new(BATCH, b"body")
    head = cloud.clients.s3.head_object(Bucket=cloud.name, Key=BATCH, ChecksumMode="ENABLED")
    assert b64decode(head["ChecksumSHA256"]) == sha256(b"body").digest()


@pytest.mark.parametrize(("key", "kind"), [(KEY, "application/json"), (BATCH, "application/gzip")])
def test_objects_say_what_they_are(s3, cloud, key, kind):
    s3.put_new(key, b"body")
    head = cloud.clients.s3.head_object(Bucket=cloud.name, Key=key)
    assert head["ContentType"] == kind
    assert "ContentEncoding" not in head


def test_a_write_that_meets_another_one_is_tried_again(s3, cloud):
    with Stubber(cloud.clients.s3) as stub:
        stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        stub.add_response("put_object", {})
        assert s3.put_new(KEY, b"one")
        stub.assert_no_pending_responses()


def test_a_write_that_meets_others_all_the_time_fails(s3, cloud):
    with Stubber(cloud.clients.s3) as stub:
        for _ in range(5):
            stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        with pytest.raises(StorageError, match=KEY):
            s3.put_new(KEY, b"one")


VERBS: dict[str, Callable[[Archive], Any]] = {
    "put_object": lambda archive: archive.put_new(KEY, b"one"),
    "get_object": lambda archive: archive.get(KEY),
    "head_object": lambda archive: archive.exists(KEY),
    "list_objects_v2": lambda archive: archive.keys("log/org=main/", after=KEY, most=2),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("code", "status"), [("AccessDenied", 403), ("SlowDown", 503), ("InternalError", 500)])
def test_what_s3_refuses_is_an_error_and_never_an_answer(s3, cloud, verb, code, status):
    with Stubber(cloud.clients.s3) as stub:
        stub.add_client_error(verb, code, http_status_code=status)
        with pytest.raises(StorageError, match=f"s3://{cloud.name}/{KEY}") as error:
            VERBS[verb](s3)
    assert error.value.__cause__ is not None
    assert isinstance(error.value, StorageRefusedError) is (status == 403), "only this one lasts"


@pytest.mark.parametrize("status", [403, 500, 503])
def test_only_404_says_that_no_object_stands_there(s3, cloud, status):
    with Stubber(cloud.clients.s3) as stub:  # the answer to HEAD has no body, hence its status for a code
        stub.add_client_error("head_object", str(status), http_status_code=status)
        with pytest.raises(StorageError, match=KEY):
            s3.exists(KEY)


@pytest.mark.parametrize("verb", ["put_object", "get_object", "list_objects_v2"])
def test_a_missing_bucket_is_no_missing_object(cloud, verb):
    with pytest.raises(StorageError, match="NoSuchBucket"):
        VERBS[verb](S3Archive(cloud.clients.s3, cloud.name))


@pytest.mark.parametrize("verb", VERBS)
def test_an_s3_that_does_not_answer_is_an_error(verb):
    with nobody() as url, pytest.raises(StorageError, match=KEY):
        VERBS[verb](S3Archive(client_at("s3", url), "bucket"))


def test_an_object_that_breaks_off_is_an_error():
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"
    with answering(half) as wire, pytest.raises(StorageError, match=KEY):
        S3Archive(client_at("s3", wire.url), "bucket").get(KEY)
