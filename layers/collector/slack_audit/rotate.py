"""One step of a rotation, as Secrets Manager asks for it. Every step can be asked for again, at any time.

    createSecret   spends the refresh token and keeps the new pair as AWSPENDING, before anything else
    setSecret      nothing: Slack knows the new token already
    testSecret     asks Slack for one event with it
    finishSecret   makes it AWSCURRENT

A refresh token is spent by its first use, so the reply that brings the new pair must not be lost: what is not kept then
is gone, and an organisation owner has to install the app again. See docs/adr/0022-token-rotation.md.
"""

import logging
import uuid
from collections.abc import Callable

from slack_audit.credentials import Credentials, Pair, credentials_of
from slack_audit.errors import (
    RateLimitedError,
    RefusedError,
    RotationError,
    SourceError,
    StorageError,
    TokenLostError,
    TokenRefusedError,
    UnavailableError,
    VersionTakenError,
)
from slack_audit.log import Filters
from slack_audit.ports import Authority, Clock, Query, Source, Versions

logger = logging.getLogger(__name__)

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
PROBE = "SLACK_AUDIT_PROBE"  # the label of a version that only shows that one can be written
PROBE_VALUE = '{"holds": "nothing: it was written to see that a new token can be kept"}'

BACK_OFF = (1.0, 2.0, 4.0)  # seconds before Slack is asked again: soon, for its grace period is short
CALL_TIMEOUT = 10.0  # seconds for one answer of Slack's
WRITING_TIME = 60.0  # seconds that must be left for keeping the new pair, before Slack is asked for it
LAST_WRITE = 12.0  # seconds that one more try to keep it may take
WRITE_BACK_OFF, LONGEST_WRITE_BACK_OFF = 0.25, 4.0  # seconds, doubled with every try

INSTALL_AGAIN = (
    "Have an organisation owner install the app again, and put its new token and refresh token into the secret: "
    "docs/token.md."
)


