"""The witness and the management API are two ways to the same facts."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from conformance.contract import Iqn, QosPolicy, WitnessPower
from simulators.array.adapters import TableWitness
from simulators.array.administrator import Administrator
from simulators.array.chance import SeededChance
from simulators.array.core import ArrayCore, ArraySize
from simulators.array.element_api.make import ELEMENT
from simulators.array.groups import GroupChange
from simulators.array.initiators import InitiatorWish
from simulators.array.management import Addresses
from simulators.array.snapshots import SnapshotWish
from simulators.array.witness_api import READ_BYTES_MAX, look
from simulators.iscsi.backend import SessionInfo
from tests.simulators.array.client import GB, HOST, OTHER_HOST, Client, HandClock, basic, memory_array
from tests.simulators.array.test_model import volume as any_volume

ADMIN = {"authorization": basic("admin", "secret word")}


def test_witness_and_management_agree(client: Client) -> None:
    account = client.account()
    for number in range(4):
        client.volume(account, f"vol-{number}", qos={"minIOPS": 100 + number})
    client.call("CreateVolumeAccessGroup", name="g", initiators=[HOST, OTHER_HOST], volumes=[1, 2])
    client.call("DeleteVolume", volumeID=2)
    view = client.world.witness.observe()
    listed: list[Any] = client.call("ListVolumes")["volumes"]
    assert [(each.external_id, each.name, each.size_bytes, each.wwid, each.in_trash) for each in view.luns] == [
        (str(v["volumeID"]), v["name"], v["totalSize"], v["scsiNAADeviceID"], v["status"] == "deleted") for v in listed
    ]
    assert [each.qos for each in view.luns] == [
        QosPolicy(v["qos"]["minIOPS"], v["qos"]["maxIOPS"], v["qos"]["burstIOPS"]) for v in listed
    ]
    assert view.used_bytes == sum(v["totalSize"] for v in listed)
    assert view.capacity_bytes == client.call("GetClusterCapacity")["clusterCapacity"]["maxProvisionedSpace"]
    assert [each.external_id for each in view.live] == ["1", "3", "4"]


def test_the_witness_has_all_powers(client: Client) -> None:
    assert client.world.witness.powers == frozenset(WitnessPower)


def test_masking_and_chap_are_seen(client: Client) -> None:
    client.volume(client.account())
    client.call("CreateVolumeAccessGroup", name="g", initiators=[HOST, "5000000000000001"], volumes=[1])
    (lun,) = client.world.witness.observe().luns
    assert (lun.visible_to, lun.needs_chap) == (frozenset({Iqn(HOST)}), True)
    client.call("ModifyAccount", accountID=1, enableChap=False)
    assert not client.world.witness.observe().luns[0].needs_chap


def test_state_of_objects_changes_with_what_they_are_and_shows_no_secret(client: Client) -> None:
    made = client.call("AddAccount", username="tenant")["account"]
    client.call("CreateVolumeAccessGroup", name="g", initiators=[HOST])
    seen = [client.world.witness.observe().objects]
    changes: list[tuple[str, dict[str, object]]] = [
        ("ModifyAccount", {"accountID": 1, "initiatorSecret": "another-secret"}),
        ("ModifyAccount", {"accountID": 1, "status": "locked"}),
        ("ModifyVolumeAccessGroup", {"volumeAccessGroupID": 1, "attributes": {"a": 1}}),
        ("AddInitiatorsToVolumeAccessGroup", {"volumeAccessGroupID": 1, "initiators": [OTHER_HOST]}),
    ]
    for method, params in changes:
        client.call(method, **params)
        seen.append(client.world.witness.observe().objects)
    assert len(set(seen)) == len(seen)
    assert [(each.kind, each.name) for each in seen[0]] == [("account", "tenant"), ("group", "g"), ("initiator", HOST)]
    for secret in (made["initiatorSecret"], made["targetSecret"], "another-secret"):
        assert secret not in repr(seen)


def test_filling_uses_strangers_volumes(client: Client) -> None:
    witness = client.world.witness
    client.volume(client.account())
    witness.fill(3 * GB)
    view = witness.observe()
    assert view.capacity_bytes - view.used_bytes == 3 * GB
    assert [each.name.startswith("filler-") for each in view.luns] == [False, True]
    assert [each.name for each in view.objects] == ["tenant", "filler-0"]


def test_somebody_else_may_have_the_name_of_all_but_an_account(client: Client) -> None:
    witness = client.world.witness
    client.volume(client.account("taken"), "taken")
    client.call("CreateVolumeAccessGroup", name="taken")
    planted = [witness.plant_namesake("taken", Iqn(f"iqn.2001-04.org.example:{n}"), b"theirs") for n in (1, 2)]
    view = witness.observe()
    assert [each.name for each in view.luns] == ["taken"] * 3
    assert [each.lun_external_id for each in view.snapshots if each.name == "taken"] == planted
    assert [each.name for each in view.objects if each.kind == "group"] == ["taken"] * 3
    assert [each.name for each in view.objects if each.kind == "account"].count("taken") == 1
    assert [witness.read(each, 0, 6) for each in planted] == [b"theirs"] * 2


def test_a_clone_is_not_ready_before_it_is_filled() -> None:
    with memory_array(clone_calls=3) as client:
        client.volume(client.account())
        client.call("CloneVolume", volumeID=1, name="clone")
        assert [each.is_ready for each in client.world.witness.observe().luns] == [True, False]
        for _ in range(3):
            client.call("GetAPI")
        assert [each.is_ready for each in client.world.witness.observe().luns] == [True, True]


def test_the_witness_reads_within_a_volume_only(client: Client) -> None:
    size = client.volume(client.account())["totalSize"]
    witness = client.world.witness
    assert witness.read("1", size - 4, 4) == bytes(4)
    with pytest.raises(ValueError, match="outside the volume"):
        witness.read("1", size - 4, 5)
    with pytest.raises(LookupError):
        witness.read("2", 0, 1)


def test_what_is_due_is_purged_before_anybody_looks() -> None:
    clock, administrator = HandClock(), Administrator("admin", "secret word")
    made = ArrayCore(size=ArraySize(), administrator=administrator, chance=SeededChance("test"), now=clock.now)
    api, witness = made.management(Addresses("m", "s"), list, lambda: None), TableWitness(made, list)

    def listed() -> int:
        reply = api.answer("POST", "/json-rpc/12.3", ADMIN, b'{"method": "ListVolumes"}').reply
        assert reply is not None
        return len(json.loads(reply.body)["result"]["volumes"])

    for look_first in (listed, lambda: len(witness.observe().luns)):
        made.model.volumes.delete(any_volume(made.model).volume_id)
        assert look_first() == 1
        clock.advance(ELEMENT.kept_for)
        assert look_first() == 0


@pytest.fixture
def core() -> ArrayCore:
    made = ArrayCore(size=ArraySize(), administrator=Administrator("admin", "secret word"), chance=SeededChance("test"))
    any_volume(made.model).blocks.write(4096, b"data")
    made.model.snapshots.create(1, SnapshotWish())
    made.model.volumes.get(1).blocks.write(4096, b"late")
    made.model.groups.create(GroupChange(name="g", initiators=[HOST], volumes=[1]))
    made.model.groups.create_initiators([InitiatorWish(OTHER_HOST, requires_chap=True)])
    return made


def test_the_witness_api_lists_everything_but_secrets(core: ArrayCore) -> None:
    session = SessionInfo(HOST, "iqn.target", "127.0.0.1", bytes(6), 1, None, "None")
    glance = look(core, [session], "GET", "/", ADMIN)
    content = json.loads(glance.body)
    assert (glance.status, glance.content_type) == (200, "application/json")
    assert {name: len(rows) for name, rows in content.items() if isinstance(rows, list)} == {
        "volumes": 1, "snapshots": 1, "group_snapshots": 0, "accounts": 1, "groups": 1, "initiators": 2, "sessions": 1,
    }  # fmt: skip
    account, initiator = core.model.accounts.get(1), core.model.initiators.get(2)
    for secret in (account.initiator_secret, account.target_secret, initiator.initiator_secret):
        assert secret
        assert secret not in glance.body.decode()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 405),
        ("GET", "/volumes", 404),
        ("GET", "/volumes/2/bytes?offset=0&length=1", 404),
        ("GET", "/snapshots/2/bytes?offset=0&length=1", 404),
        ("GET", "/snapshots/1/bytes?offset=1000341504&length=1", 416),
        ("GET", "/volumes/1/nothing?offset=0&length=1", 404),
        ("GET", "/volumes/1/bytes", 400),
        ("GET", "/volumes/1/bytes?offset=a&length=1", 400),
        ("GET", "/volumes/1/bytes?offset=-1&length=1", 416),
        ("GET", f"/volumes/1/bytes?offset=0&length={READ_BYTES_MAX + 1}", 416),
        ("GET", "/volumes/1/bytes?offset=1000341504&length=1", 416),
    ],
)
def test_the_witness_api_refuses(core: ArrayCore, method: str, path: str, status: int) -> None:
    assert look(core, [], method, path, ADMIN).status == status


def test_the_witness_api_reads_bytes(core: ArrayCore) -> None:
    glance = look(core, [], "GET", "/volumes/1/bytes?offset=4094&length=8", ADMIN)
    assert (glance.status, glance.body) == (200, b"\0\0late\0\0")
    glance = look(core, [], "GET", "/snapshots/1/bytes?offset=4094&length=8", ADMIN)
    assert (glance.status, glance.body) == (200, b"\0\0data\0\0")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic " + base64.b64encode(b"admin:").decode()}])
def test_the_witness_api_asks_who_is_there(core: ArrayCore, headers: dict[str, str]) -> None:
    assert look(core, [], "GET", "/", headers).status == 401
