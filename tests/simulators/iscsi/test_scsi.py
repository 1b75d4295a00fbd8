from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.iscsi.backend import LogicalUnit
from simulators.iscsi.lun_address import encode_lun
from simulators.iscsi.scsi import device_server
from simulators.iscsi.scsi.command_table import COMMANDS, Command
from simulators.iscsi.scsi.nexus import Nexus
from simulators.iscsi.scsi.operation import Outcome
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, Sense, parse_fixed
from tests.simulators.iscsi.fake_fabric import MIB, TARGET, MemoryUnit, identity

ILLEGAL_REQUEST = 5


class Device:
    """A nexus with one unit at number 1, spoken to in CDBs."""

    def __init__(self, unit: MemoryUnit | None = None) -> None:
        self.unit = unit or MemoryUnit()
        self.nexus = Nexus(TARGET, {1: self.unit})

    def run(self, cdb: str | bytes, data: bytes = b"", lun: int | None = 1) -> Outcome:
        command = (bytes.fromhex(cdb) if isinstance(cdb, str) else cdb).ljust(16, b"\0")
        operation = device_server.begin(command, lun, self.nexus)
        return device_server.finish(operation, data[: operation.data_out_bytes])

    def data(self, cdb: str | bytes, lun: int | None = 1) -> bytes:
        outcome = self.run(cdb, lun=lun)
        assert outcome.sense is None
        return outcome.data_in

    def sense(self, cdb: str | bytes, data: bytes = b"", lun: int | None = 1) -> tuple[int, int, int]:
        outcome = self.run(cdb, data, lun)
        assert outcome.sense is not None
        assert outcome.status == 2
        return outcome.sense.key, outcome.sense.asc, outcome.sense.ascq


def test_the_fake_is_a_logical_unit() -> None:
    assert isinstance(MemoryUnit(), LogicalUnit)


# ---- who are you -----------------------------------------------------------------------------------------------


def test_standard_inquiry_says_who_made_it() -> None:
    data = Device().data("120000006000")
    assert len(data) == 96
    assert data[0] == 0
    assert data[4] == len(data) - 5
    assert (data[8:16], data[16:32], data[32:36]) == (b"EXAMPLE ", b"ARRAY           ", b"0042")


def test_inquiry_of_a_missing_unit_says_that_there_is_none() -> None:
    assert Device().data("120000006000", lun=7)[0] == 0x7F
    assert Device().data("120000006000", lun=None)[0] == 0x7F


def test_answers_are_cut_to_the_allocation_length() -> None:
    assert len(Device().data("120000002400")) == 36
    assert Device().data("120000000000") == b""


def test_the_supported_pages_are_those_that_answer() -> None:
    device = Device()
    pages = device.data("12010000ff00")[4:]
    assert pages.hex() == "00808386b0b1b2"
    for page in pages:
        answer = device.data(bytes((0x12, 1, page, 1, 0, 0)))
        assert answer[1] == page
        assert int.from_bytes(answer[2:4], "big") == len(answer) - 4


def test_the_serial_number_is_that_of_the_unit() -> None:
    assert Device().data("12018000ff00")[4:] == b"SN0001"


def designators(page: bytes) -> dict[tuple[int, int], bytes]:
    found, at = {}, 4
    while at < len(page):
        length = page[at + 3]
        found[page[at + 1] >> 4 & 3, page[at + 1] & 0xF] = page[at + 4 : at + 4 + length]
        at += 4 + length
    assert at == len(page)
    return found


def test_device_identification_names_unit_port_and_target() -> None:
    unit = MemoryUnit()
    assert unit.identity.eui is not None
    assert designators(Device(unit).data("12018300ff00")) == {
        (0, 3): bytes.fromhex(unit.identity.naa),
        (0, 2): bytes.fromhex(unit.identity.eui),
        (0, 1): b"EXAMPLE SN0001",
        (1, 4): b"\0\0\0\1",
        (1, 5): b"\0\0\0\1",
        (1, 8): padded(f"{TARGET},t,0x0001"),
        (2, 8): padded(TARGET),
    }


def padded(name: str) -> bytes:
    data = name.encode() + b"\0"
    return data + bytes(-len(data) % 4)


def test_a_unit_without_eui_has_no_such_designator() -> None:
    unit = MemoryUnit()
    unit.identity = type(unit.identity)(identity().naa, None, "S", "V", "P", "1")
    assert (0, 2) not in designators(Device(unit).data("12018300ff00"))


