"""A deployed stack whose Slack lives on as fast as a test wants."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from local.aws import EmbeddedAws
from local.slack import Settings, StandIn
from tests.e2e.stack import TOKEN, Stack

HOUR = 3_600
numbers = count(1)

SAM_STACK = "aws-sam-cli-managed-default"
SAM_BUCKET = """{
  "Resources": {"SamCliSourceBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "sam-artifacts-of-this-account"}}}
}"""


class Clock:
    """Slack's."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Living(Stack):
    """A stack, and a Slack in which something happens when it is told to."""

    clock: Clock

    @classmethod
    @contextmanager
    def starting(cls, aws: EmbeddedAws) -> Iterator["Living"]:
        """Deployed from the template as it is, with a token; the last hours are full of events, and none is read."""
        clock = Clock()
        settings = Settings(tokens=(TOKEN,), calls_per_minute=None, last_page="rotate")
        with StandIn(settings, host_clock=clock) as slack:
            stack = cls.with_token(aws, slack, TokenRotation="on")
            assert isinstance(stack, cls)
            stack.clock = clock
            stack.make_bucket_of_sam()
            slack.generate(200, start=int(clock() - 5 * HOUR), end=int(clock() - HOUR), seed=next(numbers))
            yield stack

    def objects(self, org: str = "main") -> dict[str, bytes]:
        """Of one organisation."""
        return {key: body for key, body in super().objects().items() if f"/org={org}/" in key}

    def make_bucket_of_sam(self) -> None:
        """As `sam deploy --guided` makes it, once in an account."""
        client = self.aws.client("cloudformation")
        if not any(it["StackName"] == SAM_STACK for it in client.describe_stacks()["Stacks"]):
            client.create_stack(StackName=SAM_STACK, TemplateBody=SAM_BUCKET)
            client.get_waiter("stack_create_complete").wait(StackName=SAM_STACK, WaiterConfig={"Delay": 1})

    def happen(self, events: int = 40) -> None:
        """Ten minutes pass in Slack, and so many events happen in them."""
        self.clock.ahead += 600
        now = int(self.clock())
        self.slack.generate(events, start=now - 500, end=now - 100, seed=next(numbers))
        self.forget_the_clock()

    def collect(self) -> None:
        """One run that reads all there is."""
        assert self.invoke()["stopped"] == "nothing_due"
