"""Where things are kept: outside of the repository and outside of /tmp."""

from __future__ import annotations

import os
from pathlib import Path


def cache() -> Path:
    """Images and saved states, unless somebody says otherwise."""
    return _home() / "lio"


def initiator() -> Path:
    """Images of the machine with the initiator of Linux."""
    return _home() / "linux-initiator"


def local_owners() -> Path:
    """What owners have on the kernel of this machine."""
    return _home() / "lio-local"


def _home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "storage-conformance"
