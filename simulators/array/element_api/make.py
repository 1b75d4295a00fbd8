"""SolidFire arrays: a target for each volume, and names as real ones build them from cluster and volume id."""

from __future__ import annotations

import re
from typing import Final

from simulators.array.make import Make
from simulators.array.own_targets import OwnTargets

ELEMENT: Final = Make(
    vendor="SolidFir",
    product="SSD SAN",
    firmware="0010",
    target="iqn.2010-01.com.solidfire:{unique_id}.{name}.{number}",
    naa="6f47acc100000000{unique_hex}{number:08x}",
    eui="{unique_hex}{number:08x}f47acc0100000000",
    volume_names=re.compile(r"[A-Za-z0-9-]*"),
    volume_name_rule="letters, digits and hyphens",
    addressing=OwnTargets,
)
