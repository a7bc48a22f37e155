"""What the linters find and we keep, each with its reason. Nothing else is suppressed anywhere.

A rule that nothing breaks any more must go from here, and so must a resource: the tests compare both ways.
"""

from typing import NamedTuple

from tests.template.reading import FUNCTIONS


class Accepted(NamedTuple):
    """A rule that these resources break for this reason; * stands for any part of a name."""

    rule: str
    resources: tuple[str, ...]
    reason: str


ROTATION = "RotateFunction"
VPC = (
    "Outside of a VPC by default: a NAT gateway costs more than all the rest. VpcSubnetIds puts the functions into one."
)
ACCESS_LOG = "The log goes to a bucket of the account's choice, which a stack cannot make up: AccessLogBucket names it."

CHECKOV = (
    Accepted(
        "CKV_AWS_18",
        ("ArchiveBucket", "ResultBucket"),
        ACCESS_LOG,
    ),
    Accepted(
        "CKV_AWS_111",
        ("VpcPolicy",),
        "Lambda needs these rights on interfaces that do not exist yet, and our own code is denied them in the same policy.",
    ),
    Accepted(
        "CKV_AWS_115",
        FUNCTIONS,
        "CollectConcurrency bounds the collect function unless it is 0; the others run seldom, and one at a time.",
    ),
    Accepted(
        "CKV_AWS_116",
        tuple(name for name in FUNCTIONS if name != ROTATION),
        "Failed runs go to FailureQueue by an OnFailure destination, which tells more than a dead letter queue of Lambda's.",
    ),
    Accepted(
        "CKV_AWS_116",
        (ROTATION,),
        "Secrets Manager repeats a failed rotation itself, and its event can hold a RotationToken, which no queue may get.",
    ),
    Accepted("CKV_AWS_117", FUNCTIONS, VPC),
    Accepted(
        "CKV_AWS_173",
        FUNCTIONS,
        "The variables hold names and numbers and no secret; Lambda encrypts them with a key of its own.",
    ),
)

GUARD = (
    Accepted(
        "cloudwatch_alarm_action_check",
        ("*Alarm",),
        "AlarmTopicArn is empty by default: the stack has nobody to tell, and its alarms show in CloudWatch all the same.",
    ),
    Accepted(
        "cloudwatch_alarm_action_enabled_check",
        ("*Alarm",),
        "ScheduleState DISABLED pauses the collection, and a paused collection must not wake anybody.",
    ),
    Accepted("lambda_inside_vpc_check", FUNCTIONS, VPC),
    Accepted("s3_bucket_logging_enabled_check", ("ArchiveBucket", "ResultBucket"), ACCESS_LOG),
    Accepted(
        "s3_bucket_object_lock_enabled_check",
        ("ArchiveBucket",),
        "Object Lock cannot be taken back, so ObjectLockMode must be chosen; the bucket's policy denies deletion without it, too.",
    ),
    Accepted(
        "s3_bucket_object_lock_enabled_check",
        ("ResultBucket",),
        "It holds copies of answers, which are deleted after QueryResultDays; the archive that they are of is guarded.",
    ),
    Accepted(
        "s3_event_notifications_enabled_check",
        ("ArchiveBucket", "ResultBucket"),
        "Nobody waits for single objects: whoever wants events reads the stream.",
    ),
    Accepted(
        "step_functions_state_machine_tracing_enabled_check",
        ("ReplayStateMachine",),
        "Nothing here is traced by X-Ray: every line of a replay's log has its id, and each item is an execution of its own.",
    ),
    Accepted(
        "sqs_dlq_check",
        ("FailureQueue", "ScheduleDeadLetterQueue"),
        "They are dead letter queues themselves, and only people read them.",
    ),
    Accepted(
        "kms_create_grant_aws_service_check",
        ("EncryptionKey",),
        "The denial is there, but lets a service ask with our credentials: DynamoDB does so when it makes the table.",
    ),
)

PARLIAMENT = (
    Accepted(
        "CREDENTIALS_EXPOSURE",
        ("*.AssumeRolePolicyDocument",),
        "Being assumed is what a role's trust is for; who may is one service each, which tests/template/test_promises.py holds.",
    ),
    Accepted(
        "MISMATCHED_TYPE",
        ("ArchiveBucketPolicy.NoOldTls", "EncryptionKey.LogsOfTheFunctions", "ResultBucketPolicy.NoOldTls"),
        "It takes 1.2 for no number, and the ARN in a key's encryption context, which AWS types as text, for no ARN.",
    ),
    Accepted(
        "MISMATCHED_TYPE_BUT_USABLE",
        ("ArchiveBucketPolicy.OnlyOurKey",),
        "S3 compares the key's ARN as it was sent, so as text.",
    ),
    Accepted(
        "PERMISSIONS_MANAGEMENT_ACTIONS",
        ("EncryptionKey.IamDecides",),
        "Without the account's own statement nobody could ever change the key again: AWS puts it into every key.",
    ),
    Accepted(
        "PERMISSIONS_MANAGEMENT_ACTIONS",
        ("ReplayStatesRole.DeliverLogs",),
        "Step Functions lets its logs be delivered with these rights and no others, and AWS knows no resource for them.",
    ),
    Accepted(
        "RESOURCE_MISMATCH",
        ("PreTrafficRole.TellCodeDeploy",),
        "IAM's reference has no resource for it, but AWS SAM's guide grants it for the deployment groups of one application.",
    ),
    Accepted(
        "RESOURCE_MISMATCH",
        ("ReplayStartsItself.LookAfterItsItems",),
        "Its copy of IAM's reference knows no resource for states:DescribeExecution; AWS's guide names the items' own.",
    ),
    Accepted(
        "RESOURCE_STAR",
        ("EncryptionKey.*",),
        "In the policy of a key * is that key.",
    ),
    Accepted(
        "RESOURCE_STAR",
        ("DeploymentRole.WatchTheAlarm", "VpcPolicy.LambdaMakesInterfaces"),
        "AWS knows no resource for one, and for the other only interfaces that are yet to be made.",
    ),
    Accepted(
        "UNKNOWN_CONDITION_FOR_ACTION",
        (
            "ArchiveBucketPolicy.NoOldTls",
            "EncryptionKey.LogsOfTheFunctions",
            "ResultBucketPolicy.NoOldTls",
            "VpcPolicy.OurCodeDoesNot",
        ),
        "It does not know s3:TlsVersion for all of s3:*, the names in an encryption context, nor lambda:SourceFunctionArn.",
    ),
)
