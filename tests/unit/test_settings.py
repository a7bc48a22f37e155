"""What a deployment may say, and how it is told what it may not."""

import pytest

from slack_audit.errors import SettingsError
from slack_audit.log import Filters
from slack_audit.settings import DriftSettings, Settings

ENV = {
    "ORG": "main",
    "SLACK_API_URL": "https://api.slack.com/audit/v1",
    "SLACK_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-token-AbCdEf",
    "SLACK_TOKEN_SECRETS": "slack-audit/",
    "ARCHIVE_BUCKET": "bucket",
    "EVENT_STREAM": "stream",
    "CHECKPOINT_TABLE": "table",
    "INITIAL_LOOKBACK_HOURS": "24",
    "LIVE_LAG_SECONDS": "60",
    "LATE_PASS_MINUTES": "35",
    "FINAL_PASS_HOURS": "25",
    "SLACK_CALLS_PER_MINUTE": "40",
    "ACTION_FILTER": "",
    "ACTOR_FILTER": "",
    "ENTITY_FILTER": "",
}
FILTERS = {"ACTION_FILTER", "ACTOR_FILTER", "ENTITY_FILTER"}


def settings(**changes: str) -> Settings:
    return Settings.from_env(ENV | changes)


def test_the_environment_as_the_template_sets_it():
    assert settings() == Settings(
        org="main",
        slack_api_url="https://api.slack.com/audit/v1",
        slack_token_secrets="slack-audit/",
        slack_token_secret="arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-token-AbCdEf",
        archive_bucket="bucket",
        event_stream="stream",
        checkpoint_table="table",
        initial_lookback_hours=24,
        live_lag_seconds=60,
        late_pass_minutes=35,
        final_pass_hours=25,
        slack_calls_per_minute=40,
        filters=Filters(),
    )


def test_the_same_environment_gives_the_same_settings_so_that_clients_stay_warm():
    assert hash(settings()) == hash(settings())


@pytest.mark.parametrize("name", sorted(set(ENV) - FILTERS))
@pytest.mark.parametrize("value", ["", "  "])
def test_a_setting_that_is_missing_is_named(name, value):
    without = {key: text for key, text in ENV.items() if key != name}
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        Settings.from_env(without)
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        settings(**{name: value})


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_a_filter_may_be_missing(name):
    assert Settings.from_env({key: text for key, text in ENV.items() if key != name}) == settings()


@pytest.mark.parametrize("org", ["main", "E012AB3CD", "a", "a-b_c", "0", "x" * 63])
def test_an_org_that_is_allowed(org):
    assert settings(ORG=org).org == org


@pytest.mark.parametrize("org", ["-a", "_a", "a/b", "a=b", "..", "a b", "ä", "a\nb", "x" * 64, "a.b"])
def test_an_org_that_would_leave_its_prefix_is_refused(org):
    with pytest.raises(SettingsError, match="is not allowed"):
        settings(ORG=org)


NUMBERS = {
    "INITIAL_LOOKBACK_HOURS": 0,
    "LIVE_LAG_SECONDS": 0,
    "LATE_PASS_MINUTES": 0,
    "FINAL_PASS_HOURS": 0,
    "SLACK_CALLS_PER_MINUTE": 1,
}


@pytest.mark.parametrize(("name", "least"), NUMBERS.items())
def test_a_number_may_be_as_small_as_its_least(name, least):
    assert getattr(settings(**{name: str(least)}), name.lower()) == least


@pytest.mark.parametrize("value", ["-1", "1.5", "1e3", "+1", "0x10", "1_000", "ten", "١", "9999999999", "1 2"])
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_plain_number_is_refused_and_named(name, value):
    with pytest.raises(SettingsError, match=f"{name} is "):
        settings(**{name: value})


def test_no_calls_at_all_are_refused():
    with pytest.raises(SettingsError, match="at least 1"):
        settings(SLACK_CALLS_PER_MINUTE="0")


