"""What the real array refuses, and where it does not do what a plugin might think."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from simulators.array.element_api.errors import NAMES
from simulators.array.element_api.http import METHODS
from simulators.array.limits import MIB
from simulators.array.refusal import Reason
from tests.simulators.array.client import GB, HOST, OTHER_HOST, Client, Refusal, basic, memory_array

STRANGER = "iqn.2000-01.org.example:stranger"

NOT_IN, BAD = "xNotInVolumeAccessGroup", "xInvalidParameter"
LUNS: dict[str, object] = {"volumeAccessGroupID": 1}

# In each case the array holds: accounts 1 "tenant" and 2 "empty", volumes 1 (active), 2 (deleted) and 3 of account 1,
# group 1 with HOST and volumes 1 and 2, group 2 with OTHER_HOST.
ERRORS: list[tuple[str, dict[str, object], str, str]] = [
    ("StartVolumePairing", {"volumeID": 1}, "xUnknownAPIMethod", "StartVolumePairing"),
    ("createvolume", {}, "xUnknownAPIMethod", "createvolume"),
    ("AddAccount", {}, "xMissingParameter", "Missing member=[username]"),
    ("AddAccount", {"username": None}, "xMissingParameter", "Missing member=[username]"),
    ("AddAccount", {"username": "tenant"}, "xDuplicateUsername", "tenant"),
    ("AddAccount", {"username": ""}, "xInvalidParameter", "1 to 64"),
    ("AddAccount", {"username": "x" * 65}, "xInvalidParameter", "1 to 64"),
    ("AddAccount", {"username": "two\nlines"}, "xInvalidParameter", "printable"),
    ("AddAccount", {"username": 5}, "xInvalidParameter", "printable text"),
    ("AddAccount", {"username": "a", "initiatorSecret": "x" * 11}, "xInvalidParameter", "12 to 16"),
    ("AddAccount", {"username": "a", "targetSecret": "x" * 17}, "xInvalidParameter", "12 to 16"),
    ("AddAccount", {"username": "a", "attributes": []}, "xInvalidParameter", "JSON object"),
    ("AddAccount", {"username": "a", "attributes": {"k": "v" * 1000}}, "xInvalidParameter", "1000 bytes"),
    ("AddAccount", {"username": "a", "enableChap": "maybe"}, "xInvalidParameter", "true or false"),
    ("GetAccountByName", {"username": "nobody"}, "xUnknownAccount", "xUnknownAccount"),
    ("GetAccountByID", {"accountID": 9}, "xUnknownAccount", "xUnknownAccount"),
    ("ModifyAccount", {"accountID": 2, "username": "tenant"}, "xDuplicateUsername", "tenant"),
    ("ModifyAccount", {"accountID": 2, "status": "asleep"}, "xUnrecognizedEnumString", "active, locked"),
    ("RemoveAccount", {"accountID": 1}, "xAccountHasVolumes", "3 volumes"),
    ("RemoveAccount", {"accountID": 9}, "xAccountIDDoesNotExist", "9"),
    ("CreateVolume", {"name": "v", "totalSize": GB}, "xMissingParameter", "[accountID]"),
    ("CreateVolume", {"name": "v", "accountID": 9, "totalSize": GB}, "xAccountIDDoesNotExist", "9"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": GB - 1}, "xInvalidParameter", "1000000000"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": -1}, "xInvalidParameter", "totalSize"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": 10**30}, "xInvalidParameter", "totalSize"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": 1.5}, "xInvalidParameter", "whole number"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": "1G"}, "xInvalidParameter", "whole number"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": True}, "xInvalidParameter", "whole number"),
    ("CreateVolume", {"name": "v" * 65, "accountID": 1, "totalSize": GB}, "xInvalidParameter", "1 to 64"),
    ("CreateVolume", {"name": "a_b", "accountID": 1, "totalSize": GB}, "xInvalidParameter", "hyphens"),
    ("ModifyVolume", {"volumeID": 1, "totalSize": GB - MIB}, "xVolumeShrinkProhibited", "not allowed"),
    ("ModifyVolume", {"volumeID": 2}, "xVolumeIDDoesNotExist", "Volume 2 does not exist."),
    ("DeleteVolume", {"volumeID": 9}, "xVolumeIDDoesNotExist", "Volume 9 does not exist."),
    ("ModifyVolume", {"volumeID": 1, "accountID": 9}, "xAccountIDDoesNotExist", "9"),
    ("ModifyVolume", {"volumeID": 1, "qos": {"minIOPS": 49}}, "xInvalidParameter", "50 to 15000"),
    ("ModifyVolume", {"volumeID": 1, "qos": {"maxIOPS": 200001}}, "xInvalidParameter", "100 to 200000"),
    ("ModifyVolume", {"volumeID": 1, "qos": {"maxIOPS": 16000}}, "xInvalidParameter", "<= burstIOPS"),
    ("ModifyVolume", {"volumeID": 1, "qos": {"minIOPS": -1}}, "xInvalidParameter", "above 0"),
    ("ModifyVolume", {"volumeID": 1, "access": "snapMirrorTarget"}, "xUnrecognizedEnumString", "readOnly, locked"),
    ("DeleteVolume", {"volumeID": 2}, "xVolumeIDDoesNotExist", "2"),
    ("DeleteVolume", {"volumeID": 9}, "xVolumeIDDoesNotExist", "9"),
    ("PurgeDeletedVolume", {"volumeID": 1}, "xVolumeIDDoesNotExist", "1"),
    ("RestoreDeletedVolume", {"volumeID": 1}, "xVolumeIDDoesNotExist", "1"),
    ("GetVolumeStats", {"volumeID": 2}, "xVolumeIDDoesNotExist", "2"),
    ("CreateSnapshot", {"volumeID": 2}, "xVolumeIDDoesNotExist", "2"),
    ("CreateSnapshot", {"volumeID": 1, "snapshotID": 9}, "xSnapshotIDDoesNotExist", "9"),
    ("CreateSnapshot", {"volumeID": 1, "name": "s" * 256}, "xInvalidParameter", "0 to 255"),
    ("CreateSnapshot", {"volumeID": 1, "retention": "1 day"}, "xInvalidParameter", "HH:mm:ss"),
    ("CreateSnapshot", {"volumeID": 1, "expirationTime": "soon"}, "xInvalidParameter", "2030-12-31T23:59:59Z"),
    ("CreateSnapshot", {"volumeID": 1, "expirationTime": "2000-01-01T00:00:00Z"}, "xInvalidParameter", "future"),
    ("CreateSnapshot", {"volumeID": 1, "enableRemoteReplication": True}, "xVolumeNotPaired", "not paired"),
    ("ListSnapshots", {"volumeID": 9}, "xVolumeIDDoesNotExist", "9"),
    ("ListSnapshots", {"snapshotID": 9}, "xSnapshotIDDoesNotExist", "9"),
    ("ModifySnapshot", {"snapshotID": 9}, "xSnapshotIDDoesNotExist", "9"),
    ("DeleteSnapshot", {"snapshotID": 9}, "xSnapshotIDDoesNotExist", "9"),
    ("RollbackToSnapshot", {"volumeID": 1, "snapshotID": 9}, "xSnapshotIDDoesNotExist", "9"),
    ("CreateGroupSnapshot", {"volumes": [1, 2]}, "xVolumeIDDoesNotExist", "2"),
    ("CreateGroupSnapshot", {"volumes": []}, "xInvalidParameter", "at least one"),
    ("RollbackToGroupSnapshot", {"groupSnapshotID": 9}, "xGroupSnapshotIDDoesNotExist", "9"),
    ("CloneVolume", {"volumeID": 2, "name": "c"}, "xVolumeIDDoesNotExist", "2"),
    ("CloneVolume", {"volumeID": 1, "name": "c", "snapshotID": 9}, "xSnapshotIDDoesNotExist", "9"),
    ("CloneVolume", {"volumeID": 1, "name": "c", "newSize": 1}, "xInvalidParameter", "1000000000"),
    ("CloneVolume", {"volumeID": 1, "name": "a_b"}, "xInvalidParameter", "hyphens"),
    ("CopyVolume", {"volumeID": 1, "dstVolumeID": 2}, "xVolumeIDDoesNotExist", "2"),
    ("CancelClone", {"cloneID": 9}, "xInvalidParameter", "9"),
    ("GetAsyncResult", {"asyncHandle": 9}, "xAsyncHandleDoesNotExist", "Async handle 9 does not exist."),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": GB, "qosPolicyID": 9}, "xQoSPolicyDoesNotExist", "9"),
    ("ModifyVolume", {"volumeID": 1, "associateWithQoSPolicy": True}, "xMissingParameter", "[qosPolicyID]"),
    ("ModifyVolume", {"volumeID": 1, "qosPolicyID": 9}, "xQoSPolicyDoesNotExist", "9"),
    ("ModifyVolume", {"volumeID": 1, "qosPolicyID": 9, "qos": {"minIOPS": 60}}, "xInvalidParameter", "not both"),
    ("ModifyVolumes", {"volumeIDs": [1, 2], "attributes": {}}, "xVolumeIDDoesNotExist", "2"),
    ("ModifyVolumes", {"volumeIDs": [1, 3], "totalSize": 60 * 10**12}, "xInvalidParameter", "totalSize"),
    ("ModifyVolumes", {"volumeIDs": list(range(501))}, "xExceededLimit", "500"),
    ("DeleteVolumes", {}, "xInvalidParameter", "exactly one"),
    ("DeleteVolumes", {"volumeIDs": [1], "accountIDs": [1]}, "xInvalidParameter", "exactly one"),
    ("DeleteVolumes", {"volumeIDs": [1, 2]}, "xVolumeIDDoesNotExist", "2"),
    ("DeleteVolumes", {"accountIDs": [1, 9]}, "xAccountIDDoesNotExist", "9"),
    ("DeleteVolumes", {"volumeAccessGroupIDs": [9]}, "xVolumeAccessGroupIDDoesNotExist", "9"),
    ("PurgeDeletedVolumes", {"volumeIDs": [2, 1]}, "xVolumeIDDoesNotExist", "1"),
    ("CreateQoSPolicy", {"name": "p"}, "xMissingParameter", "[qos]"),
    ("CreateQoSPolicy", {"name": "", "qos": {}}, "xInvalidParameter", "1 to 64"),
    ("CreateQoSPolicy", {"name": "p", "qos": {"minIOPS": 1}}, "xInvalidParameter", "50 to 15000"),
    ("GetQoSPolicy", {"qosPolicyID": 9}, "xQoSPolicyDoesNotExist", "9"),
    ("SetDefaultQoS", {"minIOPS": 16000}, "xInvalidParameter", "50 to 15000"),
    ("GetVolumeEfficiency", {"volumeID": 2}, "xVolumeIDDoesNotExist", "2"),
    ("ListVolumeStats", {"volumeIDs": [9]}, "xVolumeIDDoesNotExist", "9"),
    ("ListVolumeStatsByAccount", {"accounts": [9]}, "xAccountIDDoesNotExist", "9"),
    ("ModifyInitiators", {"initiators": [{"initiatorID": 9}]}, "xInitiatorDoesNotExist", "9"),
    (
        "ModifyInitiators",
        {"initiators": [{"initiatorID": 1, "alias": "a"}, {"initiatorID": 2, "initiatorSecret": "x"}]},
        "xInvalidParameter",
        "12 to 16",
    ),
    (
        "ModifyInitiators",
        {"initiators": [{"initiatorID": 1, "volumeAccessGroupID": 9}]},
        "xVolumeAccessGroupIDDoesNotExist",
        "9",
    ),
    ("CreateInitiators", {"initiators": [{"name": STRANGER, "virtualNetworkIDs": [1]}]}, "xInvalidParameter", "no v"),
    ("ModifyVolumeAccessGroupLunAssignments", LUNS | {"lunAssignments": [{"volumeID": 3, "lun": 1}]}, NOT_IN, "3"),
    ("ModifyVolumeAccessGroupLunAssignments", LUNS | {"lunAssignments": [{"volumeID": 1, "lun": 1}]}, BAD, "distinct"),
    ("ModifyVolumeAccessGroupLunAssignments", LUNS | {"lunAssignments": [{"volumeID": 1, "lun": 16384}]}, BAD, "16383"),
    ("ModifyVolumeAccessGroupLunAssignments", LUNS | {"lunAssignments": [{"volumeID": 1, "lun": 5}] * 2}, BAD, "once"),
    ("RemoveVolumePair", {"volumeID": 9}, "xVolumeIDDoesNotExist", "9"),
    ("ModifyVolumePair", {"volumeID": 1}, "xVolumeNotPaired", "not paired"),
    ("ListVolumes", {"limit": -1}, "xInvalidParameter", "above 0"),
    ("ListVolumes", {"volumeIDs": 1}, "xInvalidParameter", "a list"),
    ("ListVolumes", {"volumeStatus": "gone"}, "xUnrecognizedEnumString", "deleted"),
    ("ListVolumesForAccount", {"accountID": 9}, "xAccountIDDoesNotExist", "9"),
    ("CreateVolumeAccessGroup", {"name": ""}, "xInvalidParameter", "1 to 64"),
    ("CreateVolumeAccessGroup", {"name": "g", "initiators": [HOST]}, "xExceededLimit", HOST),
    ("CreateVolumeAccessGroup", {"name": "g", "volumes": [2]}, "xVolumeIDDoesNotExist", "2"),
    ("CreateVolumeAccessGroup", {"name": "g", "initiators": ["x" * 225]}, "xInvalidParameter", "1 to 224"),
    ("CreateVolumeAccessGroup", {"name": "g", "initiators": [9]}, "xInitiatorDoesNotExist", "9"),
    (
        "AddInitiatorsToVolumeAccessGroup",
        {"volumeAccessGroupID": 1, "initiators": [HOST]},
        "xAlreadyInVolumeAccessGroup",
        HOST,
    ),
    (
        "AddInitiatorsToVolumeAccessGroup",
        {"volumeAccessGroupID": 1, "initiators": [OTHER_HOST.upper()]},
        "xExceededLimit",
        OTHER_HOST,
    ),
    (
        "AddInitiatorsToVolumeAccessGroup",
        {"volumeAccessGroupID": 9, "initiators": [STRANGER]},
        "xVolumeAccessGroupIDDoesNotExist",
        "9",
    ),
    (
        "RemoveInitiatorsFromVolumeAccessGroup",
        {"volumeAccessGroupID": 1, "initiators": [OTHER_HOST]},
        "xNotInVolumeAccessGroup",
        OTHER_HOST,
    ),
    (
        "RemoveInitiatorsFromVolumeAccessGroup",
        {"volumeAccessGroupID": 1, "initiators": [STRANGER]},
        "xNotInVolumeAccessGroup",
        STRANGER,
    ),
    (
        "AddVolumesToVolumeAccessGroup",
        {"volumeAccessGroupID": 1, "volumes": [1]},
        "xAlreadyInVolumeAccessGroup",
        "volumeID=1",
    ),
    (
        "RemoveVolumesFromVolumeAccessGroup",
        {"volumeAccessGroupID": 1, "volumes": [3]},
        "xNotInVolumeAccessGroup",
        "volumeID=3",
    ),
    ("DeleteVolumeAccessGroup", {"volumeAccessGroupID": 9}, "xVolumeAccessGroupIDDoesNotExist", "9"),
    ("CreateInitiators", {"initiators": [{"name": HOST}]}, "xInitiatorExists", HOST),
    ("CreateInitiators", {"initiators": [{"alias": "a"}]}, "xMissingParameter", "[name]"),
    ("CreateInitiators", {"initiators": ["x"]}, "xInvalidParameter", "JSON object"),
    ("ModifyInitiators", {"initiators": [{"alias": "a"}]}, "xMissingParameter", "[initiatorID]"),
    ("ModifyInitiators", {"initiators": [{"initiatorID": 9}]}, "xInitiatorDoesNotExist", "9"),
    (
        "ModifyInitiators",
        {"initiators": [{"initiatorID": 1, "initiatorSecret": "short"}]},
        "xInvalidParameter",
        "12 to 16",
    ),
    ("DeleteInitiators", {"initiators": [1, 9]}, "xInitiatorDoesNotExist", "9"),
]


@pytest.fixture
def furnished(client: Client) -> Client:
    account = client.account()
    client.account("empty")
    volumes = [client.volume(account)["volumeID"] for _ in range(3)]
    client.call("CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=volumes[:2])
    client.call("CreateVolumeAccessGroup", name="h", initiators=[OTHER_HOST])
    client.call("DeleteVolume", volumeID=volumes[1])
    return client


@pytest.mark.parametrize(("method", "params", "name", "text"), ERRORS)
def test_the_array_refuses_and_nothing_changes(
    furnished: Client, method: str, params: dict[str, object], name: str, text: str
) -> None:
    before = furnished.world.witness.observe()
    with pytest.raises(Refusal) as refused:
        furnished.call(method, **params)
    assert (refused.value.name, refused.value.code) == (name, 500)
    assert text in refused.value.text
    assert furnished.world.witness.observe() == before


def test_every_reason_has_a_name() -> None:
    assert NAMES.keys() == set(Reason)


def test_methods_declare_each_parameter_once() -> None:
    for each in METHODS.values():
        names = [parameter.name for parameter in each.parameters]
        assert len(names) == len(set(names)), each.name


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/json-rpc/1.0", 200),
        ("/json-rpc/7.0/", 200),
        ("/json-rpc/12.3", 200),
        ("/json-rpc/12.4", 404),
        ("/json-rpc/12", 404),
        ("/json-rpc/", 404),
        ("/", 404),
    ],
)
def test_all_versions_up_to_the_clusters_are_served(client: Client, path: str, status: int) -> None:
    response = client.send(b'{"method": "GetAPI"}', path)
    assert response.status == status
    assert (b"404 Not Found" in response.body) == (status == 404)
    assert (re.search(rb"<p> (.+) </p>", response.body) is not None) == (status == 404)


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic !!", basic("admin", "wrong"), "Bearer abc"])
def test_strangers_are_told_so_in_words_clients_look_for(client: Client, authorization: str) -> None:
    response = client.send(b'{"method": "GetAPI"}', Authorization=authorization)
    assert (response.status, response.body) == (401, b"401 Unauthorized.")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b"null", b'{"method": "GetAPI", "params": []}', b"[" * 100000, b'{"id": NaN}'],
)
def test_what_is_no_request_gets_an_error_all_the_same(client: Client, body: bytes) -> None:
    answer = json.loads(client.send(body).body)
    assert answer["error"]["name"] == "xInvalidAPIParameter"


def test_requests_may_lack_id_and_params_and_have_unknown_ones(client: Client) -> None:
    assert json.loads(client.send(b'{"method": "GetAPI", "params": null}').body)["id"] is None
    assert (
        client.volume(client.account(), sliceCount=1, protectionScheme="doubleHelix", virtualNetworkID=[1])["volumeID"]
        == 1
    )


def test_numbers_and_truth_values_may_come_as_text(client: Client) -> None:
    made = client.volume(str(client.account()), totalSize=str(GB), enable512e="false")  # type: ignore[arg-type]
    assert made["enable512e"] is False
    client.volume(1, totalSize=1e9)
    listed = client.call("ListVolumes", startVolumeID="2", limit="1")["volumes"]
    assert [each["volumeID"] for each in listed] == [2]


def test_null_elements_of_lists_are_left_out(client: Client) -> None:
    made = client.call("CreateVolumeAccessGroup", name="g", volumes=[None], initiators=[None, HOST])
    assert made["volumeAccessGroup"]["volumes"] == []
    assert made["volumeAccessGroup"]["initiators"] == [HOST]


def ids(listed: Any) -> list[int]:
    return [each["volumeID"] for each in listed["volumes"]]


def test_volume_names_occur_more_than_once_and_deleted_volumes_are_listed(client: Client) -> None:
    account = client.account()
    for name in ("twin", "twin", "single"):
        client.volume(account, name)
    client.call("DeleteVolume", volumeID=1)
    assert ids(client.call("ListVolumes", volumeName="twin")) == [1, 2]
    assert ids(client.call("ListVolumes")) == [1, 2, 3]
    assert ids(client.call("ListVolumesForAccount", accountID=account)) == [1, 2, 3]
    assert ids(client.call("ListActiveVolumes")) == [2, 3]
    assert ids(client.call("ListDeletedVolumes")) == [1]
    assert client.call("GetAccountByID", accountID=account)["account"]["volumes"] == [1, 2, 3]


def test_a_list_from_a_volume_that_is_gone_begins_with_the_next(client: Client) -> None:
    account = client.account()
    for _ in range(3):
        client.volume(account)
    client.call("DeleteVolume", volumeID=2)
    client.call("PurgeDeletedVolume", volumeID=2)
    assert ids(client.call("ListVolumes", startVolumeID=2, limit=1)) == [3]
    assert ids(client.call("ListActiveVolumes", startVolumeID=2, limit=1)) == [3]
    assert ids(client.call("ListVolumesForAccount", accountID=account, startVolumeID=2, limit=1)) == [3]
    assert client.volume(account)["volumeID"] == 4


def test_lists_are_filtered_by_everything_asked(client: Client) -> None:
    first, second = client.account("first"), client.account("second")
    for account in (first, second, first):
        client.volume(account)
    client.call("DeleteVolume", volumeID=3)
    assert ids(client.call("ListVolumes", accounts=[first])) == [1, 3]
    assert ids(client.call("ListVolumes", accounts=[first], volumeStatus="active")) == [1]
    assert ids(client.call("ListVolumes", volumeIDs=[3, 2, 9], accounts=[first, 9])) == [3]
    assert ids(client.call("ListVolumes", volumeStatus="deleted")) == [3]
    assert ids(client.call("ListVolumes", isPaired=True)) == []


def test_sizes_are_larger_than_asked_and_equal_sizes_are_fine(client: Client) -> None:
    made = client.volume(client.account(), totalSize=GB)
    assert made["totalSize"] == 954 * MIB
    grown = client.call("ModifyVolume", volumeID=1, totalSize=954 * MIB)["volume"]
    assert grown["totalSize"] == 954 * MIB
    with pytest.raises(Refusal, match="xVolumeShrinkProhibited"):
        client.call("ModifyVolume", volumeID=1, totalSize=953 * MIB)


def test_qos_is_filled_up_with_defaults_and_changed_key_by_key(client: Client) -> None:
    made = client.volume(client.account(), qos={})
    assert [made["qos"][key] for key in ("minIOPS", "maxIOPS", "burstIOPS", "burstTime")] == [50, 15000, 15000, 60]
    changed = client.call("ModifyVolume", volumeID=1, qos={"maxIOPS": 500, "burstTime": 5})["volume"]["qos"]
    assert [changed[key] for key in ("minIOPS", "maxIOPS", "burstIOPS", "burstTime")] == [50, 500, 15000, 60]
    assert changed["curve"]["4096"] == 100


def test_attributes_are_replaced_whole(client: Client) -> None:
    client.volume(client.account(), attributes={"a": 1, "b": 2})
    assert client.call("ModifyVolume", volumeID=1, qos={})["volume"]["attributes"] == {"a": 1, "b": 2}
    assert client.call("ModifyVolume", volumeID=1, attributes={"c": 3})["volume"]["attributes"] == {"c": 3}


def test_deleting_moves_a_volume_within_its_groups_and_restoring_moves_it_back(client: Client) -> None:
    client.volume(client.account())
    client.call("CreateVolumeAccessGroup", name="g", volumes=[1])

    def shown() -> tuple[list[int], list[int]]:
        group = client.call("ListVolumeAccessGroups")["volumeAccessGroups"][0]
        return group["volumes"], group["deletedVolumes"]

    deleted = client.call("DeleteVolume", volumeID=1)["volume"]
    assert deleted["status"] == "deleted"
    assert deleted["deleteTime"] < deleted["purgeTime"]
    assert shown() == ([], [1])
    assert client.call("RestoreDeletedVolume", volumeID=1) == {}
    assert shown() == ([1], [])
    client.call("DeleteVolume", volumeID=1)
    client.call("PurgeDeletedVolume", volumeID=1)
    assert shown() == ([], [])


def test_an_account_goes_when_its_volumes_are_purged(client: Client) -> None:
    account = client.account()
    client.volume(account)
    client.call("DeleteVolume", volumeID=1)
    client.call("PurgeDeletedVolume", volumeID=1)
    assert client.call("RemoveAccount", accountID=account) == {}
    assert client.call("ListAccounts")["accounts"] == []
    assert client.account() == account + 1


def test_initiators_outlive_their_group_unless_asked_otherwise(client: Client) -> None:
    for number, orphans_go in ((1, False), (2, True)):
        client.call("CreateVolumeAccessGroup", name="g", initiators=[HOST.upper()])
        client.call("DeleteVolumeAccessGroup", volumeAccessGroupID=number, deleteOrphanInitiators=orphans_go)
        names = [each["initiatorName"] for each in client.call("ListInitiators")["initiators"]]
        assert names == ([] if orphans_go else [HOST])


def test_groups_take_initiators_by_number_too(client: Client) -> None:
    made = client.call("CreateInitiators", initiators=[{"name": HOST, "alias": "one"}])["initiators"]
    assert (made[0]["initiatorSecret"], made[0]["targetSecret"], made[0]["volumeAccessGroups"]) == ("", "", [])
    group = client.call("CreateVolumeAccessGroup", name="g", initiators=[made[0]["initiatorID"]])
    assert group["volumeAccessGroup"]["initiators"] == [HOST]
    listed = client.call("ListVolumeAccessGroups", volumeAccessGroups=[1, 7])
    assert listed["volumeAccessGroupsNotFound"] == [7]
    assert [each["name"] for each in listed["volumeAccessGroups"]] == ["g"]


def test_modifying_a_group_replaces_its_lists(client: Client) -> None:
    account = client.account()
    for _ in range(2):
        client.volume(account)
    client.call("CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[1])
    params = {"initiators": [OTHER_HOST], "volumes": [2], "name": "h", "attributes": {"a": 1}}
    group = client.call("ModifyVolumeAccessGroup", volumeAccessGroupID=1, **params)["volumeAccessGroup"]
    assert (group["initiators"], group["volumes"], group["name"]) == ([OTHER_HOST], [2], "h")
    unchanged = client.call("ModifyVolumeAccessGroup", volumeAccessGroupID=1)["volumeAccessGroup"]
    assert unchanged == group


def test_limits_are_told_as_they_are_enforced() -> None:
    with memory_array(limits={"groups_per_volume": 1, "volumes": 1}) as client:
        assert client.call("GetLimits")["volumeAccessGroupsPerVolumeCountMax"] == 1
        client.volume(client.account())
        with pytest.raises(Refusal, match="xExceededLimit"):
            client.volume(1)
        client.call("CreateVolumeAccessGroup", name="g", volumes=[1])
        with pytest.raises(Refusal, match="volumeAccessGroups per volume"):
            client.call("CreateVolumeAccessGroup", name="h", volumes=[1])


def test_capacity_counts_what_is_promised(client: Client) -> None:
    def capacity() -> Any:
        return client.call("GetClusterCapacity")["clusterCapacity"]

    empty = capacity()
    client.volume(client.account())
    assert capacity()["provisionedSpace"] - empty["provisionedSpace"] == 954 * MIB
    assert capacity()["maxProvisionedSpace"] == 100 * 10**12
    client.world.witness.fill(0)
    with pytest.raises(Refusal, match="maxProvisionedSpace") as refused:
        client.volume(1)
    assert refused.value.name == "xExceededLimit"


@pytest.mark.parametrize("method", ["GetAPI", "GetClusterInfo", "GetClusterVersionInfo", "ListISCSISessions"])
def test_the_cluster_describes_itself(client: Client, method: str) -> None:
    assert client.call(method)


def test_the_storage_address_names_its_port(client: Client) -> None:
    assert client.call("GetClusterInfo")["clusterInfo"]["svip"] == "10.64.0.1:3260"


def test_secrets_are_made_up_and_never_in_the_transcript(client: Client) -> None:
    given = "given-secret-1"
    client.account("a", initiatorSecret=given, targetSecret=None)
    client.call("ModifyAccount", accountID=1, targetSecret='quo"ted\\secret')
    made_up = client.call("AddAccount", username="b")["account"]["initiatorSecret"]
    client.send(b'{"method": "AddAccount", "params": {"username": "c", "initiator\\u0053ecret": "hidden-secret"}}')
    said = "\n".join(client.world.transcript)
    assert len(made_up) == 16
    for secret in (given, made_up, "hidden-secret", "ted\\\\secret", "ted\\secret", client.authorization):
        assert secret not in said
    assert '"initiatorSecret": "***"' in said
    assert '"username": "c"' in said


def test_the_transcript_is_bounded(client: Client) -> None:
    for _ in range(300):
        client.call("GetAPI")
    assert len(client.world.transcript) == 400
    assert max(map(len, client.world.transcript)) < 2100
