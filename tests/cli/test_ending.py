"""How the command ends where its output is not wanted any more, and how a shell completes it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slack_audit_cli.ending import ended

ROOT = Path(__file__).parents[2]
PATHS = f"{ROOT / 'cli'}:{ROOT / 'layers' / 'collector'}"
COMMAND = [sys.executable, "-m", "slack_audit_cli"]
# A command that prints without an end, in place of one of ours.
PRINTS = """
import sys
from slack_audit_cli import app
@app.app.command()
def prints() -> None:
    for number in range(10_000_000):
        print("line", number)
sys.argv = ["slack-audit", "prints"]
app.main()
"""


def environment(**more: str) -> dict[str, str]:
    return {"PYTHONPATH": PATHS, "PATH": os.environ["PATH"], **more}


def test_a_closed_pipe_ends_it_quietly():
    line = f"{sys.executable} -c '{PRINTS}' | head -1; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", line], env=environment(), capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("line 0\n141\n", "")


def test_a_pipe_that_is_closed_before_the_first_line_is_written_ends_it_quietly():
    line = f"{sys.executable} -m slack_audit_cli version | true; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", line], env=environment(), capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    assert ran.stdout in {"0\n", "141\n"}, "true may live as long as the line takes"


@pytest.fixture
def waiting(tmp_path) -> Iterator[subprocess.Popen[str]]:
    """A command that waits for an object which never comes."""
    log = tmp_path / "log" / "org=main"
    log.mkdir(parents=True)
    os.mkfifo(log / "000000000000.json")
    command = [*COMMAND, "verify", "--folder", str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as running:
        with open(log / "000000000000.json", "wb"):  # opens as soon as it is being read
            yield running
        running.kill()


def test_ctrl_c_ends_with_130_and_without_a_traceback(waiting):
    time.sleep(0.1)
    waiting.send_signal(signal.SIGINT)
    out, said = waiting.communicate(timeout=30)
    assert (waiting.returncode, out, said.strip()) == (130, "", "")


def test_ctrl_c_where_the_command_line_does_not_meet_it():
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert ended(interrupted) == 130


def completed(words: str, place: int) -> list[str]:
    """What bash is offered for the word at this place."""
    asks = {"COMP_WORDS": words, "COMP_CWORD": str(place), "_SLACK_AUDIT_COMPLETE": "complete_bash"}
    ran = subprocess.run(COMMAND, env=environment(**asks), capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.stdout.split()


def test_bash_completes_commands_and_options():
    assert sorted(completed("slack-audit ver", 1)) == ["verify", "version"]
    assert completed("slack-audit verify --fol", 2) == ["--folder"]


SLOW = ("aws_lambda_powertools", "duckdb", "jinja2", "plotly", "requests", "sqlglot")  # to load, each


def test_what_is_slow_to_load_waits_until_a_command_needs_it():
    look = f"import slack_audit_cli.app, sys; print([it for it in {SLOW} if it in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", look], env=environment(), capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_ctrl_c_while_it_is_loaded_ends_with_130_and_without_a_traceback():
    loads = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "slack_audit_cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from slack_audit_cli.__main__ import main
main()
"""
    ran = subprocess.run([sys.executable, "-c", loads], env=environment(), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")
