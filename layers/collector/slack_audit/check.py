"""Whether an organisation can be collected: proven without collecting, and nothing is left behind that matters.

    token    the secret is readable and holds a token of the right kind
    slack    Slack accepts it: one call of /logs, with the filters in force
    clock    Slack's clock against ours
    archive  an object can be written once and read back
    listing  what is archived can be listed
    table    the checkpoint could be written: by writes whose condition never holds
    stream   is there and takes records; that it takes ours, only a record would prove

What would prove more would leave something behind: see docs/adr/0023-the-check-before-traffic-and-the-doctor.md
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from slack_audit.errors import (
    ArchiveDamagedError,
    CollectorError,
    RefusedError,
    SinkRefusedError,
    StorageRefusedError,
    TokenMissingError,
    TokenRefusedError,
)
from slack_audit.log import Filters, log_prefix
from slack_audit.ports import Answer, Archive, Clock, Query, Source, Token, TriedSink, TriedTable

ANSWER_TIMEOUT = 30.0  # seconds for one answer of Slack's
CLOCK_WARNING = 5  # seconds between Slack's clock and ours
# Never change it: what stands in archives already is compared with it.
BODY = b'{"about":"Written once by the check of slack-audit-collector, to prove that it may. It means nothing."}\n'

# What Slack calls the kinds of its tokens, by how they begin.
WRONG_KINDS = {
    "xoxb-": "a bot token",
    "xoxe.xoxb-": "a bot token",
    "xapp-": "an app-level token",
    "xoxa-": "a workspace token",
    "xoxr-": "a refresh token",
    "xoxe-": "a refresh token",
    "xoxc-": "a browser session's token",
    "xoxd-": "a browser session's cookie",
    "xoxs-": "a session's token",
    "xwfp-": "a workflow's token",
}
USER, ROTATING = "xoxp-", "xoxe.xoxp-"
RIGHT_KIND = "Use the user token (xoxp-...) that an organisation owner gets by installing the app, not this one."
LASTING = (TokenRefusedError, RefusedError, StorageRefusedError, ArchiveDamagedError, SinkRefusedError)


class Outcome(StrEnum):
    """How one thing was found. `failed` and `missing` are for a person to mend before anything can be collected."""

    OK = "ok"
    WARNING = "warning"  # it works, but should be looked at
    MISSING = "missing"  # what a person has still to put there; nothing is broken
    FAILED = "failed"  # it does not work, and will not by itself
    UNKNOWN = "unknown"  # it could not be told: an outage, a limit, a permission to look


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; the advice is empty where nothing is to be done, or `what` says it."""

    name: str
    outcome: Outcome
    what: str
    advice: str = ""


class Checked(msgspec.Struct, frozen=True):
    """What was found of one org."""

    org: str
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        """Is nothing wrong that has to be mended first?"""
        return all(it.outcome is not Outcome.FAILED for it in self.findings)


class Outside(msgspec.Struct, frozen=True):
    """The outside world of a check."""

    token: Token
    source: Source
    archive: Archive
    table: TriedTable
    stream: TriedSink
    clock: Clock


def checks_key(org: str) -> str:
    """`checks/org=<org>/write-once`"""
    return f"checks/org={org}/write-once"


def check(org: str, filters: Filters, outside: Outside) -> Checked:
    """Looks at everything, whatever is wrong with some of it."""
    return Checked(
        org,
        [
            *_token(filters, outside),
            _found("archive", lambda: _write_once(outside.archive, checks_key(org))),
            _found("listing", lambda: _list(outside.archive, org)),
            _found("table", lambda: _write_nothing(outside.table)),
            _found("stream", lambda: _look(outside.stream)),
        ],
    )


def _token(filters: Filters, outside: Outside) -> list[Finding]:
    """The secret, and with what it holds Slack."""
    try:
        token = outside.token(True)
    except CollectorError as error:
        return [_failure("token", error, "Try again.")]
    return [kind_of(token), *ask_slack(outside.source, filters, outside.clock)]


