"""Clients of AWS's services: botocore's. What boto3 would add, resources and transfers of files, nobody here uses, and
to load it takes a fifth of a cold start."""

from functools import cache
from ssl import SSLContext
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from botocore.utils import get_environ_proxies

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
def _session() -> Session:
    return Session()


def client(service: str, config: Config) -> Any:
    """A client of the service, with the account and the region of the environment."""
    made: Any = _session().create_client(service, config=config)
    settings = made.meta.config
    connections = Connections(
        _session().get_config_variable("ca_bundle"),
        proxies=get_environ_proxies(made.meta.endpoint_url),
        timeout=(settings.connect_timeout, settings.read_timeout),
        max_pool_connections=settings.max_pool_connections,
    )
    made.meta.events.register("before-send", connections.answer)
    return made
