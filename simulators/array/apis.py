"""The management APIs an array can have, and the make of array that each belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from simulators.array.clones import CloneTime
from simulators.array.element_api.http import ElementApi
from simulators.array.element_api.make import ELEMENT
from simulators.array.element_api.release import LATEST
from simulators.array.model import DEFAULT_CAPACITY_BYTES
from simulators.array.vpsa_api.http import VpsaApi
from simulators.array.vpsa_api.make import LIMITS, USUAL_CAPACITY_BYTES, VPSA
from simulators.array.vpsa_api.rendering import POOL

if TYPE_CHECKING:
    from simulators.array.administrator import Administrator
    from simulators.array.element_api.release import Release
    from simulators.array.limits import Limits
    from simulators.array.make import Make
    from simulators.array.management import Addresses, ManagementApi, Premises


@dataclass(frozen=True, slots=True)
class Api:
    """A management API, and what an array has unless it is set otherwise.

    `path` is what stands behind the address; `parameters` and `secrets` are what a client has to be told.
    """

    make: Make
    limits: Limits
    capacity_bytes: int
    clone_time: CloneTime
    serve: Callable[[Premises, Release], ManagementApi]
    path: Callable[[Release], str]
    parameters: Callable[[Administrator, Addresses], Mapping[str, str]]
    secrets: Callable[[Administrator], Mapping[str, str]]


APIS: Final[Mapping[str, Api]] = MappingProxyType(
    {
        "element": Api(
            make=ELEMENT,
            limits=LATEST.limits,
            capacity_bytes=DEFAULT_CAPACITY_BYTES,
            clone_time=CloneTime(),
            serve=ElementApi,
            path=lambda release: f"/json-rpc/{release.api_version}",
            parameters=lambda administrator, _addresses: {"username": administrator.username},
            secrets=lambda administrator: {"password": administrator.password},
        ),
        "vpsa": Api(
            make=VPSA,
            limits=LIMITS,
            capacity_bytes=USUAL_CAPACITY_BYTES,
            # Clients look for a clone as soon as the call has returned.
            clone_time=CloneTime(calls=0),
            serve=lambda premises, _release: VpsaApi(premises),
            path=lambda _release: "",
            # Its API tells an address without a port.
            parameters=lambda _administrator, addresses: {
                "pool": POOL,
                "iscsi_port": addresses.storage.rpartition(":")[2],
            },
            secrets=lambda administrator: {"access_key": administrator.access_key},
        ),
    }
)
