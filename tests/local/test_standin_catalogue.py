"""Actions and schemas: as Slack lists them, checked against its own answers where these are at hand."""

import json
from pathlib import Path

import pytest

from local.slack import catalogue

CAPTURES = Path(__file__).parents[3] / "shared" / "data"


def test_there_are_762_names_in_25_categories_and_eight_of_them_stand_in_two():
    names = [name for group in catalogue.actions().values() for name in group]
    assert (len(catalogue.actions()), len(names), len(catalogue.names())) == (25, 770, 762)


def test_there_are_21_schemas_of_16_types():
    assert len(catalogue.schemas()) == 21
    assert len({schema["type"] for schema in catalogue.schemas()}) == 16


def test_actions_are_served_as_names_by_category(client):
    answer = client.get("actions").json()
    assert list(answer) == ["actions"]
    assert list(answer["actions"]) == list(catalogue.actions())
    assert answer["actions"]["barrier"] == ["barrier_created", "barrier_updated", "barrier_deleted"]


def test_schemas_are_served_as_a_list(client):
    answer = client.get("schemas").json()
    assert list(answer) == ["schemas"]
    assert answer["schemas"][0] == {
        "type": "workspace",
        "workspace": {"id": "string", "name": "string", "domain": "string"},
    }


@pytest.mark.parametrize("endpoint", ["actions", "schemas"])
def test_both_are_slacks_own_answers_where_these_are_at_hand(client, endpoint):
    for capture in CAPTURES.glob(f"{endpoint}.raw.json"):
        assert json.dumps(client.get(endpoint).json()) == json.dumps(json.loads(capture.read_text(encoding="utf-8")))
