"""The embedded AWS's process: ministack, taught what our template needs and ministack does not know.

That is six resource types and one kind of alarm that its CloudFormation refuses, properties that it passes over
although its services enforce them, Fn::Join in conditions, condition keys of S3's writes and of a role's session, an
alias's own way with failed runs, and a map's MaxConcurrencyPath and RedriveExecution of Step Functions. Each type does
what its reference page says of Ref, Fn::GetAtt, update and deletion, as far as ministack has the service behind it.
And the processes of functions share what they are made of, which is most of their start; and YAML is read by libyaml.
local.aws runs this file by its path: it knows nothing of the rest of the project.
"""

import contextvars
import json
import tempfile
import threading
import zipfile
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import athena, cloudwatch, iam, kinesis, lambda_svc, s3, secretsmanager, stepfunctions
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

type Properties = dict[str, Any]
type Made = tuple[str, dict[str, str]]  # what Ref answers, what Fn::GetAtt answers
type Create = Callable[[str, Properties, str], Made]  # logical ID, properties, stack's name
type Delete = Callable[[str, Properties], None]  # what Ref answers, properties
type Response = tuple[int, dict[str, str], bytes]

ALARM_FIELDS = ("AlarmRule", "AlarmDescription", "AlarmActions", "OKActions", "InsufficientDataActions")
ROTATION_FIELDS = ("RotationLambdaARN", "RotationRules")
ENCRYPTION = "x-amz-server-side-encryption"
WRITE_HEADERS = ("if-none-match", ENCRYPTION, f"{ENCRYPTION}-aws-kms-key-id", f"{ENCRYPTION}-customer-algorithm")


def put_composite_alarm(logical_id: str, properties: Properties, stack: str) -> Made:
    """Its state follows the alarms of its rule, in ministack as on AWS."""
    name = properties.get("AlarmName") or _generated_name(stack, logical_id)
    wanted = {field: properties[field] for field in ALARM_FIELDS if field in properties}
    enabled = str(properties.get("ActionsEnabled", True)).lower() == "true"
    _check(cloudwatch._put_composite_alarm({}, wanted | {"AlarmName": name, "ActionsEnabled": enabled}, False, True))
    return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}


def delete_composite_alarm(name: str, _properties: Properties) -> None:
    """As DeleteAlarms does: not while another composite alarm depends on it."""
    _check(cloudwatch._delete_alarms({}, {"AlarmNames": [name]}, False, True))


def measured(properties: Properties) -> Properties:
    """An alarm's properties as ministack takes them: in place of metric math, which it refuses, a metric without data.

    So such an alarm stands as TreatMissingData says until SetAlarmState moves it.
    """
    if "Metrics" not in properties:
        return properties
    (told,) = [
        metric["Id"] for metric in properties["Metrics"] if str(metric.get("ReturnData", True)).lower() == "true"
    ]
    plain = {name: value for name, value in properties.items() if name != "Metrics"}
    return plain | {"Namespace": "MetricMath", "MetricName": told, "Period": 60, "Statistic": "Sum"}


def create_alarm(logical_id: str, properties: Properties, stack: str) -> Made:
    """Also with metric math."""
    made: Made = provisioners._cw_metric_alarm_create(logical_id, measured(properties), stack)
    return made


def update_alarm(name: str, old: Properties, properties: Properties, stack: str, logical_id: str) -> Made:
    """Also with metric math."""
    made: Made = provisioners._cw_metric_alarm_update(name, measured(old), measured(properties), stack, logical_id)
    return made


def put_stream_policy(_logical_id: str, properties: Properties, _stack: str) -> Made:
    """Enforced when the embedded AWS enforces IAM."""
    stream = properties["ResourceArn"]
    policy = json.dumps(properties["ResourcePolicy"])
    _check(kinesis._put_resource_policy({"ResourceARN": stream, "Policy": policy}))
    return stream, {}


