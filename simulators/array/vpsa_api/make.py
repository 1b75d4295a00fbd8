"""VPSA arrays: one target, no accounts, names that are unique, and deletion at once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from simulators.array.ids import IdForm
from simulators.array.limits import Limits
from simulators.array.make import Make
from simulators.array.shared_target import SharedTarget

GIB: Final = 1 << 30
USUAL_CAPACITY_BYTES: Final = 90 << 40

VPSA: Final = Make(
    vendor="Zadara",
    product="VPSA",
    firmware="0001",
    target="iqn.2011-04.com.zadarastorage:vsa-{unique_hex}:1",
    # NAA 6, which is all that LIO can tell. No source names the maker's number: this is one of those that nobody is
    # given (IEEE 802, locally administered).
    naa="602005a000000000{unique_hex}{number:08x}",
    eui=None,
    volume_names=re.compile(r"[A-Za-z0-9_-]*"),
    volume_name_rule="letters, digits, hyphens and underscores",
    addressing=SharedTarget,
    volume_ids=IdForm("volume-", is_hexadecimal=True),
    snapshot_ids=IdForm("snap-", is_hexadecimal=True),
    kept_for=timedelta(0),
    owner="vpsa-chap-user",
    has_unique_names=True,
    promises_more_than_it_has=True,
)
LIMITS: Final = Limits(
    volumes=10_000,
    volumes_per_account=10_000,
    volumes_per_group=10_000,
    volume_name_length=128,
    volume_size_min=GIB,
    volume_size_max=64 << 40,
    size_granularity=GIB,
    snapshots_per_volume=1000,
    snapshot_name_length=128,
    # Clients name a server after its IQN.
    group_name_length=223,
    groups=10_000,
    groups_per_volume=10_000,
    initiators_per_group=1,
)
RECYCLED_FOR: Final = timedelta(days=7)
"""How long the recycle bin keeps volumes, once it is on."""
