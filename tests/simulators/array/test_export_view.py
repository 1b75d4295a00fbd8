"""What LIO is told to export is what the array would answer, whoever asks for whatever."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.array.accounts import AccountChange, AccountStatus
from simulators.array.administrator import Administrator
from simulators.array.apis import APIS
from simulators.array.chance import SeededChance
from simulators.array.clones import CloneTime
from simulators.array.core import ArrayCore, ArraySize
from simulators.array.export_view import UNKNOWN, export_view
from simulators.array.groups import GroupChange
from simulators.array.initiators import InitiatorWish
from simulators.array.limits import Limits
from simulators.array.lio_store import LioStore
from simulators.array.make import Make
from simulators.array.qos import QosChange
from simulators.array.snapshots import SnapshotWish
from simulators.array.volume import Access, VolumeChange, VolumeWish
from simulators.iscsi.backend import AdmissionVerdict
from simulators.lio.values import Acl, Portal, Target
from tests.simulators.array.tongues import ElementTongue
from tests.simulators.lio.memory_lio import MemoryLio

GB = 10**9
HOSTS = tuple(f"iqn.1993-08.org.debian:01:host-{number}" for number in (1, 11, 2, 22))
STRANGER = "iqn.1993-08.org.debian:01:stranger"
SNAPSHOT = SnapshotWish(name="before")


def new_core(size: ArraySize | None = None) -> tuple[ArrayCore, MemoryLio]:
    lio = MemoryLio([Portal("127.0.0.1", 3260)])
    administrator = Administrator("admin", "password")
    chance = SeededChance("exports")
    return ArrayCore(size=size or ArraySize(), administrator=administrator, chance=chance, store=LioStore(lio)), lio


def volume_in(core: ArrayCore, account_id: int, name: str = "vol") -> int:
    wish = VolumeWish(name, account_id, GB, has_512e=True, qos=QosChange(), attributes={})
    return core.model.volumes.create(wish).volume_id


@st.composite
def arrays(draw: st.DrawFn) -> tuple[ArrayCore, MemoryLio]:
    """An array with two accounts, some volumes in some states, and hosts in groups with and without CHAP."""
    numbering = draw(st.none() | st.integers(0, 300))
    core, lio = new_core(ArraySize(lun_numbers_from=numbering))
    model = core.model
    with core.lock:
        for name in ("one", "two"):
            uses_chap, status = draw(st.booleans()), draw(st.sampled_from(AccountStatus))
            account = model.accounts.add(name, AccountChange(uses_chap=uses_chap))
            model.accounts.modify(account.account_id, AccountChange(status=status))
        volumes = [volume_in(core, draw(st.sampled_from([1, 2]))) for _ in range(draw(st.integers(0, 4)))]
        hosts = draw(st.permutations(HOSTS))
        for index in range(draw(st.integers(0, 2))):
            mine = draw(st.lists(st.sampled_from(volumes), unique=True)) if volumes else []
            group = model.groups.create(GroupChange(name="group", volumes=mine))
            for host in hosts[2 * index : 2 * index + draw(st.integers(0, 2))]:
                wish = InitiatorWish(host, group_id=group.group_id, requires_chap=draw(st.booleans()))
                model.groups.create_initiators([wish])
        for each in volumes:
            model.volumes.modify(each, VolumeChange(access=draw(st.sampled_from(Access))))
            if draw(st.booleans()):
                model.volumes.delete(each)
    return core, lio


def way_in(target: Target | None, initiator: str) -> Acl | None:
    """What LIO lets an initiator see."""
    return None if target is None else target.acls.get(initiator, target.anybody)


@pytest.mark.slow
@given(arrays())
def test_lio_lets_in_whom_the_array_lets_in_and_shows_what_it_shows(made: tuple[ArrayCore, MemoryLio]) -> None:
    core, lio = made
    exported = {each.iqn: each for each in lio.exported}
    for volume in core.model.volumes.rows:
        for initiator in (*HOSTS, STRANGER):
            admission = core.fabric.admit(initiator, volume.iqn)
            acl = way_in(exported.get(volume.iqn), initiator)
            assert (acl is not None) == (admission.verdict is AdmissionVerdict.ALLOWED)
            assert (volume.iqn in exported) == (admission.verdict is not AdmissionVerdict.NOT_FOUND)
            if acl is not None:
                assert _proofs(acl) == [(each.username, each.secret.decode()) for each in admission.chap]
                units = core.fabric.units(initiator, volume.iqn)
                assert {number: (lun.disk, lun.is_read_only) for number, lun in acl.luns.items()} == {
                    number: (each.disk, each.is_read_only) for number, each in units.items()
                }


def _proofs(acl: Acl) -> Sequence[tuple[str, str]]:
    return [] if acl.chap is None else [(acl.chap.username, acl.chap.secret)]


@pytest.mark.slow
@given(arrays())
def test_the_view_depends_on_the_array_alone(made: tuple[ArrayCore, MemoryLio]) -> None:
    core, lio = made
    assert export_view(core.fabric) == export_view(core.fabric) == lio.exported


def test_the_identity_is_the_arrays() -> None:
    core, lio = new_core()
    with core.lock:
        volume = core.model.volumes.get(volume_in(core, core.model.accounts.add("one", AccountChange()).account_id))
    (target,) = lio.exported
    (unit,) = target.units.values()
    assert (unit.naa, unit.vendor, unit.product) == (volume.naa, "SolidFir", "SSD SAN")


def test_names_that_lio_does_not_take_are_left_out() -> None:
    core, lio = new_core()
    odd = "iqn.1993-08.org.debian:with_underscore"
    with core.lock:
        volume = volume_in(core, core.model.accounts.add("one", AccountChange()).account_id)
        core.model.groups.create(GroupChange(name="group", initiators=[odd, HOSTS[0]], volumes=[volume]))
    assert list(lio.exported[0].acls) == [HOSTS[0]]


def test_nobody_is_called_as_the_unknown_initiator() -> None:
    assert UNKNOWN not in HOSTS


def test_the_witness_shows_what_is_exported() -> None:
    core, lio = new_core()
    assert core.exports() == lio.listed()
    embedded = ArrayCore(size=ArraySize(), administrator=core.administrator, chance=SeededChance("exports"))
    assert "itself" in embedded.exports()


# ---- when it is published -----------------------------------------------------------------------------------------


def test_what_is_changed_is_exported_before_the_lock_is_free_and_not_sooner() -> None:
    core, lio = new_core()
    with core.lock:
        account = core.model.accounts.add("one", AccountChange()).account_id
        with core.lock:
            volume_in(core, account)
        assert lio.exported == []
    assert len(lio.exported) == 1


def test_a_disk_is_removed_once_it_is_exported_no_longer() -> None:
    core, lio = new_core()
    with core.lock:
        number = volume_in(core, core.model.accounts.add("one", AccountChange()).account_id)
    with core.lock:
        core.model.volumes.delete(number)
        core.model.purge_volume(number)
        assert len(lio.disks) == 1
    assert lio.disks == {}


def test_a_revert_keeps_the_disk_that_hosts_are_logged_in_to() -> None:
    core, lio = new_core()
    with core.lock:
        number = volume_in(core, core.model.accounts.add("one", AccountChange()).account_id)
    before = lio.exported
    with core.lock:
        volume = core.model.volumes.get(number)
        volume.blocks.write(0, b"before")
        snapshot = core.model.snapshots.create(number, SNAPSHOT)
        volume.blocks.write(0, b"after!")
        core.model.snapshots.roll_back(number, snapshot.snapshot_id, None)
        assert volume.blocks.read(0, 6) == b"before"
        assert volume.blocks.written_bytes == 4096
        assert core.model.capacity.extents.mapped == 2
    assert lio.exported == before


def test_what_is_not_counted_is_null() -> None:
    array = ElementTongue(Limits(), CloneTime(), LioStore(MemoryLio([Portal("127.0.0.1", 3260)])))
    stats = array.call("GetVolumeStats", volumeID=array.create(GB))["volumeStats"]
    assert (stats["readBytes"], stats["writeOps"], stats["volumeSize"] > 0) == (None, None, True)
    assert (stats["actualIOPS"], stats["readLatencyUSecTotal"]) == (None, None)
    assert array.call("GetClusterStats")["clusterStats"]["writeBytes"] is None


@pytest.mark.parametrize("make", [each.make for each in APIS.values()], ids=APIS)
def test_lio_can_tell_the_identity_of_every_make(make: Make) -> None:
    assert re.fullmatch("6[0-9a-f]{31}", make.naa_of("ab9z", 4711))
