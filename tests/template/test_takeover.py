"""What a removed stack leaves is taken over by a new one: the files for it, and the import itself."""

import json
import re
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest

from local.takeover import IDENTIFIER, NOT_TAKEN_OVER, TakeoverError, kept, takeover
from tests.template.reading import ROOT, template

NAMES = {"ArchiveBucket": "a-bucket", "CheckpointTable": "a-table", "EventStream": "a-stream", "EncryptionKey": "a-key"}


def test_everything_that_holds_data_is_kept_and_all_of_it_can_be_taken_over():
    assert set(kept(template())) == set(NAMES)
    policies = {it["Type"]: it["DeletionPolicy"] for it in template()["Resources"].values() if "DeletionPolicy" in it}
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table", "AWS::Kinesis::Stream"):
        assert policies[kind].startswith("Retain"), kind
    assert policies["AWS::SecretsManager::Secret"] == "Delete"


@pytest.mark.parametrize("kind", IDENTIFIER)
def test_the_identifiers_are_cloudformations_own(kind):
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # noqa: PLC0415 - it takes seconds

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    assert schema["primaryIdentifier"] == [f"/properties/{IDENTIFIER[kind]}"]
    assert "read" in schema["handlers"], "CloudFormation cannot import it"


def test_the_properties_are_the_templates_own_and_nothing_else_is_in_it():
    made, resources = takeover(template(), NAMES)
    assert "Transform" not in made
    assert "Outputs" not in made
    for name, resource in made["Resources"].items():
        ours = template()["Resources"][name]
        assert resource == {**ours, "DeletionPolicy": "Retain"}
        assert ours["Type"] not in NOT_TAKEN_OVER
    assert {it["LogicalResourceId"]: next(iter(it["ResourceIdentifier"].values())) for it in resources} == NAMES


def test_it_is_a_valid_template_and_small_enough_to_be_sent_as_it_is():
    from cfnlint.api import lint_all  # noqa: PLC0415 - it takes seconds

    made, _ = takeover(template(), NAMES)
    text = json.dumps(made, indent=1)
    assert len(text) < 51_200
    assert [it for it in lint_all(text) if it.rule.id.startswith("E")] == []


def test_no_name_of_a_resource_is_set_for_then_a_deployment_that_does_not_set_it_would_replace_the_resource():
    made, _ = takeover(template(), NAMES)
    for resource in made["Resources"].values():
        assert IDENTIFIER[resource["Type"]] not in resource["Properties"]


def test_a_key_of_ones_own_is_not_taken_over_but_what_refers_to_it_is_whole():
    made, resources = takeover(template(), {name: value for name, value in NAMES.items() if name != "EncryptionKey"})
    assert made["Resources"]["EncryptionKey"]["Condition"] == "MakesKey"
    assert "EncryptionKey" not in {it["LogicalResourceId"] for it in resources}


def test_what_would_refer_to_nothing_is_refused():
    changed = template()
    changed["Resources"]["EventStream"]["Properties"]["Name"] = {"Fn::Sub": "${CollectFunction.Arn}-${AWS::Region}"}
    with pytest.raises(TakeoverError, match="Name CollectFunction too: what is taken over refers to it"):
        takeover(changed, NAMES)


def test_what_the_template_does_not_keep_is_refused():
    with pytest.raises(TakeoverError, match="SlackTokenSecret: the template keeps ArchiveBucket, CheckpointTable"):
        takeover(template(), {"SlackTokenSecret": "x"})


def test_a_new_stack_takes_over_what_lies_there_with_all_that_is_in_it(aws, tmp_path):
    """The import itself: the same resources, the same data, and an update leaves them alone. The embedded AWS imports
    every kind of ours but the stream."""
    name = f"kept-{uuid4().hex[:8]}"
    s3, dynamodb, cloudformation = (aws.client(service) for service in ("s3", "dynamodb", "cloudformation"))
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="log/org=main/000000000000.json", Body=b"{}")
    key = {"KeySchema": [{"AttributeName": "org", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    dynamodb.create_table(TableName=name, AttributeDefinitions=[{"AttributeName": "org", "AttributeType": "S"}], **key)
    dynamodb.put_item(TableName=name, Item={"org": {"S": "main"}, "next": {"N": "7"}})
    encryption = aws.client("kms").create_key()["KeyMetadata"]["KeyId"]
    names = {"ArchiveBucket": name, "CheckpointTable": name, "EncryptionKey": encryption}
    command = [sys.executable, "-m", "local.takeover", "--into", str(tmp_path)]
    subprocess.run([*command, *(f"{it}={value}" for it, value in names.items())], cwd=ROOT, check=True)

    body = (tmp_path / "template.json").read_text()
    cloudformation.create_change_set(
        StackName=name,
        ChangeSetName="takeover",
        ChangeSetType="IMPORT",
        TemplateBody=body,
        ResourcesToImport=json.loads((tmp_path / "resources.json").read_text()),
    )
    cloudformation.get_waiter("change_set_create_complete").wait(StackName=name, ChangeSetName="takeover")
    cloudformation.execute_change_set(StackName=name, ChangeSetName="takeover")
    cloudformation.get_waiter("stack_import_complete").wait(StackName=name)
    assert physical(cloudformation, name) == names

    cloudformation.update_stack(StackName=name, TemplateBody=body.replace('"Retain"', '"RetainExceptOnCreate"'))
    cloudformation.get_waiter("stack_update_complete").wait(StackName=name)
    assert physical(cloudformation, name) == names
    assert s3.get_object(Bucket=name, Key="log/org=main/000000000000.json")["Body"].read() == b"{}"
    assert dynamodb.get_item(TableName=name, Key={"org": {"S": "main"}})["Item"]["next"] == {"N": "7"}


def physical(cloudformation: Any, stack: str) -> dict[str, str]:
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    return {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in resources}


def test_the_document_names_all_that_stays_and_where_its_name_is_found():
    said = (ROOT / "docs" / "keep.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)`[^|]*\| `(\w+)` \|", said, re.MULTILINE))
    assert set(rows) == set(kept(template()))
    assert set(rows.values()) <= set(template()["Outputs"])
    (command,) = re.findall(r"python -m local\.takeover (.+)", said)
    assert {it.split("=")[0] for it in command.split()} == set(rows)
