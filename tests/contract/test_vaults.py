"""What a vault promises, kept by the bucket, the folder and the fake alike."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from slack_audit.adapters.vault_folder import FolderVault
from slack_audit.adapters.vault_s3 import AHEAD, S3Vault
from slack_audit.errors import StorageError
from slack_audit.verify.vault import Vault
from tests.conftest import Cloud
from tests.verify.archives import Memory

OBJECTS = {
    "log/org=main/000000000000.json": b"0",
    "log/org=main/000000000001.json": b"1",
    "log/org=main/a": b"a file",
    "log/org=main/a-b": b"before a/c by its first byte",
    "log/org=main/a/c": b"within a folder",
    "log/org=mainly/000000000000.json": b"another org",
    "raw/org=main/dt=2026-01-01/1-2-3-x.ndjson.gz": b"\x00\xff",
}
FOLDED = {key: body for key, body in OBJECTS.items() if key != "log/org=main/a"}  # a folder cannot be a file too

type Making = Callable[[dict[str, bytes]], Vault]


@pytest.fixture(params=["memory", "folder", "s3"])
def making(request, tmp_path) -> Making:
    if request.param == "memory":
        return Memory
    if request.param == "folder":
        return lambda objects: folder_of(objects, tmp_path)
    cloud: Cloud = request.getfixturevalue("cloud")
    return lambda objects: bucket_of(objects, cloud)


def folder_of(objects: dict[str, bytes], folder: Path) -> Vault:
    for key, body in objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)
    return FolderVault(folder)


def bucket_of(objects: dict[str, bytes], cloud: Cloud) -> Vault:
    bucket = cloud.bucket()
    for key, body in objects.items():
        cloud.clients.s3.put_object(Bucket=bucket, Key=key, Body=body)
    return S3Vault(cloud.clients.s3, bucket)


def test_keys_come_in_order_under_their_prefix(making):
    vault = making(FOLDED)
    assert list(vault.keys("log/org=main/")) == sorted(key for key in FOLDED if key.startswith("log/org=main/"))
    assert list(vault.keys("raw/org=main/")) == ["raw/org=main/dt=2026-01-01/1-2-3-x.ndjson.gz"]


def test_keys_come_after_another(making):
    vault = making(FOLDED)
    assert next(vault.keys("log/org=main/", "log/org=main/000000000000.json")) == "log/org=main/000000000001.json"
    assert list(vault.keys("log/org=main/", "log/org=main/b")) == []


def test_nothing_is_under_a_prefix_that_is_not_there(making):
    assert list(making(FOLDED).keys("log/org=nobody/")) == []


def test_an_object_is_read_whole_and_a_missing_one_is_none(making):
    vault = making(FOLDED)
    assert vault.get("raw/org=main/dt=2026-01-01/1-2-3-x.ndjson.gz") == b"\x00\xff"
    assert vault.get("raw/org=main/dt=2026-01-01/none") is None
    assert vault.get("log/org=main/000000000000.json/below") is None


def test_many_are_read_in_order(making):
    objects = {f"log/org=main/{number:012}.json": str(number).encode() for number in range(2 * AHEAD + 5)}
    vault = making(objects)
    asked = [*objects, "log/org=main/none", *list(objects)[:3]]
    assert list(vault.get_many(iter(asked))) == [objects.get(key) for key in asked]


def test_a_bucket_is_listed_page_by_page(cloud):
    objects = {f"raw/org=main/{number:04}": b"" for number in range(1_005)}
    assert list(bucket_of(objects, cloud).keys("raw/org=main/")) == list(objects)


def test_reading_many_goes_no_further_ahead_than_it_may(cloud):
    vault = bucket_of({}, cloud)
    asked: list[int] = []

    def keys() -> Iterator[str]:
        for number in range(1_000):
            asked.append(number)
            yield f"log/org=main/{number}"

    many = vault.get_many(keys())
    assert next(many) is None
    assert len(asked) == AHEAD
    many.close()  # type: ignore[attr-defined]


# ---- what cannot be read ----


def test_a_bucket_that_is_not_there(cloud):
    vault = S3Vault(cloud.clients.s3, "nobody-has-this-bucket")
    with pytest.raises(StorageError, match=r"list s3://nobody-has-this-bucket/log/.*Check the bucket's name"):
        list(vault.keys("log/"))
    with pytest.raises(StorageError, match=r"read s3://nobody-has-this-bucket/log/x .*Check the bucket's name"):
        vault.get("log/x")
    with pytest.raises(StorageError, match="Check the bucket's name"):
        list(vault.get_many(["log/x"]))


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "s3:GetObject"),
        ("ExpiredToken", "log in again"),
        ("InvalidAccessKeyId", "AWS does not know these credentials"),
        ("InvalidObjectState", "colder storage class"),
        ("SlowDown", "Try again"),
    ],
)
def test_a_refusal_says_what_to_do(clients, code, advice):
    with Stubber(clients.s3) as refusing:
        refusing.add_client_error("get_object", service_error_code=code)
        with pytest.raises(StorageError, match=advice):
            S3Vault(clients.s3, "bucket").get("log/x")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (NoCredentialsError(), "name a --profile"),
        (EndpointConnectionError(endpoint_url="http://x"), "Check the network"),
    ],
)
def test_a_call_that_was_not_made_says_what_to_do(clients, monkeypatch, error, advice):
    def fail(**_):
        raise error

    monkeypatch.setattr(clients.s3, "get_object", fail)
    with pytest.raises(StorageError, match=advice):
        S3Vault(clients.s3, "bucket").get("log/x")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="There is no folder"):
        FolderVault(tmp_path / "none")


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    vault = folder_of({"log/x": b""}, tmp_path)

    def refuse(*_):
        raise PermissionError("no")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(StorageError, match="Check the permissions"):
        vault.get("log/x")
    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(StorageError, match="Check the permissions"):
        list(vault.keys("log/"))


def test_a_file_with_a_name_that_is_no_text_is_listed_all_the_same(tmp_path):
    vault = folder_of({"log/org=main/x": b""}, tmp_path)
    (tmp_path / "log" / "org=main" / "odd\udcff").write_bytes(b"")
    assert list(vault.keys("log/org=main/")) == ["log/org=main/odd\\xff", "log/org=main/x"]
