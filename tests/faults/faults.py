"""What may happen to an exchange, by name, and to which exchanges each of these can happen."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.aws import aws_error
from tests.faults.border import Border, Exchange, Reply, SilenceError

WRITES = {"s3.PutObject", "dynamodb.PutItem", "dynamodb.UpdateItem", "kinesis.PutRecords"}
PARTIAL = {"kinesis.PutRecords", "slack.logs", "s3.GetObject"}
OVERTAKEN = {"s3.PutObject", "dynamodb.PutItem"}
REPEATED_BY_SDK = {"s3.PutObject", "dynamodb.PutItem", "dynamodb.UpdateItem"}
AWS = {"s3", "dynamodb", "kinesis", "secretsmanager"}

THROTTLED = {
    "s3": (503, "SlowDown"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "kinesis": (400, "ProvisionedThroughputExceededException"),
    "secretsmanager": (400, "ThrottlingException"),
}
BROKEN = {
    "s3": (500, "InternalError"),
    "dynamodb": (500, "InternalServerError"),
    "kinesis": (500, "InternalFailure"),
    "secretsmanager": (500, "InternalServiceError"),
}
FORBIDDEN = {
    "s3": (403, "AccessDenied"),
    "dynamodb": (400, "AccessDeniedException"),
    "kinesis": (400, "AccessDeniedException"),
    "secretsmanager": (400, "AccessDeniedException"),
}


@dataclass(frozen=True)
class Kind:
    """One kind of fault: what it does, whether it lasts for all tries of a call, and whom it can happen to."""

    do: Callable[[Border, Exchange], Reply]
    lasting: bool
    fits: Callable[[str], bool]

    def act(self, border: Border, exchange: Exchange) -> Reply:
        return self.do(border, exchange)


def killed_before(border: Border, _: Exchange) -> Reply:
    border.die()
    raise AssertionError("dead")


def killed_after(border: Border, exchange: Exchange) -> Reply:
    exchange.effect()
    border.die()
    raise AssertionError("dead")


def timeout(border: Border, exchange: Exchange) -> Reply:
    border.clock.time += exchange.patience
    raise SilenceError("read")


def timeout_after_effect(border: Border, exchange: Exchange) -> Reply:
    exchange.effect()
    return timeout(border, exchange)


def timeout_lands_later(border: Border, exchange: Exchange) -> Reply:
    border.later(exchange.effect)
    return timeout(border, exchange)


def reset_after_effect(_: Border, exchange: Exchange) -> Reply:
    exchange.effect()
    raise SilenceError("reset")


def reset(_: Border, __: Exchange) -> Reply:
    raise SilenceError("reset")


def not_reached(border: Border, _: Exchange) -> Reply:
    border.clock.time += 3
    raise SilenceError("connect")


def throttled(_: Border, exchange: Exchange) -> Reply:
    if exchange.service == "slack":
        return Reply(429, b'{"ok":false,"error":"ratelimited"}', {"Retry-After": "20"})
    return aws_error(exchange.service, *THROTTLED[exchange.service])


def broken(_: Border, exchange: Exchange) -> Reply:
    if exchange.service == "slack":
        return Reply(503, b"<html><title>storm</title></html>", {"Content-Type": "text/html"})
    return aws_error(exchange.service, *BROKEN[exchange.service])


def forbidden(_: Border, exchange: Exchange) -> Reply:
    if exchange.service == "slack":
        return slack_error(403, "missing_scope")
    return aws_error(exchange.service, *FORBIDDEN[exchange.service])


def half(_: Border, exchange: Exchange) -> Reply:
    return exchange.half()


def conflict(_: Border, __: Exchange) -> Reply:
    return aws_error("s3", 409, "ConditionalRequestConflict")


def web_page(_: Border, __: Exchange) -> Reply:
    return Reply(200, b"<html><title>We will be back</title></html>", {"Content-Type": "text/html"})


def bad_token(_: Border, __: Exchange) -> Reply:
    return slack_error(401, "invalid_authentication")


def bad_action(_: Border, __: Exchange) -> Reply:
    return slack_error(400, "invalid_action")


def overtaken(border: Border, exchange: Exchange) -> Reply:
    border.overtake(own_table=False)
    return exchange.effect()


def second_stack(border: Border, exchange: Exchange) -> Reply:
    border.overtake(own_table=True)
    return exchange.effect()


def slack_error(status: int, code: str) -> Reply:
    return Reply(status, json.dumps({"ok": False, "error": code}).encode())


def everywhere(_: str) -> bool:
    return True


def only(*services: str) -> Callable[[str], bool]:
    return lambda name: name.partition(".")[0] in services


# Every call has each of these that fits it.
EACH = {
    "killed before its effect": Kind(killed_before, lasting=False, fits=everywhere),
    "killed after its effect": Kind(killed_after, lasting=False, fits=everywhere),
    "timeout, no effect": Kind(timeout, lasting=True, fits=everywhere),
    "timeout after its effect": Kind(timeout_after_effect, lasting=True, fits=WRITES.__contains__),
    "reply lost once": Kind(reset_after_effect, lasting=False, fits=REPEATED_BY_SDK.__contains__),
    "throttled": Kind(throttled, lasting=True, fits=everywhere),
    "5xx": Kind(broken, lasting=True, fits=everywhere),
    "partial": Kind(half, lasting=False, fits=PARTIAL.__contains__),
    "overtaken": Kind(overtaken, lasting=False, fits=OVERTAKEN.__contains__),
    "a second stack": Kind(second_stack, lasting=False, fits="s3.PutObject".__eq__),
}
# These come into the pairs and into the long storm too.
MORE = {
    "not reached": Kind(not_reached, lasting=True, fits=everywhere),
    "reset": Kind(reset, lasting=False, fits=everywhere),
    "throttled once": Kind(throttled, lasting=False, fits=everywhere),
    "5xx once": Kind(broken, lasting=False, fits=everywhere),
    "partial for long": Kind(half, lasting=True, fits=PARTIAL.__contains__),
    "forbidden": Kind(forbidden, lasting=True, fits=everywhere),
    "another write under way": Kind(conflict, lasting=False, fits="s3.PutObject".__eq__),
    "timeout, lands later": Kind(timeout_lands_later, lasting=True, fits=WRITES.__contains__),
    "a web page": Kind(web_page, lasting=False, fits=only("slack")),
    "token not accepted": Kind(bad_token, lasting=False, fits="slack.logs".__eq__),
    "action not accepted": Kind(bad_action, lasting=False, fits="slack.logs".__eq__),
}
ALL = EACH | MORE
