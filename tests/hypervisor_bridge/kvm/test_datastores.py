"""Datastores: idempotent, never on the wrong LUN, and never at a neighbour's cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract import (
    BlockConnection,
    ChapCredentials,
    ChapRejected,
    DatastoreConflict,
    DatastoreInUse,
    DatastoreNotFound,
    FcPath,
    HostConnection,
    HostUnavailable,
    HypervisorFault,
    InventoryKind,
    IscsiPath,
    LunIdentity,
    LunNotVisible,
    NfsExport,
    NoInitiator,
    NotSupported,
    Portal,
    Secret,
    TargetNotFound,
    TargetUnreachable,
    VmRef,
    Wwpn,
)
from tests.hypervisor_bridge.kvm.lab import Lab, Trip
from tests.hypervisor_bridge.kvm.small_array import CHAP, MIB, PORTAL, WRONG_CHAP

TWO = "iqn.2020-01.org.small:two"
VM = VmRef("vm-of-the-cloud", "vm1")


def _virt(lab: Lab, place: int = 0) -> Any:
    connections: Any = lab.world.connections
    return connections.connect(lab.hosts[place])


def _with_chap(at: HostConnection, chap: ChapCredentials | None) -> HostConnection:
    assert isinstance(at.connection, BlockConnection)
    (path,) = at.connection.paths
    assert isinstance(path, IscsiPath)
    return HostConnection(at.host, replace(at.connection, paths=(replace(path, chap=chap),)))


def test_the_same_name_on_the_same_lun_is_the_same_datastore(lab: Lab) -> None:
    lab.array.add(1)
    ref = lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    assert lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts)) == ref
    assert lab.bridge().find_datastore("ds1") == ref
    assert lab.bridge().find_datastore("ds") is None


def test_a_name_that_stands_on_another_lun_is_refused(lab: Lab) -> None:
    lab.array.add(1)
    lab.array.add(1, target=TWO)
    bridge = lab.bridge()
    bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    before = bridge.inventory()
    with pytest.raises(DatastoreConflict, match="ds1 stands on"):
        bridge.create_datastore("ds1", lab.array.at(lab.hosts, target=TWO))
    with pytest.raises(DatastoreConflict, match="is datastore ds1"):
        bridge.create_datastore("ds2", lab.array.at(lab.hosts))
    assert bridge.inventory() == before


def test_two_luns_of_one_target_share_a_pool_and_leave_one_by_one(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP)
    lab.array.add(1)
    lab.array.add(2, size_bytes=8 * MIB)
    bridge = lab.bridge()
    nothing = bridge.inventory()
    first = bridge.create_datastore("ds1", lab.array.at(lab.hosts, 1))
    only_first = bridge.inventory()
    second = bridge.create_datastore("ds2", lab.array.at(lab.hosts, 2))
    both = bridge.inventory()
    assert both.of(InventoryKind.TARGET) == only_first.of(InventoryKind.TARGET)
    assert len(both.of(InventoryKind.DATASTORE)) == 4
    bridge.delete_datastore(first)
    assert bridge.datastore_bytes(second, lab.hosts[0]) == 8 * MIB
    assert bridge.inventory().of(InventoryKind.SECRET) == both.of(InventoryKind.SECRET)
    bridge.delete_datastore(second)
    assert bridge.inventory() == nothing


def test_a_pool_that_was_there_before_is_used_and_left_alone(lab: Lab) -> None:
    lab.array.add(1)
    connection = _virt(lab)
    xml = (
        "<pool type='iscsi-direct'><name>theirs</name><source>"
        f"<host name='{PORTAL.address}' port='{PORTAL.port}'/><device path='iqn.2020-01.org.small:one'/>"
        f"<initiator><iqn name='{lab.hosts[0].iqns[0]}'/></initiator></source></pool>"
    )
    connection.storagePoolDefineXML(xml, 0).create(0)
    bridge = lab.bridge()
    before = bridge.inventory()
    ref = bridge.create_datastore("ds1", lab.array.at(lab.hosts[:1]))
    assert bridge.inventory().of(InventoryKind.TARGET) == before.of(InventoryKind.TARGET)
    bridge.delete_datastore(ref)
    assert bridge.inventory() == before
    assert {each.ours for each in before.items} == {False}
    assert connection.storagePoolLookupByName("theirs").isActive()


def test_a_secret_that_was_there_before_is_neither_changed_nor_removed(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP, hosts=1)
    lab.array.add(1)
    lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    secret = _virt(lab).listAllSecrets()[0]
    for key in [each for each in lab.ledger.kept if "/secret/" in each]:
        lab.ledger.forget(key)
    lab.bridge().attach_datastore(lab.bridge().find_datastore("ds1"), lab.array.at(lab.hosts))  # type: ignore[arg-type]
    lab.bridge().delete_datastore(lab.bridge().find_datastore("ds1"))  # type: ignore[arg-type]
    assert secret.value() == CHAP.secret.reveal().encode()
    assert [each.ours for each in lab.bridge().inventory().items] == [False]


def test_a_wrong_chap_secret_is_named_so_and_nothing_is_left(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP)
    lab.array.add(1)
    for chap in (WRONG_CHAP, None):
        at = [_with_chap(each, chap) for each in lab.array.at(lab.hosts)]
        with pytest.raises(ChapRejected) as caught:
            lab.bridge().create_datastore("ds1", at)
        assert lab.hosts[0].name in str(caught.value)
        assert CHAP.secret.reveal() not in str(caught.value)
    assert lab.bridge().inventory().items == frozenset()


def test_a_pool_whose_secret_is_wrong_is_chap_rejected_too(make_lab: Callable[..., Lab]) -> None:
    """libvirt says code 1 and a text: here nothing else tells, for the bridge's own login works."""
    lab = make_lab(chap=CHAP, hosts=1)
    lab.array.add(1)
    lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    _virt(lab).listAllSecrets()[0].setValue(WRONG_CHAP.secret.reveal())
    for key in [each for each in lab.ledger.kept if "/secret/" in each]:
        lab.ledger.forget(key)
    lab.array.add(2)
    with pytest.raises(ChapRejected, match=r"513"):
        lab.bridge().create_datastore("ds2", lab.array.at(lab.hosts, 2))


