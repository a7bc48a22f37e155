"""The bill of materials says what the layer holds, in the words of CycloneDX, and always the same."""

import json
import re
import shutil
from importlib.metadata import distributions

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from local import deploy
from local.sbom import CONTENT, bill_of_materials, content_digest
from slack_audit import __version__
from tests.template.reading import ROOT

DIGEST = "ab" * 32  # of the layer's zip
REQUIREMENTS = ROOT / "layers" / "collector" / "requirements.txt"


@pytest.fixture(scope="module")
def layer():
    return deploy.build() / "build" / "CollectorLayer" / "python"


@pytest.fixture(scope="module")
def bill(layer):
    return json.loads(bill_of_materials(layer, DIGEST))


def test_it_is_valid(layer):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill_of_materials(layer, DIGEST).decode()) is None


def test_a_bill_that_is_none_would_be_refused(bill):
    broken = {**bill, "components": [{"name": "nameless type"}]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(broken)) is not None


def test_it_lists_exactly_the_pinned_dependencies(bill):
    lines = re.findall(r"^([A-Za-z0-9][^\\\n]*?) \\$", REQUIREMENTS.read_text(), re.MULTILINE)
    pinned = [Requirement(line) for line in lines]
    wanted = {it.name: str(it.specifier)[2:] for it in pinned if it.marker is None or it.marker.evaluate()}
    assert len(wanted) > 10
    assert {it["name"]: it["version"] for it in bill["components"]} == wanted
    for it in bill["components"]:
        assert it["purl"] == it["bom-ref"] == f"pkg:pypi/{it['name']}@{it['version']}"


def test_ours_is_the_main_component_with_version_licence_and_the_digest_of_the_layer(bill):
    ours = bill["metadata"]["component"]
    assert (ours["name"], ours["version"]) == ("slack-audit-collector", __version__)
    assert ours["licenses"] == [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}]
    assert ours["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]


def test_every_dependency_declares_a_licence(bill):
    assert [it["name"] for it in bill["components"] if not it.get("licenses")] == []


def test_it_tells_who_asks_for_whom(bill):
    needs = {it["ref"].split("/")[1].split("@")[0]: it["dependsOn"] for it in bill["dependencies"]}
    named = {name: {it.split("/")[1].split("@")[0] for it in refs} for name, refs in needs.items()}
    asked = (ROOT / "layers" / "collector" / "requirements.in").read_text()
    assert named["slack-audit-collector"] == set(re.findall(r"^([a-z0-9-]+)", asked, re.MULTILINE))
    assert named["requests"] == {"certifi", "charset-normalizer", "idna", "urllib3"}
    asked_by_somebody = {name for needed in named.values() for name in needed}
    assert set(named) - asked_by_somebody == {"slack-audit-collector"}, "a component that nobody asks for"


def test_it_is_the_same_every_time_and_says_no_time(layer, bill):
    assert bill_of_materials(layer, DIGEST) == bill_of_materials(layer, DIGEST)
    assert "timestamp" not in bill["metadata"]
    assert json.loads(bill_of_materials(layer, "cd" * 32))["serialNumber"] != bill["serialNumber"]


def test_a_changed_file_of_a_dependency_changes_its_content_digest(layer, bill, tmp_path):
    copied = tmp_path / "python"
    for folder in layer.glob("idna*"):
        shutil.copytree(folder, copied / folder.name)
    (idna,) = distributions(path=[str(copied)])
    (said,) = (it["properties"] for it in bill["components"] if it["name"] == "idna")
    assert said == [{"name": CONTENT, "value": content_digest(idna, copied)}]
    (copied / "idna" / "core.py").write_text("raise SystemExit")
    assert content_digest(idna, copied) != said[0]["value"]
