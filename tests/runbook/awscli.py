"""As much of the AWS CLI (version 2) as our documents use, over botocore's own models.

A command whose service, operation or option these models do not know is refused, and so is whatever of the real CLI
is not written here: the documents then use something else.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import botocore.session
import jmespath
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import OperationModel, Shape, StructureShape
from jmespath.exceptions import JMESPathError

SERVICES = {"s3api": "s3", "deploy": "codedeploy"}  # that the CLI calls otherwise than botocore
GLOBAL = {"--query", "--output", "--region", "--cli-read-timeout", "--cli-binary-format", "--max-items"}
COPYING = {"ls": {"--recursive"}, "cp": {"--only-show-errors"}, "sync": {"--only-show-errors"}}
BAD_USAGE, REFUSED = 252, 254  # the CLI's own exit codes

_session = botocore.session.get_session()


class UsageError(Exception):
    """The command is not one that the CLI would take."""


@dataclass(frozen=True)
class Call:
    """A command, understood."""

    service: str
    operation: OperationModel
    parameters: dict[str, Any]
    settings: Mapping[str, str]
    outfile: str | None = None
    waiter: str | None = None


@dataclass(frozen=True)
class Copying:
    """One of `aws s3`."""

    command: str
    operands: list[str]
    options: set[str]


class Place(NamedTuple):
    """Where a command is typed."""

    folder: Path
    stdin: IO[bytes]
    out: IO[bytes]
    err: IO[bytes]

    def read(self, path: str) -> bytes:
        return self.stdin.read() if path == "/dev/stdin" else (self.folder / path).read_bytes()

    def write(self, path: str, body: bytes) -> None:
        if path in {"/dev/stdout", "-"}:
            self.out.write(body)
        else:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(body)

    def say(self, line: str) -> None:
        self.out.write(f"{line}\n".encode())


# ---- what a command says ----


@cache
def model(service: str) -> Any:
    """Of a service, by the CLI's name for it."""
    name = SERVICES.get(service, service)
    if name not in _session.get_available_services() or service in SERVICES.values():
        raise UsageError(f"there is no service {service}")
    return _session.get_service_model(name)


def understood(words: Sequence[str], read: Callable[[str], bytes]) -> Call | Copying:
    """The command's words, without `aws` itself; `read` gives the file that one names. Raises UsageError."""
    if words[0] == "s3":
        return _copying(words[1], words[2:])
    service, name, rest = words[0], words[1], list(words[2:])
    waiter = None
    if name == "wait":
        waiter = rest.pop(0).replace("-", "_")
        waiters = _session.get_waiter_model(SERVICES.get(service, service))
        known = {xform_name(it): it for it in waiters.waiter_names}
        if waiter not in known:
            raise UsageError(f"aws {service} has no waiter {waiter}")
        name = xform_name(waiters.get_waiter(known[waiter]).operation, "-")
    operations = {xform_name(it, "-"): it for it in model(service).operation_names}
    if name not in operations:
        raise UsageError(f"aws {service} has no command {name}")
    operation = model(service).operation_model(operations[name])
    given, settings, operands = _options(operation, rest)
    reader = _Reader(read, raw=settings.get("--cli-binary-format") == "raw-in-base64-out")
    members = _members(operation)
    parameters = {members[option][0]: reader.value(members[option][1], values) for option, values in given.items()}
    missing = set(getattr(operation.input_shape, "required_members", ())) - set(parameters)
    if missing:
        raise UsageError(f"aws {service} {name} needs {sorted(missing)}")
    streams = operation.output_shape is not None and operation.has_streaming_output
    if len(operands) != int(streams):
        raise UsageError(f"aws {service} {name}: these words are too many or too few: {operands}")
    jmespath.compile(settings.get("--query", "@"))
    return Call(service, operation, parameters, settings, operands[0] if operands else None, waiter)


def _copying(command: str, words: Sequence[str]) -> Copying:
    options = {word for word in words if word.startswith("--")}
    if command not in COPYING or not options <= COPYING[command]:
        raise UsageError(f"aws s3 {command} {sorted(options)}: not one of {COPYING}")
    return Copying(command, [word for word in words if word not in options], options)


def _members(operation: OperationModel) -> dict[str, tuple[str, Shape]]:
    shape = operation.input_shape
    return {f"--{xform_name(name, '-')}": (name, it) for name, it in shape.members.items()} if shape else {}


def _options(operation: OperationModel, words: list[str]) -> tuple[dict[str, list[str]], dict[str, str], list[str]]:
    """Values by option, the CLI's own settings, and what is neither."""
    members = _members(operation)
    given: dict[str, list[str]] = {}
    settings: dict[str, str] = {}
    operands: list[str] = []
    at = 0
    while at < len(words):
        word, at = words[at], at + 1
        following = next((i for i in range(at, len(words)) if words[i].startswith("--")), len(words))
        if word in GLOBAL:
            settings[word], at = words[at], at + 1
        elif word in members:
            kind = members[word][1].type_name
            end = {"list": following, "boolean": at}.get(kind, at + 1)
            given[word], at = words[at:end], end
        elif word.startswith("--no-") and (shape := members.get(f"--{word[5:]}")) and shape[1].type_name == "boolean":
            given[f"--{word[5:]}"] = ["false"]
        elif word.startswith("--"):
            raise UsageError(f"{operation.name} has no option {word}")
        else:
            operands.append(word)
    return given, settings, operands


