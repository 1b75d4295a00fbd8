"""What only the complete plugin does."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from conformance.contract import (
    CapacityExhausted,
    Conflict,
    Host,
    HypervisorType,
    InUse,
    InvalidRequest,
    Iqn,
    LimitReached,
    ObjectNotFound,
    QosPolicy,
)
from simulators.array.groups import GroupChange
from simulators.array.initiators import InitiatorWish
from simulators.iscsi.errors import LoginRefused

from .conftest import OpenScene
from .scene import CLUSTER, GB, HOSTS, Scene

FIRST, SECOND, _ = HOSTS


def _qos(scene: Scene) -> QosPolicy | None:
    return scene.view().luns[0].qos


def test_a_host_needs_its_own_secret(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    for host in (FIRST, SECOND):
        solidfire.driver.grant_access(store, volume, host)
    first, second = (solidfire.driver.connection(store, volume, host) for host in (FIRST, SECOND))
    solidfire.login(first, FIRST).close()
    for wrong in ("", "wrong-secret-123", second.paths[0].chap.secret.reveal()):
        with pytest.raises(LoginRefused) as refused:
            solidfire.login(first, FIRST, secret=wrong)
        assert (refused.value.status_class, refused.value.status_detail) == (2, 1)


def test_a_secret_stays_until_the_host_leaves(solidfire: Scene) -> None:
    store = solidfire.store()
    volume, other = solidfire.volume(store), solidfire.volume(store, "volume-2")
    for each in (volume, other):
        solidfire.driver.grant_access(store, each, FIRST)
    chap = solidfire.driver.connection(store, volume, FIRST).paths[0].chap
    assert solidfire.driver.connection(store, other, FIRST).paths[0].chap == chap
    assert re.fullmatch(r"[\w-]{16}", chap.secret.reveal())
    solidfire.driver.revoke_access(store, volume, FIRST, ())
    solidfire.plugin.host_listener.host_about_to_be_removed(FIRST, [store])
    solidfire.driver.grant_access(store, other, FIRST)
    assert solidfire.driver.connection(store, other, FIRST).paths[0].chap != chap


def test_the_account_lets_nobody_in(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    connection = solidfire.driver.connection(store, volume, FIRST)
    account = next(iter(solidfire.world._core.model.accounts.rows))  # type: ignore[attr-defined]
    assert not account.lets_in_by_chap
    chap = replace(connection.paths[0].chap, username=account.username)
    forged = replace(connection, paths=(replace(connection.paths[0], chap=chap),))
    with pytest.raises(LoginRefused):
        solidfire.login(forged, SECOND, secret=account.initiator_secret)


def test_a_granted_volume_is_not_deleted(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    before = solidfire.view()
    with pytest.raises(InUse) as used:
        solidfire.driver.delete(store, volume)
    assert used.value.users == (FIRST.uuid,)
    assert solidfire.view() == before


def test_small_sizes_are_rounded_up(solidfire: Scene) -> None:
    store = solidfire.store()
    assert solidfire.volume(store, size_bytes=1).size_bytes == 954 << 20
    assert solidfire.volume(store, size_bytes=1).size_bytes == 954 << 20


def test_resize_grows_under_a_session_and_never_shrinks(solidfire: Scene) -> None:
    store = solidfire.store(capacity_bytes=20 * GB)
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    connection = solidfire.driver.connection(store, volume, FIRST)
    with solidfire.login(connection, FIRST) as session:
        session.write(0, 0, b"kept" * 128)
        grown = solidfire.driver.resize(store, volume, 4 * GB).size_bytes
        assert 4 * GB <= grown < 4 * GB + (1 << 20)
        assert session.read_capacity(0)[0] == grown
        assert session.read(0, 0, 512) == b"kept" * 128
    assert solidfire.driver.resize(store, volume, 4 * GB).size_bytes == grown
    with pytest.raises(InvalidRequest):
        solidfire.driver.resize(store, volume, 3 * GB)
    with pytest.raises(InvalidRequest):
        solidfire.driver.resize(store, volume, 10**18)
    with pytest.raises(CapacityExhausted):
        solidfire.driver.resize(store, volume, 30 * GB)
    assert solidfire.view().luns[0].size_bytes == grown
    with pytest.raises(ObjectNotFound):
        solidfire.driver.resize(store, replace(volume, external_id="77"), 5 * GB)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (QosPolicy(), QosPolicy(50, 15000, 15000)),
        (QosPolicy(100, 200, 300), QosPolicy(100, 200, 300)),
        (QosPolicy(max_iops=20000), QosPolicy(50, 20000, 20000)),
        (QosPolicy(burst_iops=500), QosPolicy(50, 500, 500)),
        (QosPolicy(min_iops=15000), QosPolicy(15000, 15000, 15000)),
    ],
)
def test_qos_is_kept_exactly_and_completed_from_the_defaults(
    solidfire: Scene, asked: QosPolicy, kept: QosPolicy
) -> None:
    solidfire.volume(solidfire.store(), qos=asked)
    assert _qos(solidfire) == kept


def test_qos_changes_what_is_given(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store, qos=QosPolicy(100, 200, 300))
    solidfire.driver.set_qos(store, volume, QosPolicy(max_iops=250))
    assert _qos(solidfire) == QosPolicy(100, 250, 300)
    for wrong in (QosPolicy(max_iops=400), QosPolicy(min_iops=49), QosPolicy(burst_iops=200_001)):
        with pytest.raises(InvalidRequest):
            solidfire.driver.set_qos(store, volume, wrong)
    assert _qos(solidfire) == QosPolicy(100, 250, 300)
    with pytest.raises(InvalidRequest):
        solidfire.volume(store, "volume-2", qos=QosPolicy(min_iops=15_001))
    assert len(solidfire.view().luns) == 1


def test_another_qos_under_the_same_uuid_is_a_conflict(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store, qos=QosPolicy(100, 200, 300))
    with pytest.raises(Conflict):
        solidfire.volume(store, qos=QosPolicy(100, 200, 301))
    solidfire.driver.set_qos(store, volume, QosPolicy(150, 200, 300))
    solidfire.driver.resize(store, volume, 5 * GB)
    # What was asked is what counts: both have changed since.
    assert solidfire.volume(store, qos=QosPolicy(100, 200, 300)).external_id == volume.external_id


def test_guaranteed_iops_are_not_promised_twice(solidfire: Scene) -> None:
    store = solidfire.store(capacity_iops=250)
    volume = solidfire.volume(store, qos=QosPolicy(min_iops=100))
    solidfire.volume(store, "volume-2", qos=QosPolicy(min_iops=100))
    with pytest.raises(CapacityExhausted) as full:
        solidfire.volume(store, "volume-3", qos=QosPolicy(min_iops=100))
    assert (full.value.asked, full.value.available) == (100, 50)
    with pytest.raises(CapacityExhausted):
        solidfire.driver.set_qos(store, volume, QosPolicy(min_iops=151))
    solidfire.driver.set_qos(store, volume, QosPolicy(min_iops=150))
    assert solidfire.driver.used(store).iops == 250


def test_update_takes_what_is_not_below_used(solidfire: Scene) -> None:
    store = solidfire.store(capacity_bytes=10 * GB, capacity_iops=1000)
    solidfire.volume(store, qos=QosPolicy(min_iops=100))
    for field, low in (
        ("capacity_bytes", replace(store.request, capacity_bytes=GB)),
        ("capacity_iops", replace(store.request, capacity_iops=99)),
    ):
        with pytest.raises(InvalidRequest) as refused:
            solidfire.plugin.lifecycle.update(store, low)
        assert refused.value.field == field
    updated = solidfire.plugin.lifecycle.update(store, replace(store.request, capacity_bytes=3 * GB))
    with pytest.raises(CapacityExhausted):
        solidfire.volume(updated, "volume-2")
    with pytest.raises(InvalidRequest):
        solidfire.plugin.lifecycle.update(store, replace(store.request, uuid="store-2"))


def test_the_cost_of_a_create_does_not_grow_with_the_store(solidfire: Scene) -> None:
    store = solidfire.store()
    costs = []
    for number in range(5):
        asked = len(solidfire.wire.methods)
        solidfire.volume(store, f"volume-{number}")
        costs.append(solidfire.wire.methods[asked:])
    assert costs == [["ListVolumes", "GetClusterCapacity", "CreateVolume", "ListVolumes"]] * 5


def test_long_lists_are_read_to_the_end(solidfire: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reference_providers.solidfire.element.PAGE", 2)
    store, other = solidfire.store(), solidfire.store("store-2")
    for number in range(5):
        solidfire.volume(store, f"volume-{number}")
        solidfire.volume(other, f"other-{number}")
    assert len(solidfire.driver.list_objects(store)) == 5
    assert len(solidfire.driver.list_objects(other)) == 5


def test_a_leaving_host_takes_its_initiators_and_nobody_elses(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    for host in (FIRST, SECOND):
        solidfire.driver.grant_access(store, volume, host)
    listener = solidfire.plugin.host_listener
    for _ in range(2):
        listener.host_about_to_be_removed(FIRST, [store])
        listener.host_removed(FIRST, [store])
    assert solidfire.view().luns[0].visible_to == {SECOND.iqns[0]}
    text = str(solidfire.view().objects)
    assert FIRST.uuid not in text
    assert SECOND.uuid in text


def test_events_about_hosts_may_come_at_any_time(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    before = solidfire.view()
    listener = solidfire.plugin.host_listener
    for _ in range(2):
        listener.host_enabled(FIRST, [store])
        listener.host_connected(FIRST, store)
        listener.host_added(FIRST, [store])
        listener.host_disconnected(FIRST, store)
        listener.host_added(replace(FIRST, initiators=()), [store])
        listener.host_removed(SECOND, [store])
        listener.host_added(SECOND, [store])
    assert solidfire.view() == before


def test_a_host_that_comes_back_with_another_iqn_is_caught_up(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    renamed = replace(FIRST, initiators=(*FIRST.initiators, Iqn("iqn.2004-10.com.example:new")))
    solidfire.plugin.host_listener.host_connected(renamed, store)
    connection = solidfire.driver.connection(store, volume, renamed)
    solidfire.login(connection, replace(renamed, initiators=renamed.initiators[1:])).close()
    solidfire.login(connection, FIRST).close()


def test_a_dead_array_does_not_hide_another_from_host_events(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    broken = replace(store, request=replace(store.request, parameters={}))
    with pytest.raises(InvalidRequest):
        solidfire.plugin.host_listener.host_about_to_be_removed(FIRST, [broken, store])
    assert solidfire.view().luns[0].visible_to == frozenset()


def test_initiators_of_others_are_left_alone(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    core = solidfire.world._core  # type: ignore[attr-defined]
    core.model.groups.create_initiators([InitiatorWish(str(FIRST.iqns[0]))])
    foreign = [each for each in solidfire.view().objects if each.kind == "initiator"]
    before = solidfire.view()
    with pytest.raises(Conflict):
        solidfire.driver.grant_access(store, volume, FIRST)
    assert solidfire.view() == before
    solidfire.plugin.lifecycle.delete_datastore(store.request)
    assert list(solidfire.view().objects) == foreign


def test_an_initiator_in_a_group_of_others_is_named_with_it(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    groups = solidfire.world._core.model.groups  # type: ignore[attr-defined]
    group = groups.create(GroupChange(name="theirs", initiators=[str(FIRST.iqns[0])]))
    before = solidfire.view()
    with pytest.raises(Conflict) as conflict:
        solidfire.driver.grant_access(store, volume, FIRST)
    assert str(FIRST.iqns[0]) in str(conflict.value)
    assert f"volume access group {group.group_id}" in str(conflict.value)
    solidfire.plugin.host_listener.host_about_to_be_removed(FIRST, [store])
    assert solidfire.view() == before


def test_a_host_whose_new_initiator_is_taken_keeps_what_it_has(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    taken = Iqn("iqn.2004-10.com.example:theirs")
    groups = solidfire.world._core.model.groups  # type: ignore[attr-defined]
    groups.create(GroupChange(name="theirs", initiators=[str(taken)]))
    before = solidfire.view()
    with pytest.raises(Conflict):
        solidfire.plugin.host_listener.host_connected(replace(FIRST, initiators=(taken,)), store)
    assert solidfire.view() == before


def test_what_others_put_into_a_hosts_group_stays(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    solidfire.driver.revoke_access(store, volume, FIRST, ())
    model = solidfire.world._core.model  # type: ignore[attr-defined]
    theirs = "iqn.2004-10.com.example:theirs"
    model.groups.add_initiators(next(iter(model.groups.rows)).group_id, [theirs])
    solidfire.plugin.host_listener.host_connected(FIRST, store)
    solidfire.plugin.host_listener.host_about_to_be_removed(FIRST, [store])
    solidfire.plugin.lifecycle.delete_datastore(store.request)
    assert [each.name for each in model.initiators.rows] == [theirs]


def test_a_host_with_more_initiators_than_a_group_has_room_for(open_scene: OpenScene) -> None:
    many = tuple(Iqn(f"iqn.2004-10.com.example:many{number}") for number in range(66))
    for most, is_refused in ((128, False), (65, True)):
        scene = open_scene("solidfire", limits={"initiators_per_group": most})
        store = scene.store()
        volume = scene.volume(store)
        before = scene.view()
        if not is_refused:
            scene.driver.grant_access(store, volume, replace(FIRST, initiators=many))
            continue
        with pytest.raises(LimitReached) as reached:
            scene.driver.grant_access(store, volume, replace(FIRST, initiators=many))
        assert (reached.value.limit, reached.value.value) == ("initiators_per_group", most)
        assert scene.view() == before


def test_a_host_under_a_new_uuid_takes_over_unless_the_old_one_is_in_use(solidfire: Scene) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    again = Host("host-uuid-9", "kvm1", HypervisorType.KVM, CLUSTER.uuid, FIRST.initiators)
    solidfire.driver.grant_access(store, volume, FIRST)
    with pytest.raises(Conflict) as conflict:
        solidfire.driver.grant_access(store, volume, again)
    assert FIRST.uuid in str(conflict.value)
    solidfire.driver.revoke_access(store, volume, FIRST, ())
    solidfire.driver.grant_access(store, volume, again)
    solidfire.login(solidfire.driver.connection(store, volume, again), again).close()


def test_limits_of_groups_are_found_before_anything_is_made(
    open_scene: OpenScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    solidfire = open_scene("solidfire", limits={"groups_per_volume": 1})
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    before = solidfire.view()
    for fewest in (4, 1):  # found by the array, and found by asking what it allows
        monkeypatch.setattr("reference_providers.solidfire.access.FEWEST_GROUPS", fewest)
        with pytest.raises(LimitReached) as reached:
            solidfire.driver.grant_access(store, volume, SECOND)
        assert (reached.value.limit, reached.value.value) == ("groups_per_lun", 1)
        assert solidfire.view() == before
    solidfire.driver.grant_access(store, volume, FIRST)


def test_a_url_may_name_the_version(open_scene: OpenScene) -> None:
    scene = open_scene("solidfire")
    scene.plugin.lifecycle.initialize(scene.request(url="memory://array/json-rpc/12.3"))
    scene.plugin.lifecycle.initialize(scene.request(url="memory://array/"))
