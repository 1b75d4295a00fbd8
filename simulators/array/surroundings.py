"""What the model is given instead of asking the machine: time, chance, and a number that counts changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

Now = Callable[[], datetime]
"""The time, in UTC."""


class Chance(Protocol):
    """Whatever the array makes up."""

    def uuid(self) -> str:
        """A UUID in its text form."""
        ...

    def chap_secret(self) -> str:
        """A CHAP secret of 16 characters."""
        ...

    def unique_id(self) -> str:
        """A cluster's id: four characters of a-z and 0-9."""
        ...


class Revision:
    """Counts changes of who may see what."""

    def __init__(self) -> None:
        self.number = 0

    def advance(self) -> None:
        """Something has changed."""
        self.number += 1
