"""Faults against ACC-021 and ACC-022: many hosts of one volume, many volumes of one host."""

from __future__ import annotations

from typing import Any

from conformance.contract import InvalidRequest, LimitReached
from tests.faulty_providers.fault import Call, Driver, Fault, Kind
from tests.faulty_providers.operators import do_also, fail, skip, swallow, swap_error
from tests.faulty_providers.solidfire_inside import ask, lun_of

_MANY_HOSTS, _MANY_VOLUMES = 20, 32


def number(call: Call) -> int:
    """The LUN that is meant."""
    return int(call.arguments["target"].external_id)


def groups_of_lun(call: Call) -> list[int]:
    """The groups that the LUN is in, oldest first."""
    return sorted(lun_of(call, call.arguments["target"]).get("volumeAccessGroups", []))


def group_of_host(call: Call) -> dict[str, Any]:
    """The host's group."""
    uuid = call.arguments["host"].uuid
    found = ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]
    return next((each for each in found if each["attributes"].get("host") == uuid), {"volumes": []})


def has_many_hosts(call: Call) -> bool:
    """When a good many hosts have the volume."""
    return len(groups_of_lun(call)) >= _MANY_HOSTS


def has_many_volumes(call: Call) -> bool:
    """When the host has as many volumes as old arrays present."""
    return len(set(group_of_host(call)["volumes"]) - {number(call)}) >= _MANY_VOLUMES


def make_room(call: Call) -> None:
    """Take the access of the host that has had it longest."""
    ask(call, "RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=groups_of_lun(call)[0], volumes=[number(call)])


def in_its_place(call: Call) -> None:
    """Present the volume where the host's first was."""
    group = group_of_host(call)
    first = min(set(group["volumes"]) - {number(call)})
    ask(call, "RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=group["volumeAccessGroupID"], volumes=[first])


FAULTS = (
    Fault(
        "ACC-021",
        "a volume has no more than twenty hosts",
        Driver.grant_access,
        fail(lambda call: LimitReached("groups_per_lun", _MANY_HOSTS)),
        Kind.CONTRACT,
        has_many_hosts,
    ),
    Fault(
        "ACC-021",
        "the next host takes the place of the first",
        Driver.grant_access,
        do_also(make_room),
        Kind.LIFE,
        has_many_hosts,
        also=("ACC-012",),
    ),
    Fault("ACC-021", "one host too many is told as success", Driver.grant_access, swallow(LimitReached), Kind.LIFE),
    Fault(
        "ACC-021",
        "one host too many is an invalid request",
        Driver.grant_access,
        swap_error(LimitReached, lambda error: InvalidRequest("host", "one more", str(error))),
    ),
    Fault(
        "ACC-022",
        "a host's thirty-third volume is not presented",
        Driver.grant_access,
        skip(),
        Kind.LIFE,
        has_many_volumes,
        also=("ACC-001",),
    ),
    Fault(
        "ACC-022",
        "a host has no more than thirty-two volumes",
        Driver.grant_access,
        fail(lambda call: LimitReached("luns_per_host", _MANY_VOLUMES)),
        Kind.CONTRACT,
        has_many_volumes,
    ),
    Fault(
        "ACC-022",
        "the thirty-third volume takes the place of the first",
        Driver.grant_access,
        do_also(in_its_place),
        Kind.DATA,
        has_many_volumes,
        also=("ACC-016",),
    ),
)
