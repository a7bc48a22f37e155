"""slack-audit doctor."""

from typing import Annotated

import typer
from rich.console import Console

from slack_audit.check import Outcome
from slack_audit_cli import asked, options
from slack_audit_cli.codes import UNKNOWN, WELL, WRONG
from slack_audit_cli.doctor import report
from slack_audit_cli.doctor.examine import examine
from slack_audit_cli.doctor.token import read as read_token

CODES = {
    Outcome.OK: WELL,
    Outcome.WARNING: WELL,
    Outcome.MISSING: WRONG,
    Outcome.FAILED: WRONG,
    Outcome.UNKNOWN: UNKNOWN,
}


def doctor(
    stack: Annotated[str | None, typer.Option(metavar="NAME", help="A deployed stack to look at.")] = None,
    token_from: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="A token to try, before a deployment: env:NAME, file:PATH or -."),
    ] = None,
    slack_api_url: options.SlackApiUrl = options.SLACK_API_URL,
    org: Annotated[
        str | None, typer.Option(metavar="ORG", help="Only this organisation of the stack; else all of them.")
    ] = None,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Says what is wrong with a token, an AWS account or a deployed stack, and what to do. Collects nothing.

    Ends with 0 if all is well or only to be looked at, 1 if something must be mended, 2 if it was asked wrongly, 3 if
    something could not be told.
    """
    if stack is None and token_from is None:
        raise typer.BadParameter("name one of the two, or both", param_hint="--stack or --token-from")
    if org is not None:
        asked.typed("--org", asked.org, org)
    url = asked.typed("--slack-api-url", asked.slack_api_url, slack_api_url)
    token = None if token_from is None else asked.typed("--token-from", read_token, token_from)
    sections = examine(region, profile, endpoint_url, stack=stack, org=org, token=token, slack_api_url=url)
    if json:
        print(report.as_json(sections))
    else:
        report.show(sections, Console())
    raise typer.Exit(CODES[report.verdict(sections)])
