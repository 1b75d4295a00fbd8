"""How a number is written as the id of an object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DECIMAL: Final = re.compile(r"[0-9]{1,18}")
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class IdForm:
    """What stands before the number, which is decimal or eight hexadecimal digits."""

    prefix: str = ""
    is_hexadecimal: bool = False

    def text(self, number: int) -> str:
        """The id of that number."""
        return f"{self.prefix}{number:08x}" if self.is_hexadecimal else f"{self.prefix}{number}"

    def number(self, text: str) -> int | None:
        """The number in an id; None when it is none of this form."""
        digits = text.removeprefix(self.prefix)
        form = _HEXADECIMAL if self.is_hexadecimal else _DECIMAL
        if not text.startswith(self.prefix) or not form.fullmatch(digits):
            return None
        return int(digits, 16 if self.is_hexadecimal else 10)
