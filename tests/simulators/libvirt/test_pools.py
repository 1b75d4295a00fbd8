"""Pools and secrets as libvirtd 9.0.0 has them."""

from __future__ import annotations

import pytest

from tests.simulators.libvirt.simple_targets import INITIATOR, IQN, MIB, Rig, code_of


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_pool_shows_the_luns_of_its_last_refresh_one_block_short(rig: Rig) -> None:
    pool = rig.pool(rig.connect())
    pool.create(0)
    volumes = {each.name(): each for each in pool.listAllVolumes(0)}
    assert volumes.keys() == {"unit:0:0:1", "unit:0:0:2"}
    assert volumes["unit:0:0:1"].info() == [3, 4 * MIB - 512, 4 * MIB - 512]
    path = f"ip-10.0.0.1:3261-iscsi-{IQN}-lun-1"
    assert (volumes["unit:0:0:1"].key(), volumes["unit:0:0:1"].path()) == (path, path)
    assert rig.targets.logins[0].initiator_iqn == INITIATOR
    rig.targets.sizes = {3: MIB}
    assert pool.storageVolLookupByName("unit:0:0:1").name() == "unit:0:0:1"
    pool.refresh(0)
    assert [each.name() for each in pool.listAllVolumes(0)] == ["unit:0:0:3"]
    assert pool.info() == [2, MIB - 512, MIB - 512, 0]
    assert rig.targets.open == 0


def test_a_pool_outlives_the_connections_of_clients(rig: Rig) -> None:
    first = rig.connect()
    rig.pool(first).create(0)
    first.close()
    assert code_of(first.listAllStoragePools) == 6
    assert [each.isActive() for each in rig.connect().listAllStoragePools(0)] == [1]
    assert rig.connect("h2").listAllStoragePools(0) == []


def test_libvirts_own_parser_checks_the_xml(rig: Rig) -> None:
    connection = rig.connect()
    assert code_of(lambda: connection.storagePoolDefineXML("<pool", 0)) == 35
    no_initiator = "<pool type='iscsi-direct'><name>a</name><source><host name='x'/><device path='q'/></source></pool>"
    assert code_of(lambda: connection.storagePoolDefineXML(no_initiator, 0)) == 67
    dir_pool = "<pool type='dir'><name>a</name><target><path>/x</path></target></pool>"
    assert code_of(lambda: connection.storagePoolDefineXML(dir_pool, 0), "missing backend") == 1
    rig.pool(connection)
    assert code_of(lambda: rig.pool(connection)) == 9
    assert code_of(lambda: connection.storagePoolDefineXML(dir_pool, 8)) == 8


def test_states_and_absences_have_libvirts_codes(rig: Rig) -> None:
    connection = rig.connect()
    pool = rig.pool(connection)
    assert code_of(lambda: connection.storagePoolLookupByName("none")) == 49
    assert code_of(pool.destroy) == 55
    assert code_of(pool.refresh) == 55
    pool.create(0)
    assert code_of(pool.create) == 55
    assert code_of(pool.undefine) == 55
    assert code_of(lambda: pool.storageVolLookupByName("unit:0:0:9")) == 50
    pool.destroy()
    pool.undefine()
    assert code_of(pool.create) == 49


def test_a_target_that_is_not_there_leaves_the_pool_stopped(rig: Rig) -> None:
    pool = rig.pool(rig.connect(), target="iqn.2020-01.org.simple:other")
    assert code_of(pool.create, r"Failed to connect to LUN : .*Target not found\(515\)") == 1
    assert not pool.isActive()


def test_a_refresh_that_fails_stops_the_pool(rig: Rig) -> None:
    pool = rig.pool(rig.connect())
    pool.create(0)
    rig.targets.secret = b"now-needed-123"
    assert code_of(pool.refresh, r"Authentication failure\(513\)") == 1
    assert not pool.isActive()


def test_a_pool_logs_in_with_the_value_of_its_secret(rig: Rig) -> None:
    rig.targets.secret = b"right-secret-1"
    connection = rig.connect()
    pool = rig.pool(connection, usage="u1")
    assert code_of(pool.create, "no secret with matching usage") == 66
    secret = rig.secret(connection)
    assert code_of(pool.create, "does not have a value") == 66
    secret.setValue(b"wrong-secret-1")
    assert code_of(pool.create, r"Authentication failure\(513\)") == 1
    secret.setValue("right-secret-1")
    pool.create(0)
    assert rig.targets.logins[-1].chap is not None
    assert rig.targets.logins[-1].chap.username == "u"


def test_a_private_secret_is_never_given_back_and_no_text_has_a_value(rig: Rig) -> None:
    connection = rig.connect()
    private = rig.secret(connection, private="yes")
    private.setValue(b"private-secret")
    open_one = rig.secret(connection, usage="u2")
    open_one.setValue(b"another-secret")
    assert code_of(private.value) == 65
    assert open_one.value() == b"another-secret"
    assert code_of(lambda: rig.secret(connection), "already defined for use") == 1
    assert connection.secretLookupByUsage(3, "u2").UUIDString() == open_one.UUIDString()
    text = rig.cluster.text()
    assert "virSecretSetValue" in text
    assert "private-secret" not in text
    assert "another-secret" not in text
    open_one.undefine()
    assert code_of(open_one.XMLDesc) == 66


def test_what_is_not_simulated_is_refused_with_libvirts_own_error(rig: Rig) -> None:
    connection = rig.connect()
    pool = rig.pool(connection)
    pool.create(0)
    volume = pool.listAllVolumes(0)[0]
    for call in (
        lambda: pool.createXML("<volume/>", 0),
        lambda: volume.delete(0),
        lambda: volume.resize(MIB, 0),
        lambda: volume.upload(None, 0, 0, 0),
        lambda: connection.networkLookupByName("default"),
        lambda: connection.storagePoolCreateXML("<pool/>", 0),
    ):
        assert code_of(call) == 3
    with pytest.raises(AttributeError):
        _ = connection.noSuchCall
