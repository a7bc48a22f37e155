"""What the tools say that read templates for a living. None of them needs a network or an AWS account."""

import subprocess
import sys
from pathlib import Path

from local.deploy import run_sam
from tests.template.reading import ANALYTICS, ROOT, TEMPLATE


def test_cfn_lint_has_nothing_to_say():
    command = [
        str(Path(sys.executable).parent / "cfn-lint"),
        "--include-checks",
        "I",
        "--",
        str(TEMPLATE),
        str(ANALYTICS),
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_sam_can_translate_it():
    """`sam validate --lint` would be cfn-lint once more, with fewer checks."""
    run_sam(["validate"], cwd=ROOT)
