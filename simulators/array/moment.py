"""A point in time as the APIs write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def text(at: datetime) -> str:
    """ISO 8601 in UTC to the second, such as 2026-01-31T23:59:59Z."""
    # Many rows are listed, and isoformat takes a fifth of strftime's time.
    return at.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
