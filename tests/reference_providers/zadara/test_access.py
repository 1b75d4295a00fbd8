"""One target for all, LUN numbers for each host, and the array's own CHAP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import (
    AccessNotGranted,
    BlockConnection,
    Conflict,
    DataStore,
    Host,
    InvalidRequest,
    Iqn,
    IscsiPath,
    Volume,
)
from simulators.iscsi.errors import CheckCondition, LoginRefused
from tests.reference_providers.scene import HOSTS, Killed, Scene, killed

FIRST, SECOND, _ = HOSTS
BOTH = replace(FIRST, initiators=(*FIRST.initiators, Iqn("iqn.2004-10.com.example:second-port")))


def path(connection: BlockConnection) -> IscsiPath:
    (found,) = connection.paths
    assert isinstance(found, IscsiPath)
    return found


def granted(scene: Scene, store: DataStore, host: Host, *volumes: Volume) -> list[IscsiPath]:
    for each in volumes:
        scene.driver.grant_access(store, each, host)
    return [path(scene.driver.connection(store, each, host)) for each in volumes]


def servers(scene: Scene) -> int:
    return sum(each.kind == "group" for each in scene.view().objects)


def test_luns_of_a_host_differ_by_number_behind_one_target(zadara: Scene) -> None:
    store = zadara.store()
    one, two = zadara.volume(store), zadara.volume(store, "volume-2")
    of_first = granted(zadara, store, FIRST, one, two)
    of_second = granted(zadara, store, SECOND, two)
    assert [each.lun_number for each in of_first] == [0, 1]
    assert [each.lun_number for each in of_second] == [0]
    assert len({each.target_iqn for each in (*of_first, *of_second)}) == 1
    assert len({each.chap.secret.reveal() for each in (*of_first, *of_second) if each.chap}) == 1


def test_a_fenced_host_keeps_its_session_and_its_other_luns(zadara: Scene) -> None:
    store = zadara.store()
    one, two = zadara.volume(store), zadara.volume(store, "volume-2")
    granted(zadara, store, FIRST, one, two)
    with zadara.login(zadara.driver.connection(store, one, FIRST), FIRST) as session:
        session.write(0, 0, b"x" * 512)
        zadara.driver.fence(store, one, [FIRST])
        with pytest.raises(CheckCondition):
            session.write(0, 0, b"y" * 512)
        session.write(1, 0, b"z" * 512)
    assert zadara.world.witness.read(one.external_id or "", 0, 1) == b"x"
    with pytest.raises(AccessNotGranted):
        zadara.driver.connection(store, one, FIRST)


def test_a_server_lives_from_the_first_lun_to_the_last(zadara: Scene) -> None:
    store = zadara.store()
    one, two = zadara.volume(store), zadara.volume(store, "volume-2")
    granted(zadara, store, FIRST, one, two)
    zadara.driver.revoke_access(store, one, FIRST, ())
    assert servers(zadara) == 1
    zadara.driver.revoke_access(store, two, FIRST, ())
    assert servers(zadara) == 0


def test_a_server_that_a_killed_call_left_goes_with_the_next(zadara: Scene) -> None:
    store = zadara.store()
    volume = zadara.volume(store)
    granted(zadara, store, FIRST, volume)
    zadara.wire.break_next("POST volumes/*/detach", killed)
    with pytest.raises(Killed):
        zadara.driver.revoke_access(store, volume, FIRST, ())
    zadara.wire.open = 0
    zadara.another()
    assert servers(zadara) == 1
    zadara.driver.revoke_access(store, volume, FIRST, ())
    assert servers(zadara) == 0


def test_every_initiator_of_a_host_has_a_server_and_all_the_same_number(zadara: Scene) -> None:
    store = zadara.store()
    one, two = zadara.volume(store), zadara.volume(store, "volume-2")
    assert [each.lun_number for each in granted(zadara, store, BOTH, one, two)] == [0, 1]
    assert servers(zadara) == 2
    zadara.driver.revoke_access(store, one, BOTH, ())
    zadara.driver.revoke_access(store, two, BOTH, ())
    assert servers(zadara) == 0


def test_initiators_whose_numbers_have_come_apart_are_refused(zadara: Scene) -> None:
    store = zadara.store()
    one, two = zadara.volume(store), zadara.volume(store, "volume-2")
    granted(zadara, store, FIRST, one)
    # The second port has nothing yet, so the next LUN would be number 1 for one port and 0 for the other.
    with pytest.raises(Conflict, match="LUN number"):
        zadara.driver.grant_access(store, two, BOTH)
    assert [each.visible_to for each in zadara.view().luns if each.external_id == two.external_id] == [frozenset()]
    assert servers(zadara) == 1


def test_an_iqn_that_others_have_a_server_for_is_a_conflict(zadara: Scene) -> None:
    store = zadara.store()
    volume = zadara.volume(store)
    zadara.world.witness.plant("somebody", FIRST.iqns[0], b"theirs")
    before = zadara.view()
    with pytest.raises(Conflict, match="somebody"):
        zadara.driver.grant_access(store, volume, FIRST)
    assert zadara.view() == before


def test_a_host_that_comes_back_with_another_iqn_keeps_its_luns(zadara: Scene) -> None:
    store = zadara.store()
    volume = zadara.volume(store)
    (before,) = granted(zadara, store, FIRST, volume)
    renamed = replace(FIRST, initiators=(Iqn("iqn.2004-10.com.example:renamed"),))
    zadara.plugin.host_listener.host_connected(renamed, store)
    assert zadara.view().luns[0].visible_to == {renamed.iqns[0]}
    zadara.login(zadara.driver.connection(store, volume, renamed), renamed).close()
    with pytest.raises(LoginRefused):
        zadara.login(BlockConnection(zadara.driver.connection(store, volume, renamed).identity, 1, (before,)), FIRST)


def test_a_host_that_leaves_takes_its_servers_along(zadara: Scene) -> None:
    store = zadara.store()
    granted(zadara, store, FIRST, zadara.volume(store))
    granted(zadara, store, SECOND, zadara.volume(store, "volume-2"))
    zadara.plugin.host_listener.host_about_to_be_removed(FIRST, [store])
    zadara.plugin.host_listener.host_removed(FIRST, [store])
    assert servers(zadara) == 1
    zadara.plugin.host_listener.host_disconnected(SECOND, store)
    assert servers(zadara) == 1


def test_the_port_for_hosts_is_a_parameter(zadara: Scene) -> None:
    store = zadara.store(iscsi_port="13260")
    (found,) = granted(zadara, store, FIRST, zadara.volume(store))
    assert found.portals[0].port == 13260
    usual = replace(store, request=replace(store.request, parameters={**store.request.parameters, "iscsi_port": ""}))
    assert path(zadara.driver.connection(usual, zadara.volume(store), FIRST)).portals[0].port == 3260
    for wrong in ("0", "65536", "x", "-1"):
        with pytest.raises(InvalidRequest, match="iscsi_port"):
            zadara.store("store-2", iscsi_port=wrong)
