"""What can go wrong with LIO: each says what is missing, and what to do about it."""

from __future__ import annotations


class LioError(Exception):
    """LIO, or what it needs, did not do what was asked."""


class LioUnavailable(LioError):
    """There is no LIO to be had here: the text says why and what would help."""
