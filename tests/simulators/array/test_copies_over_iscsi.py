"""What initiators see of snapshots and clones: targets, bytes, sizes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulators.array.client import GB, Client, memory_array
from tests.simulators.array.test_data_path import grant, login, status

BLOCK = b"\xa5" * 4096


@pytest.fixture
def volume(client: Client) -> Any:
    made = client.volume(client.account())
    grant(client, made["volumeID"])
    return made


def clone(client: Client, volume_id: int, **params: object) -> Any:
    made = client.call("CloneVolume", volumeID=volume_id, name="clone", **params)
    while client.call("GetAsyncResult", asyncHandle=made["asyncHandle"])["status"] == "running":
        pass
    client.call("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[made["volumeID"]])
    return made["volume"]


def test_a_clone_has_no_target_until_it_is_done() -> None:
    with memory_array(clone_calls=4) as client:
        client.volume(client.account())
        grant(client, 1)
        made = client.call("CloneVolume", volumeID=1, name="clone")["volume"]
        client.call("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[made["volumeID"]])
        seen = [status(client, made) for _ in range(3)]  # which asks for the portal each time
        assert seen == ["0203", "0203", "0000"]


def test_a_clone_is_another_lun_with_the_same_bytes(client: Client, volume: Any) -> None:
    with login(client, volume) as session:
        session.write(0, 0, BLOCK)
        copy = clone(client, 1)
        session.write(0, 0, b"\x5a" * 4096)
    assert copy["scsiNAADeviceID"] != volume["scsiNAADeviceID"]
    with login(client, copy) as session:
        assert session.read(0, 0, 4096) == BLOCK
        session.write(0, 0, bytes(4096))
    assert client.world.witness.read("1", 0, 4096) == b"\x5a" * 4096


def test_rolling_back_is_seen_by_who_is_logged_in(client: Client, volume: Any) -> None:
    with login(client, volume) as session:
        first, _ = session.read_capacity(0)
        session.write(0, 0, BLOCK)
        client.call("CreateSnapshot", volumeID=1)
        session.write(0, 0, bytes(4096))
        client.call("ModifyVolume", volumeID=1, totalSize=2 * GB)
        assert session.read_capacity(0)[0] > first
        client.call("RollbackToSnapshot", volumeID=1, snapshotID=1, saveCurrentState=False)
        assert session.read(0, 0, 4096) == BLOCK
        assert session.read_capacity(0)[0] == first