def test_a_rotated_secret_replaces_the_old_one(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP)
    lab.array.add(1)
    ref = lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    lab.array.chap = ChapCredentials(CHAP.username, Secret("another-secret"))
    lab.bridge().attach_datastore(ref, lab.array.at(lab.hosts))
    disk = lab.bridge().create_disk(ref, "disk1", MIB)
    lab.bridge().write_disk(disk, 0, b"after rotation")
    assert lab.bridge().read_disk(disk, 0, 14) == b"after rotation"


def test_another_chap_account_replaces_pool_and_secret(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP, hosts=1)
    lab.array.add(1)
    ref = lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    lab.array.chap = ChapCredentials("other-tenant", Secret("another-secret"))
    lab.bridge().attach_datastore(ref, lab.array.at(lab.hosts))
    items = lab.bridge().inventory()
    assert len(items.of(InventoryKind.TARGET)) == 1
    assert ["other-tenant" in each.name for each in items.of(InventoryKind.SECRET)] == [True]
    assert lab.bridge().datastore_bytes(ref, lab.hosts[0]) == 4 * MIB


def test_deleting_what_is_gone_does_not_delete_its_successor(lab: Lab) -> None:
    lab.array.add(1)
    lab.array.add(1, target=TWO)
    bridge = lab.bridge()
    old = bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    bridge.delete_datastore(old)
    new = bridge.create_datastore("ds1", lab.array.at(lab.hosts, target=TWO))
    bridge.delete_datastore(old)
    assert bridge.find_datastore("ds1") == new
    with pytest.raises(DatastoreConflict):
        bridge.list_disks(old)


