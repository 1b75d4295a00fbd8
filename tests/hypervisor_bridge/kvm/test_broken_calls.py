"""Operations broken at each of their remote calls: an error leaves things as they were, a kill can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from conformance.contract import BridgeError, DatastoreRef, DiskLocation, HypervisorBridge, InventoryKind, VmRef
from tests.hypervisor_bridge.kvm.lab import Killed, Lab, Trip, host_fails
from tests.hypervisor_bridge.kvm.small_array import CHAP, MIB

MOST_CALLS = 120
VM = VmRef("5a8d2f6e-6f0b-4f7e-9a53-0d6b1b0f7a11", "vm1")


@dataclass(frozen=True)
class Operation:
    """Something a bridge does, after some preparation."""

    name: str
    prepare: Callable[[Lab, HypervisorBridge], None]
    run: Callable[[Lab, HypervisorBridge], object]


def _nothing(lab: Lab, _: HypervisorBridge) -> None:
    lab.array.add(1)


def _datastore(lab: Lab, bridge: HypervisorBridge) -> None:
    lab.array.add(1)
    _create(lab, bridge)


def _on_one_host(lab: Lab, bridge: HypervisorBridge) -> None:
    lab.array.add(1)
    bridge.create_datastore("ds1", lab.array.at(lab.hosts[:1]))


def _disk(lab: Lab, bridge: HypervisorBridge) -> None:
    _datastore(lab, bridge)
    bridge.create_disk(_ref(lab), "disk1", MIB)
    bridge.create_vm(VM, lab.hosts[0])
    bridge.start_vm(VM, lab.hosts[0])


def _attached(lab: Lab, bridge: HypervisorBridge) -> None:
    _disk(lab, bridge)
    bridge.attach_disk(VM, DiskLocation(_ref(lab), "disk1"))


def _create(lab: Lab, bridge: HypervisorBridge) -> object:
    return bridge.create_datastore("ds1", lab.array.at(lab.hosts))


def _ref(lab: Lab) -> DatastoreRef:
    return DatastoreRef(lab.world.cluster.uuid, "ds1")


OPERATIONS = (
    Operation("create", _nothing, _create),
    Operation("attach", _on_one_host, lambda lab, b: b.attach_datastore(_ref(lab), lab.array.at(lab.hosts))),
    Operation("detach", _datastore, lambda lab, b: b.detach_datastore(_ref(lab), lab.hosts[1:])),
    Operation("delete", _datastore, lambda lab, b: b.delete_datastore(_ref(lab))),
    Operation("connect", _nothing, lambda lab, b: b.connect_target(lab.array.at(lab.hosts))),
    Operation("attach_disk", _disk, lambda lab, b: b.attach_disk(VM, DiskLocation(_ref(lab), "disk1"))),
)
UNBROKEN = [pytest.param(each, id=each.name) for each in OPERATIONS]


@pytest.mark.parametrize("is_after", [False, True], ids=["refused", "reply lost"])
@pytest.mark.parametrize("operation", UNBROKEN)
def test_an_error_at_any_call_leaves_everything_as_it_was(
    make_lab: Callable[..., Lab], operation: Operation, is_after: bool
) -> None:
    lab = make_lab(chap=CHAP)
    operation.prepare(lab, lab.bridge())
    before, ledger, sizes = lab.bridge().inventory(), dict(lab.ledger.kept), _sizes(lab)
    failures = 0
    for at in range(1, MOST_CALLS):
        trip = Trip(at, host_fails, is_after)
        undo_errors: tuple[Exception, ...] = ()
        try:
            operation.run(lab, lab.bridge(trip))
        except BridgeError as error:
            undo_errors = error.undo_errors
        assert undo_errors == (), trip.calls
        if len(trip.calls) < at:
            break
        failures += 1
        assert lab.bridge().inventory() == before, trip.calls
        assert lab.ledger.kept == ledger, trip.calls
        assert _sizes(lab) == sizes, trip.calls
    assert 2 < failures < MOST_CALLS - 2
    assert lab.bridge().inventory() != before


@pytest.mark.parametrize("is_after", [False, True], ids=["before the call", "after the call"])
@pytest.mark.parametrize("operation", UNBROKEN)
def test_after_a_kill_between_any_two_calls_the_repeated_call_succeeds(
    make_lab: Callable[..., Lab], operation: Operation, is_after: bool
) -> None:
    wanted = make_lab(chap=CHAP)
    operation.prepare(wanted, wanted.bridge())
    operation.run(wanted, wanted.bridge())
    names = _names(wanted)
    at = 0
    while True:
        at += 1
        lab = make_lab(chap=CHAP)
        operation.prepare(lab, lab.bridge())
        trip = Trip(at, Killed, is_after)
        try:
            operation.run(lab, lab.bridge(trip))
        except Killed:
            operation.run(lab, lab.bridge())
        assert _names(lab) == names, trip.calls
        if len(trip.calls) < at:
            break
    assert at > 2


@pytest.mark.parametrize("operation", UNBROKEN)
def test_repeating_an_operation_changes_nothing(make_lab: Callable[..., Lab], operation: Operation) -> None:
    lab = make_lab(chap=CHAP)
    operation.prepare(lab, lab.bridge())
    first = operation.run(lab, lab.bridge())
    before = lab.bridge().inventory()
    assert operation.run(lab, lab.bridge()) == first
    assert lab.bridge().inventory() == before


def test_a_datastore_that_was_half_made_and_given_up_can_be_deleted(make_lab: Callable[..., Lab]) -> None:
    for at in range(1, 15):
        lab = make_lab(chap=CHAP)
        lab.array.add(1)
        with pytest.raises(Killed):
            _create(lab, lab.bridge(Trip(at)))
        assert lab.bridge().find_datastore("ds1") is None
        lab.bridge().delete_datastore(_ref(lab))
        assert lab.bridge().inventory().items == frozenset()
        assert lab.ledger.kept == {}


def test_what_was_half_made_on_another_lun_is_cleared(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP)
    lab.array.add(1)
    lab.array.add(2, target="iqn.2020-01.org.small:two")
    with pytest.raises(Killed):
        _create(lab, lab.bridge(Trip(12)))
    other = lab.array.at(lab.hosts, 2, target="iqn.2020-01.org.small:two")
    ref = lab.bridge().create_datastore("ds1", other)
    lab.bridge().delete_datastore(ref)
    assert lab.bridge().inventory().items == frozenset()


def test_what_was_half_made_is_cleared_on_hosts_that_are_not_asked_again(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP)
    lab.array.add(1)
    lab.array.add(2, target="iqn.2020-01.org.small:two")
    with pytest.raises(Killed):
        _create(lab, lab.bridge(Trip(18)))
    assert {each.host_uuid for each in lab.bridge().inventory().items} == {each.uuid for each in lab.hosts}
    other = lab.array.at(lab.hosts[:1], 2, target="iqn.2020-01.org.small:two")
    lab.bridge().create_datastore("ds1", other)
    assert {each.host_uuid for each in lab.bridge().inventory().items} == {lab.hosts[0].uuid}


def _sizes(lab: Lab) -> dict[str, int]:
    """What each host's pool shows: a pool that was put back but does not run shows nothing."""
    bridge = lab.bridge()
    if bridge.find_datastore("ds1") is None:
        return {}
    items = bridge.inventory().of(InventoryKind.DATASTORE)
    hosts = [each for each in lab.hosts if each.uuid in {item.host_uuid for item in items}]
    return {each.uuid: bridge.datastore_bytes(_ref(lab), each) for each in hosts}


def _names(lab: Lab) -> set[tuple[str, int, str, bool]]:
    places = {each.uuid: place for place, each in enumerate(lab.hosts)}
    return {
        (each.kind, places[each.host_uuid], each.name.split(" iqn.1994")[0], each.ours)
        for each in lab.bridge().inventory().items
    }
