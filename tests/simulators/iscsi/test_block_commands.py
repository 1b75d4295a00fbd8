"""Verifying, comparing, writing the same, unmapping, copying, and what is told of space and power."""

from __future__ import annotations

import pytest

from simulators.iscsi.scsi.command_table import COMMANDS
from simulators.iscsi.scsi.limits import MAX_COMPARE_BLOCKS, MAX_WRITE_SAME_BYTES
from simulators.iscsi.scsi.nexus import Nexus
from simulators.iscsi.scsi.operation import Outcome
from simulators.iscsi.scsi.sense import SOFT_THRESHOLD_REACHED
from tests.simulators.iscsi.fake_fabric import MIB, TARGET, AccountedUnit, MemoryUnit
from tests.simulators.iscsi.raw_peer import RawPeer, sense_of, target
from tests.simulators.iscsi.test_scsi import ILLEGAL_REQUEST, Device

A, B = b"A" * 512, b"B" * 512
MISCOMPARE = (0xE, 0x1D, 0)


def cdb(opcode: int, lba: int = 0, blocks: int = 0, flags: int = 0) -> bytes:
    """A command of 10, 12 or 16 bytes on blocks."""
    if opcode < 0x60:
        return bytes((opcode, flags)) + lba.to_bytes(4, "big") + b"\0" + blocks.to_bytes(2, "big") + b"\0"
    if opcode >= 0xA0:
        return bytes((opcode, flags)) + lba.to_bytes(4, "big") + blocks.to_bytes(4, "big") + bytes(2)
    return bytes((opcode, flags)) + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + bytes(2)


def compare_and_write(blocks: int, lba: int = 0) -> bytes:
    return bytes((0x89, 0)) + lba.to_bytes(8, "big") + bytes((0, 0, 0, blocks, 0, 0))


@pytest.fixture
def device() -> Device:
    found = Device()
    found.unit.content[:1024] = A + B
    return found


# ---- verifying -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [0x2F, 0xAF, 0x8F])
def test_verify_compares_all_or_one_with_all_or_nothing(device: Device, opcode: int) -> None:
    assert device.run(cdb(opcode, 0, 2)).sense is None
    assert device.run(cdb(opcode, 0, 2, 0x02), A + B).sense is None
    assert device.sense(cdb(opcode, 0, 2, 0x02), A + A) == MISCOMPARE
    device.unit.content[512:1024] = A
    assert device.run(cdb(opcode, 0, 2, 0x06), A).sense is None
    assert device.sense(cdb(opcode, 0, 3, 0x06), A) == MISCOMPARE
    assert device.sense(cdb(opcode, 0, 1, 0x04)) == (ILLEGAL_REQUEST, 0x24, 0)
    assert device.sense(cdb(opcode, 2048, 1)) == (ILLEGAL_REQUEST, 0x21, 0)


def test_a_miscompare_says_where(device: Device) -> None:
    outcome = device.run(cdb(0x2F, 0, 2, 0x02), A + B[:100] + b"x" + B[101:])
    assert outcome.sense is not None
    assert outcome.sense.fixed()[0] == 0xF0
    assert outcome.sense.fixed()[3:7] == (612).to_bytes(4, "big")


@pytest.mark.parametrize("opcode", [0x2E, 0xAE, 0x8E])
def test_write_and_verify_reaches_the_medium(device: Device, opcode: int) -> None:
    assert device.run(cdb(opcode, 3, 2), B + A).sense is None
    assert device.unit.content[1536:2560] == B + A
    assert device.unit.flushes == 1


def test_a_medium_that_loses_bytes_is_found_out_by_write_and_verify() -> None:
    class Forgetful(MemoryUnit):
        def write(self, offset: int, data: bytes) -> None:
            super().write(offset, data[:-1] + b"?")

    assert Device(Forgetful()).sense(cdb(0x2E, 0, 1), A) == MISCOMPARE


def test_compare_and_write_writes_only_over_what_was_expected(device: Device) -> None:
    assert device.run(compare_and_write(1), A + B).sense is None
    assert device.unit.content[:512] == B
    assert device.sense(compare_and_write(1), A + A) == MISCOMPARE
    assert device.unit.content[:512] == B
    assert device.run(compare_and_write(0), b"").sense is None
    assert device.run(compare_and_write(MAX_COMPARE_BLOCKS, 3), bytes(2 * 512 * MAX_COMPARE_BLOCKS)).sense is None


