"""Parameters of a request, from its query and its body: a form, or JSON on whatever verb.

Lists come as `name[]` several times, as JSON lists, or as text with commas. What is null is not there.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from simulators.array.vpsa_api.errors import INVALID_PARAMETER, MISSING_PARAMETER, ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHOLE: Final = re.compile(r"[0-9]{1,12}")
_GIGABYTES: Final = re.compile(r"([0-9]{1,9})G?", re.IGNORECASE)
_FLAGS: Final = {"YES": True, "NO": False}


class Unreadable(ValueError):
    """A body that is neither a form nor a JSON object."""


class Form:
    """Values by name."""

    def __init__(self, query: str, body: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        # Most requests have no query, and to look for one in nothing would take a twentieth of their time.
        for name, value in (*(parse_qsl(query, keep_blank_values=True) if query else ()), *_pairs(body)):
            self._values.setdefault(name.removesuffix("[]"), []).append(value)

    def find(self, name: str) -> str | None:
        """Text that can be printed, or None when it is not there or empty."""
        values = self._values.get(name)
        return (_printable(name, values[-1]) or None) if values else None

    def text(self, name: str) -> str:
        """As `find`; a missing one is refused."""
        text = self.find(name)
        if text is None:
            raise ApiError(MISSING_PARAMETER, f"{name} is missing")
        return text

    def names(self, name: str) -> list[str]:
        """One or more names that can be printed."""
        values = [_printable(name, value) for value in self._values.get(name, ())]
        found = [each for value in values for each in value.split(",") if each]
        if not found:
            raise ApiError(MISSING_PARAMETER, f"{name} is missing")
        return list(dict.fromkeys(found))

    def flag(self, name: str, *, usual: bool = False) -> bool:
        """YES or NO."""
        text = self.find(name)
        if text is None:
            return usual
        if text.upper() not in _FLAGS:
            raise ApiError(INVALID_PARAMETER, f"{name}: expected YES or NO")
        return _FLAGS[text.upper()]

    def gigabytes(self, name: str) -> int:
        """A number of GB above zero, perhaps with a G behind it."""
        found = _GIGABYTES.fullmatch(self.text(name))
        if found is None or int(found[1]) == 0:
            raise ApiError(INVALID_PARAMETER, f"{name}: expected a whole number of GB above 0")
        return int(found[1])

    def number(self, name: str) -> int:
        """A whole number; 0 when it is not there."""
        text = self.find(name) or "0"
        if not _WHOLE.fullmatch(text):
            raise ApiError(INVALID_PARAMETER, f"{name}: expected a whole number")
        return int(text)


def _printable(name: str, text: str) -> str:
    if not text.isprintable():
        raise ApiError(INVALID_PARAMETER, f"{name}: expected printable text")
    return text


def _pairs(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        text = body.decode()
        if not text.lstrip().startswith("{"):
            yield from parse_qsl(text, keep_blank_values=True)
            return
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("neither a form nor JSON") from None
    for name, value in content.items():
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                yield name, str(each)
