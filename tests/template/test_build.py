"""Builds by the real SAM CLI, without Docker, for both processors. Slow once: an unchanged build is kept."""

import struct
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from local import deploy
from tests.template.reading import FUNCTIONS, ROOT

ELF_MACHINES = {"x86_64": 62, "arm64": 183}
WHEEL_NAMES = {"x86_64": "x86_64", "arm64": "aarch64"}
LAMBDA_LIMIT = 250 << 20  # bytes, of a function and its layers, unpacked


@pytest.fixture(scope="module", params=ELF_MACHINES)
def architecture(request):
    return request.param


@pytest.fixture(scope="module")
def built(architecture):
    """The folder that SAM built for the architecture."""
    return deploy.build(architecture) / "build"


@pytest.fixture(scope="module")
def wheels(architecture, tmp_path_factory):
    """The wheels of that architecture that the requirements file pins, fetched with their hashes checked."""
    folder = tmp_path_factory.mktemp("wheels")
    platforms = [f"manylinux{tag}_{WHEEL_NAMES[architecture]}" for tag in ("2014", "_2_28")]
    options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--python-version", "3.13", "--quiet"]
    options += [f"--platform={platform}" for platform in platforms]
    requirements = ROOT / "layers" / "collector" / "requirements.txt"
    command = [sys.executable, "-m", "pip", "download", *options, "--requirement", requirements, "--dest", folder]
    subprocess.run(command, check=True, capture_output=True)
    return sorted(folder.glob("*.whl"))


def test_the_layer_holds_compiled_code_of_its_processor_only(built, architecture):
    compiled = list((built / "CollectorLayer").rglob("*.so"))
    assert any(path.parent.name == "msgspec" for path in compiled)
    for path in compiled:
        assert f"cpython-313-{WHEEL_NAMES[architecture]}-linux-gnu" in path.name
        assert struct.unpack_from("<H", path.read_bytes(), 18) == (ELF_MACHINES[architecture],)


def test_the_layer_holds_our_package_and_a_function_only_its_handler(built):
    package = ROOT / "layers" / "collector" / "slack_audit"
    ours = {path.relative_to(package): path.read_bytes() for path in package.rglob("*.py")}
    copied = built / "CollectorLayer" / "python" / "slack_audit"
    assert {path.relative_to(copied): path.read_bytes() for path in copied.rglob("*.py")} == ours
    for function in FUNCTIONS:
        assert [path.name for path in (built / function).rglob("*")] == ["app.py"]


def test_the_layer_holds_the_pinned_wheels_byte_for_byte(built, wheels):
    # SAM itself checks no hash of a wheel that it fetches for another processor than the one it runs on.
    library = built / "CollectorLayer" / "python"
    assert len(wheels) > 5
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            members = [it for it in archive.namelist() if ".data/" not in it and not it.endswith("/")]
            assert [it for it in members if (library / it).read_bytes() != archive.read(it)] == [], wheel.name


def test_function_and_layer_fit_into_lambda(built):
    assert sum(path.stat().st_size for path in built.rglob("*") if path.is_file()) < LAMBDA_LIMIT / 2


# ---- building only when it must ----


@pytest.fixture
def source(tmp_path, monkeypatch):
    """The only file that a build depends on."""
    file = tmp_path / "source.py"
    file.write_text("1")
    monkeypatch.setattr(deploy, "ROOT", tmp_path)
    monkeypatch.setattr(deploy, "SOURCES", (file,))
    return file


@pytest.fixture
def builds(monkeypatch):
    """The builds that were really made."""
    made: list[str] = []
    monkeypatch.setattr(deploy, "_sam_build", lambda architecture, build_dir: made.append(architecture))
    return made


def test_unchanged_sources_are_built_once(source, builds, tmp_path):
    assert deploy.build("arm64", tmp_path / "b") == deploy.build("arm64", tmp_path / "b") == tmp_path / "b"
    assert builds == ["arm64"]


def test_a_changed_source_is_built_again(source, builds, tmp_path):
    deploy.build("arm64", tmp_path / "b")
    source.write_text("2")
    deploy.build("arm64", tmp_path / "b")
    assert len(builds) == 2


def test_another_processor_is_built_again(source, builds, tmp_path):
    deploy.build("arm64", tmp_path / "b")
    deploy.build("x86_64", tmp_path / "b")
    assert builds == ["arm64", "x86_64"]


def test_a_failed_build_does_not_count(source, tmp_path, monkeypatch):
    def fail(architecture: str, build_dir: Path) -> None:
        raise deploy.ToolError(architecture)

    monkeypatch.setattr(deploy, "_sam_build", fail)
    for _ in range(2):
        with pytest.raises(deploy.ToolError):
            deploy.build("arm64", tmp_path / "b")


def test_of_two_who_ask_at_once_one_builds(source, builds, tmp_path):
    threads = [threading.Thread(target=deploy.build, args=("arm64", tmp_path / "b")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert builds == ["arm64"]


# ---- saying what failed ----


def test_a_failing_tool_is_named_and_its_output_shown(tmp_path):
    with pytest.raises(deploy.ToolError, match=r"(?s)sam validate failed with exit code \d+:.*nowhere\.yaml"):
        deploy.run_sam(["validate", "--template-file", "nowhere.yaml"], cwd=tmp_path)


def test_a_missing_tool_is_named_with_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr(deploy, "SAM", tmp_path / "sam")
    with pytest.raises(deploy.ToolError, match="requirements/install"):
        deploy.run_sam(["validate"], cwd=tmp_path)


@pytest.mark.parametrize(
    ("machine", "named"), [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")]
)
def test_this_machines_processor_has_lambdas_name(machine, named, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert deploy.host_architecture() == named


def test_a_processor_that_lambda_does_not_have_is_refused(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(deploy.ToolError, match="riscv64"):
        deploy.host_architecture()