@pytest.mark.parametrize("number", [7, 1])
def test_a_lun_that_is_not_there_or_another_is_not_visible(lab: Lab, number: int) -> None:
    lab.array.add(1)
    at = lab.array.at(lab.hosts, number, wwid="6" + "0" * 31)
    with pytest.raises(LunNotVisible):
        lab.bridge().create_datastore("ds1", at)
    assert lab.bridge().inventory().items == frozenset()


def test_hosts_that_see_different_luns_get_no_datastore(lab: Lab) -> None:
    lab.array.add(1)
    lab.array.add(2)
    at = [
        *lab.array.at(lab.hosts[:1], 1, wwid=None),
        *lab.array.at(lab.hosts[1:], 2, wwid=None),
    ]
    with pytest.raises(LunNotVisible, match="this host sees LUN"):
        lab.bridge().create_datastore("ds1", at)
    assert lab.bridge().inventory().items == frozenset()


def test_without_a_reported_wwid_the_page_is_read(lab: Lab) -> None:
    lun = lab.array.add(1)
    ref = lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts, wwid=None))
    assert lun.naa in ref.locator


def test_lun_numbers_may_differ_from_host_to_host(lab: Lab) -> None:
    lab.array.shift[str(lab.hosts[1].iqns[0])] = 5
    lab.array.add(1)
    ref = lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    assert [lab.bridge().datastore_bytes(ref, each) for each in lab.hosts] == [4 * MIB, 4 * MIB]


def test_a_hidden_target_and_a_dead_portal_are_told_apart(lab: Lab) -> None:
    lab.array.add(1)
    lab.array.hidden.add(str(lab.hosts[1].iqns[0]))
    with pytest.raises(TargetNotFound, match=lab.hosts[1].name):
        lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    lab.array.is_down = True
    with pytest.raises(TargetUnreachable) as caught:
        lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    assert "also failed" in str(caught.value)
    assert lab.hosts[1].name in str(caught.value)


def test_the_second_portal_is_taken_when_the_first_is_dead(lab: Lab) -> None:
    lab.array.add(1)
    portals = (Portal("10.64.0.9"), PORTAL)
    ref = lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts, portals=portals))
    assert lab.bridge().datastore_bytes(ref, lab.hosts[0]) == 4 * MIB


