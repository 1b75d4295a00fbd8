"""Two instances of a plugin serve one store at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from conformance.contract import CapacityExhausted, DataStore, VolumeRequest

from .conftest import OpenScene
from .scene import GB, HOSTS, PLACEMENT, PLUGINS, Scene


def _together(*actions: Callable[[], object]) -> list[BaseException]:
    """Carry them out in threads of their own; answers what they raised."""
    raised: list[BaseException] = []
    start = threading.Barrier(len(actions))

    def carry_out(action: Callable[[], object]) -> None:
        start.wait(5)
        try:
            action()
        except Exception as failure:
            raised.append(failure)

    threads = [threading.Thread(target=carry_out, args=(each,), daemon=True) for each in actions]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
        assert not each.is_alive()
    return raised


def _scene(open_scene: OpenScene, plugin: str, capacity_bytes: int = 100 * GB) -> tuple[Scene, DataStore]:
    scene = open_scene(plugin)
    store = scene.store(capacity_bytes=capacity_bytes)
    scene.another()
    return scene, store


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_last_room_is_given_away_once(open_scene: OpenScene, plugin: str) -> None:
    for _ in range(5):
        scene, store = _scene(open_scene, plugin, capacity_bytes=3 * GB)
        requests = [VolumeRequest(f"volume-{number}", "data", 2 * GB) for number in range(2)]
        first, second = (each.driver for each in scene.instances)
        raised = _together(
            partial(first.create, store, requests[0], PLACEMENT),
            partial(second.create, store, requests[1], PLACEMENT),
        )
        assert [type(each) for each in raised] == [CapacityExhausted]
        assert len(scene.view().luns) == 1


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_host_gets_one_group(open_scene: OpenScene, plugin: str) -> None:
    for _ in range(5):
        scene, store = _scene(open_scene, plugin)
        volumes = [scene.volume(store, f"volume-{number}") for number in range(2)]
        first, second = (each.driver for each in scene.instances)
        raised = _together(
            partial(first.grant_access, store, volumes[0], HOSTS[0]),
            partial(second.grant_access, store, volumes[1], HOSTS[0]),
        )
        assert raised == []
        assert [each.visible_to for each in scene.view().luns] == [{HOSTS[0].iqns[0]}] * 2


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_grant_survives_the_revoke_of_another_volume(open_scene: OpenScene, plugin: str) -> None:
    for _ in range(5):
        scene, store = _scene(open_scene, plugin)
        old, new = scene.volume(store, "volume-1"), scene.volume(store, "volume-2")
        scene.driver.grant_access(store, old, HOSTS[0])
        first, second = (each.driver for each in scene.instances)
        raised = _together(
            partial(first.revoke_access, store, old, HOSTS[0], ()),
            partial(second.grant_access, store, new, HOSTS[0]),
        )
        assert raised == []
        scene.login(second.connection(store, new, HOSTS[0]), HOSTS[0]).close()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_store_is_initialized_once(open_scene: OpenScene, plugin: str) -> None:
    scene = open_scene(plugin)
    scene.another()
    request = scene.request()
    first, second = (each.lifecycle for each in scene.instances)
    assert _together(lambda: first.initialize(request), lambda: second.initialize(request)) == []
    assert len(scene.view().objects) == 1
