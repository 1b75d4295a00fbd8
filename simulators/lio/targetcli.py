"""What is exported, as the tool for it shows: `targetcli ls`."""

from __future__ import annotations

import subprocess
from typing import Final

_PATIENCE_SECONDS: Final = 120


def listed() -> str:
    """All of this kernel's backstores, targets, portals, LUNs and ACLs as a tree; without secrets."""
    try:
        done = subprocess.run(
            ["targetcli", "ls"],
            capture_output=True,
            encoding="utf-8",
            timeout=_PATIENCE_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return "targetcli is not installed here; apt install targetcli-fb"
    except subprocess.TimeoutExpired:
        return f"targetcli ls has not come to an end in {_PATIENCE_SECONDS} s"
    if done.returncode != 0:
        return f"targetcli ls failed: {done.stderr or done.stdout}"
    # When it is run for the first time, it complains before the tree that it has no preferences yet.
    return done.stdout[max(0, done.stdout.find("o- /")) :]
