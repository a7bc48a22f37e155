"""The options that several commands have: the same name, the same meaning, the same words everywhere."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

# Where it is.
Stack = Annotated[str | None, typer.Option(metavar="NAME", help="The deployed stack.")]
Bucket = Annotated[str | None, typer.Option(metavar="NAME", help="The bucket of the archive.")]
Folder = Annotated[
    Path | None, typer.Option(metavar="PATH", help="A copy of the bucket instead, as aws s3 sync makes it.")
]
Org = Annotated[str, typer.Option(metavar="ORG", help="The organisation's short name.")]

# How AWS is reached.
Region = Annotated[str | None, typer.Option(metavar="REGION", help="AWS region.")]
Profile = Annotated[str | None, typer.Option(metavar="NAME", help="Profile of the AWS credentials.")]
EndpointUrl = Annotated[str | None, typer.Option(metavar="URL", help="Another endpoint than AWS's.")]

# Which events. Several of one kind: any of them; several kinds: all of them.
From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="From then on: 2d, 36h (ago), 2026-01-01, an ISO 8601 time."),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Up to then, a day with all of it; without it, up to now.")
]
Passes = Annotated[
    list[str] | None, typer.Option("--pass", metavar="PASS", help="Found by live, late, final or backfill.")
]
Actions = Annotated[
    list[str] | None, typer.Option("--action", metavar="NAME", help="What was done; * stands for any letters.")
]
Actors = Annotated[list[str] | None, typer.Option("--actor", metavar="WHO", help="Who did it: id, email or name.")]
Entities = Annotated[
    list[str] | None, typer.Option("--entity", metavar="WHAT", help="To what: id, name, email, domain or title.")
]
Ips = Annotated[
    list[str] | None, typer.Option("--ip", metavar="IP", help="From where: an address, or a network as 192.0.2.0/24.")
]
Where = Annotated[str | None, typer.Option("--where", metavar="JMESPATH", help="What else must be true of the event.")]


class Which(NamedTuple):
    """The same, as it was typed. `asked.selection` reads it."""

    from_: From = None
    to: To = None
    passes: Passes = None
    actions: Actions = None
    actors: Actors = None
    entities: Entities = None
    ips: Ips = None
    where: Where = None


ALL = Which()


def chooses[R](command: Callable[..., R]) -> Callable[..., R]:
    """Gives a command the options of `Which` in the place of its parameter `which`, where it gets them together."""

    @wraps(command)
    def chosen(*given: Any, **typed: Any) -> R:
        said = {name: typed.pop(name) for name in Which._fields if name in typed}
        return command(*given, which=Which(**said), **typed)

    parts = [
        Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=hint)
        for name, hint in Which.__annotations__.items()
    ]
    own = signature(command)
    together = [parts if name == "which" else [it] for name, it in own.parameters.items()]
    chosen.__signature__ = own.replace(parameters=[it for some in together for it in some])  # type: ignore[attr-defined]
    return chosen


Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]

# Where Slack is reached.
SLACK_API_URL = "https://api.slack.com/audit/v1"
SlackApiUrl = Annotated[
    str, typer.Option(metavar="URL", help="The Audit Logs API, as the stack's parameter SlackApiUrl.")
]
