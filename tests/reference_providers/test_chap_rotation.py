"""Rotating CHAP: the new secret holds for every login from then on, and sessions go on."""

from __future__ import annotations

import re

import pytest

from conformance.contract import AccessNotGranted, ChapCredentials, DataStore, Volume
from simulators.iscsi.errors import LoginRefused

from .conftest import OpenScene
from .scene import HOSTS, Scene, lost_after
from .test_plugin_hookup import PluginScene

FIRST, SECOND, THIRD = HOSTS


@pytest.fixture
def store(solidfire: Scene) -> DataStore:
    return solidfire.store()


@pytest.fixture
def volume(solidfire: Scene, store: DataStore) -> Volume:
    volume = solidfire.volume(store)
    for host in (FIRST, SECOND):
        solidfire.driver.grant_access(store, volume, host)
    return volume


def _chap(scene: Scene, store: DataStore, volume: Volume, host: object = FIRST) -> ChapCredentials:
    chap = scene.driver.connection(store, volume, host).paths[0].chap
    assert isinstance(chap, ChapCredentials)
    return chap


def test_the_old_secret_is_refused_and_sessions_go_on(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    old = solidfire.driver.connection(store, volume, FIRST)
    other = _chap(solidfire, store, volume, SECOND)
    with solidfire.login(old, FIRST) as session:
        solidfire.driver.rotate_chap(store, volume, FIRST)
        session.write(0, 0, b"goes on".ljust(512))
        assert not solidfire.plugin.traits.rotation_drops_sessions
    with pytest.raises(LoginRefused):
        solidfire.login(old, FIRST)
    new = _chap(solidfire, store, volume)
    assert re.fullmatch(r"[\w-]{16}", new.secret.reveal())
    assert new.username == old.paths[0].chap.username
    assert new.secret != old.paths[0].chap.secret
    solidfire.login(solidfire.driver.connection(store, volume, FIRST), FIRST).close()
    assert _chap(solidfire, store, volume, SECOND) == other


def test_one_rotation_is_for_all_that_the_host_sees(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    another = solidfire.volume(store, "volume-2")
    solidfire.driver.grant_access(store, another, FIRST)
    solidfire.driver.rotate_chap(store, volume, FIRST)
    assert _chap(solidfire, store, another) == _chap(solidfire, store, volume)
    solidfire.driver.grant_access(store, another, FIRST)
    assert _chap(solidfire, store, another) == _chap(solidfire, store, volume)


def test_a_lost_reply_leaves_a_secret_that_works(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    old = _chap(solidfire, store, volume)
    solidfire.wire.break_next("ModifyInitiators", lost_after)
    solidfire.driver.rotate_chap(store, volume, FIRST)
    assert _chap(solidfire, store, volume) != old
    solidfire.login(solidfire.driver.connection(store, volume, FIRST), FIRST).close()


def test_a_host_without_access_has_nothing_to_rotate(solidfire: Scene, store: DataStore, volume: Volume) -> None:
    with pytest.raises(AccessNotGranted):
        solidfire.driver.rotate_chap(store, volume, THIRD)


def test_in_hookup_plugin_every_datastore_of_the_host_hears_of_it(open_scene: OpenScene) -> None:
    hooked_up = PluginScene(open_scene("plugin-hookup"))
    scene, store = hooked_up.scene, hooked_up.store
    volume = hooked_up.create()
    scene.volume(store, "volume-2")
    hooked_up.bridge.calls.clear()
    scene.driver.rotate_chap(store, volume, FIRST)
    # The fake bridge logs in with what it is handed.
    assert hooked_up.bridge.calls == ["attach_datastore", "attach_datastore"]
    scene.cloud.present = (SECOND,)
    scene.driver.rotate_chap(store, volume, FIRST)
    assert hooked_up.bridge.calls == ["attach_datastore", "attach_datastore"]
