"""Objects as the API tells them. Sizes are GB, and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulators.array import moment
from simulators.array.ids import IdForm
from simulators.array.vpsa_api.make import VPSA

if TYPE_CHECKING:
    from simulators.array.groups import Group
    from simulators.array.initiators import Initiator
    from simulators.array.model import ArrayModel
    from simulators.array.snapshots import Snapshot
    from simulators.array.volume import Volume
    from simulators.array.vpsa_api.route import Members

VOLUMES: Final = VPSA.volume_ids
SNAPSHOTS: Final = VPSA.snapshot_ids
SERVERS: Final = IdForm("srv-", is_hexadecimal=True)
GROUPS: Final = IdForm("cg-", is_hexadecimal=True)
POOL: Final = "pool-00000001"
POOL_NAME: Final = "pool-1"
MIB: Final = 1 << 20


def gigabytes(model: ArrayModel, size_bytes: int) -> int:
    """Whole GB, rounded up: what is begun is used."""
    return -(-size_bytes // model.limits.size_granularity)


def volume(model: ArrayModel, each: Volume) -> Members:
    return {
        "name": VOLUMES.text(each.volume_id),
        "display_name": each.name,
        "cg_name": GROUPS.text(each.volume_id),
        "cg_display_name": each.name,
        "status": "In-use" if each.groups else "Available",
        "virtual_capacity": gigabytes(model, each.size_bytes),
        "allocated_capacity": round(each.blocks.written_bytes / model.limits.size_granularity, 3),
        "pool_name": POOL,
        "pool_display_name": POOL_NAME,
        "server_ext_names": ",".join(SERVERS.text(number) for number in each.groups),
        "has_snapshots": "YES" if each.snapshots else "NO",
        "data_type": "BLOCK",
        "thin": "YES",
        "encryption": each.attributes.get("crypt", "NO"),
        "created_at": moment.text(each.created_at),
        "modified_at": moment.text(each.changed_at),
        **_kept(each),
    }


def server(model: ArrayModel, group: Group) -> Members:
    """A server, with the secrets of its logins, as the administrator sees it."""
    initiator = next(map(model.initiators.get, group.initiators))
    return {
        "name": SERVERS.text(group.group_id),
        "display_name": group.name,
        "status": "Active",
        "iqn": initiator.name,
        "iscsi_ip": "",
        **(
            _own_chap(initiator)
            if initiator.requires_chap
            else _chap(model.owner.username, model.owner.initiator_secret)
        ),
    }


def _own_chap(initiator: Initiator) -> Members:
    # Where no secret was given for the other direction, it is the same, and serves one direction only.
    told = _chap(initiator.chap_username, initiator.initiator_secret)
    if initiator.target_secret == initiator.initiator_secret:
        return told
    return {**told, "host_chap_user": initiator.target_username, "host_chap_secret": initiator.target_secret}


def _chap(username: str, secret: str) -> Members:
    return {
        "vpsa_chap_user": username,
        "vpsa_chap_secret": secret,
        "host_chap_user": None,
        "host_chap_secret": None,
    }


def snapshot(model: ArrayModel, each: Snapshot) -> Members:
    of = model.volumes.get(each.volume_id)
    return {
        "name": SNAPSHOTS.text(each.snapshot_id),
        "display_name": each.name,
        "pool_name": POOL,
        "cg_name": GROUPS.text(of.volume_id),
        "volume_display_name": of.name,
        "volume_ext_name": VOLUMES.text(of.volume_id),
        "volume_capacity_mb": each.size_bytes // MIB,
        "created_at": moment.text(each.created_at),
    }


def _kept(each: Volume) -> Members:
    """What is only kept and shown."""
    usual = {"comment": "", "export_name": "", "crypt": "NO", "compress": "NO", "dedupe": "NO"}
    return {name: each.attributes.get(name, value) for name, value in usual.items()}
