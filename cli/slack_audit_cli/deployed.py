"""A deployed stack, as CloudFormation tells of it."""

from typing import TYPE_CHECKING, Any

import msgspec
import typer

if TYPE_CHECKING:
    from slack_audit_cli.opened import Account


class Deployed(msgspec.Struct, frozen=True):
    """Its parameters and outputs, by their names in template.yaml."""

    name: str
    parameters: dict[str, str]
    outputs: dict[str, str]

    @property
    def orgs(self) -> list[str]:
        """The organisations that it collects, the first one first."""
        further = self.parameters.get("Orgs", "").split(",")
        return [self.parameters.get("Org", "main"), *(name.strip() for name in further if name.strip())]

    @property
    def is_paused(self) -> bool:
        """Do its schedules rest?"""
        return self.parameters.get("ScheduleState") == "DISABLED"

    def chosen(self, org: str | None) -> str:
        """The organisation that was asked for, else the first one. Raises typer.BadParameter for one of another
        stack."""
        if org is not None and org not in self.orgs:
            raise typer.BadParameter(f"the stack {self.name} collects {', '.join(self.orgs)}", param_hint="--org")
        return org or self.orgs[0]

    def output(self, name: str) -> str:
        """One of them. Raises typer.BadParameter where the stack is none of ours."""
        if name not in self.outputs:
            raise typer.BadParameter(
                f"the stack {self.name} has no output {name}: it is none of this project, or of an older version",
                param_hint="--stack",
            )
        return self.outputs[name]

    def token_secret(self, org: str) -> str:
        """The ARN or the name of the organisation's secret."""
        return self.output("SlackTokenSecretArn") if org == self.orgs[0] else f"{self.name}/{org}"

    def slack_api_url(self, typed: str, default: str) -> str:
        """What was typed, or what the stack has, where that is the default."""
        return self.parameters.get("SlackApiUrl", default) if typed == default else typed


def deployed(account: "Account", stack: str) -> Deployed:
    """Raises ClientError and BotoCoreError."""
    (found,) = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return Deployed(
        name=stack,
        parameters=_pairs(found.get("Parameters", []), "ParameterKey", "ParameterValue"),
        outputs=_pairs(found.get("Outputs", []), "OutputKey", "OutputValue"),
    )


def _pairs(listed: list[dict[str, Any]], key: str, value: str) -> dict[str, str]:
    return {it[key]: it.get(value, "") for it in listed}
