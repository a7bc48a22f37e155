"""How what is kept is guarded: the key, the bucket, the stream, the table, the queues."""

import pytest

from tests.template.reading import KEY, Node, listed, of_type, properties, template, written_of_type

NOTHING = {"Ref": "AWS::NoValue"}
OBJECTS = {"Fn::Sub": "${ArchiveBucket.Arn}/*"}
EVERYTHING = [{"Fn::GetAtt": ["ArchiveBucket", "Arn"]}, OBJECTS]
UNLESS_BREAK_GLASS = {"aws:PrincipalArn": {"Ref": "BreakGlassArn"}}


def denials() -> dict[str, Node]:
    statements = properties("ArchiveBucketPolicy")["PolicyDocument"]["Statement"]
    assert all((it["Effect"], it["Principal"]) == ("Deny", "*") for it in statements)
    return {it["Sid"]: it for it in statements}


def test_the_bucket_is_private_versioned_and_encrypted():
    bucket = properties("ArchiveBucket")
    blocks = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(blocks, True)
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    assert rule["BucketKeyEnabled"] is True


def test_these_are_all_denials_of_the_bucket():
    assert list(denials()) == [
        "TlsOnly",
        "NoOldTls",
        "NobodyDeletes",
        "WriteOnce",
        "OnlyTheFunctionsWrite",
        "ReplaysAddNothing",
        "OnlyOurKey",
        "NoKeyOfAws",
        "NoOtherEncryption",
        "NoKeyOfTheWriters",
    ]


