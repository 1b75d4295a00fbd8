"""Which requirement answers for a step or a watch of the kit, wherever it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STEP: Final[Mapping[str, str]] = {
    "configure": "REG-002",
    "initialize": "LIF-001",
    "attach_cluster": "LIF-005",
    "detach_cluster": "LIF-005",
    "delete_datastore": "LIF-006",
    "create": "PRV-001",
    "delete": "DEL-001",
    "repeated create": "PRV-002",
    "repeated delete": "DEL-002",
    "grant_access": "ACC-001",
    "connection": "ACC-001",
    "login": "ACC-001",
    "revoke_access": "ACC-004",
    "fence": "ACC-011",
    "resize": "EXT-001",
    "set_qos": "QOS-002",
    "begin_migration": "MIG-001",
    "end_migration": "MIG-001",
    "take_snapshot": "SNP-001",
    "delete_snapshot": "SNP-005",
    "revert": "REV-001",
    "clone": "CLN-001",
    "clone of a volume": "CLN-002",
    "clone of a template": "TPL-002",
    "rotate_chap": "CHP-006",
    "seed_template": "TPL-001",
    "delete_template": "TPL-003",
    "volume_stats": "SPC-004",
    "list_objects": "LEK-002",
    "used": "LEK-003",
    "host_added": "HST-004",
    "host_connected": "HST-002",
    "host_about_to_be_removed": "HST-003",
    "host_removed": "HST-003",
    "add_primary_storage": "LIF-001",
    "create_volume": "DST-001",
    "delete_volume": "DST-003",
    "attach_volume": "DST-004",
    "detach_volume": "DST-004",
    "resize_volume": "DST-005",
    "revert_volume": "DST-011",
    "create_volume_from": "DST-012",
    "start_vm": "DST-013",
    "stop_vm": "DST-013",
    "move_vm": "DST-013",
    "maintain_host": "HST-012",
    "cancel_maintain_host": "HST-012",
    "disconnect_host": "HST-012",
    "connect_host": "HST-012",
    "add_host": "HST-001",
    "remove_host": "HST-003",
    "delete_primary_storage": "LIF-006",
}

LATE: Final = "OPS-001"
STRAY_ERROR: Final = "OPS-003"
WRONG_TYPE: Final = "OPS-004"
THREADS: Final = "OPS-005"
LEAK: Final = "LEK-001"
LEFT_ON_HOSTS: Final = "DST-003"
SECRETS: Final = "SEC-001"
