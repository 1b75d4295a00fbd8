"""The array seen from behind: everything that stands in the tables, without secrets, changing nothing.

It is what a doubter compares the management API with, and so shares no code with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from simulators.array.core import ArrayCore
    from simulators.array.model import ArrayModel
    from simulators.array.register import Register
    from simulators.array.snapshots import Snapshot
    from simulators.array.volume import Volume
    from simulators.iscsi.backend import SessionInfo

READ_BYTES_MAX: Final = 16 << 20
_BYTES: Final = re.compile(r"/(?P<table>volumes|snapshots)/(?P<id>[0-9]{1,18})/bytes")


@dataclass(frozen=True, slots=True)
class Glance:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


def look(
    core: ArrayCore,
    sessions: Sequence[SessionInfo],
    method: str,
    path: str,
    headers: Mapping[str, str],
) -> Glance:
    """Answer `GET /`, `GET /exports`, and `GET /volumes/<id>/bytes?offset=&length=` and the same of snapshots."""
    if not core.administrator.is_named_in(headers):
        return _text(401, "the administrator's name and password are needed")
    if method != "GET":
        return _text(405, "a witness only looks: GET")
    parts = urlsplit(path)
    with core.lock:
        if parts.path == "/":
            return _json(everything(core.model, sessions))
        if parts.path == "/exports":
            return _text(200, core.exports())
        return _bytes(core.model, parts.path, parse_qs(parts.query))


def everything(model: ArrayModel, sessions: Sequence[SessionInfo]) -> Mapping[str, object]:
    """All tables as plain data."""
    return {
        "unique_id": model.unique_id,
        "capacity": {"total_bytes": model.capacity.total_bytes, "used_bytes": model.capacity.used_bytes},
        "volumes": [_volume(each) for each in model.volumes.rows],
        "snapshots": [_snapshot(each) for each in model.snapshots.rows],
        "group_snapshots": [
            {"id": each.group_id, "name": each.name, "members": list(each.members)} for each in model.snapshots.groups
        ],
        "accounts": [
            {
                "id": each.account_id,
                "username": each.username,
                "status": each.status,
                "uses_chap": each.uses_chap,
            }
            for each in model.accounts.rows
        ],
        "groups": [
            {
                "id": each.group_id,
                "name": each.name,
                "initiators": list(each.initiators),
                "volumes": list(each.volumes),
            }
            for each in model.groups.rows
        ],
        "initiators": [
            {"id": each.initiator_id, "name": each.name, "group": each.group_id} for each in model.initiators.rows
        ],
        "sessions": [
            {
                "initiator": each.initiator_iqn,
                "target": each.target_iqn,
                "chap_username": each.chap_username,
                "is_mutual": each.is_mutual,
            }
            for each in sessions
        ],
    }


def _volume(volume: Volume) -> Mapping[str, object]:
    return {
        "id": volume.volume_id,
        "name": volume.name,
        "account": volume.account_id,
        "groups": list(volume.groups),
        "size_bytes": volume.size_bytes,
        "written_bytes": volume.blocks.written_bytes,
        "is_deleted": volume.is_deleted,
        "is_copying": volume.is_copying,
        "snapshots": list(volume.snapshots),
        "iqn": volume.iqn,
        "naa": volume.naa,
        "access": volume.access,
        "min_iops": volume.qos.min_iops,
        "max_iops": volume.qos.max_iops,
        "burst_iops": volume.qos.burst_iops,
        "attributes": volume.attributes,
    }


def _snapshot(snapshot: Snapshot) -> Mapping[str, object]:
    return {
        "id": snapshot.snapshot_id,
        "volume": snapshot.volume_id,
        "group_snapshot": snapshot.group_id,
        "name": snapshot.name,
        "size_bytes": snapshot.size_bytes,
        "written_bytes": snapshot.blocks.written_bytes,
        "attributes": snapshot.attributes,
    }


def _found(model: ArrayModel, path: str) -> Volume | Snapshot | None:
    place = _BYTES.fullmatch(path)
    if place is None:
        return None
    rows: Register[Volume] | Register[Snapshot] = (
        model.volumes.rows if place["table"] == "volumes" else model.snapshots.rows
    )
    return rows.find(int(place["id"]))


def _bytes(model: ArrayModel, path: str, query: Mapping[str, Sequence[str]]) -> Glance:
    content = _found(model, path)
    if content is None:
        return _text(404, "nothing here; / lists everything, /volumes/<id>/bytes?offset=0&length=512 reads")
    try:
        offset, length = (int(query[name][0]) for name in ("offset", "length"))
    except (KeyError, ValueError):
        return _text(400, "offset and length have to be whole numbers of bytes")
    if min(offset, length) < 0 or length > READ_BYTES_MAX or offset + length > content.size_bytes:
        return _text(416, f"there are {content.size_bytes} bytes; one read takes at most {READ_BYTES_MAX}")
    return Glance(200, "application/octet-stream", content.blocks.read(offset, length))


def _json(content: Mapping[str, object]) -> Glance:
    return Glance(200, "application/json", json.dumps(content).encode())


def _text(status: int, text: str) -> Glance:
    return Glance(status, "text/plain", text.encode())
