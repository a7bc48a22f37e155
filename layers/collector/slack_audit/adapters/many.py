"""A call of AWS that carries many records, without botocore's look at each.

botocore looks at each field of each record four times: to validate, to encode, to parse what came back, to look for
dates. Its own hooks, which a client calls by these names, let it sign, send and judge a call as always, while msgspec
encodes the records (docs/adr/0033).
"""

from collections.abc import Callable
from typing import Any

import msgspec


def quicken(client: Any, operation: str, field: str, shorter: Callable[[bytes], bytes]) -> None:
    """The operation's `field` is a list of records, and the call JSON. `shorter` makes an answer with 200 one that is
    faster to read. However often it is done to a client: a name stands for one hook."""

    def set_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Lets botocore see one record only."""
        context["slack_audit_records"] = params[field]
        return {**params, field: params[field][:1]}

    def encode(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        """The call's body, with all records in the place of the one."""
        call = {**msgspec.json.decode(params["body"]), field: context.pop("slack_audit_records")}
        params["body"] = msgspec.json.encode(call)

    def shorten(response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] == 200:
            response_dict["body"] = shorter(response_dict["body"])

    service = client.meta.service_model.service_id.hyphenize()
    hooks: dict[str, Any] = {"provide-client-params": set_aside, "before-call": encode, "before-parse": shorten}
    for moment, hook in hooks.items():
        client.meta.events.register(f"{moment}.{service}.{operation}", hook, unique_id=f"slack-audit-{moment}")
