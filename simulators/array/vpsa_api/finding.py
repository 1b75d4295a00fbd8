"""Objects by the names that requests call them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.array.vpsa_api import rendering
from simulators.array.vpsa_api.errors import (
    GROUP_UNKNOWN,
    POOL_UNKNOWN,
    SERVER_UNKNOWN,
    SNAPSHOT_UNKNOWN,
    VOLUME_UNKNOWN,
    ApiError,
)

if TYPE_CHECKING:
    from simulators.array.groups import Group
    from simulators.array.ids import IdForm
    from simulators.array.model import ArrayModel
    from simulators.array.snapshots import Snapshot
    from simulators.array.volume import Volume


def volume(model: ArrayModel, name: str) -> Volume:
    found = _active(model, rendering.VOLUMES, name)
    if found is None:
        raise ApiError(VOLUME_UNKNOWN, f"Virtual volume {name} not found")
    return found


def of_group(model: ArrayModel, name: str) -> Volume:
    """The only volume of a consistency group."""
    found = _active(model, rendering.GROUPS, name)
    if found is None:
        raise ApiError(GROUP_UNKNOWN, f"Consistency group {name} not found")
    return found


def server(model: ArrayModel, name: str) -> Group:
    number = rendering.SERVERS.number(name)
    found = None if number is None else model.groups.rows.find(number)
    if found is None:
        raise ApiError(SERVER_UNKNOWN, f"Server {name} not found")
    return found


def snapshot(model: ArrayModel, name: str) -> Snapshot:
    number = rendering.SNAPSHOTS.number(name)
    found = None if number is None else model.snapshots.rows.find(number)
    if found is None or model.volumes.get(found.volume_id).is_deleted:
        raise ApiError(SNAPSHOT_UNKNOWN, f"Snapshot {name} not found")
    return found


def check_pool(name: str) -> None:
    """Refuse a pool that there is not."""
    if name != rendering.POOL:
        raise ApiError(POOL_UNKNOWN, f"Pool {name} not found")


def _active(model: ArrayModel, ids: IdForm, name: str) -> Volume | None:
    number = ids.number(name)
    found = None if number is None else model.volumes.rows.find(number)
    return None if found is None or found.is_deleted else found
