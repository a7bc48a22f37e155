"""Clients of AWS's services, whose connections all believe one list of certificate authorities that is read once.

botocore lets urllib3 read the list anew for every connection, and what is not used for a minute, AWS closes: four lists
in nearly every run were more than half of what a run with nothing new needs of a processor (docs/adr/0030).
"""

from functools import cache
from ssl import SSLContext
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from botocore.utils import get_environ_proxies
from urllib3.connection import HTTPConnection

from slack_audit.adapters.trust import trusting


class Connections(URLLib3Session):
    """Those of one client, instead of the client's own. They believe whom all connections of the process believe."""

    def __init__(self, authorities: str | None, **options: Any) -> None:
        self._trusting = trusting(authorities)
        super().__init__(**options)

    def _get_ssl_context(self) -> SSLContext:
        """For URLLib3Session, which would make a new one."""
        return self._trusting

    def _setup_ssl_cert(self, conn: Any, _url: str, _verify: object) -> None:
        """For URLLib3Session, which would name the authorities here, and urllib3 would read them again."""
        conn.cert_reqs, conn.ca_certs = "CERT_REQUIRED", None

    def answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """What comes back for a client's request."""
        return self.send(request)


@cache
def _session() -> tuple[boto3.Session, Session]:
    """boto3's, and botocore's inside, which knows the configuration."""
    inside = Session()
    return boto3.Session(botocore_session=inside), inside


def client(service: str, config: Config) -> Any:
    """A client of the service, with the account and the region of the environment."""
    session, inside = _session()
    made: Any = session.client(service, config=config)  # type: ignore[call-overload]  # any service
    settings = made.meta.config
    connections = Connections(
        inside.get_config_variable("ca_bundle"),
        proxies=get_environ_proxies(made.meta.endpoint_url),
        timeout=(settings.connect_timeout, settings.read_timeout),
        max_pool_connections=settings.max_pool_connections,
        socket_options=HTTPConnection.default_socket_options,  # nothing that is sent waits for more to send
    )
    made.meta.events.register("before-send", connections.answer)
    return made
