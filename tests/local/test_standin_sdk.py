"""Slack's own client, from its SDK, takes the stand-in for Slack."""

from typing import Any

import pytest
from slack_sdk.audit_logs import AuditLogsClient, AuditLogsResponse

from local.slack import DEFAULT_TOKEN, StandIn, catalogue
from tests.local.clients import NOON, event, ids, true_ids

PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def sdk(slack: StandIn, token: str = DEFAULT_TOKEN) -> AuditLogsClient:
    return AuditLogsClient(token=token, base_url=slack.url + "/")


def walk(client: AuditLogsClient, **params: Any) -> list[AuditLogsResponse]:
    pages = [client.logs(**params)]
    while cursor := (pages[-1].body or {}).get("response_metadata", {}).get("next_cursor"):
        pages.append(client.logs(**params, cursor=cursor))
    return pages


def test_it_pages_through_a_backlog_completely(slack):
    slack.generate(5000)
    pages = walk(sdk(slack), limit=700, oldest=NOON - 86_400, latest=NOON)
    entries = [entry for page in pages for entry in (page.body or {})["entries"]]
    assert len(pages) == 8
    assert sorted(ids(entries)) == sorted(true_ids(slack))


def test_it_models_every_kind_of_event(slack):
    slack.generate(len(catalogue.names()), coverage=1)
    page = sdk(slack).logs(limit=9999).typed_body
    assert page is not None
    assert {entry.action for entry in page.entries or []} == catalogue.names()


def test_it_reads_schemas_and_actions(slack):
    client = sdk(slack, token="dummy")
    assert len((client.schemas().body or {})["schemas"]) == len(catalogue.schemas())
    assert list((client.actions().body or {})["actions"]) == list(catalogue.actions())


def test_it_sees_401_without_a_body(slack):
    answer = sdk(slack, token="xoxp-wrong").logs()
    assert (answer.status_code, answer.raw_body, answer.body) == (401, "", None)


def test_it_sees_the_rate_limit(slack):
    slack.change(calls_per_minute=2)
    client = sdk(slack)
    answers = [client.logs() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert answers[-1].body == {"ok": False, "error": "rate_limited"}


def test_it_tries_again_after_a_reset(slack):
    slack.add(event("a"))
    slack.fault("reset")
    assert ids((sdk(slack).logs().body or {})["entries"]) == ["a"]