def delete_stream_policy(stream: str, _properties: Properties) -> None:
    """Also when the stream went before it, and took it along."""
    kinesis._resource_policies.pop(stream, None)


def put_rotation(_logical_id: str, properties: Properties, _stack: str) -> Made:
    """Kept with the secret, where DescribeSecret shows it. Nothing is rotated: ministack never calls the function."""
    _, secret = secretsmanager._resolve(properties["SecretId"])
    if secret is None:
        raise ValueError(f"AWS::SecretsManager::RotationSchedule: there is no secret {properties['SecretId']}")
    secret.update({field: properties.get(field) for field in ROTATION_FIELDS}, RotationEnabled=True)
    return str(secret["ARN"]), {}


def delete_rotation(secret_id: str, _properties: Properties) -> None:
    """As CancelRotateSecret does."""
    _, secret = secretsmanager._resolve(secret_id)
    if secret is not None:
        secret["RotationEnabled"] = False


def put_named_query(_logical_id: str, properties: Properties, _stack: str) -> Made:
    """Ref and Fn::GetAtt answer with its id, which an update changes."""
    response = athena._create_named_query(properties)
    _check(response)
    query_id = str(json.loads(response[2])["NamedQueryId"])
    return query_id, {"NamedQueryId": query_id}


def delete_named_query(query_id: str, _properties: Properties) -> None:
    """Also one that is gone."""
    athena._delete_named_query({"NamedQueryId": query_id})


def remember(name: str) -> Create:
    """Makes nothing, and answers with the name that the property of this name gives, or a generated one."""
    return lambda logical_id, properties, stack: (properties.get(name) or _generated_name(stack, logical_id), {})


def forget(_name: str, _properties: Properties) -> None:
    """Nothing was made."""


def create_role(logical_id: str, properties: Properties, stack: str) -> Made:
    """With its permissions boundary, which ministack's CloudFormation leaves out and its IAM enforces."""
    made: Made = provisioners._iam_role_create(logical_id, properties, stack)
    _bound(made[0], properties)
    return made


def update_role(name: str, old: Properties, properties: Properties, stack: str, logical_id: str) -> Made:
    """With its permissions boundary."""
    made: Made = provisioners._iam_role_update(name, old, properties, stack, logical_id)
    _bound(made[0], properties)
    return made


def _bound(role: str, properties: Properties) -> None:
    iam._roles[role]["PermissionsBoundary"] = properties.get("PermissionsBoundary")


def create_bucket(logical_id: str, properties: Properties, stack: str) -> Made:
    """With its Object Lock, which ministack's CloudFormation leaves out and its S3 enforces."""
    made: Made = provisioners._s3_create(logical_id, properties, stack)
    _lock_objects(made[0], properties)
    return made


def update_bucket(name: str, old: Properties, properties: Properties, stack: str) -> Made:
    """With its Object Lock."""
    made: Made = provisioners._s3_update(name, old, properties, stack)
    _lock_objects(made[0], properties)
    return made


def _lock_objects(bucket: str, properties: Properties) -> None:
    if str(properties.get("ObjectLockEnabled", False)).lower() == "true":
        s3._bucket_versioning[bucket] = "Enabled"
        rule = properties.get("ObjectLockConfiguration", {}).get("Rule", {})
        retention = dict(rule.get("DefaultRetention", {}))
        periods = {period: int(retention[period]) for period in ("Days", "Years") if period in retention}
        s3._bucket_object_lock[bucket] = {"enabled": True, "default_retention": (retention | periods) or None}


def invoke_async(invoke: Callable[[Properties, Properties], None], function: Properties, event: Properties) -> None:
    """Lets a failed run be retried and reported as its alias says; ministack asks the function itself only."""
    config = function["config"]
    qualifier = config["FunctionArn"].partition(f":function:{config['FunctionName']}")[2].removeprefix(":")
    owner = lambda_svc._functions[config["FunctionName"]]
    invoke({**function, "event_invoke_config": lambda_svc._event_invoke_config(owner, qualifier)}, event)