def test_orwrite_sets_bits(device: Device) -> None:
    assert device.run(cdb(0x8B, 0, 1), b"\x02" * 512).sense is None
    assert device.unit.content[:512] == bytes((ord("A") | 2,)) * 512


@pytest.mark.parametrize(("command", "promised"), [(compare_and_write(1), 2048), (cdb(0x93, 0, 4), 1024)])
def test_a_promise_of_other_than_the_right_length_is_refused(command: bytes, promised: int) -> None:
    peer = RawPeer(target())
    peer.login()
    response = peer.command(command, writes=promised, data=bytes(promised))[-1]
    sense = sense_of(response)  # type: ignore[arg-type]  # sense_of fails for anything but a response
    assert (sense.key, sense.asc) == (ILLEGAL_REQUEST, 0x24)


# ---- writing the same, and giving back -------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [0x41, 0x93])
def test_write_same_repeats_a_block_and_zero_means_to_the_end(device: Device, opcode: int) -> None:
    assert device.run(cdb(opcode, 1, 3), A).sense is None
    assert device.unit.content[512:2048] == A * 3
    assert device.run(cdb(opcode, 2040, 0), B).sense is None
    assert device.unit.content[2040 * 512 :] == B * 8
    assert device.sense(cdb(opcode, 2049, 0), B) == (ILLEGAL_REQUEST, 0x21, 0)


def test_write_same_without_data_writes_zeros(device: Device) -> None:
    assert device.run(cdb(0x93, 0, 2, 0x01)).sense is None
    assert device.unit.content[:1024] == bytes(1024)


def test_write_same_gives_back_only_what_then_reads_as_it_was_sent() -> None:
    unit = AccountedUnit()
    device = Device(unit)
    assert device.run(cdb(0x93, 0, 16), A).sense is None
    assert unit.allocation(0) == (True, 8192)
    assert device.run(cdb(0x93, 0, 8, 0x08), A).sense is None
    assert unit.content[:4096] == A * 8
    assert device.run(cdb(0x93, 0, 8, 0x08), bytes(512)).sense is None
    assert unit.allocation(0) == (False, 4096)
    assert device.run(cdb(0x93, 8, 8, 0x09)).sense is None
    assert unit.allocated_bytes == 0


def test_write_same_knows_limits_thick_units_and_no_anchors() -> None:
    big = Device(MemoryUnit(size_bytes=2 * MAX_WRITE_SAME_BYTES))
    assert big.sense(cdb(0x93, 0, 0), A) == (ILLEGAL_REQUEST, 0x24, 0)
    assert big.sense(cdb(0x93, 0, 1, 0x18), A) == (ILLEGAL_REQUEST, 0x24, 0)
    assert Device(MemoryUnit(is_thin=False)).sense(cdb(0x93, 0, 1, 0x08), A) == (ILLEGAL_REQUEST, 0x24, 0)


@pytest.mark.parametrize(
    ("command", "data"),
    [(compare_and_write(1), bytes(1024)), (cdb(0x8B, 0, 1), A), (cdb(0x93, 0, 1), A), (cdb(0x2E, 0, 1), A)],
)
def test_what_is_read_only_is_not_written_in_any_way(command: bytes, data: bytes) -> None:
    device = Device()
    device.unit.is_read_only = True
    assert device.sense(command, data) == (7, 0x27, 0)


def lba_status(device: Device, lba: int, allocation: int = 1024) -> list[tuple[int, int, int]]:
    data = device.data(bytes((0x9E, 0x12)) + lba.to_bytes(8, "big") + allocation.to_bytes(4, "big") + bytes(2))
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    fields = [data[at : at + 16] for at in range(8, len(data), 16)]
    return [(int.from_bytes(each[:8], "big"), int.from_bytes(each[8:12], "big"), each[12]) for each in fields]


def test_lba_status_tells_mapped_from_deallocated() -> None:
    device = Device(AccountedUnit())
    assert lba_status(device, 0) == [(0, 2048, 1)]
    assert device.run(cdb(0x2A, 16, 8), A * 8).sense is None
    assert lba_status(device, 0) == [(0, 16, 1), (16, 8, 0), (24, 2024, 1)]
    assert lba_status(device, 18) == [(18, 6, 0), (24, 2024, 1)]
    assert lba_status(device, 0, 24) == [(0, 16, 1)]
    assert device.sense(bytes.fromhex("9e12") + (2048).to_bytes(8, "big") + bytes(6)) == (ILLEGAL_REQUEST, 0x21, 0)


def test_lba_status_of_who_keeps_no_account_is_mapped_or_unknown() -> None:
    assert lba_status(Device(), 3) == [(3, 2045, 0)]


