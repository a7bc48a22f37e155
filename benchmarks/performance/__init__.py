"""What the collector costs, beside the bare loop, its peers and the limits: `make bench` (docs/performance.md).

Every measurement is a module that runs as a process of its own, and prints a JSON object as its last line. What is
measured is the code of this tree, whichever one is installed.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "layers" / "collector"), str(ROOT / "functions")]
