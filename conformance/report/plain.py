"""Text of others, made fit to be shown: nothing in it may steer the page, the reading direction or a parser."""

from __future__ import annotations

import unicodedata
from typing import Final

_KEPT: Final = frozenset("\n\t")
_UNFIT: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str) -> str:
    """The text with control, direction and other invisible characters spelled out by their code point."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if _is_fit(each) else _spelled(each) for each in text)


def _is_fit(character: str) -> bool:
    return character in _KEPT or unicodedata.category(character) not in _UNFIT


def _spelled(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
