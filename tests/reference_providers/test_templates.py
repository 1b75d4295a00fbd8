"""The template cache: made empty, filled by the cloud, cloned from, removed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import (
    CachedTemplate,
    Conflict,
    DataStore,
    InUse,
    ObjectKind,
    ObjectNotFound,
    Template,
)

from .conftest import OpenScene
from .scene import GB, HOSTS, Killed, Scene, killed, lost_after, sent_twice
from .test_plugin_hookup import TWO, PluginScene

FIRST = HOSTS[0]
TEMPLATE = Template("http://images/template", "raw", GB, "sha256:" + "0" * 64)


def _seed(scene: Scene, store: DataStore, uuid: str = "template-1", size_bytes: int = 2 * GB) -> CachedTemplate:
    made = scene.driver.seed_template(store, uuid, TEMPLATE, size_bytes)
    return CachedTemplate(uuid, TEMPLATE, made.external_id, made.size_bytes, made.identity)


def _listed(scene: Scene, store: DataStore) -> list[tuple[ObjectKind, str]]:
    return [(each.kind, each.owner_uuid) for each in scene.driver.list_objects(store)]


def test_a_template_is_filled_and_cloned_from(solidfire: Scene) -> None:
    store = solidfire.store()
    cached = _seed(solidfire, store)
    solidfire.write(store, cached, b"image")
    clones = [solidfire.clone(store, cached, f"clone-{number}", 3 * GB) for number in range(2)]
    solidfire.driver.delete_template(store, cached)
    solidfire.driver.delete_template(store, cached)
    assert [solidfire.read(store, each) for each in clones] == [b"image"] * 2
    assert _listed(solidfire, store) == [(ObjectKind.VOLUME, each.uuid) for each in clones]


def test_seeding_again_answers_the_same(solidfire: Scene) -> None:
    store = solidfire.store()
    cached = _seed(solidfire, store)
    solidfire.another()
    assert _seed(solidfire, store) == cached
    with pytest.raises(Conflict):
        _seed(solidfire, store, size_bytes=3 * GB)
    with pytest.raises(Conflict):
        solidfire.driver.seed_template(store, cached.uuid, replace(TEMPLATE, checksum="sha256:1"), 2 * GB)
    assert _listed(solidfire, store) == [(ObjectKind.TEMPLATE, cached.uuid)]


@pytest.mark.parametrize("fault", [lost_after, sent_twice])
def test_lost_replies_make_one_template(solidfire: Scene, fault: object) -> None:
    store = solidfire.store()
    solidfire.wire.break_next("CreateVolume", fault)  # type: ignore[arg-type]
    _seed(solidfire, store)
    assert len(solidfire.view().luns) == 1


def test_a_seed_that_nobody_heard_of_is_deleted(solidfire: Scene) -> None:
    store = solidfire.store()
    solidfire.wire.break_next("CreateVolume", killed)
    with pytest.raises(Killed):
        _seed(solidfire, store)
    solidfire.wire.open = 0
    lost = CachedTemplate("template-1", TEMPLATE, None, 2 * GB)
    solidfire.another().driver.delete_template(store, lost)
    assert solidfire.view().luns == ()


def test_a_template_and_a_volume_of_one_uuid_stay_apart(solidfire: Scene) -> None:
    store = solidfire.store()
    volume, cached = solidfire.volume(store, "same"), _seed(solidfire, store, "same")
    assert volume.external_id != cached.external_id
    solidfire.driver.delete_template(store, replace(cached, external_id=volume.external_id))
    solidfire.driver.delete(store, replace(volume, external_id=cached.external_id))
    assert len(solidfire.view().luns) == 2
    solidfire.driver.delete_template(store, replace(cached, external_id=None))
    assert _listed(solidfire, store) == [(ObjectKind.VOLUME, "same")]


def test_a_template_in_use_stays(solidfire: Scene) -> None:
    store = solidfire.store()
    cached = _seed(solidfire, store)
    solidfire.driver.grant_access(store, cached, FIRST)
    with pytest.raises(InUse):
        solidfire.driver.delete_template(store, cached)
    solidfire.plugin.lifecycle.delete_datastore(store.request)
    assert solidfire.view().luns == ()


def test_a_template_that_is_gone_is_not_cloned(solidfire: Scene) -> None:
    store = solidfire.store()
    cached = _seed(solidfire, store)
    solidfire.driver.delete_template(store, cached)
    with pytest.raises(ObjectNotFound):
        solidfire.clone(store, cached)


def test_in_hookup_plugin_the_cloud_looks_after_templates(open_scene: OpenScene) -> None:
    hooked_up = PluginScene(open_scene("plugin-hookup"))
    scene, store = hooked_up.scene, hooked_up.store
    cached = _seed(scene, store)
    scene.write(store, cached, b"image")
    assert hooked_up.bridge.calls == []
    clone = scene.clone(store, cached)
    assert hooked_up.bridge.datastores["vol-clone-1"].hosts == {each.uuid for each in HOSTS}
    scene.driver.delete_template(store, cached)
    scene.driver.delete(store, clone)
    assert hooked_up.bridge.datastores == {}
    _seed(scene, store)
    hooked_up.create(TWO)
    scene.plugin.lifecycle.delete_datastore(store.request)
    assert scene.view().luns == ()
