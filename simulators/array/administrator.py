"""Who may manage the array, and how that is proved: HTTP basic authentication (RFC 7617)."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Administrator:
    """A name and a password."""

    username: str
    password: str = field(repr=False)

    def is_named_in(self, headers: Mapping[str, str]) -> bool:
        """Whether the Authorization header proves to be this administrator."""
        authorization = next((text for name, text in headers.items() if name.lower() == "authorization"), "")
        scheme, _, credentials = authorization.partition(" ")
        try:
            given = base64.b64decode(credentials, validate=True)
        except ValueError:
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(given, self._credentials())

    def _credentials(self) -> bytes:
        return f"{self.username}:{self.password}".encode()
