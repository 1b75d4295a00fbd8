"""What an administrator does besides making volumes: policies, mass changes, initiators, statistics, looking around."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulators.array.accounts import AccountChange
from simulators.array.element_api.http import METHODS
from simulators.array.element_api.method import Scene
from simulators.array.element_api.parameters import Arguments
from simulators.array.limits import MIB
from simulators.array.management import Addresses
from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.errors import ConnectionClosed
from tests.simulators.array.client import GB, HOST, OTHER_HOST, Client, HandClock, Refusal, bare_model, memory_array
from tests.simulators.array.test_data_path import grant, login, status
from tests.simulators.array.test_errors_and_traps import ids


@pytest.fixture
def volumes(client: Client) -> list[Any]:
    account = client.account()
    return [client.volume(account, f"vol-{number}") for number in range(3)]


def shown(client: Client, volume_id: int) -> Any:
    return client.call("ListVolumes", volumeIDs=[volume_id])["volumes"][0]


def policy(client: Client, **qos: int) -> int:
    return int(client.call("CreateQoSPolicy", name="policy", qos=qos)["qosPolicy"]["qosPolicyID"])


def test_volumes_follow_their_policy(client: Client, volumes: list[Any]) -> None:
    number = policy(client, minIOPS=100)
    client.volume(1, "under", qosPolicyID=number)
    client.call("ModifyVolume", volumeID=1, qosPolicyID=number, associateWithQoSPolicy="true")
    changed = client.call("ModifyQoSPolicy", qosPolicyID=number, qos={"minIOPS": 200}, name="renamed")["qosPolicy"]
    assert (changed["volumeIDs"], changed["name"], changed["qos"]["minIOPS"]) == ([1, 4], "renamed", 200)
    for volume_id, expected in ((1, (number, 200)), (4, (number, 200)), (2, (None, 50))):
        seen = shown(client, volume_id)
        assert (seen["qosPolicyID"], seen["qos"]["minIOPS"]) == expected
    assert client.call("GetQoSPolicy", qosPolicyID=number)["qosPolicy"] == changed
    assert client.call("ListQoSPolicies")["qosPolicies"] == [changed]


@pytest.mark.parametrize(
    ("change", "min_iops"), [({"associateWithQoSPolicy": False}, 100), ({"qos": {"minIOPS": 70}}, 70)]
)
def test_a_volume_leaves_its_policy(
    client: Client, volumes: list[Any], change: dict[str, object], min_iops: int
) -> None:
    number = policy(client, minIOPS=100)
    client.call("ModifyVolume", volumeID=1, qosPolicyID=number)
    assert client.call("ModifyVolume", volumeID=1, qos={})["volume"]["qosPolicyID"] == number
    client.call("ModifyVolume", volumeID=1, **change)
    client.call("ModifyQoSPolicy", qosPolicyID=number, qos={"minIOPS": 200})
    seen = shown(client, 1)
    assert (seen["qosPolicyID"], seen["qos"]["minIOPS"]) == (None, min_iops)


def test_volumes_keep_the_values_of_a_policy_that_is_deleted(client: Client, volumes: list[Any]) -> None:
    number, other = policy(client, minIOPS=100), policy(client, minIOPS=300)
    client.call("ModifyVolumes", volumeIDs=[1, 2, 3], qosPolicyID=number)
    client.call("ModifyVolume", volumeID=3, qosPolicyID=other)
    client.call("DeleteVolume", volumeID=2)
    client.call("PurgeDeletedVolume", volumeID=2)
    assert client.call("GetQoSPolicy", qosPolicyID=number)["qosPolicy"]["volumeIDs"] == [1]
    client.call("DeleteQoSPolicy", qosPolicyID=number)
    seen = shown(client, 1)
    assert (seen["qosPolicyID"], seen["qos"]["minIOPS"]) == (None, 100)
    with pytest.raises(Refusal, match="xQoSPolicyDoesNotExist"):
        client.call("DeleteQoSPolicy", qosPolicyID=number)


def test_new_defaults_hold_for_new_volumes(client: Client, volumes: list[Any]) -> None:
    assert client.call("SetDefaultQoS", minIOPS=80, maxIOPS="500")["maxIOPS"] == 500
    assert client.call("GetDefaultQoS")["minIOPS"] == 80
    assert client.volume(1)["qos"]["maxIOPS"] == 500
    assert shown(client, 1)["qos"]["minIOPS"] == 50


def test_policies_are_limited() -> None:
    with memory_array(limits={"qos_policies": 1}) as client:
        policy(client)
        with pytest.raises(Refusal, match="xExceededLimit"):
            policy(client)


def test_several_volumes_are_changed_deleted_and_purged_at_once(client: Client, volumes: list[Any]) -> None:
    client.call("CreateVolumeAccessGroup", name="g", volumes=[1, 2])
    changed = client.call("ModifyVolumes", volumeIDs=[1, 3], totalSize=2 * GB, attributes={"a": 1})
    assert [(each["volumeID"], each["totalSize"]) for each in changed["volumes"]] == [(1, 1908 * MIB), (3, 1908 * MIB)]
    client.call("DeleteVolume", volumeID=1)
    assert ids(client.call("DeleteVolumes", volumeAccessGroupIDs=[1])) == [2]
    assert client.call("PurgeDeletedVolumes", volumeIDs=[1]) == {}
    assert ids(client.call("DeleteVolumes", accountIDs=[1])) == [3]
    assert client.call("PurgeDeletedVolumes", accountIDs=[1]) == {}
    assert client.call("GetVolumeCount") == {"count": 0}


def test_growing_several_volumes_needs_room_for_all() -> None:
    with memory_array(capacity_bytes=2900 * MIB) as client:
        account = client.account()
        for _ in range(2):
            client.volume(account)
        with pytest.raises(Refusal, match="maxProvisionedSpace"):
            client.call("ModifyVolumes", volumeIDs=[1, 2], totalSize=1500 * MIB)
        assert [each["totalSize"] for each in client.call("ListVolumes")["volumes"]] == [954 * MIB] * 2
        client.world.witness.fill(0)
        client.call("ModifyVolumes", volumeIDs=[1, 2], attributes={"a": 1})


def test_an_initiator_with_a_chap_of_its_own_has_to_use_it(client: Client, volumes: list[Any]) -> None:
    grant(client, 1)
    session = login(client, volumes[0])
    (initiator,) = client.call("ListInitiators")["initiators"]
    change = {"initiatorID": initiator["initiatorID"], "requireChap": True, "alias": "one"}
    (changed,) = client.call("ModifyInitiators", initiators=[change])["initiators"]
    assert (changed["chapUsername"], changed["alias"], len(changed["initiatorSecret"])) == (HOST, "one", 16)
    with pytest.raises(ConnectionClosed):
        session.read(0, 0, 512)
    assert status(client, volumes[0]) == "0201"
    chap = ChapAccount(HOST, changed["initiatorSecret"].encode())
    assert status(client, volumes[0], chap=chap) == "0000"
    change = {"initiatorID": 1, "initiatorSecret": "another-secret", "chapUsername": "me"}
    client.call("ModifyInitiators", initiators=[change])
    assert status(client, volumes[0], chap=chap) == "0201"
    assert status(client, volumes[0], chap=ChapAccount("me", b"another-secret")) == "0000"


def test_an_initiator_moves_from_group_to_group(client: Client, volumes: list[Any]) -> None:
    grant(client, 1)
    client.call("CreateVolumeAccessGroup", name="h", initiators=[OTHER_HOST], volumes=[2])
    change = {"initiatorID": 1, "volumeAccessGroupID": 2, "attributes": {"a": 1}}
    (moved,) = client.call("ModifyInitiators", initiators=[change])["initiators"]
    assert (moved["volumeAccessGroups"], moved["attributes"]) == ([2], {"a": 1})
    groups = client.call("ListVolumeAccessGroups")["volumeAccessGroups"]
    assert [each["initiatorIDs"] for each in groups] == [[], [2, 1]]
    assert (status(client, volumes[0]), status(client, volumes[1])) == ("0201", "0000")


def test_moving_keeps_to_the_limit_of_the_group() -> None:
    with memory_array(limits={"initiators_per_group": 1}) as client:
        for host in (HOST, OTHER_HOST):
            client.call("CreateVolumeAccessGroup", name="g", initiators=[host])
        with pytest.raises(Refusal, match="limit=1"):
            client.call("ModifyInitiators", initiators=[{"initiatorID": 1, "volumeAccessGroupID": 2}])
        client.call("ModifyInitiators", initiators=[{"initiatorID": 1, "volumeAccessGroupID": 1}])


def test_volumes_in_a_group_have_lun_numbers_of_which_iscsi_sees_nothing(client: Client, volumes: list[Any]) -> None:
    grant(client, 1, 2, 3)

    def numbers(kind: str = "lunAssignments") -> list[tuple[int, int]]:
        answer = client.call("GetVolumeAccessGroupLunAssignments", volumeAccessGroupID=1)
        return [(each["volumeID"], each["lun"]) for each in answer["volumeAccessGroupLunAssignments"][kind]]

    assert numbers() == [(1, 0), (2, 1), (3, 2)]
    swapped = [{"volumeID": 1, "lun": 1}, {"volumeID": 2, "lun": 0}]
    client.call("ModifyVolumeAccessGroupLunAssignments", volumeAccessGroupID=1, lunAssignments=swapped)
    client.call("DeleteVolume", volumeID=2)
    assert (numbers(), numbers("deletedLunAssignments")) == ([(1, 1), (3, 2)], [(2, 0)])
    client.call("PurgeDeletedVolume", volumeID=2)
    client.call("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[client.volume(1)["volumeID"]])
    assert numbers() == [(1, 1), (3, 2), (4, 0)]
    client.call("ModifyVolumeAccessGroup", volumeAccessGroupID=1, volumes=[3, 1])
    assert numbers() == [(1, 1), (3, 2)]
    with login(client, volumes[0]) as session:
        assert session.report_luns() == [0]


def test_traffic_is_counted_by_volume_account_group_and_cluster(client: Client, volumes: list[Any]) -> None:
    grant(client, 1, 2)
    for each in volumes[:2]:
        with login(client, each) as session:
            session.write(0, 0, bytes(8192))
            session.read(0, 512, 512)
    one = client.call("GetVolumeStats", volumeID=1)["volumeStats"]
    counters = ("readBytes", "readOps", "unalignedReads", "writeBytes", "writeOps", "unalignedWrites", "nonZeroBlocks")
    assert [one[each] for each in counters] == [512, 1, 1, 8192, 1, 0, 2]
    assert (one["volumeAccessGroups"], one["averageIOPSize"]) == ([1], 4352)
    again = client.call("ListVolumeStatsByVolume")["volumeStats"][0]
    assert again == {**one, "timestamp": again["timestamp"]}
    assert [each["volumeID"] for each in client.call("ListVolumeStats", volumeIDs=[2, 1])["volumeStats"]] == [2, 1]
    (account,) = client.call("ListVolumeStatsByAccount", accounts=[1])["volumeStats"]
    (group,) = client.call("ListVolumeStatsByVolumeAccessGroup")["volumeStats"]
    cluster = client.call("GetClusterStats")["clusterStats"]
    for each in (account, group, cluster):
        assert (each["readOps"], each["writeBytes"]) == (2, 16384)
    assert (account["accountID"], account["volumeSize"], group["volumeAccessGroups"]) == (1, 3 * 954 * MIB, [1])
    assert shown(client, 1)["lastAccessTimeIO"]
    assert client.call("GetVolumeEfficiency", volumeID=1)["thinProvisioning"] == 954 * MIB / 8192


LAST_SAMPLE = ("actualIOPS", "normalizedIOPS", "clientQueueDepth", "latencyUSec", "readOpsLastSample")
LATENCIES = ("readLatencyUSecTotal", "writeLatencyUSecTotal")


def test_what_nobody_uses_has_figures_of_zero(client: Client, volumes: list[Any]) -> None:
    unused = client.call("ListVolumeStats")["volumeStats"][0]
    cluster = client.call("GetClusterStats")["clusterStats"]
    for told in (unused, cluster):
        assert [told[name] for name in (*LAST_SAMPLE, *LATENCIES)] == [0] * 7
    assert (unused["volumeUtilization"], cluster["clusterUtilization"], unused["throttle"]) == (0, 0, 0)
    assert (unused["metadataHosts"]["primary"], unused["desiredMetadataHosts"]) == (1, None)
    assert (unused["samplePeriodMSec"], cluster["samplePeriodMsec"]) == (500, 500)


def test_what_is_not_measured_has_no_figure_while_a_volume_is_used() -> None:
    clock = HandClock()
    model = bare_model(clock)
    account = model.accounts.add("tenant", AccountChange())
    volume = model.volumes.create_unchecked("vol", account, GB)

    def told() -> Any:
        scene, method = Scene(model, Addresses("m", "s")), METHODS["GetVolumeStats"]
        return method.run(scene, Arguments({"volumeID": volume.volume_id}, method.parameters))["volumeStats"]

    unused = told()
    volume.traffic.record_read(0, 512, clock.now())
    assert [told()[name] for name in (*LAST_SAMPLE, *LATENCIES)] == [None] * 7
    clock.advance(timedelta(seconds=1))
    assert [told()[name] for name in (*LAST_SAMPLE, *LATENCIES)] == [0] * 5 + [None] * 2
    assert told().keys() == unused.keys()


def test_space_is_told_once_for_volumes_snapshots_and_drives(client: Client, volumes: list[Any]) -> None:
    grant(client, 1)
    with login(client, volumes[0]) as session:
        session.write(0, 0, bytes(8192))
        client.call("CreateSnapshot", volumeID=1)
        session.write(0, 0, bytes(4096))
    capacity = client.call("GetClusterCapacity")["clusterCapacity"]
    assert (capacity["nonZeroBlocks"], capacity["snapshotNonZeroBlocks"], capacity["uniqueBlocks"]) == (2, 2, 3)
    assert (capacity["deDuplicationPercent"], capacity["compressionPercent"]) == (100 * 4 // 3, 100)
    assert capacity["thinProvisioningPercent"] == 100 * (capacity["nonZeroBlocks"] + capacity["zeroBlocks"]) // 2
    assert client.call("GetClusterFullThreshold")["sumUsedClusterBytes"] == capacity["usedSpace"] == 3 * 4096
    assert client.call("GetClusterFullThreshold")["fullness"] == "stage1Happy"


def test_events_tell_what_was_done(client: Client, volumes: list[Any]) -> None:
    with pytest.raises(Refusal):
        client.call("DeleteVolume", volumeID=9)
    client.call("DeleteVolume", volumeID=1)
    events = client.call("ListEvents")["events"]
    assert [each["details"]["method"] for each in events] == ["AddAccount", *["CreateVolume"] * 3, "DeleteVolume"]
    assert [each["eventID"] for each in events] == [1, 2, 3, 4, 5]
    some = client.call("ListEvents", startEventID=2, endEventID=4, maxEvents=2)["events"]
    assert [each["eventID"] for each in some] == [2, 3]
    assert client.call("ListEvents", eventType="driveEvent")["events"] == []
    assert client.call("ListEvents", startReportTime="2999-01-01T00:00:00Z")["events"] == []
    assert client.call("ListEvents", endReportTime="1999-01-01T00:00:00Z")["events"] == []


def test_the_cluster_tells_what_it_is_made_of(client: Client) -> None:
    (node,) = client.call("ListActiveNodes")["nodes"]
    assert client.call("ListAllNodes") == {"nodes": [node], "pendingNodes": [], "pendingActiveNodes": []}
    for drive in client.call("ListDrives")["drives"]:
        assert (drive["nodeID"], drive["driveFailureDetail"], drive["keyProviderID"]) == (node["nodeID"], "None", 0)
    assert client.call("GetClusterMasterNodeID") == {"nodeID": node["nodeID"]}
    state = client.call("GetClusterState", force=True)
    assert (state["state"], state["cluster"]) == ("Active", client.call("GetClusterInfo")["clusterInfo"]["name"])
    admin = client.call("GetCurrentClusterAdmin")["clusterAdmin"]
    assert admin["username"] == client.world.parameters["username"]
    assert client.call("ListClusterAdmins")["clusterAdmins"] == [admin]
    for method, key in (
        ("ListClusterFaults", "faults"),
        ("ListVirtualNetworks", "virtualNetworks"),
        ("ListPendingNodes", "pendingNodes"),
        ("ListPendingActiveNodes", "pendingActiveNodes"),
        ("ListClusterPairs", "clusterPairs"),
        ("ListActivePairedVolumes", "volumes"),
    ):
        assert client.call(method) == {key: []}


def test_unpairing_what_is_not_paired_does_nothing(client: Client, volumes: list[Any]) -> None:
    assert client.call("RemoveVolumePair", volumeID=1) == {}


def test_an_older_release_allows_less_and_knows_no_newer_version() -> None:
    with memory_array(release="8", limits={"volumes": 3}) as client:
        limits = client.call("GetLimits")
        assert limits["initiatorsPerVolumeAccessGroupCountMax"] == 64
        assert (limits["volumeAccessGroupsPerVolumeCountMax"], limits["volumeCountMax"]) == (4, 3)
        assert client.volume(client.account(), totalSize=GB + 1)["totalSize"] == 1000001536
        assert client.call("GetAPI")["currentVersion"] == "8.4"
        assert client.call("GetClusterVersionInfo")["clusterAPIVersion"] == "8.4"
        sent = {
            path: client.send(b'{"method": "GetAPI"}', f"/json-rpc/{path}").status for path in ("1.0", "8.4", "8.5")
        }
        assert sent == {"1.0": 200, "8.4": 200, "8.5": 404}


@pytest.mark.parametrize(("release", "name"), [("8", "xDBNoSuchPath"), ("12", "xAsyncHandleDoesNotExist")])
def test_a_job_that_is_unknown_is_called_so_by_each_release(release: str, name: str) -> None:
    with memory_array(release=release) as client, pytest.raises(Refusal) as refused:
        client.call("GetAsyncResult", asyncHandle=5)
    assert (refused.value.name, refused.value.text) == (name, "Async handle 5 does not exist.")


def test_a_later_release_knows_its_version(client: Client) -> None:
    with memory_array(release="12.5") as later:
        assert later.call("GetAPI")["currentVersion"] == "12.5"
        assert later.send(b'{"method": "GetAPI"}', "/json-rpc/12.5").status == 200
    assert client.send(b'{"method": "GetAPI"}', "/json-rpc/12.5").status == 404


def test_the_usual_release_knows_every_version_up_to_its_own(client: Client) -> None:
    versions = client.call("GetAPI")["supportedVersions"]
    assert {"1.0", "5.0", "6.0", "7.0", "8.0", "12.3"} <= set(versions)
    assert {client.send(b'{"method": "GetAPI"}', f"/json-rpc/{each}/").status for each in versions} == {200}
