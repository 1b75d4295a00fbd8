"""What the hypervisor's hosts hold, after something failed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from conformance.contract import AccessGranularity, AccessMechanism, DiskLocation, Host, HostConnection
from conformance.expect import (
    ARRAY,
    HYPERVISOR,
    PLUGIN,
    broken,
    expect,
    expect_bytes,
    expect_done,
    expect_equal,
    expect_none,
)
from conformance.world import Made, World


def whole_or_nothing(world: World) -> None:
    """The volumes that the cloud believes in are whole, on every host; of others there is nothing."""
    believed = world.cloud.volumes()
    expect_equal("LUNs", len(world.new_luns()), len(believed), ARRAY)
    for uuid in believed:
        agrees(world, uuid, 1)
    if not believed:
        expect_none("storage left on a host", world.cloud.left_on_hosts(), HYPERVISOR)


def agrees(world: World, uuid: str, size_bytes: int) -> None:
    """Every host sees the volume's datastore, and in it a disk of at least this size."""
    names = world.cloud.host_names()
    expect_equal("hosts that see the datastore", world.cloud.hosts_seeing(uuid), names, HYPERVISOR)
    seen = world.cloud.disk_sizes(uuid)
    expect(min(seen) >= size_bytes, f"a disk of {size_bytes} bytes", f"{seen}", HYPERVISOR)


def is_hooked_up(world: World, disk: DiskLocation | None, size_bytes: int) -> None:
    """The volume's disk is there in at least this size, and every host of the placement sees its datastore."""
    at, bridge = _place(disk), world.open_bridge()
    size = bridge.list_disks(at.datastore).get(at.disk, 0)
    expect(size >= size_bytes, f"a disk of {size_bytes} bytes", f"{size}", HYPERVISOR)
    for host in world.placement.hosts:
        seen = expect_done(
            f"seeing the datastore from {host.name}", partial(bridge.datastore_bytes, at.datastore, host)
        )
        expect(seen >= size_bytes, f"a datastore of {size_bytes} bytes", f"{seen}", HYPERVISOR)


def hooked_to(world: World, made: Made) -> list[HostConnection]:
    """Grant a LUN to the hypervisor's hosts; how each reaches it."""
    hosts = world.placement.hosts
    for host in hosts:
        world.grant(made, host)
    return [HostConnection(host, world.connection(made, host)) for host in hosts]


def written_to_disk(world: World, made: Made, content: bytes) -> None:
    """Write to the beginning of a volume's disk, as a virtual machine would."""
    world.open_bridge().write_disk(_place(made.volume.disk), 0, content)


def disk_holds(world: World, made: Made, content: bytes) -> None:
    """The beginning of a volume's disk has these bytes."""
    at, bridge = _place(made.volume.disk), world.open_bridge()
    found = expect_done("reading the disk", lambda: bridge.read_disk(at, 0, len(content)))
    expect_bytes("the disk", found, content, HYPERVISOR)


def datastore_lost(world: World, made: Made, host: Host) -> None:
    """A host loses a volume's datastore, by whatever happens to hosts; nobody tells the plugin."""
    world.act()
    world.open_bridge().detach_datastore(_place(made.volume.disk).datastore, [host])


def _place(disk: DiskLocation | None) -> DiskLocation:
    return disk or broken("the place of the disk", "none was answered", PLUGIN)


def let_in(world: World, uuid: str, hosts: Sequence[Host]) -> None:
    """Of the cluster's hosts the array lets in just these, where it tells them apart by masks."""
    traits = world.subject.declared.traits
    if traits.access_granularity is AccessGranularity.CLUSTER or traits.access_mechanism is AccessMechanism.CHAP:
        return
    known = {iqn for each in world.cloud.hosts() for iqn in each.iqns}
    wanted = {iqn for each in hosts for iqn in each.iqns}
    expect_equal("hosts let in", sorted(world.cloud.lun(uuid).visible_to & known), sorted(wanted), ARRAY)
