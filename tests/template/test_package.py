"""The layer and the functions as packed: the same bytes from the same source, which are what is deployed."""

import os
import re
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from local import deploy
from local.package import CODE, code_sha256, files_of, pack, package
from tests.stored import objects_in
from tests.template.reading import FUNCTIONS

PACKED = {"CollectorLayer", *FUNCTIONS}


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """What was packed from the build that the other tests use."""
    into = tmp_path_factory.mktemp("package")
    package(deploy.build(), into)
    return into


def sums(path: Path) -> dict[str, str]:
    return {name: digest for digest, name in (line.split("  ") for line in path.read_text().splitlines())}


def test_there_is_a_zip_for_the_layer_and_each_function_with_its_digest(packed):
    digests = sums(packed / "SHA256SUMS")
    assert set(digests) == {f"{name}.zip" for name in PACKED}
    for name, digest in digests.items():
        assert sha256((packed / name).read_bytes()).hexdigest() == digest


def test_a_zip_holds_exactly_the_built_files_with_nothing_of_this_machine(packed):
    for name in PACKED:
        built = files_of(deploy.build() / "build" / name)
        with zipfile.ZipFile(packed / f"{name}.zip") as archive:
            assert {it.filename: archive.read(it) for it in archive.infolist()} == built
            assert [it.filename for it in archive.infolist()] == sorted(built)
            for it in archive.infolist():
                assert (it.date_time, it.external_attr >> 16) == ((1980, 1, 1, 0, 0, 0), 0o100644)
        assert sums(packed / f"{name}.files") == {path: sha256(body).hexdigest() for path, body in built.items()}


def test_the_nested_stack_lies_beside_and_is_named(packed):
    built = deploy.build() / "build" / "AnalyticsStack" / "template.yaml"
    assert (packed / "AnalyticsStack.yaml").read_bytes() == built.read_bytes()
    assert "TemplateURL: AnalyticsStack.yaml\n" in (packed / "template.yaml").read_text()


def test_no_bytecode_and_no_place_of_this_machine_is_shipped(packed):
    with zipfile.ZipFile(packed / "CollectorLayer.zip") as archive:
        names = archive.namelist()
        assert [it for it in names if it.endswith((".pyc", "direct_url.json")) or "__pycache__" in it] == []
        here = str(deploy.ROOT).encode()
        assert [it for it in names if here in archive.read(it)] == []


def test_a_second_build_elsewhere_gives_the_same_bytes(packed, tmp_path):
    before = os.umask(0o077)
    try:
        again = deploy.build(build_dir=tmp_path / "elsewhere")
    finally:
        os.umask(before)
    assert package(again, tmp_path / "package") == sums(packed / "SHA256SUMS")
    for path in packed.iterdir():
        assert path.read_bytes() == (tmp_path / "package" / path.name).read_bytes(), path.name


def test_times_rights_order_and_bytecode_do_not_count(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, names in ((first, ["a.py", "b/c.py"]), (second, ["b/c.py", "a.py"])):
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
    (second / "a.py").chmod(0o755)
    os.utime(second / "b" / "c.py", (1, 1))
    (second / "__pycache__").mkdir()
    (second / "__pycache__" / "a.cpython-313.pyc").write_bytes(b"x")
    assert pack(files_of(first)) == pack(files_of(second))
    (second / "a.py").write_text("other")
    assert pack(files_of(first)) != pack(files_of(second))


def test_a_digest_is_shown_as_lambda_shows_it():
    assert code_sha256(sha256(b"").hexdigest()) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_the_packed_template_names_every_zip_and_nothing_that_sam_would_pack_itself(packed):
    template = (packed / "template.yaml").read_text()
    assert set(re.findall(r"(?:CodeUri|ContentUri): (\S+)", template)) == {f"{name}.zip" for name in PACKED}
    assert not CODE.search(template)


def test_sam_uploads_these_very_bytes(packed, aws, clients, tmp_path):
    """So the CodeSha256 that Lambda shows, which is of the bytes that it was given, is the digest of our zip."""
    shutil.copytree(packed, tmp_path / "package")
    clients.s3.create_bucket(Bucket="packed")
    command = ["package", "--template-file", "package/template.yaml", "--s3-bucket", "packed", "--no-progressbar"]
    deploy.run_sam([*command, "--output-template-file", "uploaded.yaml"], cwd=tmp_path, environment=aws.environment())
    uploaded = objects_in(clients.s3, "packed")
    zips = {sha256(body).hexdigest() for key, body in uploaded.items() if not key.endswith(".template")}
    assert zips == set(sums(packed / "SHA256SUMS").values())
    assert len(uploaded) == len(zips) + 1  # the nested stack's template, which SAM writes anew
