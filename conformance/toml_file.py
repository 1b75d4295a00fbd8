"""Reading a TOML file that the user has named."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

from conformance.errors import WiringError

if TYPE_CHECKING:
    from pathlib import Path

NOTHING: Final = "nothing was started"


def read_toml(path: Path, what: str) -> dict[str, object]:
    """What is in it; `what` it is stands in the `WiringError` that says why it cannot be read."""
    try:
        return parse_toml(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise WiringError(f"cannot read {what} {path}: {error.strerror or error}; {NOTHING}") from None
    except UnicodeDecodeError as error:
        raise WiringError(f"{path} is no TOML: {error}; {NOTHING}") from None


def parse_toml(text: str, label: str) -> dict[str, object]:
    """What is in this text, which is called `label`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WiringError(f"{label} is no TOML: {error}; {NOTHING}") from None