@pytest.mark.parametrize("is_thin", [True, False])
def test_block_limits_and_provisioning_say_whether_it_is_thin(is_thin: bool) -> None:
    device = Device(MemoryUnit(is_thin=is_thin))
    limits, provisioning = device.data("1201b000ff00"), device.data("1201b200ff00")
    assert len(limits) == 64
    assert int.from_bytes(limits[8:12], "big") == 16384
    assert (int.from_bytes(limits[20:24], "big") > 0) is is_thin
    assert provisioning[5] == (0xE4 if is_thin else 0)
    assert provisioning[6] == (2 if is_thin else 0)


@pytest.mark.parametrize(("block_bytes", "exponent", "last"), [(512, 3, MIB // 512 - 1), (4096, 0, MIB // 4096 - 1)])
def test_read_capacity_16_says_size_block_and_provisioning(block_bytes: int, exponent: int, last: int) -> None:
    data = Device(MemoryUnit(block_bytes=block_bytes)).data("9e100000000000000000000000200000")
    assert len(data) == 32
    assert int.from_bytes(data[:8], "big") == last
    assert int.from_bytes(data[8:12], "big") == block_bytes
    assert data[13] == exponent
    assert data[14] == 0xC0


def test_read_capacity_10_of_a_large_unit_points_to_the_other_one() -> None:
    class Huge(MemoryUnit):
        @property
        def size_bytes(self) -> int:
            return 1 << 42

    assert Device(Huge()).data("25000000000000000000") == bytes.fromhex("ffffffff00000200")


def test_a_thick_unit_does_not_promise_zeros() -> None:
    assert Device(MemoryUnit(is_thin=False)).data("9e100000000000000000000000200000")[14] == 0


def test_report_luns_lists_by_number() -> None:
    device = Device()
    device.nexus.show({1: device.unit, 256: device.unit, 0: device.unit})
    data = device.data("a00000000000000100000000", lun=None)
    assert data == (24).to_bytes(4, "big") + bytes(4) + b"".join(encode_lun(n) for n in (0, 1, 256))
    assert device.data("a00001000000000100000000") == bytes(8)
    assert device.data("a00002000000000100000000") == data


@pytest.mark.parametrize("cdb", ["a00003000000000100000000", "a00000000000000000080000"])
def test_report_luns_refuses_other_selections_and_tiny_allocations(cdb: str) -> None:
    assert Device().sense(cdb) == (ILLEGAL_REQUEST, 0x24, 0)


# ---- modes -----------------------------------------------------------------------------------------------------


def test_mode_sense_6_returns_both_pages_and_the_block_descriptor() -> None:
    data = Device().data("1a003f00ff00")
    assert data[0] == len(data) - 1
    assert data[2:4] == bytes((0x10, 8))
    assert data[4:12] == (2048).to_bytes(4, "big") + bytes(1) + (512).to_bytes(3, "big")
    assert data[12:15] == bytes((0x08, 18, 0x04))
    assert data[32:34] == bytes((0x0A, 10))


def test_mode_sense_10_returns_one_page_without_descriptor() -> None:
    data = Device().data("5a080800000000ffff00"[:20])
    assert int.from_bytes(data[:2], "big") == len(data) - 2
    assert data[8:11] == bytes((0x08, 18, 0x04))


def test_mode_sense_10_has_a_long_descriptor_for_who_accepts_it() -> None:
    data = Device().data("5a100800000000ffff00"[:20])
    assert data[4] == 1
    assert data[8:24] == (2048).to_bytes(8, "big") + bytes(4) + (512).to_bytes(4, "big")


def test_the_write_cache_is_what_is_changeable_of_caching() -> None:
    assert Device().data("1a084800ff00")[4:] == bytes((0x08, 18, 0x04)) + bytes(17)


@pytest.mark.parametrize(
    ("cdb", "asc"), [("1a001c00ff00", 0x24), ("1a000801ff00", 0x24), ("1a003f01ff00", 0x24), ("1a00c800ff00", 0x39)]
)
def test_other_pages_subpages_and_saved_values_are_refused(cdb: str, asc: int) -> None:
    assert Device().sense(cdb)[:2] == (ILLEGAL_REQUEST, asc)


# ---- blocks ----------------------------------------------------------------------------------------------------

BLOCK_3 = ["0800000301", "28000000000300000100", "a8000000000300000001", "88000000000000000003000000010000"]
WRITE_3 = ["0a00000301", "2a000000000300000100", "aa000000000300000001", "8a000000000000000003000000010000"]


@pytest.mark.parametrize("cdb", BLOCK_3)
def test_every_read_reads_its_blocks(cdb: str) -> None:
    device = Device()
    device.unit.content[3 * 512 : 4 * 512] = b"r" * 512
    assert device.data(cdb) == b"r" * 512


@pytest.mark.parametrize("cdb", WRITE_3)
def test_every_write_writes_its_blocks(cdb: str) -> None:
    device = Device()
    assert device.run(cdb, b"w" * 512).sense is None
    assert device.unit.content[3 * 512 - 1 : 4 * 512 + 1] == b"\0" + b"w" * 512 + b"\0"
    assert device.unit.flushes == 0


def test_zero_blocks_are_256_in_read_6_and_none_elsewhere() -> None:
    device = Device()
    assert len(device.data("080000000000")) == 256 * 512
    assert device.data("28000000000000000000") == b""


@pytest.mark.parametrize("cdb", ["2a080000000300000100", "8a080000000000000003000000010000"])
def test_fua_makes_a_write_durable(cdb: str) -> None:
    device = Device()
    device.run(cdb, b"w" * 512)
    assert device.unit.flushes == 1


def test_fua_reads_what_is_durable() -> None:
    device = Device()
    device.data("28080000000000000100")
    assert device.unit.flushes == 1


@pytest.mark.parametrize(
    "cdb",
    [
        "28000000080000000100",
        "2800000007ff00000200",
        "88000000000000000800000000010000",
        "8800ffffffffffffffff000000010000",
        "2a000000080000000100",
        "28000000080100000000",
        "35000000080000000100",
    ],
)
def test_addresses_beyond_the_end_are_refused(cdb: str) -> None:
    assert Device().sense(cdb) == (ILLEGAL_REQUEST, 0x21, 0)


def test_the_last_block_is_within() -> None:
    assert len(Device().data("2800000007ff00000100")) == 512
    assert Device().data("28000000080000000000") == b""


def test_a_transfer_longer_than_the_limits_page_says_is_refused() -> None:
    device = Device(MemoryUnit(size_bytes=16 * MIB))
    assert device.sense("88000000000000000000000040010000") == (ILLEGAL_REQUEST, 0x24, 0)
    assert len(device.data("88000000000000000000000040000000")) == 8 * MIB


@pytest.mark.parametrize("cdb", ["35000000000000000000", "91000000000000000000000000000000", "35020000000100000100"])
def test_synchronize_cache_flushes(cdb: str) -> None:
    device = Device()
    assert device.run(cdb).sense is None
    assert device.unit.flushes == 1


def unmap_list(*extents: tuple[int, int]) -> bytes:
    descriptors = b"".join(lba.to_bytes(8, "big") + n.to_bytes(4, "big") + bytes(4) for lba, n in extents)
    return (len(descriptors) + 6).to_bytes(2, "big") + len(descriptors).to_bytes(2, "big") + bytes(4) + descriptors


def unmap_cdb(parameters: bytes) -> bytes:
    return b"\x42" + bytes(6) + len(parameters).to_bytes(2, "big") + b"\0"


def test_unmap_deallocates_each_extent() -> None:
    device = Device()
    device.unit.content[:] = b"x" * MIB
    parameters = unmap_list((1, 1), (4, 0), (10, 2))
    assert device.run(unmap_cdb(parameters), parameters).sense is None
    assert device.unit.content.count(b"\0") == 3 * 512
    assert device.unit.content[512:1024] == bytes(512)


def test_unmap_checks_all_extents_before_the_first() -> None:
    device = Device()
    device.unit.content[:] = b"x" * MIB
    parameters = unmap_list((1, 1), (2047, 2))
    assert device.sense(unmap_cdb(parameters), parameters) == (ILLEGAL_REQUEST, 0x21, 0)
    assert b"\0" not in device.unit.content


def test_unmap_enforces_the_limits_it_announces() -> None:
    device = Device()
    many = unmap_list(*[(0, 1)] * 257)
    assert device.sense(unmap_cdb(many), many) == (ILLEGAL_REQUEST, 0x26, 0)
    long = unmap_list((0, 1 << 22))
    assert device.sense(unmap_cdb(long), long) == (ILLEGAL_REQUEST, 0x26, 0)


def test_unmap_refuses_lists_of_the_wrong_length() -> None:
    device = Device()
    assert device.sense(unmap_cdb(bytes(7)), bytes(7)) == (ILLEGAL_REQUEST, 0x1A, 0)
    promised = unmap_list((0, 1))[:-1]
    assert device.sense(unmap_cdb(promised), promised) == (ILLEGAL_REQUEST, 0x1A, 0)
    assert device.run(unmap_cdb(b"")).sense is None


def test_a_thick_unit_knows_no_unmap() -> None:
    assert Device(MemoryUnit(is_thin=False)).sense(unmap_cdb(b"")) == (ILLEGAL_REQUEST, 0x20, 0)


# ---- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", sorted(set(range(256)) - {command.opcode for command in COMMANDS}))
def test_what_is_not_simulated_is_refused(opcode: int) -> None:
    assert Device().sense(bytes((opcode,))) == (ILLEGAL_REQUEST, 0x20, 0)


FORBIDDEN_BITS = [
    (command, byte, bit)
    for command in COMMANDS
    for byte, usage in enumerate(command.usage)
    for bit in range(8)
    if byte > 0 and not usage & 1 << bit
]


def test_every_bit_outside_of_the_usage_map_is_refused() -> None:
    device = Device()
    for command, byte, bit in FORBIDDEN_BITS:
        cdb = bytearray(16)
        cdb[0] = command.opcode
        cdb[1] = command.service_action or 0
        cdb[byte] |= 1 << bit
        sense = device.run(bytes(cdb)).sense
        assert sense == INVALID_FIELD_IN_CDB.at_cdb_byte(byte), (command.name, byte, bit)


def test_another_service_action_is_refused() -> None:
    assert Device().sense("9e110000000000000000000000200000") == (ILLEGAL_REQUEST, 0x24, 0)


@pytest.mark.parametrize("cdb", ["12010100ff00", "12000100ff00", "12018900ff00"])
def test_other_inquiry_pages_are_refused(cdb: str) -> None:
    assert Device().sense(cdb) == (ILLEGAL_REQUEST, 0x24, 0)


@pytest.mark.parametrize("lun", [0, 2, None])
def test_a_missing_unit_refuses_everything_else(lun: int | None) -> None:
    for opcode in (0x00, 0x25, 0x28, 0x2A, 0x1A, 0xFF):
        assert Device().sense(bytes((opcode,)), lun=lun) == (ILLEGAL_REQUEST, 0x25, 0)
    assert Device().sense("12018300ff00", lun=lun) == (ILLEGAL_REQUEST, 0x25, 0)
    assert Device().data("030000001200", lun=lun)[2:14:10] == bytes((5, 0x25))


def test_a_broken_medium_is_a_medium_error() -> None:
    device = Device()
    device.unit.is_broken = True
    assert device.sense("28000000000000000100") == (3, 0x11, 0)
    assert device.sense("2a000000000000000100", b"x" * 512) == (3, 0x0C, 0)
    assert device.sense("35000000000000000000") == (3, 0x0C, 0)
    parameters = unmap_list((0, 1))
    assert device.sense(unmap_cdb(parameters), parameters) == (3, 0x0C, 0)


def test_a_full_pool_is_data_protect() -> None:
    device = Device()
    device.unit.is_full = True
    assert device.sense("2a000000000000000100", b"x" * 512) == (7, 0x27, 7)


# ---- sense data ------------------------------------------------------------------------------------------------


def test_request_sense_without_anything_to_say() -> None:
    assert Device().data("030000001200") == Sense(0, 0, 0).fixed()


def test_fixed_sense_points_at_the_field() -> None:
    in_cdb, in_list = INVALID_FIELD_IN_CDB.at_cdb_byte(2).fixed(), INVALID_FIELD_IN_CDB.at_parameter_byte(9).fixed()
    assert (len(in_cdb), in_cdb[0], in_cdb[7]) == (18, 0x70, 10)
    assert (in_cdb[15:], in_list[15:]) == (b"\xc0\0\2", b"\x80\0\x09")


@given(data=st.binary(max_size=30))
def test_any_sense_data_is_understood_or_not(data: bytes) -> None:
    sense = parse_fixed(data)
    assert sense is None or parse_fixed(sense.fixed()) == sense


@given(cdb=st.binary(min_size=16, max_size=16), data=st.binary(max_size=64), lun=st.none() | st.integers(0, 2))
def test_any_cdb_ends_good_or_with_sense(cdb: bytes, data: bytes, lun: int | None) -> None:
    outcome = Device().run(cdb, data, lun)
    assert outcome.status in {0, 2}


@given(command=st.sampled_from(COMMANDS), rest=st.binary(min_size=15, max_size=15), data=st.binary(max_size=64))
def test_any_legal_looking_cdb_ends_good_or_with_sense(command: Command, rest: bytes, data: bytes) -> None:
    cdb = bytearray(byte & usage for byte, usage in zip(b"\xff" + rest, command.usage, strict=False))
    cdb[0] = command.opcode
    if command.service_action is not None:
        cdb[1] = command.service_action
    outcome = Device().run(bytes(cdb), data)
    assert outcome.sense is None or outcome.sense.key in {3, 5, 0xE}
