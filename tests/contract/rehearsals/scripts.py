"""The scripts: what users, administrators and accidents do, told to a `Stage`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

import pytest

from conformance.contract import (
    AccessModel,
    AccessNotGranted,
    CapabilityNotSupported,
    Conflict,
    HostUnavailable,
    ObjectKind,
    Placement,
    SnapshotDriver,
    Template,
    Volume,
    VolumeRequest,
)
from tests.contract.fake_bridge import CutOff
from tests.contract.fakes import CLUSTER

from .stage import MIB, Stage, Way

Script = Callable[[Stage], None]
TEMPLATE: Final = Template("http://templates.example/debian.raw", "raw", 2 * MIB, "sha256:00")


def volume_lives_and_dies(stage: Stage) -> None:
    """Create, attach, write, detach, delete: nothing is left."""
    first, *_ = stage.hosts
    before = stage.bridge.inventory(), set(stage.array.luns)
    volume, vm = stage.create_volume("a"), stage.start_vm("vm", first)
    stage.attach(volume, vm, first)
    stage.bridge.guest_write(vm, first.uuid, b"written")
    assert stage.bridge.guest_read(vm, first.uuid) == b"written"
    stage.detach(volume, vm, first)
    stage.delete_volume(volume)
    assert (stage.bridge.inventory(), set(stage.array.luns)) == before


def everything_is_repeated(stage: Stage) -> None:
    """Each call of a volume's life, twice; then delete of what is gone."""
    driver, first = stage.provider.driver, stage.hosts[0]
    volume = stage.create_volume("a")
    if stage.way is Way.FRAMEWORK_SHARED:
        assert stage.create_volume("a") == volume
    else:
        assert driver.create(stage.store, volume.request, stage.placement).external_id == volume.external_id
    if stage.model is not AccessModel.SHARED:
        assert stage.granted(volume, [first]) == stage.granted(volume, [first])
        stage.revoke(volume, [first], stage.hosts[1:])
        stage.revoke(volume, [first], stage.hosts[1:])
    stage.delete_volume(volume)
    stage.delete_volume(volume)


def lost_reply(stage: Stage) -> None:
    """A create whose answer never came is undone with nothing but its request."""
    if stage.way is Way.FRAMEWORK_SHARED:
        # It was the bridge that the cloud asked, and that answers the same when it is asked again.
        assert stage.create_volume("lost") == stage.create_volume("lost")
        return
    request = VolumeRequest("volume-lost", "lost", MIB)
    before = set(stage.array.luns), stage.bridge.inventory()
    created = stage.provider.driver.create(stage.store, request, stage.placement)
    if stage.way is Way.PLUGIN and stage.model is AccessModel.SHARED:
        stage.delete_volume(Volume(request, None, MIB, disk=created.disk))
    else:
        stage.provider.driver.delete(stage.store, Volume(request, None, MIB, placement=stage.placement))
    assert (set(stage.array.luns), stage.bridge.inventory()) == before


def host_joins_and_leaves(stage: Stage) -> None:
    """A host added later reaches every datastore of its cluster; removed, it reaches nothing."""
    volume = stage.create_volume("a")
    joined = stage.add_host()
    vm = stage.start_vm("vm", joined)
    stage.attach(volume, vm, joined)
    stage.bridge.guest_write(vm, joined.uuid, b"from the new host")
    stage.detach(volume, vm, joined)
    stage.remove_host(joined)
    assert joined.uuid not in {each.host_uuid for each in stage.bridge.inventory().items}
    assert all(joined.uuid not in lun.grants for lun in stage.array.luns.values())
    assert stage.provider.heard == ["added h3", "connected h3", "about to be removed h3", "removed h3"]


def live_migration(stage: Stage) -> None:
    """The VM goes on writing on the other host; DIRECT: the first one loses access."""
    source, target, _ = stage.hosts
    volume, vm = stage.create_volume("a"), stage.start_vm("vm", source)
    stage.attach(volume, vm, source)
    stage.bridge.guest_write(vm, source.uuid, b"before")
    stage.migrate(volume, vm, source, target)
    assert stage.bridge.guest_read(vm, target.uuid) == b"before"
    if stage.way is Way.DIRECT:
        with pytest.raises(AccessNotGranted):
            stage.connections(volume, [source])
    stage.detach(volume, vm, target)
    stage.delete_volume(volume)


def online_resize(stage: Stage) -> None:
    """Larger than the datastore has room for: it grows first, all while the VM runs."""
    first, size_bytes = stage.hosts[0], 80 * MIB
    volume, vm = stage.create_volume("a"), stage.start_vm("vm", first)
    stage.attach(volume, vm, first)
    stage.bridge.guest_write(vm, first.uuid, b"kept")
    volume = stage.resize(volume, size_bytes, vm, first)
    if volume.disk:
        assert stage.bridge.list_disks(volume.disk.datastore)[volume.disk.disk] == size_bytes
        assert stage.bridge.datastore_bytes(volume.disk.datastore, first) >= size_bytes
    assert volume.size_bytes >= size_bytes
    assert stage.bridge.guest_read(vm, first.uuid) == b"kept"


def snapshot_clone_revert(stage: Stage) -> None:
    """A snapshot keeps the bytes; a clone has them; a revert brings them back.

    SHARED refuses and changes nothing.
    """
    if stage.model is AccessModel.SHARED:
        return snapshot_is_refused(stage)
    first = stage.hosts[0]
    volume, vm = stage.create_volume("a"), stage.start_vm("vm", first)
    stage.attach(volume, vm, first)
    stage.bridge.guest_write(vm, first.uuid, b"old")
    snapshot = stage.snapshot(volume, "s")
    stage.bridge.guest_write(vm, first.uuid, b"new")
    stage.detach(volume, vm, first)
    for source, expected in ((snapshot, b"old"), (volume, b"new")):
        assert read_by_vm(stage, stage.clone(source, f"clone-{expected.decode()}")) == expected
    stage.revert(volume, snapshot)
    assert read_by_vm(stage, volume) == b"old"
    cast(SnapshotDriver, stage.provider.driver).delete_snapshot(stage.store, snapshot)
    return None


