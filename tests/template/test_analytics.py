"""The nested stack: what it makes of the archive, where results go, and that its SQL is the command line's."""

import base64
import json
import re

import pytest

from local import queries
from local.queries import Statement, columns, main, resources, rewritten, statements
from slack_audit_cli.sql import statements as shipped
from tests.template.reading import ANALYTICS, Node, template, written
from tests.template.resolve import ANALYTICS_VARIANTS, resolved_analytics

MADE = resolved_analytics(ANALYTICS_VARIANTS["analytics"])["Resources"]
LOGGED = resolved_analytics(ANALYTICS_VARIANTS["analytics-logged"])["Resources"]
KEY = ANALYTICS_VARIANTS["analytics"]["KeyArn"]
BUCKET = "slack-audit-resultbucket"
MOST_RESOURCES = 500


def of_type(kind: str) -> Node:
    return {name: it["Properties"] for name, it in MADE.items() if it["Type"] == kind}


def table(name: str) -> Node:
    (found,) = [it["TableInput"] for it in of_type("AWS::Glue::Table").values() if it["TableInput"]["Name"] == name]
    return found  # type: ignore[no-any-return]


def view(name: str) -> Node:
    """As Athena reads it."""
    text = re.fullmatch(r"/\* Presto View: (\S+) \*/", table(name)["ViewOriginalText"])
    assert text is not None
    found: Node = json.loads(base64.b64decode(text[1]))
    return found


# ---- the stack in the stack ----


def test_the_stack_is_a_choice_and_gets_what_it_names():
    nested = template()["Resources"]["AnalyticsStack"]
    assert (nested["Condition"], nested["Properties"]["TemplateURL"]) == ("HasAnalytics", "analytics.yaml")
    assert set(nested["Properties"]["Parameters"]) == set(ANALYTICS_VARIANTS["analytics"])
    for output in ("AthenaWorkgroupName", "GlueDatabaseName"):
        assert template()["Outputs"][output]["Condition"] == "HasAnalytics"


def test_both_stacks_have_room():
    many = ",".join(f"org{at}" for at in range(199))
    assert len(template(many)["Resources"]) < MOST_RESOURCES
    assert len(MADE) < 50


def test_the_tables_know_every_organisation():
    condition, several, one = template()["Resources"]["AnalyticsStack"]["Properties"]["Parameters"]["Organisations"][
        "Fn::If"
    ]
    assert (condition, one) == ("HasOrgs", {"Ref": "Org"})
    assert several == {"Fn::Join": [",", [{"Ref": "Org"}, {"Fn::Join": [",", {"Ref": "Orgs"}]}]]}
    for name in ("raw", "log"):
        assert table(name)["Parameters"]["projection.org.values"] == "main,lab"


# ---- the tables ----


def test_raw_is_every_line_of_every_day_without_partitions_to_add():
    raw = table("raw")
    assert raw["Parameters"] | {"EXTERNAL": "TRUE"} == {
        "EXTERNAL": "TRUE",
        "projection.enabled": "true",
        "projection.org.type": "enum",
        "projection.org.values": "main,lab",
        "projection.dt.type": "date",
        "projection.dt.format": "yyyy-MM-dd",
        "projection.dt.range": "2018-03-01,NOW",
        "projection.dt.interval": "1",
        "projection.dt.interval.unit": "DAYS",
        "storage.location.template": "s3://slack-audit-archive/raw/org=${org}/dt=${dt}/",
    }
    assert [it["Name"] for it in raw["PartitionKeys"]] == ["org", "dt"]


@pytest.mark.parametrize("name", ["raw", "log"])
def test_the_place_of_a_partition_ends_so_that_no_longer_name_is_in_it(name):
    """S3 lists by the beginning of a key: without the slash org=main would hold org=main2, too."""
    place = table(name)["Parameters"]["storage.location.template"]
    assert place.startswith(f"s3://slack-audit-archive/{name}/org=${{org}}/")
    assert place.endswith("/")


@pytest.mark.parametrize("name", ["sam_app", "slack_audit_2"])
def test_the_database_has_a_name_that_glue_keeps_as_it_is(name):
    """Glue folds a name to lower case, and the views would name another database than there is."""
    pattern = written(ANALYTICS)["Parameters"]["DatabaseName"]["AllowedPattern"]
    assert re.fullmatch(pattern, name)
    assert not re.fullmatch(pattern, name.title())


