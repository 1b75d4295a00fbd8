"""Something goes wrong at the n-th request of an operation, for every n: repeated, it succeeds, and nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from conformance.contract import (
    ArrayUnreachable,
    Busy,
    CachedTemplate,
    OperationCancelled,
    QosPolicy,
    Template,
    Tenant,
    Volume,
    VolumeRequest,
)

from .conftest import OpenScene
from .scene import (
    GB,
    HOSTS,
    PLACEMENT,
    PLUGINS,
    Fault,
    Killed,
    Scene,
    answered,
    killed,
    lost_after,
    lost_before,
    sent_twice,
    timed_out,
)

FIRST, SECOND, _ = HOSTS
FAULTS: dict[str, Fault] = {
    "lost before": lost_before,
    "lost after": lost_after,
    "timed out": timed_out,
    "killed": killed,
    "sent twice": sent_twice,
    "not ready": answered("xNotReadyForIO"),
}
MOST_REQUESTS = 60


def _create(scene: Scene) -> None:
    scene.volume(scene.store())


def _grant(scene: Scene) -> None:
    store = scene.store()
    scene.driver.grant_access(store, scene.volume(store), FIRST)


def _revoke(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    scene.driver.grant_access(store, volume, FIRST)
    scene.driver.revoke_access(store, volume, FIRST, ())


def _delete(scene: Scene) -> None:
    store = scene.store()
    scene.driver.delete(store, scene.volume(store))


def _delete_datastore(scene: Scene) -> None:
    store = scene.store()
    scene.driver.grant_access(store, scene.volume(store), FIRST)
    scene.plugin.lifecycle.delete_datastore(store.request)


def _resize(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    if hasattr(scene.driver, "resize"):
        assert scene.driver.resize(store, volume, 5 * GB).size_bytes >= 5 * GB


def _snapshot(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    scene.driver.delete_snapshot(store, scene.snapshot(store, volume))
    scene.snapshot(store, volume)


def _revert(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    scene.driver.revert(store, volume, scene.snapshot(store, volume))


def _clone(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    clone = scene.clone(store, volume)
    scene.driver.delete(store, volume)
    assert scene.read(store, clone) == b""
    scene.driver.delete(store, clone)


OPERATIONS: dict[str, Callable[[Scene], None]] = {
    "create": _create,
    "grant": _grant,
    "revoke": _revoke,
    "delete": _delete,
    "resize": _resize,
    "delete_datastore": _delete_datastore,
}


def _tenant(scene: Scene) -> None:
    store = scene.store()
    request = VolumeRequest("volume-1", "data", 2 * GB, tenant=Tenant("tenant-1", "red"))
    made = scene.driver.create(store, request, PLACEMENT)
    scene.driver.delete(store, Volume(request, made.external_id, made.size_bytes))
    assert len([each for each in scene.view().objects if each.kind == "account"]) == 1


def _template(scene: Scene) -> None:
    store = scene.store()
    template = Template("image", "raw", GB, "sha256:0")
    made = scene.driver.seed_template(store, "template-1", template, GB)
    scene.driver.delete_template(store, CachedTemplate("template-1", template, made.external_id, made.size_bytes))


def _rotate(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store)
    scene.driver.grant_access(store, volume, FIRST)
    scene.driver.rotate_chap(store, volume, FIRST)
    scene.login(scene.driver.connection(store, volume, FIRST), FIRST).close()


def _migrate(scene: Scene) -> None:
    store = scene.store()
    volume = scene.volume(store, qos=QosPolicy(100, 200, 300))
    scene.driver.begin_migration(store, volume)
    scene.driver.end_migration(store, volume)
    assert scene.view().luns[0].qos == QosPolicy(100, 200, 300)


ONLY_OF_THE_COMPLETE_PLUGIN: dict[str, Callable[[Scene], None]] = {
    "tenant": _tenant,
    "template": _template,
    "rotate": _rotate,
    "migrate": _migrate,
    "snapshot": _snapshot,
    "revert": _revert,
    "clone": _clone,
}


def _attempt(scene: Scene, operation: Callable[[Scene], None]) -> None:
    """Carry it out; a failure must be the contract's, and a killed instance is replaced."""
    try:
        operation(scene)
    except Killed:
        scene.wire.open = 0
        scene.another()
    except (ArrayUnreachable, Busy):
        pass
    else:
        return
    operation(scene)


def _finish(scene: Scene) -> None:
    store = scene.store()
    assert len(scene.view().luns) <= 1
    for each in scene.driver.list_objects(store):
        assert each.owner_uuid in ("volume-1", "snapshot-1", "template-1", "clone-1")
    scene.plugin.lifecycle.delete_datastore(store.request)


# What the contract does not ask for, the minimal plugin leaves out.
@pytest.mark.parametrize(
    ("plugin", "fault"),
    [(plugin, fault) for plugin in PLUGINS for fault in FAULTS if (plugin, fault) != ("minimal", "sent twice")],
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_interrupted_operation_can_be_repeated(
    open_scene: OpenScene, plugin: str, operation: str, fault: str
) -> None:
    _interrupt_everywhere(open_scene, plugin, OPERATIONS[operation], FAULTS[fault])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ONLY_OF_THE_COMPLETE_PLUGIN)
