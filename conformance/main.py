"""The command `storage-conformance`. It looks first whether what it is about to import is ours, and all there.

Standard library only: without the extras it still says in one line what is missing.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import conformance

PACKAGES: Final = ("conformance", "hypervisor_bridge", "reference_providers", "simulators")
NEEDED: Final = ("aiohttp", "cryptography", "hypothesis", "jinja2", "pydantic", "rich", "typer")
INSTALL: Final = "pip install 'storage-conformance[kit,simulators]'"
COULD_NOT_RUN: Final = 2
INTERRUPTED: Final = 130
_MARK: Final = "The conformance kit"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answers its exit status."""
    trouble = shadowed() or incomplete()
    if trouble:
        sys.stderr.write(f"storage-conformance: {trouble}\n")
        return COULD_NOT_RUN
    try:
        from conformance.cli.app import call

        return call(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        sys.stderr.write("storage-conformance: interrupted; nothing was run\n")
        return INTERRUPTED


def shadowed() -> str:
    """Say which of our packages is somebody else's here: a folder or a distribution of that name. Empty: none."""
    home = Path(__file__).resolve().parent.parent
    if not (conformance.__doc__ or "").startswith(_MARK):
        return (
            f"the package conformance in {home} was overwritten by another distribution of that name; "
            "uninstall that one, then install storage-conformance again; nothing was started"
        )
    for name in PACKAGES:
        found = where(name)
        if found != home / name:
            place = f"is {found}" if found else "is missing"
            return (
                f"the package {name} {place}, expected {home / name}; rename what is in the way, "
                "or run from another directory; nothing was started"
            )
    return ""


def where(package: str) -> Path | None:
    """Find the folder that a package would be imported from, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        return None
    if spec.origin is not None:
        file = Path(spec.origin).resolve()
        return file.parent if file.name.startswith("__init__.") else file
    return Path(next(iter(spec.submodule_search_locations or [""]))).resolve()


def incomplete() -> str:
    """Say what is not installed of what the command needs. Empty: all is there."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not missing:
        return ""
    return f"{', '.join(missing)} not installed; the command needs two extras: {INSTALL}"


if __name__ == "__main__":
    sys.exit(main())
