"""Volumes: made, told, grown, renamed, deleted, and detached from servers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.array.qos import QosChange
from simulators.array.volume import VolumeChange, VolumeWish
from simulators.array.vpsa_api import finding, rendering
from simulators.array.vpsa_api.errors import (
    HAS_SNAPSHOTS,
    NOT_SIMULATED,
    VOLUME_ATTACHED,
    VOLUME_UNKNOWN,
    ApiError,
)
from simulators.array.vpsa_api.route import Route, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.array.groups import Group
    from simulators.array.volume import Volume
    from simulators.array.vpsa_api.route import Asked, Members

_SHOWN: Final = ("crypt", "compress", "dedupe")


def _list(asked: Asked) -> Members:
    return listed("volumes", _wanted(asked), asked.form, partial(rendering.volume, asked.model))


def _wanted(asked: Asked) -> Sequence[Volume]:
    # All of them are block volumes.
    if asked.form.flag("showonlyfile"):
        return ()
    name = asked.form.find("display_name")
    rows = asked.model.volumes.rows if name is None else asked.model.volumes.named(name)
    return [each for each in rows if not each.is_deleted]


def _get(asked: Asked) -> Members:
    return {"volume": rendering.volume(asked.model, finding.volume(asked.model, asked.name))}


def _create(asked: Asked) -> Members:
    form, model = asked.form, asked.model
    finding.check_pool(form.text("pool"))
    if not (form.flag("block", usual=True) and form.flag("thin", usual=True)):
        raise ApiError(NOT_SIMULATED, "Only thin block volumes are simulated: block=YES thin=YES")
    wish = VolumeWish(
        name=form.text("name"),
        account_id=model.owner.account_id,
        size_bytes=form.gigabytes("capacity") * model.limits.size_granularity,
        has_512e=True,
        qos=QosChange(),
        attributes={name: "YES" if form.flag(name) else "NO" for name in _SHOWN},
    )
    return {"vol_name": rendering.VOLUMES.text(model.volumes.create(wish).volume_id)}


def _delete(asked: Asked) -> Members:
    volume = finding.volume(asked.model, asked.name)
    if volume.groups:
        raise ApiError(VOLUME_ATTACHED, f"Volume {asked.name} is attached to servers: detach it first")
    if volume.snapshots and not asked.form.flag("force"):
        raise ApiError(HAS_SNAPSHOTS, f"Volume {asked.name} has snapshots, which would be deleted: use force=YES")
    asked.model.volumes.delete(volume.volume_id)
    if not asked.model.volumes.kept_for:
        asked.model.purge_volume(volume.volume_id)
    return {}


def _purge(asked: Asked) -> Members:
    number = rendering.VOLUMES.number(asked.name)
    found = None if number is None else asked.model.volumes.rows.find(number)
    if found is None or not found.is_deleted:
        raise ApiError(VOLUME_UNKNOWN, f"Virtual volume {asked.name} not found in the recycle bin")
    asked.model.purge_volume(found.volume_id)
    return {}


def _expand(asked: Asked) -> Members:
    volume = finding.volume(asked.model, asked.name)
    more = asked.form.gigabytes("capacity") * asked.model.limits.size_granularity
    asked.model.volumes.modify(volume.volume_id, VolumeChange(size_bytes=volume.size_bytes + more))
    return {}


def _rename(asked: Asked) -> Members:
    volume = finding.volume(asked.model, asked.name)
    asked.model.volumes.rename(volume, asked.form.text("new_name"))
    return {"vol_name": rendering.VOLUMES.text(volume.volume_id)}


def _update_comment(asked: Asked) -> Members:
    _keep(asked, "comment", asked.form.find("new_comment") or "")
    return {}


def _set_export_name(asked: Asked) -> Members:
    volume = _keep(asked, "export_name", asked.form.text("exportname"))
    return {"vol_name": rendering.VOLUMES.text(volume.volume_id)}


def _keep(asked: Asked, name: str, value: str) -> Volume:
    volume = finding.volume(asked.model, asked.name)
    change = VolumeChange(attributes={**volume.attributes, name: value})
    return asked.model.volumes.modify(volume.volume_id, change)


def _servers(asked: Asked) -> Members:
    volume, model = finding.volume(asked.model, asked.name), asked.model
    target = model.make.target_of(model.unique_id, "", 0)

    def told(group: Group) -> Members:
        return {**rendering.server(model, group), "target": target, "lun": group.volumes[volume.volume_id]}

    return listed("servers", [model.groups.get(each) for each in volume.groups], asked.form, told)


def _detach(asked: Asked) -> Members:
    volume = finding.volume(asked.model, asked.name)
    field = "server_name" if asked.form.find("server_name") else "servers"
    servers = [finding.server(asked.model, each) for each in asked.form.names(field)]
    asked.model.groups.take_apart(volume, [each.group_id for each in servers])
    return {}


ROUTES: Final = (
    Route("GET", "volumes", _list),
    Route("POST", "volumes", _create, root="create-volume-response"),
    Route("GET", "volumes/*", _get),
    Route("DELETE", "volumes/*", _delete),
    Route("DELETE", "volumes/*/delete_volume_from_recycle_bin", _purge),
    Route("POST", "volumes/*/expand", _expand),
    Route("POST", "volumes/*/rename", _rename, root="rename-volume-response"),
    Route("POST", "volumes/*/update_comment", _update_comment),
    Route("PUT", "volumes/*/export_name", _set_export_name),
    Route("GET", "volumes/*/servers", _servers),
    Route("POST", "volumes/*/detach", _detach),
)
