"""The template as plain data: as it is written, and as SAM turns it into CloudFormation."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ministack.services.cloudformation import engine, language_extensions

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
ANALYTICS = ROOT / "analytics.yaml"  # the nested stack
SCHEDULED = ("CollectFunction", "DriftFunction", "VerifyFunction", "WatchFunction")
FUNCTIONS = (*SCHEDULED, "PreTrafficFunction", "ReplayFunction", "RotateFunction")
FURTHER = "lab"  # the further organisation that the template is looked at with

type Node = dict[str, Any]

KEY = {"Fn::If": ["MakesKey", {"Fn::GetAtt": ["EncryptionKey", "Arn"]}, {"Ref": "KmsKeyArn"}]}  # that encrypts all


@cache
def _written(path: Path) -> str:
    return json.dumps(engine._parse_template(path.read_text()))


def written(path: Path = TEMPLATE) -> Node:
    """What the file says, its short tags written out: !Ref x is {"Ref": "x"}."""
    said: Node = json.loads(_written(path))
    return said


def template(orgs: str = FURTHER) -> Node:
    """The same for these further organisations, its Fn::ForEach expanded as CloudFormation does it."""
    expanded: Node = language_extensions.apply(written(), {"Orgs": orgs})
    return expanded


def properties(logical_id: str) -> Node:
    found: Node = template()["Resources"][logical_id]["Properties"]
    return found


def deployable(layer: str = "s3://bucket/key", orgs: str = FURTHER) -> Node:
    """The template after its code was uploaded, the layer's content there."""
    source = template(orgs)
    for name in FUNCTIONS:
        source["Resources"][name]["Properties"]["CodeUri"] = "s3://bucket/key"
    source["Resources"]["CollectorLayer"]["Properties"]["ContentUri"] = layer
    return source


@cache
def cloudformation(orgs: str = FURTHER) -> Node:
    """Every resource that a deployment makes by itself, with those that SAM and loops add."""
    return translated("s3://bucket/key", orgs)


def translated(layer: str, orgs: str = FURTHER) -> Node:
    """The same, with the layer's content there."""
    resources: Node = engine._apply_transforms(deployable(layer, orgs))["Resources"]
    return resources


def schedule_of(function: str) -> Node:
    """What starts the function, as CloudFormation makes it."""
    found: Node = cloudformation()[f"{function}Schedule"]["Properties"]
    return found


def written_of_type(kind: str) -> list[str]:
    """The names of those that the file has, without what SAM adds: to know them takes no time."""
    return [name for name, resource in template()["Resources"].items() if resource["Type"] == kind]


def of_type(kind: str, orgs: str = FURTHER) -> Node:
    return {name: resource for name, resource in cloudformation(orgs).items() if resource["Type"] == kind}


def role_statements() -> Iterator[tuple[str, Node]]:
    """Every statement of every role, with the role's name, and of every policy beside them, with its own."""
    documents = [
        (name, policy["PolicyDocument"])
        for name, role in of_type("AWS::IAM::Role").items()
        for policy in role["Properties"]["Policies"]
    ]
    documents += [(name, it["Properties"]["PolicyDocument"]) for name, it in of_type("AWS::IAM::Policy").items()]
    for name, document in documents:
        for statement in document["Statement"]:
            yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement  # which is there or not


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
