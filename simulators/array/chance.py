"""What an array makes up: ids that a seed repeats, and secrets that nothing does."""

from __future__ import annotations

import random
import secrets
import string
import uuid
from typing import Final

_LETTERS: Final = string.ascii_letters + string.digits
_SECRET_CHARACTERS: Final = 16


class SeededChance:
    """Ids from a seed: the same seed and the same calls give the same ids. Secrets come from the machine, or from a
    seed that is as secret as they are.
    """

    def __init__(self, seed: str, secret_seed: str | None = None) -> None:
        self._random = random.Random(seed)
        self._secrets = None if secret_seed is None else random.Random(secret_seed)

    def uuid(self) -> str:
        """A UUID in its text form."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def chap_secret(self) -> str:
        """A CHAP secret of 16 characters."""
        choose = secrets.choice if self._secrets is None else self._secrets.choice
        return "".join(choose(_LETTERS) for _ in range(_SECRET_CHARACTERS))

    def unique_id(self) -> str:
        """A cluster's id: four characters of a-z and 0-9, a letter first."""
        first = self._random.choice(string.ascii_lowercase)
        return first + "".join(self._random.choices(string.ascii_lowercase + string.digits, k=3))
