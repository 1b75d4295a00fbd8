"""Inputs that depend on the requirement and the seed alone.

Hypothesis also draws constants that it finds in the source files of local modules, which it parses for that: seconds in
each run, and other inputs in a checkout than from a wheel. It has no setting for this. Its version is pinned exactly,
and a test sees that what is put aside here is still what it uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

_NAME: Final = "_get_local_constants"


@contextmanager
def no_local_constants() -> Iterator[None]:
    """Inside, local modules are not looked into."""
    known = getattr(providers, _NAME)
    setattr(providers, _NAME, Constants)
    try:
        yield
    finally:
        setattr(providers, _NAME, known)