def test_a_host_without_initiator_is_named_before_anything_changes(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(hosts=2, without=1)
    lab.array.add(1)
    trip = Trip()
    with pytest.raises(NoInitiator, match=lab.hosts[1].name):
        lab.bridge(trip).create_datastore("ds1", lab.array.at(lab.hosts))
    assert trip.calls == []


def test_what_kvm_cannot_do_is_refused(lab: Lab) -> None:
    lab.array.add(1)
    host = lab.hosts[0]
    fc = BlockConnection(LunIdentity(None), MIB, (FcPath(Wwpn("5" * 16), 1),))
    mutual = replace(CHAP, mutual_username="array", mutual_secret=Secret("mutual-secret-1"))
    cases = (
        [HostConnection(host, NfsExport("10.64.0.1", "/export"))],
        [HostConnection(host, fc)],
        lab.array.at([host], chap=mutual),
    )
    for at in cases:
        with pytest.raises(NotSupported):
            lab.bridge().create_datastore("ds1", at)
    with pytest.raises(NotSupported):
        lab.bridge().resignature_datastore(lab.array.at([host]), "ds1")
    assert lab.bridge().inventory().items == frozenset()


def test_a_host_that_joined_is_attached_and_one_that_leaves_is_detached(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP)
    lab.array.add(1)
    bridge = lab.bridge()
    ref = bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    joined = lab.world.add_host()
    with pytest.raises(DatastoreNotFound):
        bridge.datastore_bytes(ref, joined)
    bridge.attach_datastore(ref, lab.array.at([joined]))
    assert bridge.datastore_bytes(ref, joined) == 4 * MIB
    bridge.detach_datastore(ref, [joined])
    assert joined.uuid not in {each.host_uuid for each in bridge.inventory().items}
    assert bridge.find_datastore("ds1") == ref


def test_a_host_that_was_removed_does_not_stand_in_the_way_of_delete(lab: Lab) -> None:
    lab.array.add(1)
    ref = lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    lab.world.remove_host(lab.hosts[0])
    lab.bridge().delete_datastore(ref)
    assert lab.ledger.kept == {}


def test_a_host_that_does_not_answer_is_unavailable(lab: Lab) -> None:
    lab.array.add(1)
    ref = lab.bridge().create_datastore("ds1", lab.array.at(lab.hosts))
    world: Any = lab.world
    world.set_reachable(lab.hosts[1], is_reachable=False)
    for call in (
        lambda: lab.bridge().delete_datastore(ref),
        lambda: lab.bridge().inventory(),
        lambda: lab.bridge().attach_datastore(ref, lab.array.at(lab.hosts)),
    ):
        with pytest.raises(HostUnavailable, match=lab.hosts[1].name):
            call()
    world.set_reachable(lab.hosts[1], is_reachable=True)
    lab.bridge().delete_datastore(ref)
    assert lab.bridge().inventory().items == frozenset()


def test_a_host_outside_the_cluster_is_refused(lab: Lab, make_lab: Callable[..., Lab]) -> None:
    lab.array.add(1)
    with pytest.raises(HostUnavailable, match="not in this cluster"):
        lab.bridge().create_datastore("ds1", lab.array.at(make_lab().hosts))


def test_growth_is_seen_after_expand_and_not_before(lab: Lab) -> None:
    lun = lab.array.add(1)
    bridge = lab.bridge()
    ref = bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    lun.grow(8 * MIB)
    assert bridge.datastore_bytes(ref, lab.hosts[0]) == 4 * MIB
    bridge.expand_datastore(ref, lab.array.at(lab.hosts))
    assert {bridge.datastore_bytes(ref, each) for each in lab.hosts} == {8 * MIB}
    lun.size_bytes = 16 * MIB
    bigger = lab.array.at(lab.hosts)
    lun.size_bytes = 8 * MIB
    with pytest.raises(HypervisorFault, match="expected 16777216"):
        bridge.expand_datastore(ref, bigger)


def test_a_datastore_whose_disk_a_vm_has_stays(lab: Lab) -> None:
    lab.array.add(1)
    bridge = lab.bridge()
    ref = bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    disk = bridge.create_disk(ref, "disk1", MIB)
    bridge.create_vm(VM, lab.hosts[0])
    bridge.attach_disk(VM, disk)
    before = bridge.inventory()
    with pytest.raises(DatastoreInUse, match="vm1"):
        bridge.delete_datastore(ref)
    with pytest.raises(DatastoreInUse):
        bridge.detach_datastore(ref, lab.hosts[:1])
    assert bridge.inventory() == before
    bridge.detach_datastore(ref, lab.hosts[1:])
    bridge.detach_disk(VM, disk)
    bridge.delete_datastore(ref)


def test_a_lun_without_a_datastore_needs_only_its_secret(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP)
    lab.array.add(1)
    bridge = lab.bridge()
    bridge.connect_target(lab.array.at(lab.hosts))
    assert {each.kind for each in bridge.inventory().items} == {InventoryKind.SECRET}
    ref = bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    bridge.delete_datastore(ref)
    assert len(bridge.inventory().of(InventoryKind.SECRET)) == 2
    bridge.disconnect_target(lab.array.at(lab.hosts))
    assert bridge.inventory().items == frozenset()
    assert lab.ledger.kept == {}


def test_secrets_are_in_no_text(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab(chap=CHAP)
    lab.array.add(1)
    bridge = lab.bridge()
    ref = bridge.create_datastore("ds1", lab.array.at(lab.hosts))
    seen = lab.world.secrets_seen()
    assert "iscsi-direct" in seen
    assert "virSecretSetValue" in seen
    for text in (seen, repr(lab.ledger.kept), repr(bridge.inventory()), repr(ref), repr(vars(bridge))):
        assert CHAP.secret.reveal() not in text
