"""Makes the two files with which CloudFormation takes kept data over into a new stack.

    python -m local.takeover ArchiveBucket=NAME CheckpointTable=NAME EventStream=NAME EncryptionKey=KEY-ID

A removed stack leaves the bucket, the table, the stream and the key. docs/keep.md tells where their names are and
what to do with takeover/template.json, which holds these resources and nothing else, and takeover/resources.json,
which says which ones they are. Afterwards `sam deploy` adds the rest to the same stack.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.deploy import TEMPLATE

KEPT = {"Retain", "RetainExceptOnCreate"}
IDENTIFIER = {  # by which property CloudFormation knows one that it did not make
    "AWS::DynamoDB::Table": "TableName",
    "AWS::KMS::Key": "KeyId",
    "AWS::Kinesis::Stream": "Name",
    "AWS::S3::Bucket": "BucketName",
}
NOT_TAKEN_OVER = {"AWS::S3::BucketPolicy"}  # it names the new stack's roles: made anew, in the place of the old one

type Node = dict[str, Any]


class TakeoverError(Exception):
    """What was asked for does not fit the template; the message says what would."""


def kept(template: Node) -> dict[str, Node]:
    """The resources that a removed stack leaves and a new one can take over."""
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if isinstance(resource, dict)
        and resource.get("DeletionPolicy") in KEPT
        and resource["Type"] not in NOT_TAKEN_OVER
    }


def takeover(template: Node, names: Mapping[str, str]) -> tuple[Node, list[Node]]:
    """The template with the named resources alone, and what says which ones they are. Raises TakeoverError.

    The properties stay as they are, so that the deployment that follows changes none of them.
    """
    possible = kept(template)
    if unknown := names.keys() - possible.keys():
        raise TakeoverError(f"{', '.join(sorted(unknown))}: the template keeps {', '.join(sorted(possible))}.")
    # Kept whatever happens to the import.
    taken = {name: {**possible[name], "DeletionPolicy": "Retain"} for name in names}
    # A key of one's own is no resource of the stack: its condition is false, but what refers to it must find it.
    taken |= {name: it for name, it in possible.items() if name not in names and "Condition" in it}
    parts = {name: template[name] for name in ("AWSTemplateFormatVersion", "Parameters", "Conditions")}
    known = taken.keys() | template["Parameters"].keys()
    if missing := {it for it in _references(taken) if it not in known and not it.startswith("AWS::")}:
        raise TakeoverError(f"Name {', '.join(sorted(missing))} too: what is taken over refers to it.")
    resources = [
        {
            "ResourceType": possible[name]["Type"],
            "LogicalResourceId": name,
            "ResourceIdentifier": {IDENTIFIER[possible[name]["Type"]]: physical},
        }
        for name, physical in names.items()
    ]
    return {**parts, "Resources": taken}, resources


def _references(node: Any) -> Iterator[str]:
    """Every name that is referred to."""
    if isinstance(node, list):
        for inner in node:
            yield from _references(inner)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.split(".")[0]
            elif key == "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                yield from (found.split(".")[0] for found in re.findall(r"\$\{([^!}]+)\}", text))
            else:
                yield from _references(value)


def _named(text: str) -> tuple[str, str]:
    name, equals, physical = text.partition("=")
    if not (name and equals and physical):
        raise argparse.ArgumentTypeError(f"{text!r} is not LogicalName=name")
    return name, physical


def main() -> None:
    """Writes the two files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", type=_named, metavar="LogicalName=name")
    parser.add_argument("--into", type=Path, default=Path("takeover"))
    asked = parser.parse_args()
    try:
        from cfnlint.decode.cfn_yaml import load  # noqa: PLC0415 - it takes seconds

        template, resources = takeover(json.loads(json.dumps(load(str(TEMPLATE)))), dict(asked.names))
    except TakeoverError as error:
        sys.exit(str(error))
    asked.into.mkdir(parents=True, exist_ok=True)
    (asked.into / "template.json").write_text(json.dumps(template, indent=1) + "\n")
    (asked.into / "resources.json").write_text(json.dumps(resources, indent=1) + "\n")
    print(f"{asked.into}/template.json and {asked.into}/resources.json; docs/keep.md tells what to do with them.")


if __name__ == "__main__":
    main()