# ---- mode select and what it is good for -----------------------------------------------------------------------

PROTECT = bytes.fromhex("0a0a000008" + "00" * 7)
UNPROTECT = bytes.fromhex("0a0a" + "00" * 10)


def select(device: Device, pages: bytes, flags: int = 0x10, header: bytes = bytes(4)) -> Outcome:
    data = header + pages
    return device.run(bytes((0x15, flags, 0, 0, len(data), 0)), data)


def test_software_write_protection_protects_until_it_is_taken_back(device: Device) -> None:
    assert select(device, PROTECT).sense is None
    assert device.data("1a000a00ff00")[2] & 0x80
    assert device.sense(cdb(0x2A, 0, 1), A) == (7, 0x27, 2)
    assert device.data(cdb(0x28, 0, 1)) == A
    assert select(device, UNPROTECT).sense is None
    assert device.run(cdb(0x2A, 0, 1), A).sense is None


def test_without_a_write_cache_every_write_is_flushed(device: Device) -> None:
    assert select(device, bytes.fromhex("081200" + "00" * 17)).sense is None
    assert device.run(cdb(0x2A, 0, 1), A).sense is None
    assert device.unit.flushes == 1


def test_a_change_is_news_for_the_others_and_repeating_it_is_not(device: Device) -> None:
    other = Nexus(TARGET, {1: device.unit}, devices=device.nexus._registry)
    for expected in (True, False):
        assert select(device, PROTECT).sense is None
        news = other.take_attention(1)
        assert (news is not None and (news.asc, news.ascq) == (0x2A, 1)) is expected


@pytest.mark.parametrize(
    ("pages", "flags", "header", "asc"),
    [
        (PROTECT, 0x00, "00000000", 0x24),
        (PROTECT, 0x11, "00000000", 0x24),
        (PROTECT[:-1], 0x10, "00000000", 0x1A),
        (b"\x0a\x0b" + PROTECT[2:], 0x10, "00000000", 0x26),
        (PROTECT[:2] + b"\x04" + PROTECT[3:], 0x10, "00000000", 0x26),
        (b"\x01\x0a" + bytes(10), 0x10, "00000000", 0x26),
        (b"\x4a\x01\x00\x04" + bytes(4), 0x10, "00000000", 0x26),
        (b"\x5c", 0x10, "00000000", 0x1A),
        (PROTECT, 0x10, "00000008" + "0000000000001000", 0x26),
        (b"", 0x10, "000000", 0x1A),
        (b"", 0x10, "00000008", 0x1A),
    ],
)
def test_what_cannot_be_selected_is_refused_and_changes_nothing(
    device: Device, pages: bytes, flags: int, header: str, asc: int
) -> None:
    sense = select(device, UNPROTECT + pages if header == "00000000" else pages, flags, bytes.fromhex(header)).sense
    assert sense is not None
    assert (sense.key, sense.asc) == (ILLEGAL_REQUEST, asc)
    assert not device.data("1a000a00ff00")[2] & 0x80


def test_mode_select_10_takes_the_true_block_descriptor(device: Device) -> None:
    descriptor = (2048).to_bytes(4, "big") + (512).to_bytes(4, "big")
    data = bytes((0, 0, 0, 0, 0, 0, 0, 8)) + descriptor + PROTECT
    command = bytes((0x55, 0x10, 0, 0, 0, 0, 0, 0, len(data), 0))
    assert device.run(command, data).sense is None
    assert device.data("1a000a00ff00")[2] & 0x80
    assert device.run(bytes.fromhex("55100000000000000000")).sense is None


def threshold(sets: int, situa: int = 0) -> bytes:
    return bytes((0x5C, 2, 0, 20, situa)) + bytes(11) + bytes.fromhex("92020000") + sets.to_bytes(4, "big")


@pytest.mark.parametrize(("situa", "is_told"), [(0, True), (1, False)])
def test_a_soft_threshold_is_told_once_it_is_reached(situa: int, is_told: bool) -> None:
    device = Device(AccountedUnit(size_bytes=4 * MIB))
    other = Nexus(TARGET, {1: device.unit}, devices=device.nexus._registry)
    assert select(device, threshold(2, situa)).sense is None
    other.take_attention(1)
    assert device.run(cdb(0x2A, 0, 2048), A * 2048).sense is None
    assert device.run(cdb(0x2A, 2048, 8), A * 8).sense is None
    assert device.nexus.take_attention(1) == SOFT_THRESHOLD_REACHED
    assert other.take_attention(1) == (SOFT_THRESHOLD_REACHED if is_told else None)
    assert device.run(cdb(0x2A, 4096, 8), A * 8).sense is None
    assert device.nexus.take_attention(1) is None


