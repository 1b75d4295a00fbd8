"""Names of initiators, as LIO by way of rtslib takes them."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"iqn\.[0-9]{4}-[01][0-9]\.[^ _]*\.[^ _]*|eui\.[0-9a-f]{16}|naa\.[125c-f][0-9a-f]{15}")


def is_initiator_name(name: str) -> bool:
    """Whether LIO can have an ACL of this name: RFC 7143 would allow some more."""
    return _NAME.fullmatch(name) is not None
