"""sg3-utils, which send SCSI commands one by one through the kernel's own initiator, to volumes of simulated arrays."""

from __future__ import annotations

import time

import pytest

from tests.wire_linux.conftest import Bench

pytestmark = pytest.mark.wire

WRITE = "dd if=/dev/zero of={disk} bs=4k count=1 oflag=direct"


def test_sg_luns_lists_the_one_lun_of_a_volume(bench: Bench) -> None:
    shown = bench.host.told(f"sg_luns {bench.attached()}")
    assert [line.strip() for line in shown.splitlines()][2:] == ["0000000000000000"]


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("lbpv", ["Unmap command supported (LBPU): 1", "read zeros (LBPRZ): 1", "2 (thin provisioned)"]),
        ("bl", ["Maximum transfer length: 16384 blocks", "Maximum unmap block descriptor count: 256"]),
    ],
)
def test_sg_vpd_reads_a_page_of_vital_product_data(bench: Bench, page: str, lines: list[str]) -> None:
    shown = bench.host.told(f"sg_vpd -p {page} {bench.attached()}")
    assert [each for each in lines if each not in shown] == [], shown


def test_sg_opcodes_lists_what_the_device_server_does_and_nothing_else(bench: Bench) -> None:
    shown = bench.host.told(f"sg_opcodes {bench.attached()}")
    names = {line.rpartition("  ")[2] for line in shown.splitlines()}
    assert names >= {"Inquiry", "Write(16)", "Unmap", "Compare and write", "Persistent reserve out, preempt"}
    assert "Format unit" not in names


def test_what_one_host_reserves_the_other_reads_and_does_not_write(bench: Bench) -> None:
    volume = bench.volume_of(bench.host, bench.other)
    mine, theirs = (each.attached(volume["iqn"]) for each in (bench.host, bench.other))
    bench.host.told(f"sg_persist --out --register --param-sark=0xabc {mine}")
    bench.host.told(f"sg_persist --out --reserve --param-rk=0xabc --prout-type=5 {mine}")
    assert "Write Exclusive, registrants only" in bench.other.told(f"sg_persist --read-reservation {theirs}")
    assert not bench.other.run(WRITE.format(disk=theirs)).is_fine
    assert "reservation conflict" in bench.other.told("dmesg -c")
    bench.other.told(f"dd if={theirs} of=/dev/null bs=4k count=1 iflag=direct")
    bench.host.told(WRITE.format(disk=mine))
    bench.host.told(f"sg_persist --out --clear --param-rk=0xabc {mine}")
    bench.other.told(WRITE.format(disk=theirs))


def test_a_unit_that_is_reset_says_so_once_and_goes_on(bench: Bench) -> None:
    disk = bench.attached()
    bench.host.told(f"sg_reset --device {disk}")
    assert "Bus device reset function occurred" in bench.host.run(f"sg_turs {disk}").printed
    bench.host.told(f"sg_turs {disk} && {WRITE.format(disk=disk)}")


def test_a_command_of_32_bytes_is_refused_at_once(bench: Bench) -> None:
    disk = bench.attached()
    started = time.monotonic()
    done = bench.host.run(f"sg_write_same -T -l 10000 -n 8 {disk}")
    assert "Illegal request" in done.printed
    assert time.monotonic() - started < 1
