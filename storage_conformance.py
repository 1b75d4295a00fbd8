"""The way in to the command `storage-conformance`: a name that nobody else has, unlike `conformance`.

Where another distribution's package of that name comes first on the path, the command would be the stranger's, or end
in a traceback. So it is looked at before it is imported, with nothing but the standard library.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Final

COULD_NOT_RUN: Final = 2
_MARK: Final = '"""The conformance kit'


def main() -> int:
    """Run the command; answers its exit status."""
    trouble = stranger()
    if trouble:
        sys.stderr.write(f"storage-conformance: {trouble}\n")
        return COULD_NOT_RUN
    return int(importlib.import_module("conformance.main").main())


def stranger() -> str:
    """Say whose package `conformance` is, if it is not the kit's. Empty: it is."""
    spec = importlib.util.find_spec("conformance")
    origin = spec.origin if spec else None
    if origin is None or not Path(origin).read_bytes().startswith(_MARK.encode()):
        place = f"is {Path(origin).parent if Path(origin).stem == '__init__' else origin}" if origin else "is missing"
        return (
            f"the package conformance {place}, which is not the kit's; take it off PYTHONPATH, or install "
            "storage-conformance into an environment of its own; nothing was started"
        )
    return ""


if __name__ == "__main__":
    sys.exit(main())
