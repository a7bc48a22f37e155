"""Builds by the real SAM CLI, without Docker, for both processors. Slow once: an unchanged build is kept."""

import marshal
import struct
import threading
import zipfile
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from local import deploy
from local.package import WHEELS, differences, pinned_wheels
from tests.template.reading import FUNCTIONS, ROOT

ELF_MACHINES = {"x86_64": 62, "arm64": 183}
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
    return pinned_wheels(architecture, tmp_path_factory.mktemp("wheels"))


def test_the_layer_holds_the_same_compiled_code_for_both_processors(built):
    named: dict[str, set[Path]] = {}
    for path in (built / "CollectorLayer").rglob("*.so"):
        name, tag, _ = path.name.split(".")
        (machine,) = (it for it, wheels in WHEELS.items() if tag == f"cpython-313-{wheels}-linux-gnu")
        assert struct.unpack_from("<H", path.read_bytes(), 18) == (ELF_MACHINES[machine],)
        named.setdefault(machine, set()).add(path.parent / name)
    assert any(path.parent.name == "msgspec" for path in named["arm64"])
    assert named["arm64"] == named["x86_64"]


def test_everything_in_the_layer_has_bytecode_that_python_takes_without_looking_at_the_source(built):
    """Nothing can be written beside it in Lambda, where all of it would be compiled at every cold start."""
    layer = built / "CollectorLayer" / "python"
    sources = [path for path in layer.rglob("*.py") if "template" not in path.parts]
    assert len(sources) > 500
    for source in sources:
        body = (source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc").read_bytes()
        assert body[:4] == MAGIC_NUMBER
        assert int.from_bytes(body[4:8], "little") == 0b01  # by a hash, unchecked (PEP 552)
        assert marshal.loads(body[16:]).co_filename == f"/opt/python/{source.relative_to(layer)}"


def test_the_layer_holds_our_package_and_a_function_only_its_handler(built):
    package = ROOT / "layers" / "collector" / "slack_audit"
    ours = {path.relative_to(package): path.read_bytes() for path in package.rglob("*.py")}
    copied = built / "CollectorLayer" / "python" / "slack_audit"
    assert {path.relative_to(copied): path.read_bytes() for path in copied.rglob("*.py")} == ours
    for function in FUNCTIONS:
        assert [path.name for path in (built / function).rglob("*")] == ["app.py"]


def test_the_layer_holds_the_pinned_wheels_byte_for_byte(built, wheels):
    assert len(wheels) > 5
    assert differences(built / "CollectorLayer" / "python", wheels) == []


def test_a_file_that_is_not_the_pinned_wheels_is_named(built, wheels, tmp_path):
    (wheel,) = (it for it in wheels if it.name.startswith("idna-"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "idna" / "core.py").write_text("raise SystemExit")
    (tmp_path / "idna" / "codec.py").unlink()
    assert sorted(differences(tmp_path, [wheel])) == [f"{wheel.name}: idna/codec.py", f"{wheel.name}: idna/core.py"]


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
