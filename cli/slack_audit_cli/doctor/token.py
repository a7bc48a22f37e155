"""A token before it is put into a stack's secret. It is shown nowhere."""

import os
import re
import sys
from getpass import getpass
from pathlib import Path

from slack_audit import __version__
from slack_audit.adapters.clock import LambdaClock
from slack_audit.check import Finding, ask_slack, kind_of
from slack_audit.log import Filters

WAYS = "say env:NAME (a variable), file:PATH, or - (standard input, or a prompt that does not show it)"


def read(source: str) -> str:
    """The token. Raises ValueError with what would be right, which never shows what was given: it may be the token."""
    kind, _, where = source.partition(":")
    if source == "-":
        text = getpass("Slack token (not shown): ") if sys.stdin.isatty() else sys.stdin.read()
    elif kind == "env" and where:
        text = os.environ.get(where, "")
    elif kind == "file" and where:
        text = _content(Path(where))
    else:
        raise ValueError(f"a token does not belong into a command, which is kept and shown to others: {WAYS}")
    token = text.strip()
    if not re.fullmatch(r"[!-~]+", token):
        raise ValueError("there is no token: nothing, or characters that no token has")
    return token


def _content(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file {path} cannot be read ({type(error).__name__})") from None


def looked_at(token: str, url: str, org: str) -> list[Finding]:
    """Its kind, and what Slack says of it: one call of /logs."""
    from slack_audit.adapters.slack import SlackSource  # noqa: PLC0415 - what it brings is slow to load, and few commands need it

    source = SlackSource(url, org, lambda _fresh: token, __version__)
    return [kind_of(token), *ask_slack(source, Filters(), LambdaClock(lambda: 0))]
