"""The command `slack-audit` and its commands, each a module of its own. What they end with: codes.py."""

import sys
import traceback

import typer

from slack_audit import __version__
from slack_audit_cli.codes import NOT_DONE
from slack_audit_cli.commands.actions import actions
from slack_audit_cli.commands.backfill import backfill
from slack_audit_cli.commands.doctor import doctor
from slack_audit_cli.commands.export import export
from slack_audit_cli.commands.fetch import fetch
from slack_audit_cli.commands.replay import replay
from slack_audit_cli.commands.report import report
from slack_audit_cli.commands.schemas import schemas
from slack_audit_cli.commands.search import search
from slack_audit_cli.commands.sql import sql
from slack_audit_cli.commands.status import status
from slack_audit_cli.commands.verify import verify
from slack_audit_cli.ending import ended

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


def main() -> None:
    """`slack-audit`. A crash is not done, which must not look like a finding."""
    try:
        code = ended(lambda: app(prog_name="slack-audit"))
    except Exception:  # noqa: BLE001 - whatever it is: its traceback, and the code for it
        traceback.print_exc()
        code = NOT_DONE
    sys.exit(code)


@app.callback()
def slack_audit() -> None:
    """Looks after a Slack audit log archive."""


@app.command()
def version() -> None:
    """Prints the version."""
    print(__version__)


for command in (status, verify, doctor, search, sql, report, export, replay, actions, schemas, fetch):
    app.command()(command)
app.add_typer(backfill, name="backfill")
