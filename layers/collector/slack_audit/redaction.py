"""No secret in anything that is written: what looks like one is replaced, wherever it stands.

Slack's tokens have a form and are found by it. A client secret has none: it is found by the name before it.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from slack_audit.errors import RedactedError

MARK = "…redacted"
SHOW_SECRETS = ("boto3", "botocore", "urllib3")  # loggers that at DEBUG write whole requests and answers
NAMES = frozenset({"access_token", "authorization", "client_secret", "refresh_token", "token"})

# The kinds that Slack has: xoxp- (user), xoxb- (bot), xoxa-, xoxe- (refresh), xoxe.xoxp- (rotated), xapp- (app).
# What documents write, as xoxp-..., has no letter or digit after it and stays.
_TOKEN = re.compile(r"(xox[a-z](?:\.xox[a-z])?[.-]|xapp-)(?!xox[a-z]-[.…])[A-Za-z0-9][A-Za-z0-9_.%+/=~-]*")
_KEPT = r"(?!(?:(?:xox[a-z]\.)?xox[a-z][.-]|xapp-)?[.…])"  # such an example, and what was redacted already
_NAME = rf"(?i)\b({'|'.join(sorted(NAMES))})"
# A comma only between single quotes, as Python writes a pair: in JSON the next text is a name or another value.
_QUOTED = re.compile(rf"{_NAME}(\\*[\"']\s*[:=]\s*b?\\*[\"']|'\s*,\s*b?'){_KEPT}[^\"'\\]+")
_ASSIGNED = re.compile(rf"{_NAME}(\s*=\s*\\*[\"']?){_KEPT}[^\s\"'\\&,;]+")
_SCHEME = re.compile(rf"(?i)\b(bearer|authorization: *basic)([ +]+|%20){_KEPT}[^\s\"'\\,;]+")


def redact(text: str) -> str:
    """The text without the secrets in it; of a token its kind stays, as `xoxp-…redacted`."""
    text = _TOKEN.sub(rf"\1{MARK}", text)
    for pattern in (_QUOTED, _ASSIGNED, _SCHEME):
        text = pattern.sub(rf"\1\2{MARK}", text)
    return text


def serialized(log: Mapping[str, Any]) -> str:
    """A line of the log as JSON, redacted: fields, message, exception and stack trace alike."""
    return redact(json.dumps(_without_named(log), default=str, separators=(",", ":"), ensure_ascii=False))


def _without_named(value: Any) -> Any:
    """The same, with a mark for whatever stands under the name of a secret, at any depth."""
    if isinstance(value, Mapping):
        return {
            name: MARK if item is not None and str(name).lower() in NAMES else _without_named(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_named(item) for item in value]
    return value


def guarded[**P, R](handler: Callable[P, R]) -> Callable[P, R]:
    """The handler, with errors that show no secret: Lambda writes them to its log, and hands them to whoever called
    and to the failure queue. Ours hold none; this is for the errors of others."""

    @wraps(handler)
    def safe(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return handler(*args, **kwargs)
        except Exception as error:
            said = str(error)
            if redact(said) == said:
                raise
            raise RedactedError(f"{type(error).__name__}: {redact(said)}") from None

    return safe
