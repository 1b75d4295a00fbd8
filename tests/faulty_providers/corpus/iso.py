"""Faults against ISO: what is others' on the array and on hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tests.faulty_providers.fault import Bridge, Call, Driver, Fault, Kind, LifeCycle
from tests.faulty_providers.operators import do_also, do_first
from tests.faulty_providers.solidfire_inside import ask, lun_of


def alike(call: Call, things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose names begin as that of the volume's LUN."""
    name = lun_of(call, call.arguments["volume"]).get("name")
    return [each for each in things if name and each["name"].startswith(name)]


def groups_alike(call: Call) -> None:
    """Remove groups whose names begin as the volume's."""
    for each in alike(call, ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]):
        ask(call, "DeleteVolumeAccessGroup", volumeAccessGroupID=each["volumeAccessGroupID"])


def snapshots_alike(call: Call) -> None:
    """Remove snapshots whose names begin as the volume's."""
    for each in alike(call, ask(call, "ListSnapshots")["snapshots"]):
        ask(call, "DeleteSnapshot", snapshotID=each["snapshotID"])


def without_host(call: Call) -> None:
    """Remove initiators that belong to no host of the cloud."""
    found = ask(call, "ListInitiators")["initiators"]
    strays = [each["initiatorID"] for each in found if not each["attributes"].get("host")]
    if strays:
        ask(call, "DeleteInitiators", initiators=strays)


def all_need_chap(call: Call) -> None:
    """Require CHAP of every initiator of the array."""
    found = ask(call, "ListInitiators")["initiators"]
    ask(
        call,
        "ModifyInitiators",
        initiators=[{"initiatorID": each["initiatorID"], "requireChap": True} for each in found],
    )


def pools_of(call: Call) -> Iterator[Any]:
    """Every storage pool of every host, as the bridge's own connections give them."""
    for remote in call.others["bridge"]._remotes.all():
        yield from remote.connection.listAllStoragePools(0)


def pools_alike(call: Call) -> None:
    """Stop and remove every pool whose name begins as that of the datastore."""
    for each in pools_of(call):
        if each.name().startswith(call.arguments["ref"].name):
            if each.isActive():
                each.destroy()
            each.undefine()


def rescan(call: Call) -> None:
    """Refresh whatever pool there is, as a rescan of all of a host's storage does."""
    for each in pools_of(call):
        if each.isActive():
            with suppress(Exception):
                each.refresh()


def all_autostart(call: Call) -> None:
    """Have every pool come up with its host."""
    for each in pools_of(call):
        each.setAutostart(1)


def tidied_up(call: Call) -> None:
    """Remove pools that do not run: nobody seems to use them."""
    for each in pools_of(call):
        if not each.isActive():
            each.undefine()


FAULTS = (
    Fault(
        "ISO-005",
        "pools named like the datastore go with it",
        Bridge.delete_datastore,
        do_also(pools_alike),
        Kind.ISOLATION,
    ),
    Fault("ISO-005", "a new disk rescans all pools of a host", Bridge.create_disk, do_also(rescan), Kind.ISOLATION),
    Fault(
        "ISO-005",
        "every pool is set to start with its host",
        Bridge.attach_disk,
        do_also(all_autostart),
        Kind.ISOLATION,
    ),
    Fault(
        "ISO-005", "pools that do not run are undefined", Bridge.detach_datastore, do_also(tidied_up), Kind.ISOLATION
    ),
    Fault(
        "ISO-003",
        "groups named like the volume go with it",
        Driver.delete,
        do_first(groups_alike),
        Kind.ISOLATION,
        also=("ISO-001",),
    ),
    Fault("ISO-003", "snapshots named like the volume go with it", Driver.delete, do_first(snapshots_alike), Kind.DATA),
    Fault(
        "ISO-003",
        "a store's end takes strays along",
        LifeCycle.delete_datastore,
        do_also(without_host),
        Kind.ISOLATION,
        also=("ISO-001", "LIF-007"),
    ),
    Fault("ISO-003", "a grant asks CHAP of everybody", Driver.grant_access, do_also(all_need_chap), Kind.ISOLATION),
)
