"""What goes between a client's handles and a host: plain values that fit in JSON, plus bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, Union

Value: TypeAlias = Union[bool, int, str, bytes, "Sequence[Value]", None]
Procedure: TypeAlias = Callable[..., Value]
Procedures: TypeAlias = Mapping[str, Procedure]
Call: TypeAlias = Callable[[str, Sequence[Value]], Value]
"""Runs a procedure of one host."""
