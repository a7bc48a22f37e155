"""The command `slack-audit` and its commands, each a module of its own. What they end with: codes.py."""

import sys
import traceback

import typer

from slack_audit import __version__
from slack_audit_cli.codes import NOT_DONE
from slack_audit_cli.commands.doctor import doctor
from slack_audit_cli.commands.sql import sql
from slack_audit_cli.commands.verify import verify

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


def main() -> None:
    """`slack-audit`. A crash is not done, which must not look like a finding."""
    try:
        app(prog_name="slack-audit")
    except Exception:  # noqa: BLE001 - whatever it is: its traceback, and the code for it
        traceback.print_exc()
        sys.exit(NOT_DONE)


@app.callback()
def slack_audit() -> None:
    """Looks after a Slack audit log archive."""


@app.command()
def version() -> None:
    """Prints the version."""
    print(__version__)


for command in (verify, doctor, sql):
    app.command()(command)
