"""Faults against PRV: provisioning."""

from __future__ import annotations

from tests.faulty_providers.fault import Driver, Fault, Kind, Wire
from tests.faulty_providers.operators import alter_argument

FAULTS = (
    Fault(
        "PRV-001",
        "the array is asked for a granule less",
        Wire.CreateVolume,
        alter_argument("totalSize", lambda size: size - (1 << 20)),
        Kind.DATA,
    ),
)