class _Reader:
    """From words to what botocore takes."""

    def __init__(self, read: Callable[[str], bytes], *, raw: bool) -> None:
        self._read = read
        self._raw = raw

    def value(self, shape: Any, words: list[str]) -> Any:
        if shape.type_name == "boolean":
            return words != ["false"]
        words = [self._content(word) for word in words]
        if shape.type_name == "list":
            if len(words) == 1 and words[0].lstrip().startswith("["):
                return self._of_json(shape, json.loads(words[0]))
            return [self._one(shape.member, word) for word in words]
        if len(words) != 1:
            raise UsageError(f"an option without its value: {shape.name}")
        return self._one(shape, words[0])

    def _content(self, word: str) -> str:
        return self._read(word.removeprefix("file://")).decode() if word.startswith("file://") else word

    def _one(self, shape: Any, word: str) -> Any:
        if shape.type_name in {"structure", "map"}:
            given = json.loads(word) if word.lstrip().startswith("{") else _shorthand(word)
            return self._of_json(shape, given)
        if shape.type_name == "blob":
            return word.encode() if self._raw else base64.b64decode(word, validate=True)
        return self._of_json(shape, word)

    def _of_json(self, shape: Any, value: Any) -> Any:
        if isinstance(shape, StructureShape):
            unknown = set(value) - set(shape.members)
            if unknown:
                raise UsageError(f"{shape.name} has no {sorted(unknown)}")
            return {name: self._of_json(shape.members[name], inner) for name, inner in value.items()}
        if shape.type_name == "map":
            return {name: self._of_json(shape.value, inner) for name, inner in value.items()}
        if shape.type_name == "list":
            return [self._of_json(shape.member, inner) for inner in value]
        return PLAIN.get(shape.type_name, lambda it: it)(value)


PLAIN: dict[str, Callable[[Any], Any]] = {
    "blob": lambda it: base64.b64decode(it, validate=True),
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": lambda it: {"true": True, "false": False}[str(it).lower()],
}


def _shorthand(word: str) -> dict[str, str]:
    """`Name=value,Other="a, b"`"""
    pair = r'(\w+)=("(?:[^"\\]|\\.)*"|[^",]*)'
    if not re.fullmatch(rf"{pair}(,{pair})*", word):
        raise UsageError(f"not understood: {word}")
    return {name: json.loads(value) if value.startswith('"') else value for name, value in re.findall(pair, word)}


# ---- what it does ----


def main(words: Sequence[str], place: Place, client: Callable[[str], Any]) -> int:
    """Does it with the clients of the caller; returns the exit code."""
    try:
        command = understood(words, place.read)
        if isinstance(command, Copying):
            _copy(command, place, client("s3"))
        else:
            _call(command, place, client(SERVICES.get(command.service, command.service)))
    except (UsageError, ParamValidationError, JMESPathError, ValueError, OSError) as error:
        place.err.write(f"{error}\n".encode())
        return BAD_USAGE
    except ClientError as error:
        place.err.write(f"\n{error}\n".encode())
        return REFUSED
    return 0


def _call(call: Call, place: Place, client: Any) -> None:
    name = xform_name(call.operation.name)
    if call.waiter:
        client.get_waiter(call.waiter).wait(**call.parameters, WaiterConfig={"Delay": 0.2, "MaxAttempts": 300})
        return
    if client.can_paginate(name) and not call.outfile:
        most = {"MaxItems": int(call.settings["--max-items"])} if "--max-items" in call.settings else {}
        reply = client.get_paginator(name).paginate(**call.parameters, PaginationConfig=most).build_full_result()
    else:
        reply = getattr(client, name)(**call.parameters)
    reply.pop("ResponseMetadata", None)
    if call.outfile:
        place.write(call.outfile, next(reply.pop(key) for key in ("Payload", "Body") if key in reply).read())
    found = jmespath.search(call.settings.get("--query", "@"), reply)
    if call.settings.get("--output") == "text":
        for line in _lines(found):
            place.say(line)
    elif found or "--query" in call.settings:
        place.say(json.dumps(found, indent=4, default=str))


def _lines(value: Any) -> Iterable[str]:
    """As `--output text`: a list of plain values is one line."""
    values = value if isinstance(value, list) else [value]
    if any(isinstance(it, dict) for it in values):
        raise UsageError("structures as text: ask for their values, or for json")
    if any(isinstance(it, list) for it in values):
        plain = [it for it in values if not isinstance(it, list)]
        return [*_lines(plain), *(line for it in values if isinstance(it, list) for line in _lines(it))]
    return ["\t".join(str(it) for it in values)] if values else []


def _copy(copying: Copying, place: Place, client: Any) -> None:
    if copying.operands[-1].startswith("s3://") and copying.command == "cp":
        bucket, _, key = copying.operands[1].removeprefix("s3://").partition("/")
        client.put_object(Bucket=bucket, Key=key, Body=place.read(copying.operands[0]))
        return
    bucket, _, prefix = copying.operands[0].removeprefix("s3://").partition("/")
    if copying.command == "cp":
        place.write(copying.operands[1], client.get_object(Bucket=bucket, Key=prefix)["Body"].read())
        return
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            key = found["Key"]
            if copying.command == "ls":
                place.say(f"{found['LastModified']:%Y-%m-%d %H:%M:%S} {found['Size']:10} {key}")
            else:
                target = f"{copying.operands[1]}/{key.removeprefix(prefix)}"
                place.write(target, client.get_object(Bucket=bucket, Key=key)["Body"].read())
