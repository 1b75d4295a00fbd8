"""CHAP (RFC 1994) as iSCSI uses it (RFC 7143 §12.1.3): responses, encodings, and both ends of an exchange.

Nothing here is ever printed: the classes that hold secrets show none in their `repr`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.iscsi.errors import PeerViolation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.iscsi.backend import ChapAccount

MD5 = 5
SHA256 = 7
_CHALLENGE_BYTES = {MD5: 16, SHA256: 32}
_CHALLENGE_LIMIT = 1024


def chap_response(algorithm: int, identifier: int, secret: bytes, challenge: bytes) -> bytes:
    """Return hash(identifier, secret, challenge) (RFC 1994 §4.1)."""
    message = bytes((identifier,)) + secret + challenge
    if algorithm == SHA256:
        return hashlib.sha256(message).digest()
    # MD5 is what RFC 7143 makes mandatory to implement; we speak it, we do not choose it.
    return hashlib.md5(message, usedforsecurity=False).digest()


def encode_binary(value: bytes) -> str:
    """Return the hexadecimal form of a binary value (§6.1)."""
    return "0x" + value.hex()


def decode_binary(text: str) -> bytes:
    """Return the value of a hexadecimal (0x) or base64 (0b) constant."""
    form, digits = text[:2].lower(), text[2:]
    try:
        if form == "0x":
            return bytes.fromhex("0" * (len(digits) % 2) + digits)
        if form == "0b":
            return base64.b64decode(digits, validate=True)
    except (ValueError, binascii.Error) as error:
        raise PeerViolation("a binary CHAP value is neither hexadecimal nor base64") from error
    raise PeerViolation("a binary CHAP value begins with neither 0x nor 0b")


def decode_identifier(text: str) -> int:
    """Return a CHAP_I value: one octet."""
    if not text.isascii() or not text.isdigit() or len(text) > 3 or int(text) > 255:
        raise PeerViolation("CHAP_I is not a number from 0 to 255")
    return int(text)


def choose_algorithm(offered: str) -> int | None:
    """Return the first algorithm of a CHAP_A list that is simulated."""
    known = {str(MD5): MD5, str(SHA256): SHA256}
    return next((known[item] for item in offered.split(",") if item in known), None)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge as it was sent."""

    algorithm: int
    identifier: int
    value: bytes = field(repr=False)

    @classmethod
    def draw(cls, algorithm: int, entropy: Callable[[int], bytes]) -> Challenge:
        """Make a fresh one; randomness is the caller's."""
        return cls(algorithm, entropy(1)[0], entropy(_CHALLENGE_BYTES[algorithm]))

    @classmethod
    def parse(cls, algorithm: int, identifier: str, value: str) -> Challenge:
        """Take a peer's challenge from its text keys."""
        challenge = decode_binary(value)
        if not 1 <= len(challenge) <= _CHALLENGE_LIMIT:
            raise PeerViolation(f"CHAP_C has {len(challenge)} bytes instead of 1 to {_CHALLENGE_LIMIT}")
        return cls(algorithm, decode_identifier(identifier), challenge)

    def response(self, secret: bytes) -> str:
        """Return the text of CHAP_R for a secret."""
        return encode_binary(chap_response(self.algorithm, self.identifier, secret, self.value))

    def is_answered_by(self, response: str, secret: bytes) -> bool:
        """Compare in constant time."""
        expected = chap_response(self.algorithm, self.identifier, secret, self.value)
        return hmac.compare_digest(expected, decode_binary(response))


def find_account(
    accounts: Sequence[ChapAccount], challenge: Challenge, username: str, response: str
) -> ChapAccount | None:
    """Return the account that this name and response prove, looking at every account in equal time."""
    found: ChapAccount | None = None
    for account in accounts:
        knows_secret = challenge.is_answered_by(response, account.secret)
        knows_name = hmac.compare_digest(account.username.encode(), username.encode())
        if knows_secret and knows_name:
            found = account
    return found


@dataclass(frozen=True, slots=True)
class ChapCredentials:
    """What an initiator logs in with; `mutual_*` is what the target must prove."""

    username: str
    secret: bytes = field(repr=False)
    mutual_username: str | None = None
    mutual_secret: bytes | None = field(default=None, repr=False)

    @property
    def is_mutual(self) -> bool:
        """Whether the target must authenticate too."""
        return self.mutual_secret is not None