def test_a_number_may_have_spaces_around_it():
    assert settings(LIVE_LAG_SECONDS=" 90 ").live_lag_seconds == 90


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("https://api.slack.com/audit/v1", "https://api.slack.com/audit/v1"),
        ("https://api.slack.com/audit/v1/", "https://api.slack.com/audit/v1"),
        (" https://api.slack.com/audit/v1 ", "https://api.slack.com/audit/v1"),
        ("https://api.slack-gov.com/audit/v1", "https://api.slack-gov.com/audit/v1"),
        ("https://proxy.example.com:8443/slack/audit/v1", "https://proxy.example.com:8443/slack/audit/v1"),
        ("HTTPS://API.SLACK.COM/audit/v1", "HTTPS://API.SLACK.COM/audit/v1"),
        ("https://[2001:db8::1]/audit/v1", "https://[2001:db8::1]/audit/v1"),
        ("http://127.0.0.1:49152/audit/v1", "http://127.0.0.1:49152/audit/v1"),
        ("http://localhost/audit/v1", "http://localhost/audit/v1"),
        ("http://LOCALHOST:80/audit/v1", "http://LOCALHOST:80/audit/v1"),
        ("http://[::1]:8080/audit/v1", "http://[::1]:8080/audit/v1"),
    ],
)
def test_an_address_that_keeps_the_token_from_the_network(value, url):
    assert settings(SLACK_API_URL=value).slack_api_url == url


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("http://api.slack.com/audit/v1", id="plain http"),
        pytest.param("http://127.0.0.1.example.com/audit/v1", id="a host that begins like loopback"),
        pytest.param("http://example.com/127.0.0.1", id="a path like loopback"),
        pytest.param("http://localhost.example.com/", id="a host that begins like localhost"),
        pytest.param("http://evil-localhost/", id="a host that ends like localhost"),
        pytest.param("http://localhost@example.com/", id="loopback as the user"),
        pytest.param("http://localhost:80@example.com/", id="loopback as user and password"),
        pytest.param("http://example.com@localhost/", id="a user at loopback"),
        pytest.param("http://localhost\\@example.com/", id="a backslash before the user"),
        pytest.param("http://localhost\\.example.com/", id="a backslash in the host"),
        pytest.param("http://example.com\\localhost/", id="a backslash before loopback"),
        pytest.param("http://0.0.0.0/", id="every address"),
        pytest.param("http://127.1/", id="a short form"),
        pytest.param("http://2130706433/", id="a number"),
        pytest.param("http://[::ffff:127.0.0.1]/", id="an address in an address"),
        pytest.param("http://ⓛocalhost/", id="letters that only look like it"),
        pytest.param("https://user@api.slack.com/audit/v1", id="a user"),
        pytest.param("https://user:password@api.slack.com/audit/v1", id="a user and a password"),
        pytest.param("https://@api.slack.com/audit/v1", id="an empty user"),
        pytest.param("https://api.slack.com/audit/v1?token=x", id="a query"),
        pytest.param("https://api.slack.com/audit/v1#logs", id="a fragment"),
        pytest.param("https://api.slack.com:0x50/audit/v1", id="a port that is no number"),
        pytest.param("https://api.slack.com:99999/audit/v1", id="a port that is none"),
        pytest.param("https://[::1/audit/v1", id="half a bracket"),
        pytest.param("https:///audit/v1", id="no host"),
        pytest.param("https://:443/audit/v1", id="only a port"),
        pytest.param("https:/api.slack.com/audit/v1", id="one slash"),
        pytest.param("https:api.slack.com/audit/v1", id="no slash"),
        pytest.param("//api.slack.com/audit/v1", id="no scheme"),
        pytest.param("api.slack.com/audit/v1", id="a host alone"),
        pytest.param("ftp://api.slack.com/audit/v1", id="another scheme"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("http+unix://localhost/audit/v1", id="a socket"),
    ],
)
def test_an_address_that_could_show_the_token_is_refused(value):
    with pytest.raises(SettingsError, match=r"SlackApiUrl .* is not allowed"):
        settings(SLACK_API_URL=value)


@pytest.mark.parametrize(
    ("value", "action"),
    [
        ("", ""),
        ("user_login", "user_login"),
        (" user_login , user_logout,, ", "user_login,user_logout"),
        (",".join(f"action_{number}" for number in range(30)), ",".join(f"action_{number}" for number in range(30))),
    ],
)
def test_actions_are_sent_without_gaps(value, action):
    assert settings(ACTION_FILTER=value).filters.action == action


def test_an_action_that_is_named_twice_is_asked_for_once():
    assert settings(ACTION_FILTER="user_login,user_logout,user_login").filters.action == "user_login,user_logout"


def test_actor_and_entity_are_sent_as_they_are():
    assert settings(ACTOR_FILTER=" W0001 ", ENTITY_FILTER=" F0001 ").filters == Filters(actor="W0001", entity="F0001")


# The drift watch


DRIFT_ENV = {name: ENV[name] for name in ("ORG", "SLACK_API_URL", "ARCHIVE_BUCKET", "ACTION_FILTER")}


def test_the_drift_watch_takes_only_what_it_needs():
    assert DriftSettings.from_env(DRIFT_ENV) == DriftSettings(
        org="main", slack_api_url="https://api.slack.com/audit/v1", archive_bucket="bucket", filter_names=()
    )
    assert hash(DriftSettings.from_env(DRIFT_ENV)) == hash(DriftSettings.from_env(ENV))


@pytest.mark.parametrize("name", ["ORG", "SLACK_API_URL", "ARCHIVE_BUCKET"])
def test_what_the_drift_watch_misses_is_named(name):
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        DriftSettings.from_env(DRIFT_ENV | {name: " "})


def test_the_drift_watch_asks_no_address_that_is_not_allowed():
    with pytest.raises(SettingsError, match=r"SlackApiUrl .* is not allowed"):
        DriftSettings.from_env(DRIFT_ENV | {"SLACK_API_URL": "http://api.slack.com/audit/v1"})


def test_the_names_of_the_filter_are_taken_one_by_one_however_many():
    listed = [f"action_{number}" for number in range(40)]
    assert DriftSettings.from_env(DRIFT_ENV | {"ACTION_FILTER": " a , b,, "}).filter_names == ("a", "b")
    assert DriftSettings.from_env(DRIFT_ENV | {"ACTION_FILTER": ",".join(listed)}).filter_names == tuple(listed)
