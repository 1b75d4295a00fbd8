"""Names and addresses of both ends of a storage path."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

_IQN: Final = re.compile(
    r"iqn\.\d{4}-(0[1-9]|1[0-2])\.[a-z0-9][a-z0-9.-]*(:[^\s,;]+)?"
    r"|eui\.[0-9a-f]{16}|naa\.([0-9a-f]{16}|[0-9a-f]{32})"
)
_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_WWPN: Final = re.compile(r"[0-9a-f]{16}")
_NQN: Final = re.compile(r"nqn\.\d{4}-(0[1-9]|1[0-2])\.[^\s]+")


@dataclass(frozen=True, slots=True, order=True)
class Iqn:
    """An iSCSI name: ``iqn.``, ``eui.`` or ``naa.``; at most 223 bytes, kept in lower case.

    RFC 7143 §4.2.7.
    """

    value: str
    since = "0.1"

    def __post_init__(self) -> None:
        # RFC 3722: names are compared after case folding, so one spelling is kept.
        folded = self.value.lower()
        if len(folded.encode()) > 223 or not _IQN.fullmatch(folded):
            raise ValueError(
                f"{self.value!r} is no iSCSI name; expected iqn.YYYY-MM.domain[:name], eui.<16 hex> or naa.<hex>"
            )
        object.__setattr__(self, "value", folded)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, order=True)
class Wwpn:
    """A Fibre Channel port name: 16 hexadecimal digits, colons allowed on the way in."""

    value: str
    since = "0.1"

    def __post_init__(self) -> None:
        folded = self.value.replace(":", "").lower()
        if not _WWPN.fullmatch(folded):
            raise ValueError(f"{self.value!r} is no WWPN; expected 16 hexadecimal digits")
        object.__setattr__(self, "value", folded)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, order=True)
class Nqn:
    """An NVMe qualified name (NVMe base specification, NQN format); at most 223 bytes."""

    value: str
    since = "0.1"

    def __post_init__(self) -> None:
        if len(self.value.encode()) > 223 or not _NQN.fullmatch(self.value):
            raise ValueError(f"{self.value!r} is no NQN; expected nqn.YYYY-MM.domain:name")

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, order=True)
class NfsClient:
    """The address an NFS export is opened for: an IP address or a network in CIDR form."""

    address: str
    since = "0.1"

    def __post_init__(self) -> None:
        try:
            ipaddress.ip_network(self.address, strict=False)
        except ValueError:
            raise ValueError(f"{self.address!r} is no NFS client; expected an IP address or network") from None

    def __str__(self) -> str:
        return self.address


Initiator = Iqn | Wwpn | Nqn | NfsClient


@dataclass(frozen=True, slots=True, order=True)
class Portal:
    """Where a target answers: an IP address or host name, and a TCP port.

    RFC 7143 §4.2.1; 3260 is the port that IANA gave to iSCSI.
    """

    address: str
    port: int = 3260
    since = "0.1"

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"port {self.port} is outside 1..65535")
        if not _is_address(self.address):
            raise ValueError(f"{self.address!r} is no portal address; expected an IP address or host name")

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_HOST_NAME.fullmatch(text))
    return True