def object_context(known: Callable[..., Properties], *asked: Any) -> Properties:
    """What a bucket policy can ask of a write besides: how it is encrypted, and whether it may replace an object."""
    headers = asked[3] if len(asked) > 3 and asked[3] else {}
    sent = {name.lower(): value for name, value in headers.items()}
    return {**known(*asked), **{f"s3:{name}": sent[name] for name in WRITE_HEADERS if name in sent}}


def condition_value(known: Callable[..., Any], key: str, context: Any) -> Any:
    """aws:PrincipalArn of a role's session is the role, where ministack says the session."""
    value = known(key, context)
    if key.lower() == "aws:principalarn" and ":assumed-role/" in value:
        role = value.split("/")[1]
        return iam._roles[role]["Arn"] if role in iam._roles else value
    return value


def run_map(run: Callable[..., Any], state: Properties, asked: Any, effective: Any, *rest: Any) -> Any:
    """A distributed map with the concurrency that its path names; ministack would run all of its items at once."""
    path = state.get("MaxConcurrencyPath")
    most = {"MaxConcurrency": stepfunctions._resolve_path(path, effective)} if path else {}
    return run({**state, **most}, asked, effective, *rest)


def once(run: Callable[..., Any], of: Callable[..., str], *asked: Any) -> Any:
    """What succeeded before an execution was redriven is not done again, but has the same outcome."""
    whole = stepfunctions._executions[asked[-1]["Execution"]["Id"]]
    kept = whole.setdefault("kept", {})
    step = of(*asked)
    if step in kept and whole.get("redriven"):
        return kept.pop(step)
    kept[step] = run(*asked)
    return kept[step]


def of_a_task(_state: Properties, asked: Any, _execution: Properties, context: Properties) -> str:
    """A state may come again with another input."""
    return json.dumps(["state", context["State"]["Name"], asked])


def of_an_item(_states: Properties, _start: str, asked: Any, _execution: Properties, context: Properties) -> str:
    """Which of the map's items it is."""
    return json.dumps(["item", context.get("Map"), asked])


def redrive(asked: Properties) -> Response:
    """RedriveExecution: the execution goes on under its own name, and only what failed is done again."""
    execution = stepfunctions._executions.get(asked["executionArn"])
    if execution is None or execution["status"] not in {"FAILED", "ABORTED", "TIMED_OUT"}:
        why = f"{asked['executionArn']} did not fail"
        return cast("Response", stepfunctions.error_response_json("ExecutionNotRedrivable", why, 400))
    execution.update(status="RUNNING", stopDate=None, error=None, cause=None, output=None, redriven=True)
    again = partial(contextvars.copy_context().run, stepfunctions._run_execution, asked["executionArn"])
    threading.Thread(target=again, daemon=True).start()
    return cast("Response", stepfunctions.json_response({"redriveDate": stepfunctions.now_iso()}))


async def answer_states(known: Callable[..., Awaitable[Response]], *asked: Any) -> Response:
    """Every call of Step Functions, also RedriveExecution."""
    if asked[2].get("x-amz-target", "").endswith(".RedriveExecution"):
        return cast("Response", stepfunctions._finalize_response(redrive(json.loads(asked[3]))))
    return await known(*asked)


class TemplateLoader(yaml.CSafeLoader):
    """ministack's own, which reads a template like ours in a tenth of the time."""

    yaml_constructors = engine.CfnLoader.yaml_constructors


