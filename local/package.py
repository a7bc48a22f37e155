"""Packs the layer and the functions so that the same source always gives the same bytes, and says what is in them.

    python -m local.package                          for arm64, the template's default
    python -m local.package --architecture x86_64

Into .aws-sam/<architecture>/package/ go, for the layer and each function, NAME.zip; SHA256SUMS with the digests of the
zips; NAME.files with the digest of every file in it; sbom.cdx.json, the layer's bill of materials; and
template.yaml and that of the nested stack, with which `sam deploy` uploads these very zips. docs/supply-chain.md tells
how to compare them with what runs.
"""

import argparse
import base64
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from local.deploy import ARCHITECTURES, ROOT, ToolError, build
from local.sbom import LAYER, bill_of_materials

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a zip knows
UNIX, READABLE = 3, 0o100644 << 16
REQUIREMENTS = ROOT / "layers" / "collector" / "requirements.txt"
WHEELS = {"x86_64": "x86_64", "arm64": "aarch64"}  # Lambda's name of a processor, and the wheels'
NESTED = "template.yaml"  # all that a nested stack's folder holds
TEMPLATE_URL = re.compile(r"^( +TemplateURL: )(\w+)/template.yaml$", re.MULTILINE)
CODE = re.compile(r"^( +(?:CodeUri|ContentUri): )(\w+)$", re.MULTILINE)


def files_of(folder: Path) -> dict[str, bytes]:
    """What is shipped: every file by its path, in order, without what Python compiled of it on this machine."""
    shipped = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return dict(sorted((path.relative_to(folder).as_posix(), path.read_bytes()) for path in shipped))


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip in which nothing depends on when, where and by whom it was made.

    Stored, not compressed: how a compressor packs depends on its version, which is not pinned.
    """
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, body in files.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system, info.external_attr = UNIX, READABLE
            archive.writestr(info, body)
    return packed.getvalue()


def package(build_dir: Path, into: Path) -> dict[str, str]:
    """Packs what `build` left there; the SHA-256 of each zip by its name."""
    into.mkdir(parents=True, exist_ok=True)
    built = build_dir / "build"
    digests: dict[str, str] = {}
    for folder in sorted(path for path in built.iterdir() if path.is_dir()):
        files = files_of(folder)
        if list(files) == [NESTED]:
            (into / f"{folder.name}.yaml").write_bytes(files[NESTED])
            continue
        zipped = pack(files)
        digests[f"{folder.name}.zip"] = sha256(zipped).hexdigest()
        (into / f"{folder.name}.zip").write_bytes(zipped)
        _write_sums(into / f"{folder.name}.files", {name: sha256(body).hexdigest() for name, body in files.items()})
    _write_sums(into / "SHA256SUMS", digests)
    (into / "sbom.cdx.json").write_bytes(bill_of_materials(built / LAYER / "python", digests[f"{LAYER}.zip"]))
    template = CODE.sub(r"\1\2.zip", (built / "template.yaml").read_text())
    (into / "template.yaml").write_text(TEMPLATE_URL.sub(r"\1\2.yaml", template))
    return digests


def pinned_wheels(architecture: str, folder: Path) -> list[Path]:
    """The wheels of that architecture that the requirements pin, fetched into the folder with their hashes checked."""
    platforms = [f"--platform=manylinux{tag}_{WHEELS[architecture]}" for tag in ("2014", "_2_28")]
    options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--python-version", "3.13", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, *platforms, "--disable-pip-version-check"]
    command += ["--requirement", str(REQUIREMENTS), "--dest", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ToolError(f"The pinned wheels could not be fetched, or have other hashes:\n{result.stderr}")
    return sorted(folder.glob("*.whl"))


def differences(python: Path, wheels: Iterable[Path]) -> list[str]:
    """The files of the wheels that the layer's folder `python` does not hold byte for byte.

    Not compared is what says of a wheel for which processor it is, and what was installed of it.
    """
    found: list[str] = []
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if ".data/" in name or name.endswith(("/", ".dist-info/WHEEL", ".dist-info/RECORD")):
                    continue
                there = python / name
                if not there.is_file() or there.read_bytes() != archive.read(name):
                    found.append(f"{wheel.name}: {name}")
    return found


def check(build_dir: Path) -> None:
    """Raises ToolError unless the layer holds what the pinned hashes are of, for both processors."""
    for architecture in WHEELS:
        with tempfile.TemporaryDirectory(prefix="slack-audit-") as folder:
            wheels = pinned_wheels(architecture, Path(folder))
            if found := differences(build_dir / "build" / LAYER / "python", wheels):
                raise ToolError("The layer does not hold the pinned wheels; do not deploy it:\n" + "\n".join(found))


def code_sha256(digest: str) -> str:
    """A hexadecimal digest as Lambda shows it, in its CodeSha256."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def _write_sums(path: Path, digests: Mapping[str, str]) -> None:
    """As `sha256sum --check` reads it."""
    path.write_text("".join(f"{digest}  {name}\n" for name, digest in digests.items()))


def main() -> None:
    """Builds, checks, packs, and prints each zip with its digest in both forms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=sorted(set(ARCHITECTURES.values())), default="arm64")
    asked = parser.parse_args()
    try:
        build_dir = build(asked.architecture)
        check(build_dir)
    except ToolError as error:
        sys.exit(str(error))
    into = build_dir / "package"
    for name, digest in package(build_dir, into).items():
        print(f"{digest}  {name}  CodeSha256 {code_sha256(digest)}")
    print(f"All in {into}")


if __name__ == "__main__":
    main()
