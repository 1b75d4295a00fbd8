"""The page in HTML."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from simulators.array.page.content import content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.array.core import ArrayCore
    from simulators.iscsi.backend import SessionInfo

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP: Final = 1024


def page(
    core: ArrayCore, sessions: Sequence[SessionInfo], addresses: Sequence[tuple[str, str]], *, is_still: bool
) -> bytes:
    """The page as of now, which renews itself or is still; `addresses` are shown as they are given."""
    with core.lock:
        parts = content(core, sessions)
        # Drawn under the lock: rows are the array's own, and change with the next call.
        return _templates().get_template("page.html.j2").render(parts, addresses=addresses, is_still=is_still).encode()


def readable_bytes(count: int) -> str:
    """A number of bytes in the largest unit in which it is at least 1, exact where that needs no more than 2 digits."""
    value, unit = float(count), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.2f}".rstrip("0").rstrip(".") + f" {_UNITS[unit]}"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("simulators.array.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["bytes"] = readable_bytes
    return made
