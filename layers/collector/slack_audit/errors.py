"""The error tree. Each line says what the caller does.

CollectorError            whatever we raise on purpose
+ SettingsError           a person must fix the deployment's settings
+ SourceError             Slack did not give us a page
  - RateLimitedError      wait `retry_after` seconds, then ask again
  - UnavailableError      back off, then ask again
    . SlowAnswerError     the same, and ask for less: the answer did not arrive whole in time
  - CursorRefusedError    walk the second again from its start
  - RangeRefusedError     correct the clock, then ask again; a person where that does not help
  - TokenRefusedError     fetch the token anew and ask once more; then a person must fix it
  - RefusedError          a person must fix the secret, the app, a filter or the address
    . ActionRefusedError  the same: a name in the action filter
+ CrowdedSecondError      a second with more events than one run can read: a person must give it more time
+ StorageError            S3 or DynamoDB refused or did not answer: the run fails, the next one repeats it
  - ArchiveDamagedError   what stands in the archive is not what the log says: a person must look
+ LeaseLostError          another run took over: stop at once
+ LeaseBusyError          another run holds the lease: send the order again
+ StartError              a function could not be started for an org: the others are, and a person must look
+ SinkError               the stream did not take records
  - SinkUnavailableError  try again later
  - SinkRefusedError      a person must fix the stream or a permission
"""


class CollectorError(Exception):
    """Whatever this package raises on purpose. The text says what happened, to what, and what to do next."""


class SettingsError(CollectorError):
    """A setting, or the event that started the run, is missing or not allowed."""


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


class RefusedError(SourceError):
    """Slack will refuse this request for as long as nobody changes something."""


class ActionRefusedError(RefusedError):
    """Slack does not know a name in the action filter, and does not say which: that refuses the whole request."""


class CrowdedSecondError(CollectorError):
    """One second holds more events than could be read before the run's deadline."""


class StorageError(CollectorError):
    """An AWS service that keeps our state refused a call or did not answer."""


class ArchiveDamagedError(StorageError):
    """An object of the archive is missing or has other bytes than its log entry says."""


class LeaseLostError(CollectorError):
    """The checkpoint belongs to another run."""


class LeaseBusyError(CollectorError):
    """An order could not be carried out: another run held the lease for as long as there was time."""


class StartError(CollectorError):
    """AWS Lambda did not take an event for a function."""


class SinkError(CollectorError):
    """The stream did not take a call's records."""


class SinkUnavailableError(SinkError):
    """The stream did not answer, or throttled the whole call."""


class SinkRefusedError(SinkError):
    """The stream will refuse for as long as nobody changes something."""
