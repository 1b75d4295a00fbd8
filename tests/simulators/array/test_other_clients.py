"""What clients written in other languages send and read, who have no null and parse what they are told into types."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.array.limits import MIB
from tests.simulators.array.client import GB, HOST, Client


@pytest.fixture
def volume(client: Client) -> Any:
    return client.volume(client.account())


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("CreateSnapshot", {"volumeID": 1, "snapshotID": 0, "name": "", "retention": "", "expirationTime": ""}),
        ("CreateGroupSnapshot", {"volumes": [1], "name": "", "retention": "", "expirationTime": ""}),
        ("CloneVolume", {"volumeID": 1, "name": "c", "snapshotID": 0, "newAccountID": 0, "newSize": 0}),
        ("CloneMultipleVolumes", {"volumes": [{"volumeID": 1, "newAccountID": 0, "newSize": 0}], "groupSnapshotID": 0}),
        ("ModifyVolume", {"volumeID": 1, "accountID": 0, "totalSize": 0, "qosPolicyID": 0}),
        ("ModifyVolume", {"volumeID": 1, "qos": {"minIOPS": 0, "maxIOPS": 0, "burstIOPS": 0}}),
        ("CreateQoSPolicy", {"name": "p", "qos": {"minIOPS": 0, "maxIOPS": 0, "burstIOPS": 0}}),
        ("SetDefaultQoS", {"minIOPS": 0, "maxIOPS": 0, "burstIOPS": 0}),
        ("CreateInitiators", {"initiators": [{"name": HOST, "alias": "", "volumeAccessGroupID": 0}]}),
        ("ListActiveVolumes", {"startVolumeID": 0, "limit": 0}),
        ("ListSnapshots", {"volumeID": "0", "snapshotID": "0"}),
        ("ListGroupSnapshots", {"volumes": None, "groupSnapshotID": 0}),
        ("ListEvents", {"maxEvents": 0}),
    ],
)
def test_zero_and_empty_text_are_as_if_they_were_not_there(
    client: Client, volume: Any, method: str, params: dict[str, object]
) -> None:
    client.call(method, **params)
    assert client.call("ListVolumes", volumeIDs=[1])["volumes"] == [volume]


def test_iops_of_zero_leave_a_volume_as_it_is_and_give_a_new_one_the_defaults(client: Client, volume: Any) -> None:
    client.call("ModifyVolume", volumeID=1, qos={"minIOPS": 100, "maxIOPS": 500, "burstIOPS": 1000})
    changed = client.call("ModifyVolume", volumeID=1, qos={"minIOPS": 0, "maxIOPS": 600, "burstIOPS": 0})["volume"]
    assert [changed["qos"][name] for name in ("minIOPS", "maxIOPS", "burstIOPS")] == [100, 600, 1000]
    made = client.volume(1, qos={"minIOPS": 0, "maxIOPS": 0, "burstIOPS": 0})
    assert made["qos"] == volume["qos"]


def test_a_list_asked_for_with_zeros_is_the_whole_list(client: Client, volume: Any) -> None:
    client.volume(volume["accountID"])
    for number in (1, 2):
        client.call("CreateSnapshot", volumeID=number)
    listed = client.call("ListSnapshots", volumeID=0, snapshotID=0)["snapshots"]
    assert [each["volumeID"] for each in listed] == [1, 2]
    assert client.call("ListSnapshots", volumeID=2, snapshotID=0)["snapshots"] == listed[1:]
    assert len(client.call("ListVolumes", limit=0)["volumes"]) == 2


def test_snapshots_of_volumes_that_are_not_paired_tell_nothing_of_another_array(client: Client, volume: Any) -> None:
    client.call("CreateSnapshot", volumeID=1)
    client.call("CreateGroupSnapshot", volumes=[1])
    (group,) = client.call("ListGroupSnapshots")["groupSnapshots"]
    for told in (*client.call("ListSnapshots")["snapshots"], group, *group["members"]):
        assert "remoteStatuses" not in told


@pytest.mark.parametrize("size", [GB, GB + 1, GB + MIB // 2])
def test_a_volume_may_be_given_the_size_again_that_it_was_asked_for(client: Client, size: int) -> None:
    made = client.volume(client.account(), totalSize=size)
    assert made["totalSize"] > size
    assert client.call("ModifyVolume", volumeID=1, totalSize=size)["volume"] == made
