"""Servers: what the array knows of hosts. A server is an access group of one initiator."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.array.groups import GroupChange
from simulators.array.initiators import InitiatorChange, InitiatorWish, is_iscsi_name
from simulators.array.vpsa_api import finding, rendering
from simulators.array.vpsa_api.errors import INVALID_PARAMETER, NAME_TAKEN, NOT_SIMULATED, SERVER_IN_USE, ApiError
from simulators.array.vpsa_api.route import Route, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.array.volume import Volume
    from simulators.array.vpsa_api.form import Form
    from simulators.array.vpsa_api.route import Asked, Members

_IPSEC: Final = ("ipsec_iscsi", "ipsec_nfs")


def _list(asked: Asked) -> Members:
    return listed("servers", list(asked.model.groups.rows), asked.form, partial(rendering.server, asked.model))


def _get(asked: Asked) -> Members:
    return {"server": rendering.server(asked.model, finding.server(asked.model, asked.name))}


def _create(asked: Asked) -> Members:
    form, model = asked.form, asked.model
    name, iqn = form.text("display_name"), form.find("iqn")
    _check_simulated(form)
    if iqn is None:
        raise ApiError(NOT_SIMULATED, "Only servers with an iqn are simulated")
    _check_iqn(iqn)
    _check_free(asked, name)
    secret = form.find("vpsachapsecret")
    wish = InitiatorWish(
        name=iqn,
        requires_chap=secret is not None,
        chap_username=form.find("vpsachapuser"),
        initiator_secret=secret,
        # The same secret is one-way CHAP: it must not serve both directions.
        target_secret=form.find("hostchapsecret") or secret,
        target_username=form.find("hostchapuser"),
    )
    return {"server_name": rendering.SERVERS.text(model.groups.create_with(GroupChange(name=name), wish).group_id)}


def _configure(asked: Asked) -> Members:
    form, model = asked.form, asked.model
    group = finding.server(model, asked.name)
    _check_simulated(form)
    before = next(map(model.initiators.get, group.initiators))
    secret = form.find("vpsachapsecret")
    iqn = form.find("iqn")
    if iqn is not None and iqn.lower() != before.name:
        _check_iqn(iqn)
        model.groups.modify(group.group_id, GroupChange(initiators=[iqn], deletes_orphans=True))
        secret = secret or (before.initiator_secret if before.requires_chap else None)
    change = InitiatorChange(
        initiator_id=next(iter(group.initiators)),
        requires_chap=True if secret is not None else None,
        chap_username=form.find("vpsachapuser") or before.chap_username,
        initiator_secret=secret,
        target_secret=form.find("hostchapsecret") or secret,
        target_username=form.find("hostchapuser"),
    )
    model.groups.modify_initiators([change])
    return {}


def _rename(asked: Asked) -> Members:
    group, name = finding.server(asked.model, asked.name), asked.form.text("new_name")
    if name != group.name:
        _check_free(asked, name)
        asked.model.groups.modify(group.group_id, GroupChange(name=name))
    return {"server_name": rendering.SERVERS.text(group.group_id)}


def _delete(asked: Asked) -> Members:
    group = finding.server(asked.model, asked.name)
    if group.volumes:
        raise ApiError(SERVER_IN_USE, f"Server {asked.name} has volumes: detach them first")
    asked.model.groups.delete(group.group_id, deletes_orphans=True)
    return {}


def _volumes(asked: Asked) -> Members:
    model = asked.model
    group = finding.server(model, asked.name)
    rows = [each for each in map(model.volumes.get, group.volumes) if not each.is_deleted]

    def told(volume: Volume) -> Members:
        return {**rendering.volume(model, volume), "lun": group.volumes[volume.volume_id]}

    return listed("volumes", rows, asked.form, told)


def _attach(asked: Asked) -> Members:
    return _join(asked, asked.name.split(","), asked.form.names("volume_name"))


def _attach_volume(asked: Asked) -> Members:
    return _join(asked, asked.form.names("server_name"), [asked.name])


def _join(asked: Asked, server_names: Sequence[str], volume_names: Sequence[str]) -> Members:
    model = asked.model
    servers = [finding.server(model, each) for each in server_names]
    volumes = [finding.volume(model, each) for each in volume_names]
    if asked.form.flag("readonly"):
        raise ApiError(NOT_SIMULATED, "Attaching for reading only is not simulated")
    for group in servers:
        new = [each.volume_id for each in volumes if each.volume_id not in group.volumes]
        if new:
            model.groups.add_volumes(group.group_id, new)
    return {}


def _check_free(asked: Asked, name: str) -> None:
    if any(each.name == name for each in asked.model.groups.rows):
        raise ApiError(NAME_TAKEN, f"Server name {name} is in use already")


def _check_iqn(iqn: str) -> None:
    if not is_iscsi_name(iqn):
        raise ApiError(INVALID_PARAMETER, f"iqn: {iqn} is no iSCSI name")


def _check_simulated(form: Form) -> None:
    if form.find("iscsi") is not None:
        raise ApiError(NOT_SIMULATED, "Servers with an address are not simulated: use iqn")
    if any(form.flag(each) for each in _IPSEC):
        raise ApiError(NOT_SIMULATED, "IPsec is not simulated")


ROUTES: Final = (
    Route("GET", "servers", _list),
    Route("POST", "servers", _create, root="create-server-response"),
    Route("GET", "servers/*", _get),
    Route("DELETE", "servers/*", _delete),
    Route("POST", "servers/*/config", _configure),
    Route("POST", "servers/*/rename", _rename, root="rename-server-response"),
    Route("GET", "servers/*/volumes", _volumes),
    Route("POST", "servers/*/volumes", _attach),
    Route("POST", "volumes/*/servers", _attach_volume),
)
