"""What cannot be is refused by name, leaves nothing, and gives no secret away."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    AuthenticationFailed,
    CapacityExhausted,
    InvalidRequest,
    LimitReached,
    ProviderError,
    Secret,
    StoreRequest,
)

from .conftest import OpenScene
from .scene import GB, HOSTS, ON_ELEMENT, PLUGINS, Scene, answered


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("url", {"url": ""}),
        ("url", {"url": "10.0.0.1"}),
        ("url", {"url": "https://array:port"}),
        ("url", {"url": "https://admin:hunter2hunter2@array"}),
    ],
)
def test_a_bad_parameter_is_named(scene: Scene, field: str, change: dict[str, str]) -> None:
    before = scene.view()
    request = scene.request()
    with pytest.raises(InvalidRequest) as refused:
        scene.plugin.lifecycle.initialize(replace(request, parameters={**request.parameters, **change}))
    assert refused.value.field == field
    assert "hunter2" not in str(refused.value)
    assert scene.view() == before


def test_a_missing_name_is_named(element: Scene) -> None:
    with pytest.raises(InvalidRequest, match="username"):
        element.plugin.lifecycle.initialize(element.request(username=""))


def test_a_missing_secret_is_named(scene: Scene) -> None:
    (secret,) = scene.request().secrets
    with pytest.raises(InvalidRequest) as refused:
        scene.plugin.lifecycle.initialize(replace(scene.request(), secrets={}))
    assert refused.value.field == secret


def test_a_boolean_that_is_none_is_named(solidfire: Scene) -> None:
    with pytest.raises(InvalidRequest, match="verify_tls"):
        solidfire.plugin.lifecycle.initialize(solidfire.request(verify_tls="maybe"))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("capacity_bytes", lambda request: replace(request, capacity_bytes=0)),
        ("capacity_bytes", lambda request: replace(request, capacity_bytes=10**18)),
    ],
)
def test_a_store_that_cannot_be_is_refused(
    scene: Scene, field: str, change: Callable[[StoreRequest], StoreRequest]
) -> None:
    before = scene.view()
    with pytest.raises(InvalidRequest) as refused:
        scene.plugin.lifecycle.initialize(change(scene.request()))
    assert refused.value.field == field
    assert scene.view() == before


def test_an_access_model_that_is_not_declared_is_refused(solidfire: Scene) -> None:
    with pytest.raises(InvalidRequest, match="access_model"):
        solidfire.plugin.lifecycle.initialize(replace(solidfire.request(), access_model=AccessModel.SHARED))


def test_wrong_credentials_are_found_at_once(scene: Scene) -> None:
    before = scene.view()
    right = scene.request()
    wrong = replace(right, secrets=dict.fromkeys(right.secrets, Secret("not the password")))
    with pytest.raises(AuthenticationFailed) as refused:
        scene.plugin.lifecycle.initialize(wrong)
    assert refused.value.parameter in {each.name for each in scene.plugin.parameters}
    assert "not the password" not in str(refused.value)
    assert scene.view() == before


@pytest.mark.parametrize(
    ("failure", "is_retryable"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), False),
    ],
)
@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_dead_or_false_array_is_unreachable(
    open_scene: OpenScene, plugin: str, failure: OSError, is_retryable: bool
) -> None:
    scene = open_scene(plugin)

    def nobody(*_place: object) -> Any:
        raise failure

    dead = PLUGINS[plugin](connect=nobody)
    dead.configure(scene.cloud)
    with pytest.raises(ArrayUnreachable) as unreachable:
        dead.lifecycle.initialize(scene.request())
    assert unreachable.value.retryable is is_retryable


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"result": []}'),
        (404, b"404 Not Found"),
        (503, b""),
        (500, b"\xff"),
    ],
)
def test_what_is_no_answer_of_an_array_is_unreachable(scene: Scene, answer: tuple[int, bytes]) -> None:
    scene.wire.break_call(1, lambda _name, _through: answer)
    with pytest.raises(ArrayUnreachable):
        scene.plugin.lifecycle.initialize(scene.request())


def test_an_answer_without_what_was_asked_is_unreachable(solidfire: Scene) -> None:
    store = solidfire.store()
    bodies: list[object] = [
        {"result": {}},
        {"result": {"volumes": [{}]}},
        {"result": {"volumes": None}},
        {"error": None},
    ]
    for body in bodies:
        text = json.dumps(body).encode()
        solidfire.wire.break_call(1, lambda _name, _through, text=text: (200, text))  # type: ignore[misc]
        with pytest.raises(ArrayUnreachable):
            solidfire.driver.used(store)


def test_errors_never_carry_secrets(solidfire: Scene, caplog: pytest.LogCaptureFixture) -> None:
    store = solidfire.store()
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, HOSTS[0])
    password = solidfire.request().secrets["password"].reveal()
    chap = solidfire.driver.connection(store, volume, HOSTS[0]).paths[0].chap
    solidfire.wire.break_call(1, answered("xInvalidParameter", f"what is {password}?"))
    with pytest.raises(ProviderError) as refused:
        solidfire.driver.used(store)
    texts = [str(refused.value), repr(refused.value), caplog.text, repr(chap), repr(store)]
    assert not [text for text in texts if password in text or chap.secret.reveal() in text]


def test_a_full_store_is_exhausted(scene: Scene) -> None:
    store = scene.store(capacity_bytes=5 * GB)
    scene.volume(store)
    before = scene.view()
    with pytest.raises(CapacityExhausted) as full:
        scene.volume(store, "volume-2", 3 * GB)
    assert full.value.available == 5 * GB - before.luns[0].size_bytes
    assert full.value.asked >= 3 * GB
    assert scene.view() == before
    scene.volume(store, "volume-3")


def test_a_full_array_is_exhausted(scene: Scene) -> None:
    store = scene.store()
    scene.world.witness.fill(2 * GB)
    before = scene.view()
    with pytest.raises(CapacityExhausted) as full:
        scene.volume(store, size_bytes=3 * GB)
    assert full.value.available is not None
    assert full.value.available <= 2 * GB
    assert scene.view() == before


def test_an_array_that_fills_up_at_the_last_moment_is_exhausted(element: Scene) -> None:
    scene = element
    store = scene.store()

    def filled(_name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        answer = through()
        scene.world.witness.fill(GB)
        return answer

    scene.wire.break_next("GetClusterCapacity", filled)
    with pytest.raises(CapacityExhausted):
        scene.volume(store)
    assert list(scene.driver.list_objects(store)) == []


def test_one_group_too_many_is_a_limit(open_scene: OpenScene) -> None:
    for plugin in ON_ELEMENT:
        scene = open_scene(plugin, limits={"groups_per_volume": 2})
        store = scene.store()
        volume = scene.volume(store)
        for host in HOSTS[:2]:
            scene.driver.grant_access(store, volume, host)
        with pytest.raises(LimitReached):
            scene.driver.grant_access(store, volume, HOSTS[2])
        assert len(scene.view().luns[0].visible_to) == 2