def kind_of(token: str) -> Finding:
    """What a token's beginning says about it."""
    if token.startswith(USER):
        return Finding("token", Outcome.OK, "There is a token, and it is a user token.")
    if token.startswith(ROTATING):
        said = "The token is one that Slack's token rotation ends after 12 hours."
        advice = "Let the stack's rotation renew it, or use a token without rotation."
        return Finding("token", Outcome.WARNING, said, advice)
    for beginning, kind in WRONG_KINDS.items():
        if token.startswith(beginning):
            said = f"The token is {kind} ({beginning}...): Slack gives it no audit log."
            return Finding("token", Outcome.FAILED, said, RIGHT_KIND)
    said = "The token does not begin as Slack's tokens do."
    return Finding("token", Outcome.WARNING, said, RIGHT_KIND)


def ask_slack(source: Source, filters: Filters, clock: Clock) -> list[Finding]:
    """One call of /logs (more only where the action filter needs them), and what its answer says of the clocks."""
    clocks: list[Finding] = []

    def ask() -> Finding:
        for part in filters.calls():
            before = clock.now()
            answer = source.read(Query(None, part, limit=1), ANSWER_TIMEOUT)
            clocks.append(_clocks(answer, (before + clock.now()) / 2))
        return Finding("slack", Outcome.OK, "Slack accepts the token, its scope, its installation and the filters.")

    advice = "Try again. If it stays so: check SlackApiUrl, and the way from here to Slack (VPC, firewall)."
    return [_found("slack", ask, advice), *clocks[-1:]]


def _clocks(answer: Answer, ours: float) -> Finding:
    if answer.slack_time is None:
        advice = "Check SlackApiUrl: without Slack's Date a run does not know up to when it may read."
        return Finding("clock", Outcome.WARNING, "Slack's answer does not tell its time.", advice)
    ahead = round(answer.slack_time + 0.5 - ours)  # it tells whole seconds: half of one has passed since
    if abs(ahead) < CLOCK_WARNING:
        return Finding("clock", Outcome.OK, f"Slack's clock and ours are less than {CLOCK_WARNING} seconds apart.")
    way = "ahead of" if ahead > 0 else "behind"
    advice = "Set this host's clock (NTP). The collector reads by Slack's clock, so that nothing is lost by it."
    return Finding("clock", Outcome.WARNING, f"Slack's clock is {abs(ahead)} seconds {way} ours.", advice)


def _write_once(archive: Archive, key: str) -> Finding:
    """The same object every time: that it stood there before proves the permission just as well."""
    archive.put_new(key, BODY)
    if archive.get(key) != BODY:
        raise ArchiveDamagedError(f"{archive.uri(key)} does not hold what was written there. Find out who changed it.")
    return Finding("archive", Outcome.OK, f"Objects can be written once and read back ({archive.uri(key)}).")


def _list(archive: Archive, org: str) -> Finding:
    for prefix in (f"raw/org={org}/", log_prefix(org)):
        archive.keys(prefix, after="", most=1)
    return Finding("listing", Outcome.OK, "What is archived can be listed.")


def _write_nothing(table: TriedTable) -> Finding:
    table.try_to_write()
    return Finding("table", Outcome.OK, "The checkpoint can be written.")


def _look(stream: TriedSink) -> Finding:
    state = stream.state()
    if state.takes:
        return Finding("stream", Outcome.OK, state.said)
    advice = "The archive goes on without it. Make the stream again, or wait until it is ACTIVE."
    return Finding("stream", Outcome.FAILED, state.said, advice)


def _found(name: str, look: Callable[[], Finding], advice: str = "Try again.") -> Finding:
    """What was found, or what the failure means."""
    try:
        return look()
    except CollectorError as error:
        return _failure(name, error, advice)


def _failure(name: str, error: CollectorError, advice: str) -> Finding:
    """The errors say themselves what to do where a person must; the advice is for what could not be told."""
    if isinstance(error, TokenMissingError):
        return Finding(name, Outcome.MISSING, str(error))
    if isinstance(error, LASTING):
        return Finding(name, Outcome.FAILED, str(error))
    return Finding(name, Outcome.UNKNOWN, str(error), advice)
