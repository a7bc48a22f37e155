"""The machine and the versions that figures were measured with."""

import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.performance import ROOT

OURS = ("boto3", "botocore", "requests", "urllib3", "msgspec", "isal", "aws-lambda-powertools")
PEERS = ("dlt", "s3fs", "airbyte-cdk")


def facts() -> dict[str, str]:
    """What a reader needs to judge a figure, by name."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "packages": ", ".join([*_versions(), *_of_the_peers()]),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _versions() -> Iterator[str]:
    for name in OURS:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def _of_the_peers() -> list[str]:
    python = ROOT / ".venv-peers" / "bin" / "python"
    if not python.exists():
        return []
    code = f"from importlib.metadata import version as v\nfor it in {PEERS!r}: print(it, v(it))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
