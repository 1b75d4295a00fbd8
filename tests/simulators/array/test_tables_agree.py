"""Whatever is asked in whatever order: what the tables say of each other stays true, and a refusal changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.array.adapters import TableWitness
from simulators.array.administrator import Administrator
from simulators.array.chance import SeededChance
from simulators.array.core import ArrayCore, ArraySize
from simulators.array.element_api.errors import ApiError
from simulators.array.element_api.http import METHODS
from simulators.array.element_api.method import Scene
from simulators.array.element_api.parameters import Arguments
from simulators.array.limits import Limits
from simulators.array.management import Addresses
from simulators.array.model import ArrayModel
from simulators.array.refusal import Refused
from tests.simulators.array.client import GB

Request = tuple[str, dict[str, object]]

number = st.integers(1, 3)
numbers = st.lists(number, max_size=3)
hosts = st.lists(number.map("iqn.2000-01.org.example:{}".format) | number, max_size=3)
few = Limits(
    volumes=5,
    volumes_per_account=2,
    groups_per_volume=2,
    initiators_per_group=2,
    volumes_per_group=2,
    snapshots_per_volume=3,
)


def request(method: str, **params: st.SearchStrategy[object]) -> st.SearchStrategy[Request]:
    return st.tuples(st.just(method), st.fixed_dictionaries(params))


group_content: dict[str, st.SearchStrategy[object]] = {
    "name": st.sampled_from("gh"),
    "initiators": hosts,
    "volumes": numbers,
}
any_size = st.sampled_from([None, GB, 2 * GB])
sizes = st.sampled_from([GB, 2 * GB, 3 * GB])
requests = st.one_of(
    request("AddAccount", username=st.sampled_from("abc")),
    request("RemoveAccount", accountID=number),
    request("CreateVolume", name=st.sampled_from("xy"), accountID=number, totalSize=sizes),
    request("ModifyVolume", volumeID=number, accountID=number, totalSize=st.none() | sizes),
    request("DeleteVolume", volumeID=number),
    request("PurgeDeletedVolume", volumeID=number),
    request("RestoreDeletedVolume", volumeID=number),
    request("CreateVolumeAccessGroup", **group_content),
    request("ModifyVolumeAccessGroup", volumeAccessGroupID=number, **group_content),
    request("DeleteVolumeAccessGroup", volumeAccessGroupID=number, deleteOrphanInitiators=st.booleans()),
    request("AddInitiatorsToVolumeAccessGroup", volumeAccessGroupID=number, initiators=hosts),
    request("RemoveInitiatorsFromVolumeAccessGroup", volumeAccessGroupID=number, initiators=hosts),
    request("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=number, volumes=numbers),
    request("RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=number, volumes=numbers),
    request("DeleteInitiators", initiators=numbers),
    request("CreateSnapshot", volumeID=number),
    request("DeleteSnapshot", snapshotID=number),
    request("RollbackToSnapshot", volumeID=number, snapshotID=number, saveCurrentState=st.booleans()),
    request("CreateGroupSnapshot", volumes=numbers),
    request("DeleteGroupSnapshot", groupSnapshotID=number, saveMembers=st.booleans()),
    request("RollbackToGroupSnapshot", groupSnapshotID=number, saveCurrentState=st.booleans()),
    request(
        "CloneVolume", volumeID=number, name=st.sampled_from("xy"), snapshotID=st.none() | number, newSize=any_size
    ),
    request("CloneMultipleVolumes", volumes=st.lists(st.fixed_dictionaries({"volumeID": number}), max_size=2)),
    request("CopyVolume", volumeID=number, dstVolumeID=number, snapshotID=st.none() | number),
    request("CancelClone", cloneID=number),
    request("GetAsyncResult", asyncHandle=number),
)
# An empty array refuses nearly everything: these come first.
furniture: list[Request] = [
    ("AddAccount", {"username": "a"}),
    ("AddAccount", {"username": "b"}),
    ("CreateVolume", {"name": "x", "accountID": 1, "totalSize": GB}),
    ("CreateVolume", {"name": "x", "accountID": 1, "totalSize": GB}),
    ("CreateGroupSnapshot", {"volumes": [1, 2]}),
    ("CreateVolumeAccessGroup", {"name": "g", "volumes": [1], "initiators": ["iqn.2000-01.org.example:1"]}),
    ("CreateVolumeAccessGroup", {"name": "h", "volumes": [1, 2], "initiators": ["iqn.2000-01.org.example:2"]}),
]


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(requests, min_size=10, max_size=30))
def test_tables_agree_with_each_other(asked: list[Request]) -> None:
    core = ArrayCore(
        size=ArraySize(9 * GB, few), administrator=Administrator("admin", "x"), chance=SeededChance("test")
    )
    scene, witness = Scene(core.model, Addresses("m", "s")), TableWitness(core, list)
    for name, params in furniture + asked:
        method = METHODS[name]
        core.model.clones.count_call()
        core.model.settle()
        before = witness.observe()
        try:
            method.run(scene, Arguments(params, method.parameters))
        except (Refused, ApiError):
            assert witness.observe() == before, (name, params)
    check(core.model)


def check(model: ArrayModel) -> None:
    """Each fact that is kept twice is the same in both places, and no limit is broken."""
    volumes, groups = {each.volume_id: each for each in model.volumes.rows}, list(model.groups.rows)
    owned = {(each.account_id, volume_id) for each in model.accounts.rows for volume_id in each.volumes}
    assert owned == {(each.account_id, number) for number, each in volumes.items()}
    assert {(each.group_id, volume_id) for each in groups for volume_id in each.volumes} == {
        (group_id, number) for number, each in volumes.items() for group_id in each.groups
    }
    assert {(each.group_id, initiator_id) for each in groups for initiator_id in each.initiators} == {
        (each.group_id, each.initiator_id) for each in model.initiators.rows if each.group_id is not None
    }
    assert model.capacity.used_bytes == sum(each.size_bytes for each in volumes.values()) <= 9 * GB
    assert {each.volume_id for each in model.volumes.deleted()} == {
        number for number, each in volumes.items() if each.is_deleted
    }
    snapshots = {each.snapshot_id: each for each in model.snapshots.rows}
    assert {(each.volume_id, number) for number, each in snapshots.items()} == {
        (number, snapshot_id) for number, each in volumes.items() for snapshot_id in each.snapshots
    }
    assert {(each.group_id, number) for number, each in snapshots.items() if each.group_id is not None} == {
        (each.group_id, number) for each in model.snapshots.groups for number in each.members
    }
    assert all(each.members for each in model.snapshots.groups)
    assert model.snapshots.mapped_bytes == sum(each.blocks.written_bytes for each in snapshots.values())
    assert all(len(each.snapshots) <= 3 for each in volumes.values())
    named = [each for name in "xy" for each in model.volumes.named(name)]
    assert sorted(each.volume_id for each in named) == list(volumes)
    assert all(len(each.volumes) <= 2 for each in model.accounts.rows)
    assert all(len(each.initiators) <= 2 and len(each.volumes) <= 2 for each in groups)
    assert all(len(each.groups) <= 2 for each in volumes.values())
