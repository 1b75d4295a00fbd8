"""Who may manage the array, and how that is proved: HTTP basic authentication (RFC 7617), or an access key."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.array.management import header

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Administrator:
    """A name and a password, and the key that some APIs want instead."""

    username: str
    password: str = field(repr=False)
    access_key: str = field(default="", repr=False)

    def is_named_in(self, headers: Mapping[str, str]) -> bool:
        """Whether the Authorization header proves to be this administrator."""
        scheme, _, credentials = header(headers, "Authorization").partition(" ")
        try:
            given = base64.b64decode(credentials, validate=True)
        except ValueError:
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(given, self._credentials())

    def has_password(self, username: str, password: str) -> bool:
        """Whether these are this administrator's name and password."""
        return hmac.compare_digest(f"{username}:{password}".encode(), self._credentials())

    def has_key(self, access_key: str) -> bool:
        """Whether this is the access key."""
        # What is no UTF-8 in a header comes as half of a surrogate pair.
        given = access_key.encode(errors="surrogatepass")
        return bool(self.access_key) and hmac.compare_digest(given, self.access_key.encode())

    def _credentials(self) -> bytes:
        return f"{self.username}:{self.password}".encode()
