"""checkov, cfn-guard with AWS's rules, and parliament, each over a folder of templates without functions."""

import json
import platform
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.template.reading import ROOT, Node

TOOLS = ROOT / ".venv-checkov"  # requirements/install makes it
GUARD = TOOLS / "package" / "bin"
RULES = TOOLS / "package" / "rules" / "control-tower" / "cfn-guard"
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
SYSTEMS = {"Linux": "ubuntu", "Darwin": "macos"}  # the Linux binary needs no library of the system
TIMEOUT = 240  # seconds

# parliament's command would write to a file of everybody's: this is its function.
PARLIAMENT = """
import json, sys
from parliament import analyze_policy_string
for name, policy in json.load(sys.stdin):
    for found in analyze_policy_string(json.dumps(policy), include_community_auditors=True).findings:
        print(json.dumps([found.issue, name]))
"""


class Finding(NamedTuple):
    """One rule that one resource breaks."""

    rule: str
    resource: str


class LinterError(Exception):
    """A tool did not do its work; the message shows what it said."""


def checkov(folder: Path) -> set[Finding]:
    """What checkov finds, with every check that it has."""
    command = [str(TOOLS / "bin" / "checkov"), "--directory", str(folder), "--framework", "cloudformation"]
    report = json.loads(_run([*command, "--skip-download", "--compact", "--quiet", "--output", "json"], fails_with=1))
    seen, there = report["summary"]["resource_count"], sum(len(it["Resources"]) for it in _templates(folder))
    if report["summary"]["parsing_errors"] or seen != there:
        raise LinterError(f"checkov read {seen} of {there} resources: {report['summary']}")
    return {Finding(it["check_id"], it["resource"].rpartition(".")[2]) for it in report["results"]["failed_checks"]}


def guard(folder: Path) -> set[Finding]:
    """What cfn-guard finds, with the rules of AWS Control Tower for every resource type."""
    command = [str(guard_binary()), "validate", "--rules", str(RULES), "--data", str(folder)]
    reports = json.loads(
        _run([*command, "--structured", "--output-format", "json", "--show-summary", "none"], fails_with=19)
    )
    for report in reports:
        if not report["compliant"] and not report["not_compliant"]:
            raise LinterError(f"cfn-guard found no rule for {report['name']}: it cannot have read it")
    return {
        Finding(broken["Rule"]["name"], resource)
        for report in reports
        for broken in report["not_compliant"]
        for resource in re.findall(r'"path": "/Resources/(\w+)', json.dumps(broken))
    }


def guard_binary() -> Path:
    """The one for this machine."""
    binary = GUARD / SYSTEMS.get(platform.system(), "") / MACHINES.get(platform.machine().lower(), "") / "cfn-guard"
    if not binary.is_file():
        raise LinterError(f"There is no cfn-guard for {platform.system()} on {platform.machine()} in {GUARD}")
    return binary


def parliament(folder: Path) -> set[Finding]:
    """What parliament finds in any statement of any policy: unknown actions and conditions, resources that do not fit."""
    statements = [
        (name, {"Version": "2012-10-17", "Statement": [statement]})
        for template in _templates(folder)
        for name, statement in statements_of(template)
    ]
    said = _run([str(TOOLS / "bin" / "python"), "-W", "ignore", "-c", PARLIAMENT], text=json.dumps(statements))
    return {Finding(*json.loads(line)) for line in said.splitlines()}


def statements_of(template: Node) -> Iterator[tuple[str, Node]]:
    """Every statement of every policy wherever it stands, named Resource.Sid; a trust as if it named its role."""
    for name, resource in template["Resources"].items():
        for kind, policy in _policies_in(resource.get("Properties", {}), ""):
            trust = {"Resource": "arn:aws:iam::000000000000:role/any"} if kind == "AssumeRolePolicyDocument" else {}
            for statement in policy["Statement"]:
                yield f"{name}.{statement.get('Sid', kind)}", statement | trust


def _policies_in(node: Any, kind: str) -> Iterator[tuple[str, Node]]:
    """Every policy, by the property that it stands in."""
    if isinstance(node, dict) and "Statement" in node:
        yield kind, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _policies_in(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _policies_in(value, kind)


def _templates(folder: Path) -> list[Node]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def _run(command: list[str], *, fails_with: int = 0, text: str = "") -> str:
    """What the tool says, when it found nothing and when it found something."""
    try:
        result = subprocess.run(
            command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except FileNotFoundError as error:
        raise LinterError(f"There is no {command[0]}: requirements/install makes it") from error
    if result.returncode not in {0, fails_with}:
        raise LinterError(f"{command[0]} failed with exit code {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result.stdout
