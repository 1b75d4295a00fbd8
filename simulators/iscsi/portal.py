"""Where a target listens."""

from __future__ import annotations

from typing import NamedTuple


class Portal(NamedTuple):
    """An address and a port, and the portal group they belong to (RFC 7143 §3.4.1).

    The portals of one group are one SCSI target port; its tag is the relative target port identifier too.
    """

    address: str
    port: int
    group_tag: int = 1
