"""Bring the vendor's plugin that CONFORMANCE_PLUGIN names up to date: `python -m tools.plugin`.

tox installs a dependency once and then looks only at its name: a plugin that is a folder (`../acme`) would be
certified as it was on the first day. So a folder is installed again before each run. What else the variable
may hold (a requirement with a version, `-e ../acme`) tox handles rightly by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

VARIABLE = "CONFORMANCE_PLUGIN"


def reinstall(folder: Path) -> int:
    """Install the folder as it is now; tox has seen to its dependencies."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall"]
    return subprocess.run([*pip, str(folder)], check=False).returncode


def main() -> int:
    """Do nothing for anything but a folder."""
    name = os.environ.get(VARIABLE, "").strip()
    return reinstall(Path(name)) if name and Path(name).is_dir() else 0


if __name__ == "__main__":
    sys.exit(main())