def snapshot_is_refused(stage: Stage) -> None:
    """What is not declared is refused."""
    volume, before = stage.create_volume("a"), set(stage.array.luns)
    with pytest.raises(CapabilityNotSupported, match="snapshot is not supported"):
        stage.snapshot(volume, "s")
    assert set(stage.array.luns) == before


def read_by_vm(stage: Stage, volume: Volume) -> bytes:
    """Read a volume's first bytes in a VM of their own, and let go of it."""
    reader, on = stage.start_vm(f"reader-of-{volume.uuid}", stage.hosts[1]), stage.hosts[1]
    stage.attach(volume, reader, on)
    found = stage.bridge.guest_read(reader, on.uuid)
    stage.detach(volume, reader, on)
    return found


def root_disk_from_template(stage: Stage) -> None:
    """The disk has the template's bytes and the user's size; the cached LUN is with no host afterwards."""
    volume = stage.root_disk(TEMPLATE, "root", 6 * MIB)
    assert read_by_vm(stage, volume) == TEMPLATE.source.encode()
    second = stage.root_disk(TEMPLATE, "second", 6 * MIB)
    assert read_by_vm(stage, second) == TEMPLATE.source.encode()
    cached = [each for each in stage.array.luns.values() if each.kind is ObjectKind.TEMPLATE]
    assert len(cached) == (0 if stage.model is AccessModel.SHARED else 1)
    assert not any(each.grants for each in cached)
    if volume.disk:
        assert stage.bridge.find_datastore("template-1") is None


def fencing(stage: Stage) -> None:
    """A dead host is cut off and its VM starts elsewhere.

    When it comes back it may not write, then joins again.
    """
    dead, other, _ = stage.hosts
    volume, vm = stage.create_volume("a"), stage.start_vm("vm", dead)
    stage.attach(volume, vm, dead)
    stage.bridge.guest_write(vm, dead.uuid, b"before")
    stage.bridge.unreachable = {dead.uuid}
    stage.fence(volume, [dead])
    stage.fence(volume, [dead])
    with pytest.raises(CutOff):
        stage.bridge.guest_write(vm, dead.uuid, b"too late")
    stage.start_elsewhere(volume, vm, other)
    assert stage.bridge.guest_read(vm, other.uuid) == b"before"
    stage.bridge.unreachable = set()
    stage.take_back(volume, dead)
    stage.migrate(volume, vm, other, dead)
    stage.bridge.guest_write(vm, dead.uuid, b"again")


def half_failed_attach(stage: Stage) -> None:
    """The last host does not answer: everything is as before, and works once it does."""
    first, last = stage.hosts[0], stage.hosts[-1]
    stage.bridge.unreachable = {last.uuid}
    before = stage.bridge.inventory(), set(stage.array.luns)
    if stage.way is Way.DIRECT:
        volume, vm = stage.create_volume("a"), stage.start_vm("vm", last)
        with pytest.raises(HostUnavailable):
            stage.attach(volume, vm, last)
        with pytest.raises(AccessNotGranted):
            stage.connections(volume, [last])
        stage.delete_volume(volume)
    elif stage.model is AccessModel.DEDICATED:
        with pytest.raises(HostUnavailable):
            stage.create_volume("a")
    else:
        other = Stage(stage.world.combination)
        other.bridge.unreachable = {last.uuid}
        with pytest.raises(HostUnavailable):
            other.add_storage()
        assert not other.array.luns
        assert not other.bridge.inventory().items
    assert (stage.bridge.inventory(), set(stage.array.luns)) == before
    stage.bridge.unreachable = set()
    vm = stage.start_vm("second", first)
    stage.attach(stage.create_volume("a"), vm, first)


def two_instances(stage: Stage) -> None:
    """What one instance made, another knows by its uuid, refuses in another size, and deletes."""
    if stage.way is Way.FRAMEWORK_SHARED:
        assert stage.world.new_instance().lifecycle.attach_cluster(stage.store, CLUSTER) == stage.backings
        return
    volume = stage.create_volume("a")
    second = stage.world.new_instance()
    assert second.driver.create(stage.store, volume.request, stage.placement).external_id == volume.external_id
    other_size = VolumeRequest(volume.uuid, "a", volume.request.size_bytes + MIB)
    with pytest.raises(Conflict):
        second.driver.create(stage.store, other_size, Placement(CLUSTER, ()))
    stage.provider = second
    stage.delete_volume(volume)
    made = stage.provider.driver.list_objects(stage.store)
    assert [each.kind for each in made] == ([ObjectKind.BACKING] if stage.backings else [])


def storage_is_removed(stage: Stage) -> None:
    """After the store, neither array nor hypervisor has anything of it."""
    stage.delete_volume(stage.create_volume("a"))
    stage.remove_storage()
    stage.provider.lifecycle.delete_datastore(stage.request)
    assert not stage.array.luns
    assert not stage.bridge.inventory().items


EVERYWHERE: Final[tuple[Script, ...]] = (
    volume_lives_and_dies,
    everything_is_repeated,
    lost_reply,
    host_joins_and_leaves,
    live_migration,
    online_resize,
    snapshot_clone_revert,
    root_disk_from_template,
    fencing,
    half_failed_attach,
    two_instances,
    storage_is_removed,
)
