"""Access, inventory and capacity that change while an initiator is logged in."""

from __future__ import annotations

import threading

from simulators.iscsi import pdu as p
from simulators.iscsi.lun_address import encode_lun
from tests.simulators.iscsi.fake_fabric import ACCOUNT, HOST, OTHER_HOST, FakeFabric, MemoryUnit
from tests.simulators.iscsi.raw_peer import (
    NORMAL,
    OTHER_ISID,
    TEST_UNIT_READY,
    RawPeer,
    keys,
    logged_in,
    only,
    sense_of,
    target,
    write_10,
)


def test_a_revoked_access_ends_the_session_with_the_next_command() -> None:
    initiator, fabric = logged_in()
    fabric.revoke(HOST)
    assert initiator.command(TEST_UNIT_READY) == []
    assert initiator.is_closed


def test_a_revoked_session_is_not_listed_and_can_be_closed_without_waiting_for_a_command() -> None:
    fabric = FakeFabric()
    memory = target(fabric)
    initiator = RawPeer(memory)
    initiator.login()
    fabric.revoke(HOST)
    assert memory.sessions() == []
    assert not initiator.is_closed
    memory.sweep()
    assert initiator.is_closed


def test_sessions_can_be_listed_while_the_target_is_busy() -> None:
    memory = target()
    RawPeer(memory).login()
    listed: list[int] = []
    with memory.lock:
        thread = threading.Thread(target=lambda: listed.append(len(memory.sessions())))
        thread.start()
        thread.join(5)
    assert listed == [1]


def test_a_replaced_account_ends_the_sessions_of_the_old_one() -> None:
    fabric = FakeFabric()
    memory = target(fabric)
    initiator = RawPeer(memory)
    initiator.login()
    fabric.accounts = (ACCOUNT,)
    fabric.revision += 1
    assert initiator.command(TEST_UNIT_READY) == []


def test_another_fabric_ends_all_sessions() -> None:
    memory = target()
    initiator, waiting = RawPeer(memory), RawPeer(memory)
    initiator.login()
    memory.fabric = FakeFabric(ACCOUNT)
    assert initiator.is_closed
    assert waiting.is_closed
    assert memory.sessions() == []
    again = RawPeer(memory)
    assert keys(again.login_step([*NORMAL, ("AuthMethod", "CHAP")], stage=0, to=1))["AuthMethod"] == "CHAP"


def test_each_initiator_sees_its_own_unit_under_the_same_number() -> None:
    fabric = FakeFabric()
    memory = target(fabric)
    mine, other = RawPeer(memory), RawPeer(memory)
    mine.login()
    other.login(identify=[("InitiatorName", OTHER_HOST), *NORMAL[1:]], isid=OTHER_ISID)
    mine.good(write_10(1), data=b"m" * 512)
    other.good(write_10(1), data=b"o" * 512)
    assert fabric.unit.content[:1] == b"m"
    assert fabric.other_unit.content[:1] == b"o"


def unit_attention(initiator: RawPeer, lun: int = 1) -> tuple[int, int]:
    sense = sense_of(only(initiator.command(TEST_UNIT_READY, lun=lun), p.ScsiResponse))
    assert sense.key == 6
    return sense.asc, sense.ascq


def test_a_changed_inventory_is_reported_once() -> None:
    initiator, fabric = logged_in()
    fabric.show(HOST, {1: fabric.unit, 2: MemoryUnit(9)})
    assert unit_attention(initiator) == (0x3F, 0x0E)
    initiator.good(TEST_UNIT_READY)
    initiator.good(TEST_UNIT_READY, lun=2)


def test_a_changed_inventory_is_reported_by_every_unit_that_stayed() -> None:
    initiator, fabric = logged_in()
    fabric.show(HOST, {1: fabric.unit, 2: fabric.other_unit})
    assert unit_attention(initiator) == (0x3F, 0x0E)
    fabric.show(HOST, {1: fabric.unit, 2: MemoryUnit(9), 3: fabric.other_unit})
    assert [unit_attention(initiator, lun) for lun in (1, 2)] == [(0x3F, 0x0E)] * 2
    for lun in (1, 2, 3):
        initiator.good(TEST_UNIT_READY, lun=lun)


def test_an_inventory_that_is_all_new_is_reported_too() -> None:
    initiator, fabric = logged_in()
    fabric.show(HOST, {2: fabric.other_unit})
    assert unit_attention(initiator, 2) == (0x3F, 0x0E)
    initiator.good(TEST_UNIT_READY, lun=2)


def test_a_change_elsewhere_is_no_news() -> None:
    initiator, fabric = logged_in()
    fabric.show(OTHER_HOST, {})
    initiator.good(TEST_UNIT_READY)


def test_report_luns_makes_the_inventory_known() -> None:
    initiator, fabric = logged_in()
    fabric.show(HOST, {1: fabric.unit, 300: fabric.other_unit})
    data = initiator.read(bytes.fromhex("a00000000000000100000000"), lun=0)
    assert data == (16).to_bytes(4, "big") + bytes(4) + encode_lun(1) + encode_lun(300)
    initiator.good(TEST_UNIT_READY)


def test_a_grown_unit_is_reported_once_to_each_initiator() -> None:
    initiator, fabric = logged_in()
    fabric.unit.grow(2 << 20)
    assert unit_attention(initiator) == (0x2A, 0x09)
    initiator.good(TEST_UNIT_READY)
    assert initiator.read(bytes.fromhex("25000000000000000000")) == (4095).to_bytes(4, "big") + (512).to_bytes(4, "big")


def test_a_unit_that_grew_while_access_changed_is_reported_after_the_inventory() -> None:
    initiator, fabric = logged_in()
    fabric.unit.grow(2 << 20)
    fabric.show(HOST, {1: fabric.unit, 2: fabric.other_unit})
    assert [unit_attention(initiator), unit_attention(initiator)] == [(0x3F, 0x0E), (0x2A, 0x09)]
    initiator.good(TEST_UNIT_READY)


def test_a_replaced_unit_is_not_a_grown_one() -> None:
    initiator, fabric = logged_in()
    replacement = MemoryUnit(9)
    replacement.generation = 5
    fabric.show(HOST, {1: replacement})
    assert unit_attention(initiator) == (0x3F, 0x0E)
    initiator.good(TEST_UNIT_READY)


def test_a_new_nexus_can_begin_with_power_on() -> None:
    initiator = RawPeer(target(power_on_attention=True))
    initiator.login()
    assert unit_attention(initiator) == (0x29, 0x00)
    initiator.good(TEST_UNIT_READY)


def test_inquiry_does_not_use_up_a_unit_attention_but_request_sense_does() -> None:
    initiator, fabric = logged_in()
    fabric.unit.grow(2 << 20)
    assert len(initiator.read(bytes.fromhex("120000006000"))) == 96
    assert initiator.read(bytes.fromhex("030000001200"))[12:14] == b"\x2a\x09"
    initiator.good(TEST_UNIT_READY)
