"""What checkov, cfn-guard and parliament say of a deployment, with every check that they have: what is accepted, no more."""

import json
import platform
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

import pytest

from tests.template import accepted, linters
from tests.template.accepted import Accepted
from tests.template.linters import Finding, LinterError
from tests.template.reading import template
from tests.template.resolve import ANALYTICS_VARIANTS, VARIANTS, conditions, resolved, resolved_analytics

TOOLS = {
    "checkov": (linters.checkov, accepted.CHECKOV),
    "cfn-guard": (linters.guard, accepted.GUARD),
    "parliament": (linters.parliament, accepted.PARLIAMENT),
}
BAD = {
    "Resources": {
        "BadBucket": {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}},
        "BadRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ]
                },
                "Policies": [
                    {
                        "PolicyName": "bad",
                        "PolicyDocument": {
                            "Statement": [
                                {
                                    "Sid": "Unknown",
                                    "Effect": "Allow",
                                    "Action": "s3:PutObjct",
                                    "Resource": "arn:aws:s3:::any/*",
                                },
                                {
                                    "Sid": "Elsewhere",
                                    "Effect": "Allow",
                                    "Action": "dynamodb:PutItem",
                                    "Resource": "arn:aws:s3:::any/*",
                                },
                            ]
                        },
                    }
                ],
            },
        },
    }
}


class Judgement(NamedTuple):
    """What a tool found, and what of it is accepted; what it found in the bad template, and what it had to."""

    ours: set[Finding]
    exceptions: tuple[Accepted, ...]
    bad: set[Finding]
    must_be_found: set[Finding]


MUST_BE_FOUND = {
    "checkov": {Finding("CKV_AWS_20", "BadBucket"), Finding("CKV_AWS_21", "BadBucket")},
    "cfn-guard": {
        Finding("s3_bucket_level_public_access_prohibited_check", "BadBucket"),
        Finding("s3_bucket_versioning_enabled_check", "BadBucket"),
    },
    "parliament": {Finding("UNKNOWN_ACTION", "BadRole.Unknown"), Finding("RESOURCE_MISMATCH", "BadRole.Elsewhere")},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What each variant of a deployment makes, and a bad template."""
    made = tmp_path_factory.mktemp("deployments")
    (made / "bad.json").write_text(json.dumps(BAD))
    for name, parameters in VARIANTS.items():
        (made / f"{name}.json").write_text(json.dumps(resolved(parameters)))
    for name, parameters in ANALYTICS_VARIANTS.items():
        (made / f"{name}.json").write_text(json.dumps(resolved_analytics(parameters)))
    return made


@pytest.fixture(scope="module", params=TOOLS)
def judgement(request, folder) -> Judgement:
    """One tool's: most of it is the tool's start, so it is asked once."""
    run, exceptions = TOOLS[request.param]
    found = run(folder)
    bad = {it for it in found if it.resource.startswith("Bad")}
    return Judgement(found - bad, exceptions, bad, MUST_BE_FOUND[request.param])


def covers(exception: Accepted, finding: Finding) -> bool:
    return exception.rule == finding.rule and any(fnmatchcase(finding.resource, it) for it in exception.resources)


def useless(exceptions: tuple[Accepted, ...], findings: set[Finding]) -> Iterator[tuple[str, str]]:
    """Accepted, and not there."""
    for exception in exceptions:
        for resource in exception.resources:
            if not any(covers(exception._replace(resources=(resource,)), it) for it in findings):
                yield exception.rule, resource


def test_it_finds_nothing_but_what_is_accepted(judgement):
    assert {
        it for it in judgement.ours if not any(covers(exception, it) for exception in judgement.exceptions)
    } == set()


def test_nothing_is_accepted_that_is_not_there(judgement):
    assert list(useless(judgement.exceptions, judgement.ours)) == []


def test_it_finds_what_is_wrong_with_a_bad_template(judgement):
    assert judgement.bad >= judgement.must_be_found


@pytest.mark.parametrize("tool", TOOLS)
def test_each_exception_has_a_reason_and_one_alone(tool):
    _, exceptions = TOOLS[tool]
    for exception in exceptions:
        assert len(exception.reason.split()) >= 8, exception
        assert exception.reason.endswith("."), exception
    named = [(it.rule, resource) for it in exceptions for resource in it.resources]
    assert len(named) == len(set(named))


def test_the_template_itself_suppresses_nothing():
    for name, resource in template()["Resources"].items():
        assert not {"checkov", "guard", "cfn-lint", "cfn_nag"} & set(resource.get("Metadata", {})), name


def test_the_variants_take_every_condition_both_ways():
    taken = [conditions(parameters) for parameters in VARIANTS.values()]
    for name in template()["Conditions"]:
        assert {it[name] for it in taken} == {True, False}, name


def test_nothing_in_a_resolved_template_is_left_to_compute():
    for parameters in VARIANTS.values():
        text = json.dumps(resolved(parameters))
        assert '"Fn::' not in text
        assert '{"Ref"' not in text


def test_a_machine_that_no_guard_is_made_for_is_told_so(monkeypatch, folder):
    monkeypatch.setattr(platform, "machine", lambda: "mips")
    with pytest.raises(LinterError, match=r"no cfn-guard for .* on mips"):
        linters.guard(folder)


def test_a_template_that_a_tool_cannot_read_is_an_error_and_not_clean(tmp_path):
    (tmp_path / "empty.json").write_text(json.dumps({"Resources": {}}))
    with pytest.raises(LinterError, match="cannot have read it"):
        linters.guard(tmp_path)


def test_a_missing_tool_is_an_error_that_names_what_makes_it(monkeypatch, tmp_path, folder):
    monkeypatch.setattr(linters, "TOOLS", tmp_path)
    with pytest.raises(LinterError, match="requirements/install makes it"):
        linters.checkov(folder)
