"""The outside world of a rotation in memory: a secret with AWS's rules for versions, and Slack's rules for tokens."""

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from local.slack import Settings
from local.slack.calls import Call
from local.slack.oauth import PATH, OAuth
from slack_audit.credentials import Credentials, Pair
from slack_audit.errors import RefusedError, StorageError, TokenRefusedError, UnavailableError, VersionTakenError
from slack_audit.ports import Answer, Query
from slack_audit.rotate import CURRENT, PENDING, Rotation
from tests.fakes import Clock, Faults

SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:main-AbCdEf"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def version_of(number: int) -> str:
    """A version's id, as Secrets Manager makes them."""
    return f"00000000-0000-4000-8000-{number:012}"


@dataclass
class Stored:
    value: str | None
    labels: set[str]


class Secret:
    """The versions of a secret. A version that has a value never gets another; a label is on one version at most."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.versions: dict[str, Stored] = {}

    def prepare(self, version: str) -> None:
        """What Secrets Manager does before it asks for the first step: a version without a value."""
        self.versions.setdefault(version, Stored(None, set()))
        self._move(PENDING, version)

    def person_puts(self, version: str, fields: dict[str, Any]) -> None:
        """Somebody puts a value by hand."""
        self.versions[version] = Stored(json.dumps(fields), set())
        self._move(CURRENT, version)

    def labels(self) -> dict[str, list[str]]:
        self.faults.before("labels")
        self.faults.after()
        return {version: sorted(it.labels) for version, it in self.versions.items() if it.labels}

    def value_of(self, version: str) -> str | None:
        self.faults.before("value_of")
        self.faults.after()
        return self.versions[version].value if version in self.versions else None

    def put(self, version: str, value: str, label: str) -> None:
        self.faults.before("put")
        before = self.versions.setdefault(version, Stored(None, set()))
        if before.value not in (None, value):
            raise VersionTakenError("has another value")
        before.value = value
        self._move(label, version)
        self.faults.after()

    def make_current(self, version: str, *, instead_of: str) -> None:
        self.faults.before("make_current")
        if self.version_with(CURRENT) != instead_of:
            raise StorageError("AWSCURRENT is on another version")
        self._move(CURRENT, version)
        self.faults.after()

    def drop_pending(self, version: str) -> None:
        self.faults.before("drop_pending")
        self.versions[version].labels.discard(PENDING)
        self.faults.after()

    def version_with(self, label: str) -> str | None:
        return next((version for version, it in self.versions.items() if label in it.labels), None)

    @property
    def current(self) -> dict[str, Any]:
        """What a reader of the secret gets."""
        value = self.versions[self.version_with(CURRENT) or ""].value
        assert value is not None
        return dict(json.loads(value))

    def _move(self, label: str, version: str) -> None:
        for other in self.versions.values():
            other.labels.discard(label)
        self.versions[version].labels.add(label)


@dataclass
class Slack:
    """Its tokens, by the stand-in's rules, without a network."""

    clock: Clock
    faults: Faults
    settings: Settings = field(default_factory=Settings)
    oauth: OAuth = field(default_factory=OAuth)
    refreshed: int = 0
    asked: list[Query] = field(default_factory=list)

    def install(self) -> dict[str, Any]:
        return self.oauth.install(self.settings, self.clock.time)

    def refresh(self, credentials: Credentials, timeout: float) -> Pair:
        self.faults.before("refresh")
        self.clock.time += 0.1
        client_id, client_secret = credentials.client
        form = {"grant_type": "refresh_token", "refresh_token": credentials.refresh_token}
        form |= {"client_id": client_id, "client_secret": client_secret}
        answer = json.loads(self.oauth.answer(Call("POST", PATH, form=form), self.settings, self.clock.time).body)
        if not answer["ok"]:
            kind = TokenRefusedError if answer["error"] == "invalid_refresh_token" else RefusedError
            raise kind(f"Slack gave no new token: HTTP 200, {answer['error']}.")
        self.refreshed += 1
        self.faults.after()
        self.faults.before("answer")  # on its way back: it can be lost here
        self.faults.after()
        return Pair(answer["access_token"], answer["refresh_token"], answer["expires_in"])

    def lives(self, token: str) -> bool:
        return self.oauth.refusal(token, self.clock.time) is None

    def source(self, token: str) -> "Logs":
        return Logs(self, token)


@dataclass
class Logs:
    """`/logs`, asked with a token."""

    slack: Slack
    token: str

    def read(self, query: Query, timeout: float) -> Answer:
        self.slack.faults.before("logs")
        self.slack.asked.append(query)
        if not self.slack.lives(self.token):
            raise TokenRefusedError("Slack answered with HTTP 401: the token is not accepted.")
        self.slack.faults.after()
        return Answer([], None, int(self.slack.clock.time))

    def renew_token(self) -> None:
        raise AssertionError("a token that is tested is not renewed")


class World:
    """A secret whose app was just installed, and Secrets Manager, which rotates it."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self.secret = Secret(self.faults)
        self.slack = Slack(self.clock, self.faults, Settings(**settings))
        self.numbers = count(1)
        self.secret.person_puts(self.new_version(), self.slack.install())

    def new_version(self) -> str:
        return version_of(next(self.numbers))

    def step(self, step: str, version: str) -> str:
        """One invocation of the function, with its 300 seconds."""
        self.clock.new_run()
        rotation = Rotation(SECRET, self.secret, self.slack, self.slack.source, self.clock)
        steps = {"createSecret": rotation.create, "testSecret": rotation.test, "finishSecret": rotation.finish}
        return steps[step](version) if step in steps else ""

    def begin(self) -> str:
        """Secrets Manager begins a rotation."""
        version = self.new_version()
        self.secret.prepare(version)
        return version

    def go_on(self, version: str) -> list[str]:
        """All steps of a rotation, as in its first try and in every other. What each did."""
        return [self.step(step, version) for step in STEPS]

    def rotate(self) -> list[str]:
        return self.go_on(self.begin())

    def fail(self, name: str, *numbers: int, error: Exception | None = None) -> None:
        """These calls fail."""
        for number in numbers:
            self.faults.fail(name, self.faults.counts[name] + number, error or StorageError("not now"))

    def lose_answer(self) -> None:
        self.fail("answer", 1, error=UnavailableError("Slack's answer broke off."))

    def survives(self) -> bool:
        """The token in force lives, and so will its successors: rotation goes on by itself."""
        if not self.slack.lives(self.secret.current["token"]):
            return False
        before = self.secret.current["token"]
        self.rotate()
        return self.secret.current["token"] != before and self.slack.lives(self.secret.current["token"])


def shown(error: BaseException | None) -> str:
    """Everything that a log could show of an error and of what led to it."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)
