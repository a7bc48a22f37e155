"""The examination: what was asked for, in the order in which one thing needs the other."""

from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.check import Finding, Outcome
from slack_audit_cli.doctor import account as accounts
from slack_audit_cli.doctor import orgs, resources, token
from slack_audit_cli.doctor import stack as stacks
from slack_audit_cli.doctor.looks import Account, Section, meaning
from slack_audit_cli.doctor.stack import Stack

AT_ONCE = 8  # organisations: each check waits for Slack and AWS


def examine(
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    *,
    stack: str | None,
    org: str | None,
    token: str | None,
    slack_api_url: str,
) -> list[Section]:
    """Every section that could be looked at."""
    sections = [] if token is None else _before(token, slack_api_url, org or "main")
    try:
        account = Account(region, profile, endpoint_url)
        who = accounts.whose(account)
    except BotoCoreError as error:
        return [*sections, Section("account", [meaning("identity", error)])]
    except ValueError as error:
        wrong = Finding("identity", Outcome.FAILED, f"{error}", "Check --endpoint-url and --region.")
        return [*sections, Section("account", [wrong])]
    sections.append(Section("account", who))
    if stack is not None and accounts.can_look(who):
        sections += _deployed(account, stack, org)
    return sections


def _before(secret: str, slack_api_url: str, org: str) -> list[Section]:
    """What there is to see before a stack is deployed."""
    return [
        Section("token", token.looked_at(secret, slack_api_url, org)),
        Section("this machine", list(accounts.tools())),
    ]


def _deployed(account: Account, name: str, only: str | None) -> list[Section]:
    try:
        found = stacks.described(account, name)
    except (ClientError, BotoCoreError) as error:
        found = meaning("stack", error)
    if isinstance(found, Finding):
        return [Section(f"stack {name}", [found])]
    state = list(stacks.state(found))
    if not stacks.is_ours(found):
        return [Section(f"stack {name}", state)]
    return [Section(f"stack {name}", [*state, *resources.looked_at(account, found)]), *_orgs(account, found, only)]


def _orgs(account: Account, stack: Stack, only: str | None) -> list[Section]:
    if only is not None and only not in stack.orgs:
        said = f"Stack {stack.name} does not collect {only}, but {', '.join(stack.orgs)}."
        wrong = Finding("org", Outcome.FAILED, said, "Check --org, or deploy with it in Orgs.")
        return [Section(f"organisation {only}", [wrong])]
    verified = orgs.lately(account, stack)
    paused = stack.parameters.get("ScheduleState") == "DISABLED"

    def section(org: str) -> Section:
        return Section(f"organisation {org}", list(orgs.looked_at(account, stack, org, verified, paused=paused)))

    for service in ("lambda", "dynamodb"):  # made before the threads start: making is not for several at once
        account.client(service)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="org") as pool:
        return list(pool.map(section, [only] if only else stack.orgs))
