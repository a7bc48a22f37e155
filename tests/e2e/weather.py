"""The deployed stack in bad weather: the function's AWS calls go through what can misbehave, ours go straight.

    function -> proxy (lost answers, held requests, a shard's limit) -> microburst (AWS's own errors) -> embedded AWS

The function and its template are untouched: its environment alone is extended, as a person could extend it.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.request import Request, urlopen

from aiohttp import web
from microburst.app import make_app
from microburst.core.pipeline import Microburst

from local.slack import StandIn
from tests.e2e.listening import HOST
from tests.e2e.proxy import Proxy
from tests.e2e.stack import Stack

START = 20.0  # seconds


class FaultInjector:
    """microburst, as long as the `with` block lasts: it answers with the errors that its rules say, in AWS's words."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._listening: Future[int] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(), loop_factory=lambda: self._loop), name="microburst", daemon=True
        )
        self.endpoint = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self.endpoint = f"http://{HOST}:{self._listening.result(START)}"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def inject(self, *rules: dict[str, Any]) -> None:
        """These rules behind the ones that are there."""
        self._call("PATCH", "rules", list(rules))

    def clear(self) -> None:
        """No more faults; what fired stays on record."""
        self._call("POST", "rules", [])

    def forget(self) -> None:
        """What fired until now."""
        self._call("DELETE", "fired")

    def fired(self) -> Counter[tuple[str, str]]:
        """How often which operation was spoilt, and how: (operation, action)."""
        found = self._call("GET", "fired?limit=2000")
        return Counter((one["operation"], one["action"]) for one in found)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.endpoint}/_microburst/{path}", data, method=method), timeout=START) as reply:
            return json.loads(reply.read())

    async def _serve(self) -> None:
        runner = web.AppRunner(make_app(Microburst(self._upstream)), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        self._listening.set_result(runner.addresses[0][1])
        await self._stop.wait()
        await runner.cleanup()


@dataclass
class Weather:
    """One stack, and what stands between its function and AWS: `stores` for all services but Kinesis, `stream`."""

    stack: Stack
    injector: FaultInjector
    stores: Proxy
    stream: Proxy
    timeout: int = 0

    @classmethod
    @contextmanager
    def over(cls, stack: Stack) -> Iterator[Self]:
        """Puts it there, calm for now."""
        with (
            FaultInjector(stack.aws.endpoint) as injector,
            Proxy(injector.endpoint) as stores,
            Proxy(injector.endpoint) as stream,
        ):
            yield cls(stack, injector, stores, stream)

    def begin_anew(self, slack: StandIn) -> None:
        """Takes away what an earlier test left: the stack is as if it had never run, and collects from this Slack.

        Then the test says what timeout the function has: a new one takes a new process, so not every test has its own.
        """
        self.stack.slack = slack
        self.clear_up()
        self.stores.forget()
        self.stream.forget()
        self.injector.forget()
        self._empty()

    def configure(self, timeout: int) -> None:
        """Gives the function this timeout in seconds, and its ways to AWS. It is warm afterwards: what a new process
        costs would otherwise count against a small timeout."""
        if timeout == self.timeout:
            return
        self.timeout = timeout
        client, live = self.stack.aws.client("lambda"), self.stack.outputs["CollectFunctionName"]
        name, _, alias = live.rpartition(":")
        given = client.get_function_configuration(FunctionName=live)["Environment"]["Variables"]
        ways = {"AWS_ENDPOINT_URL": self.stores.endpoint, "AWS_ENDPOINT_URL_KINESIS": self.stream.endpoint}
        client.update_function_configuration(
            FunctionName=name, Timeout=timeout, Environment={"Variables": {**given, **ways}}
        )
        client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
        version = client.publish_version(FunctionName=name)["Version"]
        client.update_alias(FunctionName=name, Name=alias, FunctionVersion=version)
        self.warm_up()

    def warm_up(self) -> None:
        """Starts the function's process by a run that finds the lease taken, and does nothing."""
        self._lease(owner="a test", until=2**31)
        assert self.stack.invoke()["stopped"] == "lease_busy"
        self.let_the_lease_expire()

    def clear_up(self) -> None:
        """The sun shines."""
        self.injector.clear()
        self.stores.clear()
        self.stream.clear()
        self.stack.slack.clear_faults()

    def let_the_lease_expire(self) -> None:
        """As a person would who knows that its run is dead."""
        self._lease(owner="a dead run", until=0)

    def _lease(self, *, owner: str, until: int) -> None:
        self.stack.aws.client("dynamodb").update_item(
            TableName=self.stack.outputs["CheckpointTableName"],
            Key={"org": {"S": "main"}},
            UpdateExpression="SET #owner = :owner, lease_until = :until",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": owner}, ":until": {"N": str(until)}},
        )

    def log(self) -> str:
        """Everything that the function wrote to its log."""
        group = self.stack.aws.client("lambda").get_function_configuration(
            FunctionName=self.stack.outputs["CollectFunctionName"]
        )["LoggingConfig"]["LogGroup"]
        pages = self.stack.aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return "\n".join(event["message"] for page in pages for event in page["events"])

    def _empty(self) -> None:
        aws, outputs = self.stack.aws, self.stack.outputs
        for key in self.stack.objects():
            aws.client("s3").delete_object(Bucket=outputs["ArchiveBucketName"], Key=key)
        aws.client("dynamodb").delete_item(TableName=outputs["CheckpointTableName"], Key={"org": {"S": "main"}})
        aws.client("kinesis").delete_stream(StreamName=outputs["EventStreamName"])
        aws.client("kinesis").create_stream(StreamName=outputs["EventStreamName"], ShardCount=1)