def test_the_log_tells_used_and_available_space() -> None:
    device = Device(AccountedUnit(size_bytes=4 * MIB))
    assert device.run(cdb(0x2A, 0, 8), A * 8).sense is None
    assert device.data("4d004000000000ffff00").hex() == "00000002000c"
    data = device.data("4d004c00000000ffff00")
    assert data.hex() == "0c000018" + "00010308" + "00000004" + "01000000" + "00020308" + "00000001" + "01000000"
    assert device.data("4d004c00000002ffff00")[4:6] == b"\0\2"
    assert device.data("1201b200ff00")[4] == 11
    for wrong in ("4d000c00000000ffff00", "4d004d00000000ffff00", "4d004c01000000ffff00", "4d004c00000003ffff00"):
        assert device.sense(wrong) == (ILLEGAL_REQUEST, 0x24, 0)
    assert Device().data("4d004000000000ffff00").hex() == "0000000100"


# ---- what is supported -----------------------------------------------------------------------------------------


def test_every_command_of_the_table_is_reported_with_its_usage_map() -> None:
    device = Device()
    listed = device.data("a30c000000000000ffff0000")
    assert int.from_bytes(listed[:4], "big") == len(listed) - 4 == 8 * len(COMMANDS)
    for command in COMMANDS:
        option, action = (1, 0) if command.service_action is None else (2, command.service_action)
        one = device.data(bytes((0xA3, 0x0C, option, command.opcode, 0, action, 0, 0, 1, 0, 0, 0)))
        assert (one[1], int.from_bytes(one[2:4], "big")) == (3, command.length)
        assert (one[4], len(one)) == (command.opcode, 4 + command.length)
        either = bytes((0xA3, 0x0C, 3, command.opcode, 0, action, 0, 0, 1, 0, 0, 0))
        assert device.data(either) == one
        other_way = bytes((0xA3, 0x0C, 3 - option, command.opcode, 0, action, 0, 0, 1, 0, 0, 0))
        assert device.sense(other_way) == (ILLEGAL_REQUEST, 0x24, 0)


def test_what_is_not_supported_is_said_so_and_unmap_is_not_on_thick_units() -> None:
    assert Device().data(bytes.fromhex("a30c01ee00000000ffff0000")).hex() == "00010000"
    assert Device(MemoryUnit(is_thin=False)).data(bytes.fromhex("a30c014200000000ffff0000")).hex() == "00010000"
    assert Device().data(bytes.fromhex("a30c029e00110000ffff0000")).hex() == "00010000"


def test_timeouts_are_told_on_request() -> None:
    device = Device()
    assert len(device.data("a30c800000000000ffff0000")) == 4 + 20 * len(COMMANDS)
    assert device.data("a30c811200000000ffff0000")[-12:] == b"\0\x0a" + bytes(10)


def test_task_management_functions_are_told() -> None:
    assert Device().data("a30d00000000000000ff0000").hex() == "da000000"
    assert Device().data("a30d80000000000000ff0000").hex() == "da00000c" + "00" * 12


def test_defect_lists_are_there_and_empty() -> None:
    assert Device().data(bytes.fromhex("37001800000000002000")).hex() == "00180000"
    assert Device().data(bytes.fromhex("b71800000000000000200000")).hex() == "0018000000000000"


# ---- power -----------------------------------------------------------------------------------------------------


def test_a_stopped_unit_is_not_ready_until_it_is_started() -> None:
    device = Device()
    assert device.run("1b0000000000").sense is None
    for command in ("000000000000", "28000000000000000100", "2a000000000000000100", "25000000000000000000"):
        assert device.sense(command) == (2, 4, 2)
    assert device.run("120000006000").sense is None
    assert device.run("1a003f00ff00").sense is None
    assert device.run("1b0000000100").sense is None
    assert device.run("000000000000").sense is None


@pytest.mark.parametrize("wrong", ["1b0000000200", "1b0000001000", "1e0000000400"])
def test_ejecting_and_power_conditions_are_refused(wrong: str) -> None:
    assert Device().sense(wrong) == (ILLEGAL_REQUEST, 0x24, 0)
    assert Device().run("1e0000000100").sense is None


# ---- copying ---------------------------------------------------------------------------------------------------


