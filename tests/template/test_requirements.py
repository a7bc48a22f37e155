"""Every dependency is pinned to one version and to the hashes of its files, and pip holds to them."""

import re
import subprocess
import sys

import pytest

from tests.template.reading import ROOT

LAYER = "layers/collector/requirements.txt"
FILES = [LAYER, *(f"requirements/{path.name}" for path in sorted((ROOT / "requirements").glob("*.txt")))]
PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z0-9,-]+\])?==[A-Za-z0-9.+!]+( ; [^\\]+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def requirements(path: str) -> list[list[str]]:
    """Each with its options, its continued lines joined."""
    text = re.sub(r" *\\\n *", " \n", (ROOT / path).read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[list[str]] = []
    for line in lines:
        if line.startswith("--hash"):
            found[-1].append(line.strip())
        else:
            found.append([line.strip()])
    return found


@pytest.mark.parametrize("path", FILES)
def test_every_line_is_one_version_with_hashes_and_nothing_else(path):
    found = requirements(path)
    assert found
    for requirement, *hashes in found:
        assert PINNED.fullmatch(requirement), requirement
        assert hashes, f"{requirement} has no hash"
        assert all(HASH.fullmatch(it) for it in hashes), requirement


def test_what_the_layer_holds_is_what_the_tests_run_with():
    """requirements/dev.in takes the layer's over, so that no test passes with another version."""
    of_the_tests = {it[0]: set(it[1:]) for it in requirements("requirements/dev.txt")}
    for requirement, *hashes in requirements(LAYER):
        assert of_the_tests.get(requirement) == set(hashes), requirement


def test_the_environments_are_made_with_hashes_required():
    scripts = [(ROOT / "requirements" / name).read_text() for name in ("install", "peers")]
    installs = [line for script in scripts for line in script.splitlines() if " -r " in line]
    assert {line.split(" -r ")[1] for line in installs} == set(FILES) - {LAYER}
    assert all("--require-hashes" in line for line in installs)


@pytest.mark.parametrize("is_right", [True, False])
def test_pip_refuses_a_file_with_another_hash(is_right, tmp_path):
    """The layer's Makefile hands the file to pip for both processors; what the layer then holds is compared once more
    by local/package.py (test_build.py)."""
    requirement, *hashes = next(it for it in requirements(LAYER) if it[0].startswith("six=="))
    chosen = hashes if is_right else ["--hash=sha256:" + "0" * 64]
    (tmp_path / "requirements.txt").write_text(" ".join([requirement, *chosen]) + "\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
    command += ["-r", str(tmp_path / "requirements.txt"), "--dest", str(tmp_path / "wheels")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode == 0) is is_right
    assert is_right or "THESE PACKAGES DO NOT MATCH THE HASHES" in result.stderr
