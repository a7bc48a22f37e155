"""docs/slack-stand-in.md says what is there, and its examples work."""

import argparse
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
import requests

from local.slack import Fault, Settings
from local.slack.__main__ import _parser
from local.slack.answers import STATUS
from local.slack.control import control_routes
from local.slack.director import Director
from local.slack.faults import Kind
from local.slack.organisation import Organisation
from local.slack.settings import LastPage
from tests.local.clients import TIMEOUT

TEXT = (Path(__file__).parents[2] / "docs" / "slack-stand-in.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^curl .*$", TEXT, re.MULTILINE)
HOME = "http://127.0.0.1:8090"


def rows(title: str) -> dict[str, list[str]]:
    """The rows of the tables in a section: first cell to the others."""
    section = re.split(r"^##+ ", TEXT, flags=re.MULTILINE)
    lines = next(part for part in section if part.startswith(title)).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")]
    return {first.strip("`"): rest for first, *rest in cells}


def curl(example: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("-H", dest="header")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-d", "--data-binary", dest="body")
    parser.add_argument("url")
    return parser.parse_args(shlex.split(example)[1:])


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_works(slack, example):
    call = curl(example)
    headers = dict([call.header.split(": ")]) if call.header else {}
    with requests.Session() as session:
        session.trust_env = False
        method = call.method or ("POST" if call.body else "GET")
        url = call.url.replace(HOME, slack.base)
        answer = session.request(method, url, data=call.body, headers=headers, timeout=TIMEOUT)
    assert answer.status_code == 200, answer.text


def test_every_call_of_the_control_api_is_in_the_table_and_has_an_example():
    routes = control_routes(Director(Organisation(Settings())))
    calls = {f"{route.method} {route.path}" for route in routes if route.method != "*"}
    assert set(rows("Control API")) == calls
    parsed = [curl(example) for example in EXAMPLES]
    shown = {
        f"{one.method or ('POST' if one.body else 'GET')} {one.url.removeprefix(HOME).split('?')[0]}" for one in parsed
    }
    assert calls <= shown


def test_every_knob_is_in_the_table():
    assert set(rows("Knobs")) == {knob.name for knob in fields(Settings)}


def test_every_kind_of_fault_is_in_the_table_with_its_fields():
    table = rows("Faults")
    assert set(table) == set(get_args(Kind))
    named = set(re.findall(r"`(\w+)`", TEXT.split("## Faults")[1].split("## Control API")[0]))
    assert {field.name for field in fields(Fault)} - {"kind"} <= named


def test_every_code_is_in_the_table_with_its_status():
    assert {code: int(cells[0]) for code, cells in rows("What Slack documents").items()} == STATUS


def test_every_option_is_told():
    options = [option for action in _parser()._actions for option in action.option_strings if option.startswith("--")]
    assert all(f"`{option}`" in TEXT for option in options if option != "--help" and not option.startswith("--no-"))


def test_every_way_of_the_last_page_is_told():
    assert all(f"`{way}`" in rows("Knobs")["last_page"][0] for way in get_args(LastPage))