class Rotation:
    """The rotation of one secret. `source` gives a way to ask Slack with a token."""

    def __init__(
        self, secret: str, versions: Versions, authority: Authority, source: Callable[[str], Source], clock: Clock
    ) -> None:
        self._secret = secret
        self._versions = versions
        self._authority = authority
        self._source = source
        self._clock = clock

    def create(self, version: str) -> str:
        """The new pair lies in the version, as AWSPENDING. Says what was done for that."""
        if CURRENT in self._labels(version):
            return "is current already"
        _, current = self._current()
        pending = self._pending(version)
        if pending is not None:
            self._give_way(version, pending, current)
            return "was kept already"
        self._versions.put(_probe_of(version), PROBE_VALUE, PROBE)
        pair = self._refresh(current)
        return self._keep(version, current.renewed(pair, self._clock.now()))

    def test(self, version: str) -> str:
        """Slack takes the new token. Without one, when Secrets Manager tries out a new schedule, the current one.

        One that expired before it could be tested passes: the current one is older, and its refresh token is unspent.
        """
        self._labels(version)
        pending = self._pending(version)
        if pending is not None and pending.is_over(self._clock.now()):
            return "expired untested: the next rotation renews it"
        tested = self._current()[1] if pending is None else pending
        source = self._source(tested.token)
        query = Query(None, Filters(), limit=1)
        try:
            self._patiently(lambda: source.read(query, CALL_TIMEOUT))
        except (TokenRefusedError, RefusedError) as error:
            raise RotationError(
                f"Slack refuses the {'current' if pending is None else 'new'} token of {self._secret}: {error} "
                "AWSCURRENT stays what it is. A whole new value that a person puts ends this rotation by itself."
            ) from error
        except SourceError as error:
            raise RotationError(
                f"The token of {self._secret} could not be tested: {error} What is AWSPENDING stays so, and the "
                "next try tests it again."
            ) from error
        return "accepted" if pending is not None else "accepted, the current one"

    def finish(self, version: str) -> str:
        """The version is AWSCURRENT: whoever reads the secret from now on gets its token."""
        if CURRENT in self._labels(version):
            return "was current already"
        pending = self._pending(version)
        if pending is None:
            raise RotationError(
                f"Version {version} of {self._secret} has no value, so AWSCURRENT stays what it is. Rotate again with: "
                f"aws secretsmanager rotate-secret --secret-id '{self._secret}'"
            )
        before, current = self._current()
        self._give_way(version, pending, current)
        self._versions.make_current(version, instead_of=before)
        return "made current"

    # What the versions hold

    def _labels(self, version: str) -> list[str]:
        labels = self._versions.labels().get(version, [])
        if not {CURRENT, PENDING} & set(labels):
            raise RotationError(
                f"Version {version} of {self._secret} is not AWSPENDING: this rotation was cancelled or is over. Start "
                f"one with: aws secretsmanager rotate-secret --secret-id '{self._secret}'"
            )
        return labels

    def _pending(self, version: str) -> Credentials | None:
        value = self._versions.value_of(version)
        return None if value is None else credentials_of(value, self._secret)

    def _current(self) -> tuple[str, Credentials]:
        for version, labels in self._versions.labels().items():
            if CURRENT in labels and (value := self._versions.value_of(version)) is not None:
                return version, credentials_of(value, self._secret)
        raise RotationError(f"The secret {self._secret} has no value yet: put one first. docs/token.md says which.")

    def _give_way(self, version: str, pending: Credentials, current: Credentials) -> None:
        """What a person puts while a rotation is under way stays, and ends that rotation."""
        if not pending.follows(current):
            self._versions.drop_pending(version)
            raise RotationError(
                f"Another value was put into {self._secret} while this rotation was under way: it stays, and the new "
                "pair of this rotation is dropped. The next rotation begins with what is there now."
            )

    # Slack

    def _refresh(self, current: Credentials) -> Pair:
        """The new pair. Asked again at once where an answer is lost: within the grace period the same refresh token
        brings another pair."""
        if self._clock.time_left() < WRITING_TIME:
            raise RotationError("Too little time is left to keep a new token, so none was asked for. Rotate again.")
        lost: list[UnavailableError] = []

        def ask() -> Pair:
            try:
                return self._authority.refresh(current, CALL_TIMEOUT)
            except UnavailableError as error:
                lost.append(error)
                raise

        try:
            return self._patiently(ask)
        except UnavailableError as error:
            raise RotationError(
                f"{error} One of its answers may have been lost with a new token in it; the next try finds out."
            ) from error
        except TokenRefusedError as error:  # the refresh token is spent: by an answer that was lost, if one was
            if not lost:
                raise
            said = f"An answer of Slack's was lost, with the new tokens of {self._secret} in it. {error}"
            logger.critical("new tokens lost", extra={"reason": said})
            raise TokenLostError(said) from error

    def _patiently[T](self, ask: Callable[[], T]) -> T:
        """Asks again, and soon, while Slack does not answer, as long as there is time to keep what it gives."""
        for pause in BACK_OFF:
            try:
                return ask()
            except (UnavailableError, RateLimitedError) as error:
                wait = max(pause, getattr(error, "retry_after", None) or 0)
                if self._clock.time_left() < wait + CALL_TIMEOUT + WRITING_TIME:
                    raise
                logger.warning("slack did not answer, asking again", extra={"wait": wait, "reason": str(error)})
                self._clock.sleep(wait)
        return ask()

    # The one write that must not fail

    def _keep(self, version: str, renewed: Credentials) -> str:
        """Writes until it is written or the time is over: the only copy of the new tokens is the one in our hands."""
        pause = WRITE_BACK_OFF
        while True:
            try:
                self._versions.put(version, renewed.encode(), PENDING)
            except VersionTakenError as error:
                logger.warning("another call kept a pair first", extra={"reason": str(error)})
                return "was kept by another call"
            except StorageError as error:
                if self._clock.time_left() < pause + LAST_WRITE:
                    raise self._gone(error) from error
                logger.warning("new tokens not kept, writing again", extra={"wait": pause, "reason": str(error)})
                self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_WRITE_BACK_OFF)
            else:
                return "refreshed and kept"

    def _gone(self, error: StorageError) -> TokenLostError:
        said = (
            f"Slack gave new tokens for {self._secret}, and they could not be kept: {error} The token in force lives "
            f"on until it expires, at most 12 hours after its own rotation; its refresh token is spent. {INSTALL_AGAIN}"
        )
        logger.critical("new tokens lost", extra={"reason": said})
        return TokenLostError(said)


def _probe_of(version: str) -> str:
    """The same for every try of one rotation, so that these make one version and not many."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, version + PROBE_VALUE))
