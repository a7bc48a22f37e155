"""slack-audit schemas."""

from typing import Annotated

import typer

from slack_audit_cli import options
from slack_audit_cli.catalogues.tell import Where, tell


def schemas(
    search: Annotated[str, typer.Option(metavar="TEXT", help="Only those with this text in them, in any case.")] = "",
    stack: options.Stack = None,
    bucket: options.Bucket = None,
    folder: options.Folder = None,
    org: Annotated[
        str | None, typer.Option(metavar="ORG", help="Whose archive; else the stack's first one, or main.")
    ] = None,
    slack_api_url: options.SlackApiUrl = options.SLACK_API_URL,
    json: options.Json = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> None:
    """Shows Slack's own list of schemas: what an event's actor, entity and context may hold.

    Needs no token. With an archive it marks what is new, gone or changed since the drift watch kept a list last.
    Ends with 0, or 2 if it was asked wrongly, or Slack or the archive could not be read.
    """
    where = Where(stack, bucket, folder, org, region, profile, endpoint_url)
    tell("schemas", where, slack_api_url, search, json=json)
