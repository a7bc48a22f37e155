"""Runs the commands of the page as a person does who copies them: in bash, with `aws` and `slack-audit` on the PATH."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer
from threading import Thread

from local.aws import EmbeddedAws
from tests.runbook import awscli, page
from tests.template.reading import ROOT

# What stands on the PATH as `aws`. It hands its words and its streams to the tests, which have every client at hand:
# a process that reads botocore's models for each command would take most of the time.
AWS = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as tests:
    tests.connect({address!r})
    socket.send_fds(tests, [b"."], [0, 1, 2])
    tests.sendall(json.dumps([os.getcwd(), *sys.argv[1:]]).encode())
    tests.shutdown(socket.SHUT_WR)
    sys.exit(int(tests.recv(9) or b"255"))
"""
OURS = os.pathsep.join(str(ROOT / it) for it in ("layers/collector", "cli"))  # slack-audit is of this tree
TIMEOUT = 120  # seconds, for one procedure


class Shell:
    """A shell after "Set up the shell"."""

    def __init__(self, folder: Path, environment: Mapping[str, str], stack: str) -> None:
        self.folder = folder
        self._environment = environment
        self._ready = ""
        setup = _with(page.blocks("Set up the shell")[0], {"STACK": stack})
        self._ready = self.run(f"{setup}\ndeclare -p {' '.join(_names(setup))}\ndeclare -f")

    def run(self, *commands: str, typed: str = "", **values: str) -> str:
        """What the commands print; fails if one of them does. `values` replace those that the page has as examples."""
        result = self.try_to_run(*commands, typed=typed, **values)
        assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
        return result.stdout

    def try_to_run(self, *commands: str, typed: str = "", **values: str) -> subprocess.CompletedProcess[str]:
        """The same, whatever becomes of it."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{self._ready}\n{_with('\n'.join(commands), values)}"],
            cwd=self.folder,
            env=dict(self._environment),
            input=typed,
            capture_output=True,
            timeout=TIMEOUT,
            text=True,
            check=False,
        )


def _with(commands: str, values: Mapping[str, str]) -> str:
    """As a person edits them before they run."""
    for name, value in values.items():
        commands, found = re.subn(rf'(?m)(^|^.* ){name}=("[^"]*"|\S+)', rf"\g<1>{name}={shlex.quote(value)}", commands)
        assert found == 1, f"{name} is set {found} times in {commands}"
    return commands


def _names(setup: str) -> list[str]:
    """The variables that it sets for everything on the page."""
    plain = [line for line in setup.splitlines() if line[:1].isupper()]
    return [word.partition("=")[0] for line in plain for word in line.split() if "=" in word and word[:1].isupper()]


@contextmanager
def aws_command(do: Callable[[list[str], awscli.Place], int], folder: Path) -> Iterator[str]:
    """A PATH on which `aws` is what `do` does."""
    address = str(folder / "aws.socket")
    script = folder / "aws"
    script.write_text(AWS.format(python=sys.executable, address=address))
    script.chmod(0o755)
    server = ThreadingUnixStreamServer(address, _handler(do))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def on_call(aws: EmbeddedAws, folder: Path, stack: str) -> Iterator[Shell]:
    """A shell that reaches the embedded AWS."""
    client = cache(aws.client)  # making one takes longer than most calls
    with aws_command(lambda words, place: awscli.main(words, place, client), folder) as path:
        ours = {"PATH": path, "PYTHONPATH": OURS, "HOME": str(folder), "COLUMNS": "200"}
        yield Shell(folder, aws.environment() | ours, stack)


def _handler(do: Callable[[list[str], awscli.Place], int]) -> type[BaseRequestHandler]:
    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            _, given, _, _ = socket.recv_fds(self.request, 1, 3)
            with open(given[0], "rb") as stdin, open(given[1], "wb") as out, open(given[2], "wb") as err:
                folder, *words = json.loads(b"".join(iter(lambda: self.request.recv(1 << 16), b"")))
                code = do(words, awscli.Place(Path(folder), stdin, out, err))
            self.request.sendall(str(code).encode())

    return Handler
