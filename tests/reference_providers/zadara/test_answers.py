"""What the array answers, in the contract's words; names; and what cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    AuthenticationFailed,
    CapabilityNotSupported,
    Conflict,
    InvalidRequest,
    OperationCancelled,
    ProviderError,
    QosPolicy,
    Volume,
    VolumeRequest,
)
from reference_providers.zadara import names
from tests.reference_providers.scene import PLACEMENT, Fault, Scene

GB = 1 << 30


def answered(status: int, body: bytes) -> Fault:
    return lambda _name, _through: (status, body)


def refused(status: int, **members: object) -> Fault:
    return answered(200, json.dumps({"response": {"status": status, **members}}).encode())


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        (refused(5, **{"status-msg": "Invalid access key"}), AuthenticationFailed, "access_key"),
        (refused(4711, **{"status-msg": "out of luck"}), ArrayUnreachable, "out of luck"),
        (refused(4711), ArrayUnreachable, "4711"),
        (refused(0), ArrayUnreachable, "cannot be read"),
        (refused(0, pools=[{}]), ArrayUnreachable, "cannot be read"),
        (answered(200, b"{}"), ArrayUnreachable, "no status"),
        (answered(200, b"[1]"), ArrayUnreachable, "no status"),
        (answered(200, b"<html>"), ArrayUnreachable, "no status"),
        (answered(401, b""), AuthenticationFailed, "access_key"),
        (answered(503, b""), ArrayUnreachable, "503"),
        (answered(404, b""), ArrayUnreachable, "404"),
    ],
)
def test_answers_are_told_in_the_words_of_the_contract(
    zadara: Scene, fault: Fault, error: type[ProviderError], text: str
) -> None:
    zadara.wire.break_next("GET pools", fault)
    with pytest.raises(error, match=text):
        zadara.store()


def test_only_what_may_pass_is_worth_another_attempt(zadara: Scene) -> None:
    for status, is_retryable in ((503, True), (404, False)):
        zadara.wire.break_next("GET pools", answered(status, b""))
        with pytest.raises(ArrayUnreachable) as unreachable:
            zadara.store()
        assert unreachable.value.retryable is is_retryable


def test_errors_do_not_carry_the_key(zadara: Scene) -> None:
    key = zadara.request().secrets["access_key"].reveal()
    zadara.wire.break_next("GET pools", refused(4711, **{"status-msg": f"{key} is no good"}))
    with pytest.raises(ArrayUnreachable) as told:
        zadara.store()
    assert key not in str(told.value)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("pool", {"pool": ""}),
        ("pool", {"pool": "pool-00000002"}),
    ],
)
def test_a_pool_that_is_none_is_named(zadara: Scene, field: str, change: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as unusable:
        zadara.store(**change)
    assert unusable.value.field == field


def test_what_the_array_cannot_do_is_refused(zadara: Scene) -> None:
    with pytest.raises(InvalidRequest, match="access_model"):
        zadara.plugin.lifecycle.initialize(replace(zadara.request(), access_model=AccessModel.SHARED))
    store = zadara.store()
    with pytest.raises(CapabilityNotSupported):
        zadara.volume(store, qos=QosPolicy(100, 200, 300))
    volume = zadara.volume(store)
    with pytest.raises(InvalidRequest):
        zadara.driver.resize(store, volume, GB)
    assert zadara.driver.resize(store, volume, 2 * GB + 1).size_bytes == 3 * GB
    assert zadara.driver.resize(store, volume, 3 * GB).size_bytes == 3 * GB
    assert zadara.volume(store).external_id == volume.external_id, "it was asked for with this size"


def test_a_store_can_grow_and_not_below_what_is_used(zadara: Scene) -> None:
    store = zadara.store(capacity_bytes=10 * GB)
    zadara.volume(store, size_bytes=6 * GB)
    smaller = replace(store.request, capacity_bytes=5 * GB)
    with pytest.raises(InvalidRequest, match="capacity_bytes"):
        zadara.plugin.lifecycle.update(store, smaller)
    larger = zadara.plugin.lifecycle.update(store, replace(store.request, capacity_bytes=20 * GB))
    assert larger.request.capacity_bytes == 20 * GB
    with pytest.raises(InvalidRequest, match="uuid"):
        zadara.plugin.lifecycle.update(store, replace(store.request, uuid="store-2"))


@pytest.mark.parametrize("uuid", ["ü", "a b", "a.b", "u" * 81])
def test_uuids_that_do_not_fit_into_names_are_refused(zadara: Scene, uuid: str) -> None:
    store = zadara.store()
    with pytest.raises(InvalidRequest, match="uuid"):
        zadara.volume(store, uuid)
    assert zadara.view().luns == ()


def test_names_of_others_are_never_taken_for_ours() -> None:
    ours = names.of(names.VOLUME, "store-1", "volume-1")
    assert names.owner_in(ours, "store-1") == names.Owner(names.VOLUME, "volume-1")
    assert names.owner_in(names.UNFINISHED + ours, "store-1") == names.Owner(
        names.VOLUME, "volume-1", is_finished=False
    )
    others = [
        ours.replace("volume-1", "volume-2"), ours + "1", ours[:-1], ours.upper(), "x" + ours, "volume-1",
        ours.replace(names.VOLUME, names.TEMPLATE), names.UNFINISHED * 2 + ours, "",
    ]  # fmt: skip
    assert [names.owner_in(each, "store-1") for each in others] == [None] * len(others)
    assert names.owner_in(ours, "store-2") is None
    server = names.of_server("host-1", "iqn.2000-01.example:h")
    assert names.host_in(server, "iqn.2000-01.example:h") == "host-1"
    assert names.host_in(server, "iqn.2000-01.example:i") is None
    assert len(names.UNFINISHED + names.of(names.TEMPLATE, "s", "u" * 80)) <= 128


def test_a_name_that_somebody_else_has_is_a_conflict(zadara: Scene) -> None:
    store = zadara.store()
    zadara.world.witness.plant(names.of(names.VOLUME, "store-1", "volume-1"), PLACEMENT.hosts[0].iqns[0], b"theirs")
    before = zadara.view()
    with pytest.raises(Conflict):
        zadara.volume(store)
    assert zadara.view() == before


def test_a_cancelled_create_leaves_nothing(zadara: Scene) -> None:
    store = zadara.store()

    def given_up(_name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        zadara.cloud.call.is_cancelled = True
        return through()

    zadara.wire.break_next("POST volumes", given_up)
    with pytest.raises(OperationCancelled):
        zadara.volume(store)
    zadara.cloud.call.is_cancelled = False
    assert zadara.view().luns == ()


def test_without_an_active_controller_nobody_can_be_told_the_way(zadara: Scene) -> None:
    store = zadara.store()
    volume = zadara.volume(store)
    zadara.driver.grant_access(store, volume, PLACEMENT.hosts[0])
    zadara.wire.break_next("GET vcontrollers", refused(0, vcontrollers=[{"state": "standby"}]))
    with pytest.raises(ProviderError, match="controller"):
        zadara.driver.connection(store, volume, PLACEMENT.hosts[0])


def test_a_repeated_create_with_another_request_changes_nothing(zadara: Scene) -> None:
    store = zadara.store()
    volume = zadara.volume(store)
    request = VolumeRequest("volume-1", "data", volume.size_bytes - 1)
    with pytest.raises(Conflict):
        zadara.driver.create(store, request, PLACEMENT)
    assert zadara.driver.used(store).bytes == volume.size_bytes
    assert isinstance(volume, Volume)
