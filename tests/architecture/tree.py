"""The files of this project, found without git: a copy of the checkout is tested too."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("conformance", "hypervisor_bridge", "reference_providers", "simulators")
NOT_OURS = frozenset({".git", ".hypothesis", ".tox", ".toxw", ".venv", "__pycache__", "build", "dist"})


@cache
def files() -> tuple[Path, ...]:
    """List every file but those of environments, caches and builds."""
    found = []
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = [name for name in subfolders if name not in NOT_OURS and not name.endswith("_cache")]
        found += [Path(folder, name) for name in names]
    return tuple(sorted(found))


def files_below(*folders: str) -> list[Path]:
    """List the files below folders named from the root."""
    return [file for file in files() if any(file.is_relative_to(ROOT / folder) for folder in folders)]


def modules() -> list[Path]:
    """List the modules that are shipped."""
    return [file for file in files_below(*PACKAGES) if file.suffix == ".py"]


def text_of(file: Path) -> str:
    """Read a file; what is not text reads as nothing."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def named(file: Path) -> str:
    """Name a file as people do, from the root."""
    return file.relative_to(ROOT).as_posix()
