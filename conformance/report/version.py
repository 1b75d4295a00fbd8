"""Which version of the kit this is."""

from __future__ import annotations

from importlib import metadata


def kit_version() -> str:
    """The installed version; from a folder that was never installed there is none to tell."""
    try:
        return metadata.version("storage-conformance")
    except metadata.PackageNotFoundError:
        return "of a checkout"
