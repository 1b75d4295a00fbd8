"""Pools, controllers, users and settings: the array as a whole. There is one pool."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.array.extents import EXTENT_BYTES
from simulators.array.vpsa_api import finding, rendering
from simulators.array.vpsa_api.errors import BAD_ACCESS_KEY, ApiError
from simulators.array.vpsa_api.make import RECYCLED_FOR, VPSA
from simulators.array.vpsa_api.route import Route, listed

if TYPE_CHECKING:
    from simulators.array.model import ArrayModel
    from simulators.array.vpsa_api.route import Asked, Members


def _login(asked: Asked) -> Members:
    known = asked.administrator
    if not known.has_password(asked.form.text("user"), asked.form.text("password")):
        raise ApiError(BAD_ACCESS_KEY, "Invalid user name or password")
    email = f"{known.username}@example.org"
    return {"user": {"id": 1, "username": known.username, "email": email, "access_key": known.access_key}}


def _controllers(asked: Asked) -> Members:
    # The second would take over the address; until then it has none to offer.
    address = asked.addresses.storage.rpartition(":")[0]
    both = [(0, "active", address), (1, "standby", "")]
    return listed("vcontrollers", both, asked.form, lambda each: _controller(asked.model, *each))


def _controller(model: ArrayModel, number: int, state: str, address: str) -> Members:
    name = f"vsa-{model.unique_id.encode('ascii').hex()}-vc-{number}"
    return {
        "name": name,
        "display_name": name,
        "state": state,
        "target": model.make.target_of(model.unique_id, "", 0),
        "iscsi_ip": address,
        "iscsi_ipv6": "",
        "vpsa_chap_user": model.owner.username,
        "vpsa_chap_secret": model.owner.initiator_secret,
    }


def _pools(asked: Asked) -> Members:
    return listed("pools", [asked.model], asked.form, _pool)


def _get_pool(asked: Asked) -> Members:
    finding.check_pool(asked.name)
    return {"pool": _pool(asked.model)}


def _pool(model: ArrayModel) -> Members:
    capacity = model.capacity
    gigabyte = model.limits.size_granularity
    written = capacity.extents.value * EXTENT_BYTES
    return {
        "name": rendering.POOL,
        "display_name": rendering.POOL_NAME,
        "status": "normal",
        "capacity": capacity.total_bytes // gigabyte,
        "available_capacity": max(0, capacity.total_bytes - written) // gigabyte,
        "provisioned_capacity": rendering.gigabytes(model, capacity.used_bytes),
    }


def _volumes(asked: Asked) -> Members:
    finding.check_pool(asked.name)
    rows = [each for each in asked.model.volumes.rows if not each.is_deleted]
    return listed("volumes", rows, asked.form, partial(rendering.volume, asked.model))


def _recycled(asked: Asked) -> Members:
    finding.check_pool(asked.name)
    rows = list(asked.model.volumes.deleted())
    return listed("volumes", rows, asked.form, partial(rendering.volume, asked.model))


def _set_recycle_bin(asked: Asked) -> Members:
    asked.form.text("recyclebin")
    asked.model.volumes.kept_for = RECYCLED_FOR if asked.form.flag("recyclebin") else VPSA.kept_for
    return {}


ROUTES: Final = (
    Route("POST", "users/login", _login, needs_key=False),
    Route("GET", "vcontrollers", _controllers),
    Route("GET", "pools", _pools),
    Route("GET", "pools/*", _get_pool),
    Route("GET", "pools/*/volumes", _volumes),
    Route("GET", "pools/*/volumes_in_recycle_bin", _recycled),
    Route("POST", "settings/set_recycle_bin", _set_recycle_bin),
)