@pytest.mark.parametrize(("name", "column"), [("raw", "event"), ("log", "entry")])
def test_a_line_is_one_column_that_nothing_in_json_can_cut(name, column):
    storage = table(name)["StorageDescriptor"]
    assert [(it["Name"], it["Type"]) for it in storage["Columns"]] == [(column, "string")]
    assert storage["Location"] == f"s3://slack-audit-archive/{name}/"
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith(".LazySimpleSerDe")
    assert set(storage["SerdeInfo"]["Parameters"].values()) == {"\x01"}
    assert json.dumps("\x01") == '"\\u0001"'


@pytest.mark.parametrize("name", ["events", "entries"])
def test_a_view_is_kept_as_athena_keeps_one(name):
    said, kept = view(name), table(name)
    assert (said["catalog"], said["schema"]) == ("awsdatacatalog", "slack-audit-database")
    assert said["originalSql"] == shipped.views()[name].sql
    assert (kept["TableType"], kept["Parameters"]["presto_view"]) == ("VIRTUAL_VIEW", "true")
    assert [it["name"] for it in said["columns"]] == [it["Name"] for it in kept["StorageDescriptor"]["Columns"]]
    types = {
        (it["type"], k["Type"]) for it, k in zip(said["columns"], kept["StorageDescriptor"]["Columns"], strict=True)
    }
    assert types <= {("varchar", "string"), ("bigint", "bigint"), ("timestamp(3)", "timestamp")}


# ---- the workgroup and its results ----


def test_nobody_can_ask_otherwise_than_the_workgroup_says():
    (workgroup,) = of_type("AWS::Athena::WorkGroup").values()
    settings = workgroup["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["PublishCloudWatchMetricsEnabled"] is True
    assert settings["BytesScannedCutoffPerQuery"] == 100_000_000_000
    assert settings["EngineVersion"] == {"SelectedEngineVersion": "Athena engine version 3"}
    assert settings["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/"
    assert settings["ResultConfiguration"]["EncryptionConfiguration"] == {"EncryptionOption": "SSE_KMS", "KmsKey": KEY}


def test_results_are_private_encrypted_and_go_by_themselves():
    (bucket,) = of_type("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    old, deleted = bucket["LifecycleConfiguration"]["Rules"]
    assert (old["ExpirationInDays"], old["NoncurrentVersionExpiration"]) == (30, {"NoncurrentDays": 1})
    assert deleted["ExpiredObjectDeleteMarker"] is True
    (policy,) = of_type("AWS::S3::BucketPolicy").values()
    assert {it["Sid"] for it in policy["PolicyDocument"]["Statement"]} == {"TlsOnly", "NoOldTls"}
    assert {it["Effect"] for it in policy["PolicyDocument"]["Statement"]} == {"Deny"}


def test_the_results_are_logged_where_the_archive_is():
    assert "LoggingConfiguration" not in {
        name for name, value in MADE["ResultBucket"]["Properties"].items() if isinstance(value, dict)
    }
    assert LOGGED["ResultBucket"]["Properties"]["LoggingConfiguration"]["DestinationBucketName"] == "access-logs"


def test_a_stack_with_results_can_be_deleted():
    for name in ("ResultBucket", "ResultBucketPolicy"):
        assert (MADE[name]["DeletionPolicy"], MADE[name]["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


# ---- one source ----


def test_the_named_queries_are_those_of_the_command_line():
    kept = {
        it["Name"]: (it["Description"], it["QueryString"].strip()) for it in of_type("AWS::Athena::NamedQuery").values()
    }
    assert kept == {it.name: (it.answers, it.sql) for it in shipped.queries().values()}


def test_the_template_is_what_make_queries_makes():
    assert rewritten(ANALYTICS.read_text()) == ANALYTICS.read_text()


def test_a_template_that_is_not_is_told(tmp_path, monkeypatch):
    changed = tmp_path / "analytics.yaml"
    changed.write_text(ANALYTICS.read_text().replace("'app_installed'", "'app_forgotten'"))
    monkeypatch.setattr(queries, "ANALYTICS", changed)
    monkeypatch.setattr("sys.argv", ["queries", "--check"])
    with pytest.raises(SystemExit, match="make queries"):
        main()
    monkeypatch.setattr("sys.argv", ["queries"])
    main()
    assert changed.read_text() == ANALYTICS.read_text()


def test_sql_that_does_not_say_what_it_answers_is_refused(tmp_path):
    (tmp_path / "a.sql").write_text("SELECT 1\n")
    with pytest.raises(ValueError, match="must begin with a comment"):
        statements(tmp_path)


def test_a_columns_type_is_that_of_its_cast():
    asked = "SELECT id, TRY_CAST(a AS bigint) AS b, TRY(CAST(c AS timestamp(3))) AS d FROM raw"
    assert columns(Statement("v", "It.", asked)) == {"id": "varchar", "b": "bigint", "d": "timestamp(3)"}
    assert "EventsView:" in resources()
