"""Whom connections believe: one list of authorities, read once, and only for the host that was asked for."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import certifi
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import SSLError

from benchmarks.performance.tls import AUTHORITIES, SHOWN, make
from slack_audit.adapters import aws, trust, web

ONCE = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1})


class Hangs(BaseHTTPRequestHandler):
    """Answers once, and hangs up."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def _answer(self) -> None:
        body = b'{"SecretString":"a"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make(folder)
    return folder


@pytest.fixture
def port(certificates: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / SHOWN)
    with ThreadingHTTPServer(("127.0.0.1", 0), Hangs) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for cached in (aws._session, trust.trusting):
        cached.cache_clear()
    yield monkeypatch
    for cached in (aws._session, trust.trusting):
        cached.cache_clear()


def secrets_at(environment: pytest.MonkeyPatch, url: str, authorities: Path | None) -> Any:
    environment.setenv("AWS_ENDPOINT_URL", url)
    if authorities is None:
        environment.delenv("AWS_CA_BUNDLE", raising=False)
    else:
        environment.setenv("AWS_CA_BUNDLE", str(authorities))
    return aws.client("secretsmanager", ONCE)


def test_aws_is_believed_whom_the_bundle_lists(environment, certificates, port):
    client = secrets_at(environment, f"https://127.0.0.1:{port}", certificates / AUTHORITIES)
    assert client.get_secret_value(SecretId="a")["SecretString"] == "a"


def test_aws_is_not_believed_whom_nobody_lists(environment, port):
    client = secrets_at(environment, f"https://127.0.0.1:{port}", None)
    with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        client.get_secret_value(SecretId="a")


def test_aws_is_not_believed_under_another_name(environment, certificates, port):
    client = secrets_at(environment, f"https://localhost:{port}", certificates / AUTHORITIES)
    with pytest.raises(SSLError, match="Hostname mismatch"):
        client.get_secret_value(SecretId="a")


def test_slack_is_not_believed_whom_nobody_lists(environment, port):
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        web.session("0").get(f"https://127.0.0.1:{port}/", timeout=5)


def test_slack_is_believed_whom_the_list_names_and_under_no_other_name(environment, certificates, port):
    environment.setattr(certifi, "where", lambda: str(certificates / AUTHORITIES))
    session = web.session("0")
    assert session.get(f"https://127.0.0.1:{port}/", timeout=5).status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        session.get(f"https://localhost:{port}/", timeout=5)


def test_the_list_is_read_once_for_all_connections(environment, certificates, port):
    read = []

    class Counted(ssl.SSLContext):
        def load_verify_locations(self, *arguments: Any, **options: Any) -> None:
            read.append(arguments or options)
            super().load_verify_locations(*arguments, **options)

    environment.setattr(trust, "create_urllib3_context", lambda: Counted(ssl.PROTOCOL_TLS_CLIENT))
    environment.setattr(certifi, "where", lambda: str(certificates / AUTHORITIES))
    client = secrets_at(environment, f"https://127.0.0.1:{port}", None)
    session = web.session("0")
    for _ in range(3):  # each over a connection of its own: the other side hangs up
        client.get_secret_value(SecretId="a")
        session.get(f"https://127.0.0.1:{port}/", timeout=5)
    assert len(read) == 1
