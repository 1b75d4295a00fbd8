"""Reading a TOML file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

from conformance.errors import WiringError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

NOTHING: Final = "nothing was started"


def read_toml(place: Traversable, what: str, label: str | None = None) -> dict[str, object]:
    """What is in it; `what` it is and how it is called stand in the `WiringError` that says why it cannot be read."""
    label = label or str(place)
    try:
        return tomllib.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise WiringError(f"cannot read {what} {label}: {error.strerror or error}; {NOTHING}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WiringError(f"{label} is no TOML: {error}; {NOTHING}") from None
