"""The error tree. Each line says what the caller does.

CollectorError            whatever we raise on purpose
+ SettingsError           a person must fix the deployment's settings
+ SelectionError          a person must say otherwise which events are wanted
+ SourceError             Slack did not give us a page
  - RateLimitedError      wait `retry_after` seconds, then ask again
  - UnavailableError      back off, then ask again
    . SlowAnswerError     the same, and ask for less: the answer did not arrive whole in time
  - CursorRefusedError    walk the second again from its start
  - RangeRefusedError     correct the clock, then ask again; a person where that does not help
  - TokenRefusedError     fetch the token anew and ask once more; then a person must fix it
    . TokenMissingError   the same: nobody has put one yet
  - RefusedError          a person must fix the secret, the app, a filter or the address
    . ActionRefusedError  the same: a name in the action filter
+ CrowdedSecondError      a second with more events than one run can read: a person must give it more time
+ StorageError            S3, DynamoDB or Secrets Manager did not do as asked: the run fails, the next one repeats it
  - StorageRefusedError   the same; it will refuse until a person fixes a permission, the bucket or the table
  - VersionTakenError     another call wrote this version of the secret: leave it
  - ArchiveDamagedError   what stands in the archive is not what the log says: a person must look
+ LeaseLostError          another run took over: stop at once
+ LeaseBusyError          another run holds the lease: send the order again
+ CheckError              a version could not be asked, or CodeDeploy not be told: a person must look
  - CheckBusyError        every run that may go on at once does: wait, then ask again
+ StartError              a function could not be started for an org: the others are, and a person must look
+ SinkError               the stream, or the target of a replay, did not take records
  - SinkUnavailableError  try again later
  - SinkRefusedError      a person must fix the stream or a permission
+ ReplayError             what a replay did is not what the log says: a person must look
+ RotationError           a step of a token's rotation failed: Secrets Manager repeats it; the text says what else to do
  - TokenLostError        a person must have the app installed again
+ RedactedError           somebody else's error, without the secret that its text held
"""


class CollectorError(Exception):
    """Whatever this package raises on purpose. The text says what happened, to what, and what to do next."""


class SettingsError(CollectorError):
    """A setting, or the event that started the run, is missing or not allowed."""


class SelectionError(CollectorError):
    """Which events are wanted cannot be read, or not be told of an event."""


class SourceError(CollectorError):
    """Slack did not give a page. `slack_time` is its clock (epoch seconds) where the answer told it, `status` the
    answer's HTTP status, None where there was no answer."""

    def __init__(self, message: str, *, slack_time: int | None = None) -> None:
        super().__init__(message)
        self.slack_time = slack_time
        self.status: int | None = None


class RateLimitedError(SourceError):
    """HTTP 429. `retry_after` is in seconds, None where Slack gave no usable one."""

    def __init__(self, message: str, *, retry_after: int | None = None, slack_time: int | None = None) -> None:
        super().__init__(message, slack_time=slack_time)
        self.retry_after = retry_after


class UnavailableError(SourceError):
    """A fault that passes: 5xx, a reset, HTML, an answer without entries."""


class SlowAnswerError(UnavailableError):
    """The answer did not arrive whole within the time that we wait: a shorter window may."""


class CursorRefusedError(SourceError):
    """Slack no longer knows this cursor."""


class RangeRefusedError(SourceError):
    """Slack says `invalid_range`: the window lies in its future, or before the feature was enabled."""


class TokenRefusedError(SourceError):
    """Slack does not accept the token."""


class TokenMissingError(TokenRefusedError):
    """The secret has no value: nobody has put a token yet."""


class RefusedError(SourceError):
    """Slack will refuse this request for as long as nobody changes something."""


class ActionRefusedError(RefusedError):
    """Slack does not know a name in the action filter, and does not say which: that refuses the whole request."""


class CrowdedSecondError(CollectorError):
    """One second holds more events than could be read before the run's deadline."""


class StorageError(CollectorError):
    """An AWS service that keeps our state refused a call or did not answer."""


class StorageRefusedError(StorageError):
    """An AWS service will refuse this call for as long as nobody changes something."""


class VersionTakenError(StorageError):
    """A version of the secret has another value than the one that was to be written."""


class ArchiveDamagedError(StorageError):
    """An object of the archive is missing or has other bytes than its log entry says."""


class LeaseLostError(CollectorError):
    """The checkpoint belongs to another run."""


class LeaseBusyError(CollectorError):
    """An order could not be carried out: another run held the lease for as long as there was time."""


class CheckError(CollectorError):
    """A version of the collect function could not be asked what it sees, or CodeDeploy not be told what came of it."""


class CheckBusyError(CheckError):
    """The function runs as often at once as it may."""


class StartError(CollectorError):
    """AWS Lambda did not take an event for a function."""


class SinkError(CollectorError):
    """The stream did not take a call's records."""


class SinkUnavailableError(SinkError):
    """The stream did not answer, or throttled the whole call."""


class SinkRefusedError(SinkError):
    """The stream will refuse for as long as nobody changes something."""


class ReplayError(CollectorError):
    """The results of a replay differ from the log."""


class RotationError(CollectorError):
    """A step of the token's rotation could not be done."""


class TokenLostError(RotationError):
    """The refresh token is spent, and what it brought is nowhere."""


class RedactedError(CollectorError):
    """An error that nobody foresaw, told by its kind and its text, from which a secret was taken out."""
