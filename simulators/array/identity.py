"""What a volume is called on the wire, as SolidFire arrays build it from cluster and volume id."""

from __future__ import annotations

VENDOR = "SolidFir"
PRODUCT = "SSD SAN"


def iqn_of(unique_id: str, name: str, volume_id: int) -> str:
    """The target's name: always in lower case, because names are compared after folding (RFC 3722)."""
    return f"iqn.2010-01.com.solidfire:{unique_id}.{name.lower()}.{volume_id}"


def naa_of(unique_id: str, volume_id: int) -> str:
    """NAA 6 designator of VPD page 0x83, 32 hexadecimal digits."""
    return f"6f47acc100000000{unique_id.encode('ascii').hex()}{volume_id:08x}"


def eui_of(unique_id: str, volume_id: int) -> str:
    """EUI-64 based designator of 16 bytes, 32 hexadecimal digits."""
    return f"{unique_id.encode('ascii').hex()}{volume_id:08x}f47acc0100000000"
