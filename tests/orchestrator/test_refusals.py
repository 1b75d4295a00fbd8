"""What the cloud refuses before it calls anybody, and operations that meet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    Capability,
    CapabilityNotSupported,
    HostState,
    InvalidRequest,
    QosPolicy,
    VmRef,
)
from conformance.orchestrator import (
    AlreadyExists,
    HostInUse,
    ModelNotServed,
    NoUsableHost,
    ObjectBusy,
    OperationRefused,
    Orchestrator,
    StoreInUse,
    UnknownObject,
    VolumeInUse,
    WrongState,
)

from .fakes import CLUSTER, HOSTS, OTHER_VM, STORE, VM, VOLUME, World, host
from .scenes import attached, with_storage, with_volume


def refused(world: World, error: type[Exception], action: Callable[[], object]) -> None:
    """The action is refused without any call and leaves nothing in progress."""
    world.script.names.clear()
    with pytest.raises(error):
        action()
    assert world.script.names == []
    assert world.database.rows("SELECT * FROM operations") == []
    assert world.database.rows("SELECT * FROM claims") == []


@pytest.mark.parametrize(
    ("lacking", "action"),
    [
        (Capability.RESIZE, lambda cloud: cloud.resize_volume(VOLUME.uuid, 20_000)),
        (Capability.RESIZE_ONLINE, lambda cloud: cloud.resize_volume(VOLUME.uuid, 20_000)),
        (Capability.SHRINK, lambda cloud: cloud.resize_volume(VOLUME.uuid, 5_000)),
        (Capability.QOS, lambda cloud: cloud.set_qos(VOLUME.uuid, QosPolicy(min_iops=1))),
        (Capability.QOS_ONLINE, lambda cloud: cloud.set_qos(VOLUME.uuid, QosPolicy(min_iops=1))),
        (
            Capability.QOS,
            lambda cloud: cloud.create_volume(
                STORE.uuid, replace(VOLUME, uuid="volume-2", qos=QosPolicy(min_iops=1)), CLUSTER
            ),
        ),
    ],
)
def test_what_is_not_declared_is_refused(lacking: Capability, action: Callable[[Orchestrator], object]) -> None:
    world, cloud = attached(lacks=frozenset({lacking}))
    refused(world, CapabilityNotSupported, lambda: action(cloud))


def test_a_datastore_is_never_made_smaller() -> None:
    world, cloud = with_volume()
    refused(world, CapabilityNotSupported, lambda: cloud.resize_volume(VOLUME.uuid, 5_000))


def test_a_lun_without_a_datastore_is_made_smaller_where_declared() -> None:
    _, cloud = with_volume(model=AccessModel.DIRECT)
    assert cloud.resize_volume(VOLUME.uuid, 5_000) < VOLUME.size_bytes


def test_qos_values_that_do_not_fit_those_that_stay_are_refused() -> None:
    world, cloud = with_volume()
    cloud.set_qos(VOLUME.uuid, QosPolicy(min_iops=100))
    refused(world, InvalidRequest, lambda: cloud.set_qos(VOLUME.uuid, QosPolicy(max_iops=50)))


def test_an_attached_volume_is_neither_deleted_nor_given_to_another_vm() -> None:
    world, cloud = attached()
    refused(world, VolumeInUse, lambda: cloud.delete_volume(VOLUME.uuid))
    refused(world, VolumeInUse, lambda: cloud.attach_volume(VOLUME.uuid, OTHER_VM, HOSTS[1]))


def test_a_late_detach_does_not_undo_a_newer_attach() -> None:
    world, cloud = attached()
    refused(world, VolumeInUse, lambda: cloud.detach_volume(VOLUME.uuid, OTHER_VM))
    assert cloud.volume(VOLUME.uuid).is_attached


def test_a_store_with_volumes_and_a_host_with_users_stay() -> None:
    world, cloud = attached()
    refused(world, StoreInUse, lambda: cloud.delete_primary_storage(STORE.uuid))
    refused(world, HostInUse, lambda: cloud.remove_host(HOSTS[0]))


def test_the_same_uuid_with_another_request_is_refused() -> None:
    world, cloud = with_volume()
    other = replace(VOLUME, size_bytes=20_000)
    refused(world, AlreadyExists, lambda: cloud.create_volume(STORE.uuid, other, CLUSTER))
    refused(world, AlreadyExists, lambda: cloud.add_primary_storage(replace(STORE, name="x"), [CLUSTER]))


def test_unknown_objects_are_named() -> None:
    world, cloud = with_storage()
    refused(world, UnknownObject, lambda: cloud.attach_volume("none", VM, HOSTS[0]))
    refused(world, UnknownObject, lambda: cloud.set_qos("none", QosPolicy()))
    refused(world, UnknownObject, lambda: cloud.create_volume("none", VOLUME, CLUSTER))
    refused(world, UnknownObject, lambda: cloud.volume("none"))


def test_a_cluster_the_store_does_not_serve_is_refused() -> None:
    world, cloud = with_storage()
    other = replace(CLUSTER, uuid="cluster-2")
    world.script.names.clear()
    with pytest.raises(WrongState):
        cloud.create_volume(STORE.uuid, VOLUME, other)
    assert world.script.names == ["bridge.lun_bytes_for"]
    assert cloud.volumes() == ()


def test_a_cluster_without_a_connected_host_is_refused() -> None:
    world, cloud = with_storage()
    world.hosts[:] = [replace(each, state=HostState.DISCONNECTED) for each in world.hosts]
    refused(world, NoUsableHost, lambda: cloud.create_volume(STORE.uuid, VOLUME, CLUSTER))
    other = replace(STORE, uuid="store-2")
    refused(world, NoUsableHost, lambda: cloud.add_primary_storage(other, [CLUSTER]))


def test_the_shared_model_is_not_carried_out_and_says_so() -> None:
    world = World()
    shared = replace(STORE, access_model=AccessModel.SHARED)
    refused(world, ModelNotServed, lambda: world.cloud().add_primary_storage(shared, [CLUSTER]))


MEETING: dict[str, Callable[[Orchestrator], object]] = {
    "attach": lambda cloud: cloud.attach_volume(VOLUME.uuid, OTHER_VM, HOSTS[1]),
    "detach": lambda cloud: cloud.detach_volume(VOLUME.uuid, VM),
    "resize": lambda cloud: cloud.resize_volume(VOLUME.uuid, 20_000),
    "qos": lambda cloud: cloud.set_qos(VOLUME.uuid, QosPolicy()),
    "delete": lambda cloud: cloud.delete_volume(VOLUME.uuid),
    "add host": lambda cloud: cloud.add_host(host(3)),
    "remove host": lambda cloud: cloud.remove_host(HOSTS[1]),
}


@pytest.mark.parametrize("other", MEETING)
def test_nobody_else_works_on_a_volume_during_an_operation(other: str) -> None:
    world, cloud = with_volume()
    met: list[Exception] = []

    def meet(name: str) -> None:
        if name != "bridge.attach_disk" or met:
            return
        before = len(world.script.names)
        with pytest.raises(OperationRefused) as raised:
            MEETING[other](world.cloud())
        met.append(raised.value)
        # The size a LUN needs is asked of the bridge, which changes nothing.
        assert set(world.script.names[before:]) <= {"bridge.lun_bytes_for"}

    world.script.during = meet
    cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    assert len(met) == 1
    record = cloud.volume(VOLUME.uuid)
    assert record.attachment is not None
    assert record.attachment.vm == VM


def test_of_two_attaches_that_meet_one_wins_and_the_other_makes_no_call() -> None:
    world, cloud = with_volume(model=AccessModel.DIRECT)
    world.script.names.clear()
    gate = threading.Barrier(2, timeout=5)
    errors: list[Exception] = []

    def attach(vm: VmRef) -> None:
        gate.wait()
        try:
            cloud.attach_volume(VOLUME.uuid, vm, HOSTS[0])
        except OperationRefused as error:
            errors.append(error)

    threads = [threading.Thread(target=attach, args=(each,)) for each in (VM, OTHER_VM)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(5)
    assert len(errors) == 1
    assert world.script.names.count("plugin.grant_access") == 1
    assert len(world.hypervisor.vm_luns) == 1


def test_hosts_do_not_come_or_go_while_a_volume_or_a_store_does() -> None:
    world, cloud = with_storage()
    busy: list[bool] = []

    def meet(name: str) -> None:
        if name in {"plugin.create", "plugin.detach_cluster"}:
            with pytest.raises(ObjectBusy):
                world.cloud().add_host(host(3))
            busy.append(True)

    world.script.during = meet
    cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)
    cloud.delete_volume(VOLUME.uuid)
    cloud.delete_primary_storage(STORE.uuid)
    assert len(busy) == 2


def test_volumes_and_stores_do_not_come_or_go_while_a_host_does() -> None:
    world, cloud = with_storage()
    second = replace(STORE, uuid="store-2")

    def meet(name: str) -> None:
        if name == "plugin.host_added":
            other = world.cloud()
            for action in (
                lambda: other.create_volume(STORE.uuid, VOLUME, CLUSTER),
                lambda: other.add_primary_storage(second, [CLUSTER]),
                lambda: other.delete_primary_storage(STORE.uuid),
            ):
                with pytest.raises(ObjectBusy):
                    action()

    world.script.during = meet
    cloud.add_host(host(3))
    assert len(cloud.stores()) == 1


def test_recover_leaves_alone_what_a_thread_of_this_cloud_works_on() -> None:
    world, cloud = with_volume()
    said: list[list[str]] = []
    world.script.during = lambda name: said.append(cloud.recover()) if name == "bridge.attach_disk" else None
    cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    assert said == [[]]


def test_a_failed_volume_is_not_worked_on_until_it_is_cleaned_up() -> None:
    world, cloud = with_volume(model=AccessModel.DIRECT)
    dead = ArrayUnreachable("https://array.test", "no answer")
    world.script.fail("plugin.connection", dead)
    world.script.fail("plugin.revoke_access", dead, dead)
    with pytest.raises(ArrayUnreachable):
        cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    for action in (
        lambda: cloud.attach_volume(VOLUME.uuid, OTHER_VM, HOSTS[0]),
        lambda: cloud.resize_volume(VOLUME.uuid, 20_000),
        lambda: cloud.create_volume(STORE.uuid, VOLUME, CLUSTER),
    ):
        with pytest.raises(WrongState):
            action()
    (said,) = cloud.recover()
    assert said.startswith("attach_volume volume-1: could not be undone: the array")
    cloud.recover()
    cloud.resize_volume(VOLUME.uuid, 20_000)


def test_a_create_and_an_add_that_are_repeated_too_early_are_told_so() -> None:
    world = World()
    cloud = world.cloud()
    met: list[str] = []

    def meet(name: str) -> None:
        again: dict[str, Callable[[], object]] = {
            "plugin.attach_cluster": lambda: world.cloud().add_primary_storage(STORE, [CLUSTER]),
            "plugin.grant_access": lambda: world.cloud().create_volume(STORE.uuid, VOLUME, CLUSTER),
        }
        if name in again:
            with pytest.raises(ObjectBusy):
                again[name]()
            met.append(name)

    world.script.during = meet
    cloud.add_primary_storage(STORE, [CLUSTER])
    cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)
    assert set(met) == {"plugin.attach_cluster", "plugin.grant_access"}