def test_nobody_comes_to_the_bucket_without_tls():
    for name, condition in (
        ("TlsOnly", {"Bool": {"aws:SecureTransport": "false"}}),
        ("NoOldTls", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ):
        denial = denials()[name]
        assert (denial["Action"], denial["Resource"], denial["Condition"]) == ("s3:*", EVERYTHING, condition)


def test_nobody_deletes_but_who_breaks_the_glass():
    denial = denials()["NobodyDeletes"]
    assert denial["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]
    assert denial["Resource"] == OBJECTS
    assert denial["Condition"] == {"Fn::If": ["HasBreakGlass", {"ArnNotEquals": UNLESS_BREAK_GLASS}, NOTHING]}


def test_nobody_overwrites_but_who_breaks_the_glass():
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html"""
    denial = denials()["WriteOnce"]
    assert (denial["Action"], denial["Resource"]) == ("s3:PutObject", OBJECTS)
    assert denial["Condition"] == {
        "Null": {"s3:if-none-match": "true"},
        "ArnNotEquals": {"Fn::If": ["HasBreakGlass", UNLESS_BREAK_GLASS, NOTHING]},
    }


def test_only_the_functions_write():
    denial = denials()["OnlyTheFunctionsWrite"]
    assert (denial["Action"], denial["Resource"]) == ("s3:PutObject", OBJECTS)
    assert denial["Condition"] == {
        "ArnNotEquals": {
            "aws:PrincipalArn": [
                {"Fn::GetAtt": ["CollectRole", "Arn"]},
                {"Fn::GetAtt": ["DriftRole", "Arn"]},
                {"Fn::GetAtt": ["ReplayRole", "Arn"]},
                {"Fn::If": ["HasBreakGlass", {"Ref": "BreakGlassArn"}, NOTHING]},
            ]
        }
    }


def test_a_replay_adds_nothing_to_what_was_collected():
    denial = denials()["ReplaysAddNothing"]
    assert denial["Action"] == "s3:PutObject"
    places = ("raw", "log", "checks", "catalog")
    assert denial["Resource"] == [{"Fn::Sub": f"${{ArchiveBucket.Arn}}/{it}/*"} for it in places]
    assert denial["Condition"] == {"ArnEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["ReplayRole", "Arn"]}}}


def test_nothing_is_encrypted_with_another_key():
    """A write that names no encryption takes the bucket's: StringNotEquals alone, or with IfExists, would refuse it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    header = "s3:x-amz-server-side-encryption"
    conditions = {
        "OnlyOurKey": {
            "Null": {f"{header}-aws-kms-key-id": "false"},
            "StringNotEquals": {f"{header}-aws-kms-key-id": KEY},
        },
        "NoOtherEncryption": {"Null": {header: "false"}, "StringNotEquals": {header: "aws:kms"}},
        "NoKeyOfAws": {"Null": {header: "false", f"{header}-aws-kms-key-id": "true"}},
        "NoKeyOfTheWriters": {"Null": {f"{header}-customer-algorithm": "false"}},
    }
    for name, condition in conditions.items():
        denial = denials()[name]
        assert (denial["Action"], denial["Resource"], denial["Condition"]) == ("s3:PutObject", OBJECTS, condition)


def test_object_lock_is_a_choice():
    bucket = properties("ArchiveBucket")
    assert bucket["ObjectLockEnabled"] == {"Fn::If": ["IsLocked", True, NOTHING]}
    retention = {"Mode": {"Ref": "ObjectLockMode"}, "Days": {"Ref": "ObjectLockDays"}}
    assert bucket["ObjectLockConfiguration"] == {
        "Fn::If": [
            "IsLocked",
            {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}},
            NOTHING,
        ]
    }
    assert template()["Conditions"]["IsLocked"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ObjectLockMode"}, "OFF"]}]}


def test_large_batches_move_to_cheaper_storage_and_nothing_ever_expires():
    uploads, cold = properties("ArchiveBucket")["LifecycleConfiguration"]["Rules"]
    assert uploads["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    condition, rule, otherwise = cold["Fn::If"]
    assert (condition, otherwise) == ("MovesToColdStorage", NOTHING)
    assert (rule["Status"], rule["Prefix"], rule["ObjectSizeGreaterThan"]) == ("Enabled", "raw/", "131072")
    assert rule["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": {"Ref": "ColdStorageDays"}}]
    assert not [key for key in (*uploads, *rule) if "Expiration" in key]


def test_the_access_log_is_a_choice():
    destination = {
        "DestinationBucketName": {"Ref": "AccessLogBucket"},
        "LogFilePrefix": {"Fn::Sub": "${AWS::StackName}/"},
    }
    assert properties("ArchiveBucket")["LoggingConfiguration"] == {"Fn::If": ["HasAccessLog", destination, NOTHING]}


def test_the_stream_is_encrypted_and_keeps_what_the_parameters_say():
    stream = properties("EventStream")
    assert stream["StreamEncryption"] == {"EncryptionType": "KMS", "KeyId": KEY}
    assert stream["RetentionPeriodHours"] == {"Ref": "StreamRetentionHours"}
    assert stream["StreamModeDetails"] == {"StreamMode": {"Ref": "StreamMode"}}
    assert stream["ShardCount"] == {"Fn::If": ["IsOnDemand", NOTHING, {"Ref": "StreamShards"}]}


def test_other_accounts_read_the_stream_only_if_they_are_named():
    resource = template()["Resources"]["EventStreamPolicy"]
    assert resource["Condition"] == "HasConsumers"
    (statement,) = resource["Properties"]["ResourcePolicy"]["Statement"]
    assert statement["Principal"] == {"AWS": {"Ref": "ConsumerAccounts"}}
    assert statement["Resource"] == {"Fn::GetAtt": ["EventStream", "Arn"]}
    assert not [it for it in statement["Action"] if it.split(":")[1].startswith(("Put", "Delete", "Update", "*"))]


def test_the_table_is_encrypted_recoverable_and_protected():
    table = properties("CheckpointTable")
    assert table["KeySchema"] == [{"AttributeName": "org", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "org", "AttributeType": "S"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize("name", written_of_type("AWS::SQS::Queue"))
def test_a_queue_is_encrypted_keeps_two_weeks_and_wants_tls(name):
    assert set(of_type("AWS::SQS::Queue")) == set(written_of_type("AWS::SQS::Queue")), "SAM adds none"
    assert properties(name) == {
        "MessageRetentionPeriod": 14 * 24 * 3600,
        "KmsMasterKeyId": KEY,
        "KmsDataKeyReusePeriodSeconds": 3600,
        "SqsManagedSseEnabled": False,
    }
    (statement,) = properties(f"{name}Policy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "sqs:*")
    assert listed(statement["Resource"]) == [{"Fn::GetAtt": [name, "Arn"]}]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_key_rotates_and_opens_only_for_the_account_its_logs_and_named_consumers():
    key = properties("EncryptionKey")
    assert template()["Resources"]["EncryptionKey"]["Condition"] == "MakesKey"
    assert (key["EnableKeyRotation"], key["PendingWindowInDays"]) == (True, 30)
    account, grants, logs, consumers = key["KeyPolicy"]["Statement"]
    assert account["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert (grants["Effect"], grants["Principal"], grants["Action"]) == ("Deny", "*", "kms:CreateGrant")
    assert logs["Principal"] == {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}}
    (groups,) = logs["Condition"]["ArnLike"].values()
    assert [it["Fn::Sub"].partition(":log-group:")[2] for it in groups] == [
        "/aws/lambda/${AWS::StackName}-*",
        "/aws/vendedlogs/states/${AWS::StackName}-*",
    ]
    assert not [it for it in logs["Action"] if "*" in it]
    condition, statement, otherwise = consumers["Fn::If"]
    assert (condition, otherwise) == ("HasConsumers", NOTHING)
    assert (statement["Principal"], statement["Action"]) == ({"AWS": {"Ref": "ConsumerAccounts"}}, "kms:Decrypt")
    assert list(statement["Condition"]["StringEquals"]) == ["kms:ViaService"]


def test_what_a_former_key_encrypted_can_still_be_read():
    assert template()["Resources"]["FormerKeysPolicy"]["Condition"] == "HasFormerKeys"
    policy = properties("FormerKeysPolicy")
    # The state machine reads a plan's items once more when a replay from before the change is resumed.
    readers = ("Collect", "Drift", "Verify", "Replay", "ReplayStates")
    assert policy["Roles"] == [{"Ref": f"{name}Role"} for name in readers]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("kms:Decrypt", {"Ref": "FormerKmsKeyArns"})
    assert statement["Condition"] == {
        "StringEquals": {"kms:ViaService": {"Fn::Sub": "s3.${AWS::Region}.amazonaws.com"}}
    }
