"""Each tenant's volumes are in an account of their own, which comes with the first and goes with the last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import (
    CapacityExhausted,
    Conflict,
    DataStore,
    LimitReached,
    Snapshot,
    Template,
    Tenant,
    Volume,
    VolumeRequest,
)
from simulators.array.accounts import Account, AccountChange

from .conftest import OpenScene
from .scene import GB, HOSTS, PLACEMENT, Killed, Scene, killed, lost_after
from .test_plugin_hookup import TWO, PluginScene

RED, BLUE = Tenant("tenant-red", "red"), Tenant("tenant-blue", "blue")


def _volume(scene: Scene, store: DataStore, tenant: Tenant, uuid: str = "volume-1", size_bytes: int = GB) -> Volume:
    request = VolumeRequest(uuid, "data", size_bytes, tenant=tenant)
    made = scene.driver.create(store, request, PLACEMENT)
    return Volume(request, made.external_id, made.size_bytes, made.identity)


def _clone(scene: Scene, store: DataStore, tenant: Tenant, source: Snapshot | Volume) -> Volume:
    request = VolumeRequest("clone-1", "copy", GB, tenant=tenant)
    made = scene.driver.clone(store, request, PLACEMENT, source)
    return Volume(request, made.external_id, made.size_bytes, made.identity)


def _accounts(scene: Scene) -> dict[str, list[str]]:
    """Volumes by the tenant of the account they are in; empty: the store's own."""
    rows: list[Account] = list(scene.world._core.model.accounts.rows)  # type: ignore[attr-defined]
    return {str(each.attributes.get("tenant", "")): [str(number) for number in each.volumes] for each in rows}


def test_tenants_are_kept_apart(solidfire: Scene) -> None:
    store = solidfire.store()
    red, blue = _volume(solidfire, store, RED), _volume(solidfire, store, BLUE, "volume-2")
    nobody = solidfire.volume(store, "volume-3")
    assert _accounts(solidfire) == {
        "": [nobody.external_id],
        RED.uuid: [red.external_id],
        BLUE.uuid: [blue.external_id],
    }
    listed = {each.owner_uuid for each in solidfire.driver.list_objects(store)}
    assert listed == {"volume-1", "volume-2", "volume-3"}
    assert solidfire.driver.used(store).bytes == red.size_bytes + blue.size_bytes + nobody.size_bytes


def test_an_account_goes_with_its_last_volume(solidfire: Scene) -> None:
    store = solidfire.store()
    first, second = (_volume(solidfire, store, RED, f"volume-{number}") for number in (1, 2))
    solidfire.driver.delete(store, first)
    assert RED.uuid in _accounts(solidfire)
    solidfire.driver.delete(store, second)
    assert _accounts(solidfire) == {"": []}
    assert _volume(solidfire, store, RED).external_id != first.external_id


def test_one_tenant_has_an_account_in_each_store(solidfire: Scene) -> None:
    empty = solidfire.view()
    store, other = solidfire.store(), solidfire.store("store-2")
    _volume(solidfire, store, RED)
    kept = _volume(solidfire, other, RED, "volume-2")
    solidfire.plugin.lifecycle.delete_datastore(store.request)
    assert [each.external_id for each in solidfire.view().luns] == [kept.external_id]
    assert solidfire.driver.used(other).bytes == kept.size_bytes
    solidfire.plugin.lifecycle.delete_datastore(other.request)
    assert solidfire.view() == empty


def test_room_is_shared_by_the_tenants_of_a_store(solidfire: Scene) -> None:
    store = solidfire.store(capacity_bytes=5 * GB)
    solidfire.world.witness.fill(10 * GB)  # the array alone would have room
    red = _volume(solidfire, store, RED, size_bytes=3 * GB)
    with pytest.raises(CapacityExhausted) as full:
        _volume(solidfire, store, BLUE, "volume-2", 3 * GB)
    assert full.value.available == 5 * GB - red.size_bytes
    assert BLUE.uuid not in _accounts(solidfire)