def test_an_interrupted_optional_operation_can_be_repeated(open_scene: OpenScene, operation: str, fault: str) -> None:
    _interrupt_everywhere(open_scene, "solidfire", ONLY_OF_THE_COMPLETE_PLUGIN[operation], FAULTS[fault])


def _interrupt_everywhere(open_scene: OpenScene, plugin: str, operation: Callable[[Scene], None], fault: Fault) -> None:
    for number in range(1, MOST_REQUESTS):
        scene = open_scene(plugin)
        empty = scene.view()
        scene.wire.break_call(number, fault)
        _attempt(scene, operation)
        if scene.wire.is_fault_pending:
            break  # the operation makes fewer requests
        _finish(scene)
        assert scene.view() == empty, f"after request {number}: {scene.wire.methods}"
    else:
        pytest.fail("the operation never ended")


@pytest.mark.parametrize("number", range(1, 10))
def test_a_lost_reply_costs_the_caller_nothing(solidfire: Scene, number: int) -> None:
    store = solidfire.store()
    solidfire.wire.break_call(number, lost_after)
    volume = solidfire.volume(store)
    solidfire.driver.grant_access(store, volume, FIRST)
    assert [each.external_id for each in solidfire.view().luns] == [volume.external_id]
    assert len([each for each in solidfire.view().objects if "roup" in each.kind]) == 1


def test_interruptions_of_several_kinds_in_one_operation_end_in_an_error_of_the_contract(solidfire: Scene) -> None:
    not_ready = answered("xNotReadyForIO")
    kinds = iter([not_ready, not_ready, lost_before, lost_before])

    def break_again(name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        solidfire.wire.break_next("CreateVolume", break_again)
        return next(kinds)(name, through)

    solidfire.wire.break_next("CreateVolume", break_again)
    with pytest.raises(ArrayUnreachable):
        solidfire.volume(solidfire.store())
    assert list(kinds) == [lost_before]


def test_a_create_that_the_array_carries_out_late_leaves_one_lun(solidfire: Scene) -> None:
    scene = solidfire
    store = scene.store()
    made = scene.volume(store)
    # What a timed-out CreateVolume does when it is carried out after its own repetition.
    core = scene.world._core  # type: ignore[attr-defined]
    first = core.model.volumes.get_active(int(made.external_id or 0))
    core.model.volumes.create_unchecked(first.name, core.model.accounts.get(first.account_id), first.size_bytes)
    late = max(core.model.volumes.rows, key=lambda each: each.volume_id)
    late.attributes = first.attributes
    assert scene.volume(store).external_id == made.external_id
    assert [each.external_id for each in scene.view().luns] == [made.external_id]


def test_an_array_that_is_not_ready_is_asked_again_for_a_while(solidfire: Scene) -> None:
    store = solidfire.store()
    solidfire.wire.break_call(1, answered("xSliceNotRegistered"))
    solidfire.volume(store)
    assert solidfire.cloud.call.slept == [0.5]


def test_an_array_that_stays_not_ready_is_busy(solidfire: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    store = solidfire.store()
    monkeypatch.setattr(
        solidfire.wire,
        "exchange",
        lambda *_given: answered("xDBConnectionLoss")("", lambda: (0, b"")),
    )
    with pytest.raises(Busy) as busy:
        solidfire.volume(store)
    assert busy.value.retry_after_seconds > 0
    assert solidfire.cloud.call.slept == [0.5, 1.0, 2.0]


def test_no_waiting_past_the_deadline(solidfire: Scene) -> None:
    store = solidfire.store()
    solidfire.cloud.call.remaining_seconds = 0.4
    solidfire.wire.break_call(1, answered("xNotPrimary"))
    with pytest.raises(Busy):
        solidfire.volume(store)
    assert solidfire.cloud.call.slept == []


def test_a_cancelled_call_stops(solidfire: Scene) -> None:
    scene = solidfire
    store = scene.store()
    scene.cloud.call.is_cancelled = True
    asked = len(scene.wire.methods)
    with pytest.raises(OperationCancelled):
        scene.volume(store)
    assert len(scene.wire.methods) == asked


def test_a_fence_is_not_left_with_the_volume_locked_when_the_caller_gives_up(element: Scene) -> None:
    scene = element
    store = scene.store()
    volume = scene.volume(store)
    for host in (FIRST, SECOND):
        scene.driver.grant_access(store, volume, host)
    session = {"initiatorName": str(FIRST.iqns[0]), "volumeID": int(volume.external_id or 0)}
    answer = json.dumps({"id": 1, "result": {"sessions": [session]}}).encode()

    def given_up(_name: str, through: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        scene.cloud.call.is_cancelled = True
        return through()

    scene.wire.break_next("ListISCSISessions", lambda _name, _through: (200, answer))
    scene.wire.break_next("ModifyVolume", given_up)
    scene.driver.fence(store, volume, [FIRST])
    assert scene.wire.methods[-2:] == ["ModifyVolume", "ModifyVolume"]
    scene.cloud.call.is_cancelled = False
    scene.login(scene.driver.connection(store, volume, SECOND), SECOND).close()
