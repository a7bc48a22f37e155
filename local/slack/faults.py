"""Rules that spoil calls: which, how often, and how.

```
status        another status, with a body and headers, or with the error body of one of Slack's codes
rate_limit    429 with any Retry-After, or none
html          200 and a maintenance page
invalid_json  200 and a body that is not JSON
no_entries    200 {"ok":false,"error":...}
redirect      302 to another host
truncated     the true answer's headers, a part of its body, then the connection closes
slow          the true answer, dripping
hang          silence, then the true answer
reset         the connection is reset before any byte
```
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, get_args

from local.slack.answers import JSON, STATUS, Answer, wire

Kind = Literal[
    "status",
    "rate_limit",
    "html",
    "invalid_json",
    "no_entries",
    "redirect",
    "truncated",
    "slow",
    "hang",
    "reset",
]

_MAINTENANCE = (
    b"<!DOCTYPE html><html><head><title>Slack</title></head><body><h1>We will be back soon.</h1></body></html>"
)


class UnknownFaultError(ValueError):
    """No such fault. The message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule. It lets `after` calls on its path pass, then spoils `times` of them (None: until it is deleted)."""

    kind: Kind
    times: int | None = 1
    after: int = 0
    probability: float = 1.0
    path: str = ""  # the end of the path: "logs", "actions", "schemas", "oauth.v2.access"; all when empty
    status: int | None = None  # of `status`; else that of `error`, else 500
    error: str | None = None  # a code of Slack's for the body of `status`, `rate_limit` and `no_entries`
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: int | str | None = 30  # of `rate_limit`; None leaves the header out
    seconds: float = 30.0  # of `hang` and `slow`
    kept: float = 0.5  # of `truncated`: which share of the body is sent
    location: str = "https://slack.example.com/maintenance"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UnknownFaultError(f"kind is one of {', '.join(get_args(Kind))}, not {self.kind!r}")
        if not 0 <= self.probability <= 1 or not 0 <= self.kept < 1:
            raise UnknownFaultError("probability is from 0 to 1, kept from 0 to below 1")
        if self.status is not None and not 200 <= self.status <= 599:
            raise UnknownFaultError(f"status is from 200 to 599, not {self.status}")
        if self.after < 0 or self.seconds < 0 or (self.times is not None and self.times < 1):
            raise UnknownFaultError("after and seconds are not negative, times is at least 1 or null")

    @classmethod
    def from_json(cls, rule: Mapping[str, Any]) -> Self:
        """The rule that this JSON object says."""
        unknown = sorted(set(rule) - {known.name for known in fields(cls)})
        if unknown:
            raise UnknownFaultError(f"a fault has no {', '.join(unknown)}")
        try:
            return cls(**rule)
        except TypeError as error:
            raise UnknownFaultError(str(error)) from error

    def answer(self) -> Answer | None:
        """What is sent instead of the true answer; None when the true answer is sent, in a bad way, or nothing is."""
        make = _ANSWERS.get(self.kind)
        return make(self) if make else None


class Faults:
    """The rules that are waiting, in order."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._waiting: list[_Waiting] = []
        self.spoiled = 0

    def add(self, faults: Iterable[Fault]) -> None:
        """Queue these behind the ones that are there."""
        self._waiting += [_Waiting(fault, fault.after, fault.times) for fault in faults]

    def clear(self) -> None:
        """Forget all rules."""
        self._waiting.clear()

    def pending(self) -> list[dict[str, Any]]:
        """The rules that are still there, with what is left of `after` and `times`."""
        return [{**asdict(rule.fault), "after": rule.after, "times": rule.times} for rule in self._waiting]

    def strike(self, path: str) -> Fault | None:
        """The fault of this call, if any: the first rule that is due. Every rule on the path counts the call."""
        concerned = [rule for rule in self._waiting if path.endswith(rule.fault.path)]
        due = [rule for rule in concerned if rule.is_due()]
        for rule in due:
            if self._chance.random() < rule.fault.probability:
                self._use(rule)
                return rule.fault
        return None

    def _use(self, rule: "_Waiting") -> None:
        self.spoiled += 1
        if rule.times is not None:
            rule.times -= 1
            if not rule.times:
                self._waiting.remove(rule)


@dataclass(slots=True, eq=False)
class _Waiting:
    fault: Fault
    after: int
    times: int | None

    def is_due(self) -> bool:
        """Count a call; tell whether this rule may spoil it."""
        if self.after:
            self.after -= 1
            return False
        return True


def _status(fault: Fault) -> Answer:
    status = fault.status or STATUS.get(fault.error or "", 500)
    headers = {"Content-Type": JSON if fault.error else "text/plain", **fault.headers}
    return Answer(status, _body(fault, b""), headers)


def _rate_limit(fault: Fault) -> Answer:
    retry = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    body = _body(fault, wire({"ok": False, "error": "rate_limited"}))
    return Answer(429, body, {"Content-Type": JSON, **retry, **fault.headers})


def _html(fault: Fault) -> Answer:
    headers = {"Content-Type": "text/html; charset=utf-8", **fault.headers}
    return Answer(fault.status or 200, _body(fault, _MAINTENANCE), headers)


def _invalid_json(fault: Fault) -> Answer:
    return Answer(200, _body(fault, b'{"entries":[{"id":"'), {"Content-Type": JSON, **fault.headers})


def _no_entries(fault: Fault) -> Answer:
    body = wire({"ok": False, "error": fault.error or "internal_error"})
    return Answer(200, body, {"Content-Type": JSON, **fault.headers})


def _redirect(fault: Fault) -> Answer:
    return Answer(fault.status or 302, b"", {"Location": fault.location, **fault.headers})


def _body(fault: Fault, otherwise: bytes) -> bytes:
    if fault.body is not None:
        return fault.body.encode()
    return wire({"ok": False, "error": fault.error}) if fault.error else otherwise


_ANSWERS = {
    "status": _status,
    "rate_limit": _rate_limit,
    "html": _html,
    "invalid_json": _invalid_json,
    "no_entries": _no_entries,
    "redirect": _redirect,
}