def test_an_account_for_a_volume_that_the_array_refuses_is_closed_again(open_scene: OpenScene) -> None:
    scene = open_scene("solidfire", limits={"volumes": 1})
    store = scene.store()
    _volume(scene, store, RED)
    before = scene.view()
    with pytest.raises(LimitReached):
        _volume(scene, store, BLUE, "volume-2")
    assert scene.view() == before


def test_a_clone_belongs_to_who_asks_for_it(solidfire: Scene) -> None:
    store = solidfire.store()
    template = Template("image", "raw", GB, "sha256:0")
    seeded = solidfire.driver.seed_template(store, "template-1", template, GB)
    source = _volume(solidfire, store, RED)
    clone = _clone(solidfire, store, BLUE, source)
    assert _accounts(solidfire) == {
        "": [seeded.external_id],
        RED.uuid: [source.external_id],
        BLUE.uuid: [clone.external_id],
    }
    solidfire.driver.delete(store, source)
    solidfire.driver.grant_access(store, clone, HOSTS[0])
    solidfire.driver.revoke_access(store, clone, HOSTS[0], ())
    solidfire.driver.delete(store, clone)
    assert _accounts(solidfire) == {"": [seeded.external_id]}


@pytest.mark.parametrize("method", ["AddAccount", "GetAccountByName", "CreateVolume"])
@pytest.mark.parametrize("fault", [lost_after, killed])
def test_interrupted_creates_leave_one_account(solidfire: Scene, method: str, fault: object) -> None:
    store = solidfire.store()
    solidfire.wire.break_next(method, fault)  # type: ignore[arg-type]
    try:
        volume = _volume(solidfire, store, RED)
    except Killed:
        solidfire.wire.open = 0
        solidfire.another()
        volume = _volume(solidfire, store, RED)
    assert _accounts(solidfire) == {"": [], RED.uuid: [volume.external_id]}


@pytest.mark.parametrize("method", ["PurgeDeletedVolume", "GetAccountByName", "RemoveAccount"])
def test_a_killed_delete_is_finished_by_its_repetition(solidfire: Scene, method: str) -> None:
    store = solidfire.store()
    volume = _volume(solidfire, store, RED)
    solidfire.wire.break_next(method, killed)
    with pytest.raises(Killed):
        solidfire.driver.delete(store, volume)
    solidfire.wire.open = 0
    solidfire.another().driver.delete(store, volume)
    assert _accounts(solidfire) == {"": []}


def test_uuids_of_tenants_may_be_anything(solidfire: Scene) -> None:
    store = solidfire.store("store-" + "9" * 80)
    tenants = [Tenant(uuid, "x") for uuid in ("Red", "red", "réd", "red " * 30)]
    volumes = [_volume(solidfire, store, each, f"volume-{number}") for number, each in enumerate(tenants)]
    assert len(_accounts(solidfire)) == 1 + len(tenants)
    for each in volumes:
        solidfire.driver.delete(store, each)
    assert _accounts(solidfire) == {"": []}


def test_an_account_of_others_is_not_taken(solidfire: Scene) -> None:
    store = solidfire.store()
    _volume(solidfire, store, RED)
    accounts = solidfire.world._core.model.accounts  # type: ignore[attr-defined]
    account = next(each for each in accounts.rows if "tenant" in each.attributes)
    solidfire.driver.delete(store, replace(_volume(solidfire, store, RED), external_id=None))
    accounts.add(account.username, AccountChange(attributes={"owner": "somebody"}))
    before = solidfire.view()
    with pytest.raises(Conflict):
        _volume(solidfire, store, RED)
    solidfire.driver.delete(store, Volume(VolumeRequest("volume-1", "x", GB, tenant=RED), None, GB))
    assert solidfire.view() == before


def test_hookup_plugin_leaves_no_account_either(open_scene: OpenScene) -> None:
    hooked_up = PluginScene(open_scene("plugin-hookup"))
    scene, store = hooked_up.scene, hooked_up.store
    volume = _volume(scene, store, RED)
    scene.driver.delete(store, volume)
    assert _accounts(scene) == {"": []}
    hooked_up.bridge.fails_at = ("create_datastore", False)
    with pytest.raises(Exception, match="create_datastore"):
        scene.driver.create(store, volume.request, TWO)
    assert _accounts(scene) == {"": []}