class SharedZip(zipfile.ZipFile):
    """Code or a layer that is unpacked once for all processes that run it, with what Python compiles of it.

    So it is on AWS too, where every environment of a function mounts the same files; ministack unpacks for each.
    """

    unpacking = threading.Lock()

    def namelist(self) -> list[str]:
        """No names: ministack would look for links on the way to each of thousands, at every start of a function."""
        return []

    def extractall(self, path: Any = None, *_: Any) -> None:
        """Links to it in this folder."""
        digest = sha256(Path(str(self.filename)).read_bytes()).hexdigest()
        kept = Path(tempfile.gettempdir(), "unpacked", digest)
        with self.unpacking:
            if not kept.exists():
                super().extractall(kept.with_suffix(".part"), super().namelist())
                kept.with_suffix(".part").rename(kept)
        for found in kept.iterdir():
            Path(path, found.name).symlink_to(found)


def evaluate_conditions(
    evaluate: Callable[[Properties, Properties], dict[str, bool]], template: Properties, parameters: Properties
) -> dict[str, bool]:
    """Which conditions hold; ministack takes what Fn::Join makes for equal to nothing."""
    joined = {name: _joined(condition, parameters) for name, condition in template.get("Conditions", {}).items()}
    return evaluate({**template, "Conditions": joined}, parameters)


def _joined(node: Any, parameters: Properties) -> Any:
    if isinstance(node, list):
        return [_joined(item, parameters) for item in node]
    if not isinstance(node, dict):
        return node
    if "Fn::Join" in node:
        return engine._resolve_refs(node, {}, parameters, {}, {}, "", "")
    return {name: _joined(value, parameters) for name, value in node.items()}


def _generated_name(stack: str, logical_id: str) -> str:
    return cast("str", provisioners._physical_name(stack, logical_id, max_len=100))


def _check(response: Response) -> None:
    status, _, body = response
    if status >= 400:
        raise ValueError(body.decode())


# An update is a creation under the same name; what a changed name left behind, ministack deletes.
TAUGHT: dict[str, tuple[Create, Delete]] = {
    "AWS::Athena::NamedQuery": (put_named_query, delete_named_query),
    "AWS::CloudWatch::CompositeAlarm": (put_composite_alarm, delete_composite_alarm),
    "AWS::CodeDeploy::Application": (remember("ApplicationName"), forget),
    "AWS::CodeDeploy::DeploymentGroup": (remember("DeploymentGroupName"), forget),
    "AWS::Kinesis::ResourcePolicy": (put_stream_policy, delete_stream_policy),
    "AWS::SecretsManager::RotationSchedule": (put_rotation, delete_rotation),
}


def teach() -> None:
    """Makes ministack know all of this."""
    known = provisioners._RESOURCE_HANDLERS
    for kind, (create, delete) in TAUGHT.items():
        known[kind] = {"create": create, "delete": delete}
    known["AWS::CloudWatch::Alarm"] |= {"create": create_alarm, "update": update_alarm}
    known["AWS::S3::Bucket"] |= {"create": create_bucket, "update": update_bucket}
    known["AWS::IAM::Role"] |= {"create": create_role, "update": update_role}
    iam_actions.s3_service_context = partial(object_context, iam_actions.s3_service_context)
    iam_evaluator._resolve_condition_key = partial(condition_value, iam_evaluator._resolve_condition_key)
    conditions = partial(evaluate_conditions, engine._evaluate_conditions)
    for module in (changesets, engine, handlers, stacks):
        module._evaluate_conditions = conditions
    engine.CfnLoader = TemplateLoader
    stepfunctions._run_distributed_map = partial(run_map, stepfunctions._run_distributed_map)
    stepfunctions._run_sub_machine = partial(once, stepfunctions._run_sub_machine, of_an_item)
    stepfunctions._execute_task = partial(once, stepfunctions._execute_task, of_a_task)
    stepfunctions.handle_request = partial(answer_states, stepfunctions.handle_request)
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": SharedZip})
    lambda_svc.invoke_async_with_retry = partial(invoke_async, lambda_svc.invoke_async_with_retry)


if __name__ == "__main__":
    from ministack.app import main

    teach()
    main()
