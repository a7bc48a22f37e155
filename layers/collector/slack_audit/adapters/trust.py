"""Whom a connection believes: the list of certificate authorities, read once for all connections of the process.

urllib3 reads it anew for every connection (https://github.com/urllib3/urllib3/issues/3623). That takes 25 ms of a
processor each time, for five services, in nearly every run: what is not used for a minute, the other side closes.
"""

from functools import cache
from ssl import SSLContext

import certifi
from urllib3.util.ssl_ import create_urllib3_context


@cache
def trusting(authorities: str | None) -> SSLContext:
    """Believes the authorities of a file, those that certifi lists without one, and only certificates for the host that
    was asked for."""
    context = create_urllib3_context()
    context.load_verify_locations(authorities or certifi.where())
    return context
