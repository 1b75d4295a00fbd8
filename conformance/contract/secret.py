"""Secrets that do not leak by being printed."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final, NoReturn

MASK: Final = "***"
_CHAP_LENGTHS: Final = range(12, 17)


class Secret:
    """Text that only `reveal` gives away; repr, str and format are ``***``.

    It compares in constant time, cannot be pickled, and only the contract's codec puts it on a wire.
    """

    __slots__ = ("_text",)
    since = "0.1"

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a secret is text, not {type(text).__name__}")
        self._text = text

    def reveal(self) -> str:
        """Give the text itself; call this as late as possible and never for a log."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, _spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_as_bytes(self), _as_bytes(other))

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: use conformance.contract.codec")


def _as_bytes(secret: Secret) -> bytes:
    # An encoding error would carry the whole text in its `object`, so there is none.
    return secret.reveal().encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class ChapCredentials:
    """CHAP of one path (RFC 7143 §12.1): the initiator proves `secret`.

    If `mutual_secret` is set, the target proves that. Arrays agree on 12 to 16 characters (RFC 7143 §9.2.1
    asks for 96 bits); both directions must differ.
    """

    username: str
    secret: Secret
    mutual_username: str | None = None
    mutual_secret: Secret | None = None
    since = "0.1"

    def __post_init__(self) -> None:
        if not self.username:
            raise ValueError("chap username is empty; expected the account's name")
        _check_chap_length("secret", self.secret)
        if (self.mutual_username is None) != (self.mutual_secret is None):
            raise ValueError("mutual CHAP needs both mutual_username and mutual_secret")
        if self.mutual_secret is not None:
            _check_chap_length("mutual_secret", self.mutual_secret)
            if self.mutual_secret == self.secret:
                raise ValueError("mutual_secret equals secret; RFC 7143 §12.1.3 wants two different ones")


def _check_chap_length(field: str, secret: Secret) -> None:
    length = len(secret.reveal())
    if length not in _CHAP_LENGTHS:
        raise ValueError(f"chap {field} has {length} characters; expected 12 to 16")
