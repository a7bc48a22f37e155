"""Builds the parts of a replay and tells its three actions apart: plan, replay (one item) and report."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.config import Config

from slack_audit import replay_plan, replay_report
from slack_audit.adapters.clock import LambdaClock
from slack_audit.adapters.kinesis import ADVICE_OF_A_REPLAY, KinesisSink
from slack_audit.adapters.s3 import S3Archive
from slack_audit.adapters.target_s3 import ObjectSink
from slack_audit.adapters.target_sqs import QueueSink
from slack_audit.adapters.vault_s3 import CLIENT, S3Vault
from slack_audit.deadline import Deadline
from slack_audit.errors import SettingsError
from slack_audit.ports import Sink, Target
from slack_audit.replay import Progress, Replay
from slack_audit.replay_plan import Plan, Stack
from slack_audit.replay_report import Checking
from slack_audit.settings import ReplaySettings
from slack_audit.wiring import client

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# A target's failures are the replay's to repeat.
TARGET = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 1})


class Replaying:
    """One run of the function: one action of one replay."""

    def __init__(self, event: dict[str, Any], settings: ReplaySettings, context: "LambdaContext") -> None:
        """Raises SettingsError for a replay that cannot have this id."""
        self._event = event
        self._settings = settings
        self._id = replay_plan.checked_replay_id(event.get("replay_id"))
        self._archive = S3Archive(client("s3", CLIENT), settings.archive_bucket)
        self._vault = S3Vault(client("s3", CLIENT), settings.archive_bucket)
        self._deadline = Deadline(LambdaClock(context.get_remaining_time_in_millis))

    def carry_out(self) -> dict[str, Any]:
        """What the state machine goes on with. Raises CollectorError."""
        actions: dict[str, Callable[[], dict[str, Any]]] = {
            "plan": self._plan,
            "replay": self._replay,
            "report": self._report,
        }
        action = actions.get(str(self._event.get("action")))
        if action is None:
            raise SettingsError(
                f"action is {self._event.get('action')!r}; it must be one of {', '.join(actions)}. The state machine "
                "sends it: start a replay with slack-audit replay, or by an execution of it."
            )
        return {"org": self._settings.org, "replay_id": self._id} | action()

    def _plan(self) -> dict[str, Any]:
        stack = Stack(self._settings.archive_bucket, self._settings.event_stream)
        request = replay_plan.request_of(self._event.get("request"), stack)
        plan = replay_plan.plan(request, self._settings.org, self._id, self._archive)
        return {
            "bucket": self._settings.archive_bucket,
            "items": plan.key("items.json"),
            "concurrency": request.concurrency,
            "first": plan.first,
            "last": plan.last,
        }

    def _replay(self) -> dict[str, Any]:
        plan = self._planned()
        replay = Replay(plan, vault=self._vault, archive=self._archive, target=_target(plan), deadline=self._deadline)
        progress = replay.go_on(_read(self._event, Progress))
        return {"action": "replay", **msgspec.to_builtins(progress)}

    def _report(self) -> dict[str, Any]:
        plan = self._planned()
        checked = replay_report.compare(
            plan,
            _read(self._event.get("checking", {}), Checking),
            vault=self._vault,
            deadline=self._deadline,
        )
        if not checked.done:
            return {"action": "report", "done": False, "checking": msgspec.to_builtins(checked)}
        report = replay_report.conclude(plan, checked, self._archive)
        return {"done": True, "report": self._archive.uri(plan.key("report.json")), **msgspec.to_builtins(report)}

    def _planned(self) -> Plan:
        key = replay_plan.replay_key(self._settings.org, self._id, "plan.json")
        return replay_plan.plan_of(self._archive.get(key), key)


def _target(plan: Plan) -> Target:
    """Where the plan says. A stream and a queue are one for all batches, a prefix has an object for each."""
    target = plan.target
    if target.stream is not None:
        return _one(KinesisSink(client("kinesis", TARGET), target.stream, ADVICE_OF_A_REPLAY))
    if target.queue is not None:
        return _one(QueueSink(client("sqs", TARGET), target.queue, plan.replay_id))
    bucket = target.bucket or ""
    return lambda batch: ObjectSink(client("s3", TARGET), bucket, target.prefix, plan.replay_id, batch)


def _one(sink: Sink) -> Target:
    return lambda _batch: sink


def _read[T](asked: Any, kind: type[T]) -> T:
    """What the state machine carries from turn to turn. Raises SettingsError where it does not."""
    try:
        return msgspec.convert({"done": False, **asked} if isinstance(asked, dict) else asked, kind)
    except msgspec.ValidationError as error:
        raise SettingsError(f"The event cannot be read: {error}. The state machine of replays sends it.") from None


def requested_org(event: Any) -> Any:
    """The event with the org where `wiring.requested` looks for it: a request to plan has it inside."""
    request = event.get("request") if isinstance(event, dict) else None
    return {**event, **({"org": request["org"]} if "org" in request else {})} if isinstance(request, dict) else event
