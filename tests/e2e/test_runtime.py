"""The built artifact in the real Lambda runtime client: with the layer's packages and no others."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import awslambdaric

from local.deploy import ROOT, build
from local.slack import StandIn
from tests.conftest import Cloud
from tests.proof import prove

TOKEN = "xoxp-stand-in-not-a-real-token"
MACHINE = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
RUNTIME_FILES = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")


@contextmanager
def a_sandbox(folder: Path, port: int, environment: dict[str, str]) -> Iterator[None]:
    """Lambda's runtime interface emulator, and the runtime client under a Python without any site packages."""
    built = build() / "build"
    site = Path(awslambdaric.__file__).parent.parent
    for name in RUNTIME_FILES:
        for file in site.glob(f"{name}*"):
            if not file.name.endswith(".dist-info"):
                (folder / file.name).symlink_to(file)
    emulator = next((ROOT / ".venv-sam").glob(f"lib/*/site-packages/samcli/local/rapid/aws-lambda-rie-{MACHINE}"))
    command = [
        str(emulator), "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
        "--runtime-api-address", f"127.0.0.1:{port + 1}",
        sys._base_executable,  # type: ignore[attr-defined]  # the Python without our environment
        "-s", "-S", "-m", "awslambdaric", "app.lambda_handler",
    ]  # fmt: skip
    search = [str(built / "CollectorLayer" / "python"), str(folder)]
    ours = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(search),
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # nor into builds
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=built / "CollectFunction",
            env=environment | ours,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


def invoke(port: int, event: dict[str, Any]) -> dict[str, Any]:
    """What the function answered; waits for the sandbox to listen."""
    deadline = time.monotonic() + 20
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
            result: dict[str, Any] = json.loads(connection.getresponse().read())
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return result
        finally:
            connection.close()


def test_the_built_function_runs_in_the_real_runtime_with_its_layer_alone(
    cloud: Cloud, slack: StandIn, tmp_path: Path, unused_ports: int
) -> None:
    environment = cloud.aws.environment() | {
        "ORG": "main",
        "SLACK_API_URL": slack.url,
        "SLACK_TOKEN_SECRET_ARN": cloud.secret(json.dumps({"token": TOKEN})),
        "SLACK_TOKEN_SECRETS": "e2e/",
        "ARCHIVE_BUCKET": cloud.bucket(),
        "EVENT_STREAM": cloud.stream(),
        "CHECKPOINT_TABLE": cloud.table(),
        "INITIAL_LOOKBACK_HOURS": "24",
        "LIVE_LAG_SECONDS": "60",
        "LATE_PASS_MINUTES": "35",
        "FINAL_PASS_HOURS": "25",
        "SLACK_CALLS_PER_MINUTE": "600",
        "AWS_LAMBDA_FUNCTION_NAME": "collect",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    }
    now = int(time.time())
    slack.generate(3_000, start=now - 20_000, end=now - 70)
    with a_sandbox(tmp_path, unused_ports, environment):
        result = invoke(unused_ports, {"org": "main"})
        again = invoke(unused_ports, {"org": "main"})
        refused = invoke(unused_ports, {"org": "other"})
    log = (tmp_path / "log").read_text()
    assert result.get("events") == 3_000, f"{result}\n{log}"
    assert again["stopped"] == "nothing_due"
    assert refused["errorType"] == "TokenMissingError"
    assert TOKEN not in log
    prove(cloud.objects(), cloud.streamed(), slack.events())
