"""The embedded AWS: ministack as a child process on the loopback interface, gone without a trace afterwards."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import cached_property
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

EMULATOR = Path(__file__).resolve().with_name("emulator.py")  # run by its path: whatever the working directory is
HOST = "127.0.0.1"  # an address, not "localhost": S3 clients then put the bucket into the path
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": ""}

START_TIMEOUT = 60.0  # seconds
POLL_INTERVAL = 0.05  # seconds
ANSWER_TIMEOUT = 2.0  # seconds
STOP_TIMEOUT = 10.0  # seconds
LOG_TAIL = 40  # lines shown when it does not start

# Runs its arguments, and takes the whole process group and its files away as soon as our end of the pipe closes:
# so nothing stays behind even when we are killed.
GUARDED = """
exec 3<&0
{ trap "" TERM; cat <&3 >/dev/null; kill -TERM 0; rm -rf "$TMPDIR"; kill -KILL 0; } &
exec "$@" 3<&- </dev/null
"""


class EmbeddedAwsError(Exception):
    """The embedded AWS did not start; the message shows the end of its log."""


class EmbeddedAws:
    """An AWS for the time of a `with` block. Starts empty, forgets everything at the end.

    With `enforce_iam` a function may do only what its role and the resources' policies allow, as on AWS (whoever holds
    the dummy keys may do all), and it speaks TLS, because our policies refuse anything else. That needs openssl.
    """

    def __init__(self, *, port: int | None = None, log_file: Path | None = None, enforce_iam: bool = False) -> None:
        self.port = port or 0
        self._enforce_iam = enforce_iam
        self._home = Path()
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Starts it; returns when it answers."""
        self.port = _free_port(self.port)
        self._home = Path(tempfile.mkdtemp(prefix="slack-audit-aws-"))
        try:
            self._start()
            self._wait_until_healthy()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ends it with every function that it runs, and deletes its files."""
        self._stop()

    @property
    def endpoint(self) -> str:
        """The one URL of all its services."""
        return f"{'https' if self._enforce_iam else 'http'}://{HOST}:{self.port}"

    @property
    def log_file(self) -> Path:
        """Where its log goes: deleted at the end unless it was given."""
        return self._log_file or self._home / "ministack.log"

    def environment(self) -> dict[str, str]:
        """What to put over a process's environment so that its AWS SDK or tool reaches this AWS and no other."""
        config = self._home / "config"
        config.write_text("[default]\n")
        trust = {"AWS_CA_BUNDLE": str(self._certificate)} if self._enforce_iam else {}
        return trust | {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_PROFILE": "default",
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": str(config),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": f"{HOST},localhost",
            "no_proxy": f"{HOST},localhost",
        }

    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["kinesis"]) -> "KinesisClient": ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
    @overload
    def client(self, service: str) -> Any: ...
    def client(self, service: str) -> Any:
        """A boto3 client of this AWS, whatever the environment says."""
        verify = str(self._certificate) if self._enforce_iam else None
        return self._session.client(service, endpoint_url=self.endpoint, verify=verify, config=Config(proxies={}))

    @cached_property
    def _session(self) -> Any:
        """One for all clients: it keeps what it has read of the services' models, which is most of their making."""
        return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)

    @property
    def _certificate(self) -> Path:
        """Its own, made by ministack when it starts."""
        return self._home / "ministack-tls" / "server.crt"

    def _start(self) -> None:
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", GUARDED, "embedded-aws", sys.executable, "-P", str(EMULATOR)],
                env=self._own_environment(os.environ),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _own_environment(self, ours: Mapping[str, str]) -> dict[str, str]:
        """As little as possible: functions inherit it, and on AWS they would find nothing of ours either."""
        kept = {name: ours[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in ours}
        return kept | {
            **CREDENTIALS,
            "AUTH": "true" if self._enforce_iam else "false",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "HOME": str(self._home),
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_REGION": REGION,
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(self._home / "state"),  # the default is shared and outlives it
            "TMPDIR": str(self._home),
            "USE_SSL": "1" if self._enforce_iam else "0",
        }

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process is not None and self._process.poll() is not None:
                raise self._failure(f"ended at once, with exit code {self._process.returncode}")
            if time.monotonic() > deadline:
                raise self._failure(f"did not answer at {self.endpoint} within {START_TIMEOUT:.0f} s")
            time.sleep(POLL_INTERVAL)

    def _answers(self) -> bool:
        try:
            with closing(self._connection()) as connection:
                connection.request("GET", "/_ministack/health")
                return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):  # not listening yet, or no certificate yet
            return False

    def _connection(self) -> HTTPConnection:
        if not self._enforce_iam:
            return HTTPConnection(HOST, self.port, timeout=ANSWER_TIMEOUT)
        trust = ssl.create_default_context(cafile=str(self._certificate))
        return HTTPSConnection(HOST, self.port, timeout=ANSWER_TIMEOUT, context=trust)

    def _failure(self, what: str) -> EmbeddedAwsError:
        lines = self.log_file.read_text(errors="replace").splitlines()
        return EmbeddedAwsError("\n".join([f"The embedded AWS {what}. The end of its log:", *lines[-LOG_TAIL:]]))

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):  # nothing of it lives any more
                os.killpg(process.pid, signal.SIGKILL)  # the process group: every function's process, too
            process.wait(STOP_TIMEOUT)
            if process.stdin is not None:
                process.stdin.close()
        shutil.rmtree(self._home, ignore_errors=True)


def _free_port(port: int) -> int:
    """The given port, or one that nobody uses for 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise EmbeddedAwsError(f"The embedded AWS cannot use port {port} of {HOST}: {error}") from error
        return int(probe.getsockname()[1])