def target_descriptor(unit: MemoryUnit, kind: int = 3) -> bytes:
    name = bytes.fromhex(unit.identity.naa if kind == 3 else unit.identity.eui or "")
    return bytes((0xE4, 0, 0, 0, 1, kind, 0, 16)) + name + bytes(4) + bytes((0, 0, 2, 0))


def segment(source: int, destination: int, blocks: int, start: int, to: int, flags: int = 0) -> bytes:
    head = bytes((2, flags, 0, 24)) + source.to_bytes(2, "big") + destination.to_bytes(2, "big") + bytes(2)
    return head + blocks.to_bytes(2, "big") + start.to_bytes(8, "big") + to.to_bytes(8, "big")


def copy(device: Device, targets: bytes, segments: bytes, list_id: int = 7, usage: int = 0) -> Outcome:
    head = bytes((list_id, usage << 3)) + len(targets).to_bytes(2, "big") + bytes(4)
    data = head + len(segments).to_bytes(4, "big") + bytes(4) + targets + segments
    return device.run(bytes((0x83, 0)) + bytes(8) + len(data).to_bytes(4, "big") + bytes(2), data)


def two_units() -> tuple[Device, MemoryUnit]:
    device, other = Device(), MemoryUnit(2)
    device.nexus.show({1: device.unit, 2: other})
    device.nexus.take_attention(1)
    device.unit.content[:1024] = A + B
    return device, other


@pytest.mark.parametrize("kind", [3, 2])
def test_a_copy_goes_from_unit_to_unit_and_is_told_once(kind: int) -> None:
    device, other = two_units()
    targets = target_descriptor(device.unit, kind) + target_descriptor(other, kind)
    assert copy(device, targets, segment(0, 1, 2, 0, 10) + segment(1, 0, 1, 10, 100)).sense is None
    assert other.content[5120:6144] == A + B
    assert device.unit.content[51200:51712] == A
    status = device.data("84000700000000000000000000ff0000")
    assert status.hex() == "00000008" + "01000200" + (1536).to_bytes(4, "big").hex()
    assert device.sense("84000700000000000000000000ff0000") == (ILLEGAL_REQUEST, 0x24, 0)


def test_a_copy_whose_list_is_to_be_forgotten_is_not_told() -> None:
    device, _ = two_units()
    assert copy(device, target_descriptor(device.unit), segment(0, 0, 1, 0, 5), usage=3).sense is None
    assert device.unit.content[2560:3072] == A
    assert device.sense("84000700000000000000000000ff0000") == (ILLEGAL_REQUEST, 0x24, 0)


def test_copies_that_cannot_be_are_refused_each_by_its_own_code() -> None:
    device, _ = two_units()
    here, stranger = target_descriptor(device.unit), target_descriptor(MemoryUnit(9))

    def refused(targets: bytes, segments: bytes) -> tuple[int, int, int]:
        sense = copy(device, targets, segments).sense
        assert sense is not None
        return sense.key, sense.asc, sense.ascq

    assert refused(here, segment(0, 1, 1, 0, 0)) == (0xA, 0x0D, 2)
    assert refused(stranger, segment(0, 0, 1, 0, 0)) == (0xA, 0x0D, 2)
    assert refused(here, segment(0, 0, 2, 2047, 0)) == (0xA, 0, 0)
    assert refused(here, segment(0, 0, 2, 0, 2047)) == (0xA, 0, 0)
    assert refused(b"\xe0" + here[1:], b"") == (ILLEGAL_REQUEST, 0x26, 7)
    assert refused(here, b"\x0b" + bytes(27)) == (ILLEGAL_REQUEST, 0x26, 9)
    assert refused(here * 3, b"") == (ILLEGAL_REQUEST, 0x26, 6)
    assert refused(here, segment(0, 0, 1, 0, 0) * 9) == (ILLEGAL_REQUEST, 0x26, 8)
    assert refused(here * 40, b"") == (ILLEGAL_REQUEST, 0x1A, 0)


def test_an_empty_copy_is_none_and_the_limits_are_told() -> None:
    device = Device()
    assert device.run(bytes((0x83,)) + bytes(15)).sense is None
    parameters = device.data("84030000000000000000000000ff0000")
    assert int.from_bytes(parameters[:4], "big") == len(parameters) - 4
    assert (parameters[8:10], parameters[10:12]) == (b"\0\2", b"\0\x08")
    assert parameters[43:] == bytes((2, 2, 0xE4))


def test_the_fake_keeps_the_account_that_is_asked_for() -> None:
    unit = AccountedUnit()
    unit.write(4000, b"x" * 200)
    assert unit.allocated_bytes == 8192
