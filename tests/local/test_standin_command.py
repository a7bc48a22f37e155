"""`python -m local.slack`: starts, says where it is, serves, stops."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from local.slack.__main__ import main

ROOT = Path(__file__).parents[2]


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "local.slack", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            said = ""
            while process.stdout and "Ctrl-C" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            yield process, said
        finally:
            process.kill()


def fetch(url: str, token: str | None = None) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(number):
    options = (
        "--backlog",
        "300",
        "--hours",
        "2",
        "--per-second",
        "0",
        "--token",
        "xoxp-mine",
        "--calls-per-minute",
        "0",
    )
    with running(*options, "--latency", "0.01-0.02", "--set", "page_limit=50", "--fault", '{"kind":"html"}') as (
        process,
        said,
    ):
        url = re.findall(r"http://127\.0\.0\.1:\d+/audit/v1", said)[0]
        assert "xoxp-mine" in said
        assert fetch(f"{url}/logs", "xoxp-mine").headers["Content-Type"].startswith("text/html")
        assert len(fetch(f"{url}/logs?limit=100", "xoxp-mine").json()["entries"]) == 50
        status = fetch(url.replace("audit/v1", "_standin/status")).json()
        process.send_signal(number)
        rest = process.communicate(timeout=10)[0]
    assert (status["visible_events"], status["settings"]["calls_per_minute"]) == (300, None)
    assert status["settings"]["latency"] == [0.01, 0.02]
    assert process.returncode == 0
    assert rest == "stopped; 50 entries served\n"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--set", "colour=1"], "there is no knob colour"),
        (["--set", "latency"], "is not JSON"),
        (["--short-pages", "3"], "short_pages is a number from 0 to 1"),
        (["--fault", '{"kind":"boom"}'], "kind is one of"),
        (["--backlog", "-1"], "count is not negative"),
        (["--per-second", "-1"], "per_second is not negative"),
    ],
)
def test_options_that_make_no_sense_are_told_in_one_line(options, reason, capsys):
    assert main(["--port", "0", *options]) == 2
    out = capsys.readouterr().out
    assert reason in out
    assert out.startswith("cannot start:")
    assert "Traceback" not in out


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(option in said for option in ("--backlog", "--per-second", "--calls-per-minute", "--set", "--fault"))
