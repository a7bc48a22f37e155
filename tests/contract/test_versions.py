"""Every secret keeps the promises of `ports.Versions`: the fake in memory, and the adapter before the embedded AWS."""

import json
from typing import Any, Protocol
from uuid import uuid4

import pytest
from botocore.stub import Stubber

from slack_audit.adapters.versions import SecretVersions
from slack_audit.errors import StorageError, VersionTakenError
from slack_audit.ports import Versions
from slack_audit.rotate import CURRENT, PENDING, PROBE
from tests.conftest import Cloud
from tests.contract.wire import client_at, nobody
from tests.fakes import Faults
from tests.hygiene import SECRET as LOOKS_SECRET
from tests.rotating import Secret, shown

VALUE = json.dumps({"token": "xoxp-nobody-may-see"})
FIRST = "00000000-0000-4000-8000-000000000001"


class Kept(Protocol):
    versions: Versions

    def prepare(self, version: str) -> None:
        """As Secrets Manager does at the beginning of a rotation."""


class InMemory:
    def __init__(self) -> None:
        self.secret = Secret(Faults())
        self.secret.person_puts(FIRST, json.loads(VALUE))
        self.versions: Versions = self.secret
        self.prepare = self.secret.prepare


class Embedded:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        arn = cloud.clients.secrets.create_secret(Name=cloud.name)["ARN"]
        cloud.clients.secrets.put_secret_value(SecretId=arn, ClientRequestToken=FIRST, SecretString=VALUE)
        self.versions: Versions = SecretVersions(cloud.clients.secrets, arn)

    def prepare(self, version: str) -> None:
        """The embedded AWS makes such a version when it is put without a value; its own rotation calls no function."""
        self.cloud.clients.secrets.put_secret_value(
            SecretId=self.cloud.name, ClientRequestToken=version, VersionStages=[PENDING]
        )


@pytest.fixture(params=["memory", "embedded"])
def kept(request: pytest.FixtureRequest) -> Kept:
    return InMemory() if request.param == "memory" else Embedded(request.getfixturevalue("cloud"))


def new_version() -> str:
    return str(uuid4())


def test_a_prepared_version_has_its_label_and_no_value(kept):
    version = new_version()
    kept.prepare(version)
    assert kept.versions.labels()[version] == [PENDING]
    assert kept.versions.value_of(version) is None


def test_the_current_value_is_found_by_its_label(kept):
    assert kept.versions.labels()[FIRST] == [CURRENT]
    assert kept.versions.value_of(FIRST) == VALUE


def test_a_version_that_is_not_there_has_no_value(kept):
    assert kept.versions.value_of(new_version()) is None


@pytest.mark.parametrize("times", [1, 2])
def test_a_prepared_version_gets_a_value_and_readers_do_not_see_it(kept, times):
    version = new_version()
    kept.prepare(version)
    for _ in range(times):
        kept.versions.put(version, "the new one", PENDING)
    assert kept.versions.value_of(version) == "the new one"
    assert kept.versions.labels()[version] == [PENDING]
    assert kept.versions.labels()[FIRST] == [CURRENT]


def test_a_probe_can_be_written_beside_a_rotation(kept):
    version, probe = new_version(), new_version()
    kept.prepare(version)
    kept.versions.put(probe, "nothing", PROBE)
    assert (kept.versions.labels()[version], kept.versions.labels()[probe]) == ([PENDING], [PROBE])


def test_another_version_becomes_current_in_one_step(kept):
    version = new_version()
    kept.prepare(version)
    kept.versions.put(version, "the new one", PENDING)
    kept.versions.make_current(version, instead_of=FIRST)
    assert CURRENT in kept.versions.labels()[version]
    assert CURRENT not in kept.versions.labels().get(FIRST, [])


def test_it_does_not_if_another_one_is_current_than_was_thought(kept):
    version = new_version()
    kept.prepare(version)
    kept.versions.put(version, "the new one", PENDING)
    with pytest.raises(StorageError):
        kept.versions.make_current(version, instead_of=version)
    with pytest.raises(StorageError):
        kept.versions.make_current(version, instead_of=new_version())
    assert kept.versions.labels()[FIRST] == [CURRENT]


def test_a_rotation_can_be_dropped(kept):
    version = new_version()
    kept.prepare(version)
    kept.versions.put(version, "the new one", PENDING)
    kept.versions.drop_pending(version)
    assert version not in kept.versions.labels()


def test_a_value_is_never_replaced_in_memory():
    """As on AWS; the embedded one replaces it."""
    with pytest.raises(VersionTakenError):
        InMemory().versions.put(FIRST, "another", PENDING)


# The adapter's failures

CALLS: dict[str, tuple[str, Any]] = {
    "describe_secret": ("describe", lambda versions: versions.labels()),
    "get_secret_value": ("read", lambda versions: versions.value_of(FIRST)),
    "put_secret_value": ("write", lambda versions: versions.put(FIRST, VALUE, PENDING)),
    "update_secret_version_stage": (
        "move AWSCURRENT of",
        lambda versions: versions.make_current(FIRST, instead_of="b" * 32),
    ),
}


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServiceError", "ThrottlingException"])
def test_what_secrets_manager_refuses_is_a_storage_error_that_names_the_secret(cloud, operation, code):
    did, call = CALLS[operation]
    with Stubber(cloud.clients.secrets) as stub:
        stub.add_client_error(operation, code)
        with pytest.raises(StorageError, match=f"Could not {did} the secret {cloud.name} .*{code}") as raised:
            call(SecretVersions(cloud.clients.secrets, cloud.name))
    assert not LOOKS_SECRET.search(shown(raised.value))


def test_a_version_with_another_value_is_taken(cloud):
    with Stubber(cloud.clients.secrets) as stub:
        stub.add_client_error(
            "put_secret_value", "ResourceExistsException", "because that value is already in use", 400
        )
        with pytest.raises(VersionTakenError, match="has another value"):
            SecretVersions(cloud.clients.secrets, cloud.name).put(FIRST, VALUE, PENDING)


def test_a_label_that_cannot_be_taken_away_is_a_storage_error(cloud):
    with pytest.raises(StorageError, match="take AWSPENDING from"):
        SecretVersions(cloud.clients.secrets, cloud.name).drop_pending(FIRST)


@pytest.mark.parametrize("operation", CALLS)
def test_a_secrets_manager_that_is_not_there_is_a_storage_error(operation):
    with nobody() as url, pytest.raises(StorageError, match="the secret name") as raised:
        CALLS[operation][1](SecretVersions(client_at("secretsmanager", url), "name"))
    assert not LOOKS_SECRET.search(shown(raised.value))
