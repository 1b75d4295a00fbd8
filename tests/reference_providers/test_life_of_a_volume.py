"""From adding a store to deleting it, on a LUN that is really logged in to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import (
    AccessNotGranted,
    CapabilityNotSupported,
    Conflict,
    InvalidRequest,
    ObjectNotFound,
    QosPolicy,
    Volume,
    VolumeRequest,
)
from conformance.registration import check
from simulators.iscsi.errors import InitiatorError, LoginRefused

from .conftest import OpenScene
from .scene import ALL, CLUSTER, GB, HOSTS, PLACEMENT, Scene

FIRST, SECOND, THIRD = HOSTS


@pytest.mark.parametrize("plugin", ALL)
def test_it_is_what_the_contract_asks_for(plugin: str) -> None:
    assert check(ALL[plugin]()) == []


def test_everything_made_is_gone_at_the_end(scene: Scene) -> None:
    empty = scene.view()
    store = scene.store()
    assert list(scene.plugin.lifecycle.attach_cluster(store, CLUSTER)) == []
    volume = scene.volume(store)
    scene.driver.grant_access(store, volume, FIRST)
    connection = scene.driver.connection(store, volume, FIRST)
    with scene.login(connection, FIRST) as session:
        (lun,) = scene.view().luns
        # Not every API tells it.
        assert {connection.identity.wwid, volume.identity.wwid if volume.identity else None} <= {lun.wwid, None}
        assert session.wwid(0) == lun.wwid
        session.write(0, 4096, b"kept" * 128)
        assert session.read(0, 4096, 512) == b"kept" * 128
    scene.driver.revoke_access(store, volume, FIRST, ())
    with pytest.raises(LoginRefused):
        scene.login(connection, FIRST)
    scene.driver.delete(store, volume)
    scene.plugin.lifecycle.detach_cluster(store, CLUSTER)
    scene.plugin.lifecycle.delete_datastore(store.request)
    assert scene.view() == empty


def test_the_same_request_gives_the_same_lun_and_another_size_a_conflict(scene: Scene) -> None:
    store = scene.store()
    first = scene.volume(store)
    assert scene.volume(store).external_id == first.external_id
    with pytest.raises(Conflict):
        scene.volume(store, size_bytes=2 * GB + 1)
    assert len(scene.view().luns) == 1
    assert scene.view().luns[0].size_bytes == first.size_bytes >= 2 * GB


def test_a_create_that_nobody_heard_of_is_found_by_uuid(scene: Scene) -> None:
    store = scene.store()
    made = scene.volume(store)
    scene.driver.delete(store, replace(made, external_id=None))
    assert scene.view().luns == ()
    scene.driver.delete(store, replace(made, external_id=None))
    scene.driver.delete(store, made)


def test_a_delete_that_stopped_before_the_purge_is_finished_by_the_next_create(solidfire: Scene) -> None:
    scene = solidfire
    store = scene.store()
    made = scene.volume(store)
    core = scene.world._core  # type: ignore[attr-defined]
    core.model.volumes.delete(int(made.external_id or 0))
    again = scene.volume(store)
    assert again.external_id != made.external_id
    assert [each.in_trash for each in scene.view().luns] == [False]


def test_only_the_volume_of_that_id_and_uuid_is_touched(scene: Scene) -> None:
    store, other = scene.store(), scene.store("store-2")
    volume, neighbour = scene.volume(store), scene.volume(store, "volume-2")
    foreign = scene.volume(other)
    scene.driver.delete(store, volume)
    for stranger in (
        volume,  # the array would answer its neighbour, the next one
        replace(volume, external_id=neighbour.external_id),
        replace(volume, external_id=foreign.external_id),
        replace(volume, external_id="9" * 18),
        replace(volume, external_id="no number"),
    ):
        scene.driver.delete(store, stranger)
        scene.driver.revoke_access(store, stranger, FIRST, ())
        scene.driver.fence(store, stranger, [FIRST])
        with pytest.raises(ObjectNotFound):
            scene.driver.grant_access(store, stranger, FIRST)
        with pytest.raises(ObjectNotFound):
            scene.driver.connection(store, stranger, FIRST)
    assert {each.external_id for each in scene.view().luns} == {neighbour.external_id, foreign.external_id}
    assert [each.owner_uuid for each in scene.driver.list_objects(store)] == ["volume-2"]
    scene.plugin.lifecycle.delete_datastore(store.request)
    assert [each.external_id for each in scene.view().luns] == [foreign.external_id]


def test_uuids_that_look_alike_on_the_array_are_kept_apart(solidfire: Scene) -> None:
    scene = solidfire
    store = scene.store()
    uuids = ["A-b", "a-b", "a_b", "a.b", "a-b-" + 60 * "x", "a-b-" + 61 * "x", "ü"]
    made = [scene.volume(store, uuid) for uuid in uuids]
    assert len({each.external_id for each in made}) == len(uuids)
    assert {each.owner_uuid for each in scene.driver.list_objects(store)} == set(uuids)
    names = [each.name for each in scene.view().luns]
    assert len({each.lower() for each in names}) == len(uuids)


def test_hosts_see_a_lun_from_grant_to_revoke_and_no_other_does(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    with pytest.raises(AccessNotGranted):
        scene.driver.connection(store, volume, FIRST)
    for host in (FIRST, SECOND, FIRST):
        scene.driver.grant_access(store, volume, host)
    connections = {host: scene.driver.connection(store, volume, host) for host in (FIRST, SECOND)}
    with pytest.raises(AccessNotGranted):
        scene.driver.connection(store, volume, THIRD)
    with pytest.raises(LoginRefused):
        scene.login(connections[FIRST], THIRD)
    with scene.login(connections[SECOND], SECOND) as session:
        scene.driver.revoke_access(store, volume, FIRST, [SECOND])
        scene.driver.revoke_access(store, volume, FIRST, [SECOND])
        with pytest.raises(LoginRefused):
            scene.login(connections[FIRST], FIRST)
        assert session.read(0, 0, 512) == bytes(512)
    assert scene.view().luns[0].visible_to == {SECOND.iqns[0]}


def test_fence_ends_the_session_of_the_fenced_and_of_nobody_else(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    for host in (FIRST, SECOND):
        scene.driver.grant_access(store, volume, host)
    sessions = [scene.login(scene.driver.connection(store, volume, host), host) for host in (FIRST, SECOND)]
    scene.driver.fence(store, volume, [FIRST, THIRD])
    with pytest.raises(InitiatorError):
        sessions[0].write(0, 0, b"late" * 128)
    sessions[1].write(0, 0, b"fine" * 128)
    for each in sessions:
        each.close()


def test_a_fence_that_stopped_with_the_volume_locked_is_finished_by_the_next(element: Scene) -> None:
    scene = element
    store = scene.store()
    volume = scene.volume(store)
    for host in (FIRST, SECOND):
        scene.driver.grant_access(store, volume, host)
    core = scene.world._core  # type: ignore[attr-defined]
    model_volume = core.model.volumes.get_active(int(volume.external_id or 0))
    model_volume.access = type(model_volume.access)("locked")
    scene.driver.fence(store, volume, [FIRST])
    scene.login(scene.driver.connection(store, volume, SECOND), SECOND).close()


def test_a_host_without_iscsi_initiator_is_refused(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    before = scene.view()
    with pytest.raises(InvalidRequest) as refused:
        scene.driver.grant_access(store, volume, replace(FIRST, initiators=()))
    assert refused.value.field == "host.initiators"
    assert scene.view() == before


def test_a_host_with_another_iqn_than_before_gets_in_with_that_one_only(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    scene.driver.grant_access(store, volume, FIRST)
    renamed = replace(FIRST, initiators=(type(FIRST.iqns[0])("iqn.2004-10.com.example:renamed"),))
    with pytest.raises(AccessNotGranted):
        scene.driver.connection(store, volume, renamed)
    scene.driver.grant_access(store, volume, renamed)
    assert scene.view().luns[0].visible_to == {renamed.iqns[0]}
    scene.login(scene.driver.connection(store, volume, renamed), renamed).close()


def test_a_host_may_have_several_initiators(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    both = replace(FIRST, initiators=(*FIRST.initiators, *SECOND.initiators))
    scene.driver.grant_access(store, volume, both)
    connection = scene.driver.connection(store, volume, both)
    for host in (FIRST, SECOND):
        scene.login(connection, host).close()


@pytest.mark.parametrize("size_bytes", [0, -1, 10**18])
def test_impossible_sizes_are_refused(scene: Scene, size_bytes: int) -> None:
    store = scene.store()
    before = scene.view()
    with pytest.raises(InvalidRequest) as refused:
        scene.driver.create(store, VolumeRequest("volume-1", "data", size_bytes), PLACEMENT)
    assert refused.value.field == "size_bytes"
    assert scene.view() == before


def test_used_counts_what_is_provisioned(scene: Scene) -> None:
    store, other = scene.store(), scene.store("store-2")
    assert scene.driver.used(store).bytes == 0
    volumes = [scene.volume(store), scene.volume(store, "volume-2")]
    scene.volume(other, "volume-3")
    assert scene.driver.used(store).bytes == sum(each.size_bytes for each in volumes)
    scene.driver.delete(store, volumes[0])
    assert scene.driver.used(store).bytes == volumes[1].size_bytes


def test_delete_datastore_takes_granted_volumes_and_hosts_along(scene: Scene) -> None:
    empty = scene.view()
    store = scene.store()
    volume = scene.volume(store)
    scene.driver.grant_access(store, volume, FIRST)
    scene.plugin.lifecycle.delete_datastore(store.request)
    scene.plugin.lifecycle.delete_datastore(store.request)
    assert scene.view() == empty


def test_delete_datastore_leaves_another_store_and_its_grants_alone(scene: Scene) -> None:
    store, other = scene.store(), scene.store("store-2")
    volume, kept = scene.volume(store), scene.volume(other)
    for at, target in ((store, volume), (other, kept)):
        scene.driver.grant_access(at, target, FIRST)
    connection = scene.driver.connection(other, kept, FIRST)
    scene.plugin.lifecycle.delete_datastore(store.request)
    scene.login(connection, FIRST).close()
    assert scene.driver.connection(other, kept, FIRST) == connection


def test_every_instance_goes_on_where_another_stopped(scene: Scene) -> None:
    empty = scene.view()
    store = scene.store()
    scene.another()
    volume = scene.volume(store)
    scene.another()
    scene.driver.grant_access(store, volume, FIRST)
    scene.another()
    scene.login(scene.driver.connection(store, volume, FIRST), FIRST).close()
    scene.another()
    scene.driver.revoke_access(store, volume, FIRST, ())
    scene.another()
    scene.driver.delete(store, volume)
    scene.another().lifecycle.delete_datastore(store.request)
    assert scene.view() == empty


def test_a_new_volume_under_an_old_uuid_is_not_hit_by_a_late_delete(scene: Scene) -> None:
    store = scene.store()
    old = scene.volume(store)
    scene.driver.delete(store, old)
    new: Volume = scene.volume(store)
    scene.driver.delete(store, old)
    assert [each.external_id for each in scene.view().luns] == [new.external_id]


def test_what_is_not_offered_is_refused_and_changes_nothing(open_scene: OpenScene) -> None:
    scene = open_scene("minimal")
    store = scene.store()
    before = scene.view()
    with pytest.raises(CapabilityNotSupported):
        scene.volume(store, qos=QosPolicy(100, 200, 300))
    assert scene.view() == before
