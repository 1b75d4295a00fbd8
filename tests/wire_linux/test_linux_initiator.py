"""The kernel's own initiator, with open-iscsi above it, on simulated arrays: who gets in, and whose data is where."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.wire_linux.conftest import Bench
from tests.wire_linux.host import REPLACEMENT

pytestmark = pytest.mark.wire

# What iscsiadm(8) ends with when the target refused a login for who it is, and when the initiator ended one itself.
AUTHENTICATION, GIVEN_UP = 24, 19
GIB = 1 << 30
CHAP = {
    "node.session.auth.authmethod": "CHAP",
    "node.session.auth.username": "tenant",
    "node.session.auth.password": "correct-horse-1",
}
MUTUAL = {**CHAP, "node.session.auth.username_in": "tenant", "node.session.auth.password_in": "battery-staple"}
DIGESTS = {"node.conn[0].iscsi.HeaderDigest": "CRC32C", "node.conn[0].iscsi.DataDigest": "CRC32C"}
MIB = 1 << 20
# One thing after the other, without pipes: while the one processor computes, packets for it may be lost.
MAKE_DATA = "dd if=/dev/urandom of=/tmp/data bs=256k count=8"
WRITE = "dd if=/tmp/data of={disk} bs=256k oflag=direct"
COMPARE = "dd if={disk} of=/tmp/read bs=256k count=8 iflag=direct && cmp /tmp/read /tmp/data"


# ---- who gets in --------------------------------------------------------------------------------------------------


def test_discovery_names_the_volumes_of_the_hosts_group_and_no_others(bench: Bench) -> None:
    mine, also_mine, theirs, nobodys = (bench.volume(each) for each in ("mine", "also-mine", "theirs", "nobodys"))
    bench.granted(bench.host, volumes=[mine, also_mine], name="one")
    bench.granted(bench.other, volumes=[theirs], name="another")
    assert bench.host.discovered() == sorted([mine["iqn"], also_mine["iqn"]])
    assert bench.other.discovered() == [theirs["iqn"]]
    assert nobodys["iqn"] not in (*bench.host.discovered(), *bench.other.discovered())


def test_a_volume_of_the_hosts_group_is_a_disk_of_its_size_and_identity(bench: Bench) -> None:
    volume = bench.volume_of(bench.host)
    disk = bench.host.attached(volume["iqn"])
    assert size_of(bench, disk) == volume["totalSize"]
    assert bench.host.told(f"cat /sys/class/block/{disk[5:]}/device/wwid") == f"naa.{volume['scsiNAADeviceID']}\n"


def test_a_stranger_is_refused(bench: Bench) -> None:
    assert bench.host.log_in(bench.volume_of(bench.other)["iqn"]).status == AUTHENTICATION


def test_who_knows_the_secret_gets_in_and_nobody_else(bench: Bench) -> None:
    volume = bench.volume()
    for settings in ({}, {**CHAP, "node.session.auth.password": "wrong-horse-16"}):
        assert bench.host.log_in(volume["iqn"], settings).status == AUTHENTICATION
    keeps_data(bench, bench.host.attached(volume["iqn"], CHAP))


def test_a_host_that_wants_the_array_to_prove_itself_takes_no_wrong_secret(bench: Bench) -> None:
    volume = bench.volume()
    wrong = {**MUTUAL, "node.session.auth.password_in": "wrong-staple-1"}
    assert bench.host.log_in(volume["iqn"], wrong).status == GIVEN_UP
    assert size_of(bench, bench.host.attached(volume["iqn"], MUTUAL)) == volume["totalSize"]


# ---- data ---------------------------------------------------------------------------------------------------------


def test_data_is_right_with_header_and_data_digests(bench: Bench) -> None:
    keeps_data(bench, bench.attached(**DIGESTS))
    lines = "\n".join(bench.array.world.transcript)
    assert "HeaderDigest=CRC32C" in lines
    assert "DataDigest=CRC32C" in lines


def test_a_file_system_keeps_its_files_when_it_is_mounted_again_by_another_host(bench: Bench) -> None:
    volume = bench.volume_of(bench.host, bench.other)
    disk = bench.host.attached(volume["iqn"])
    bench.host.told(f"/sbin/mke2fs -q -t ext4 {disk} && mount -t ext4 {disk} /mnt")
    bench.host.told(f"{MAKE_DATA}; cp /tmp/data /mnt/file && umount /mnt")
    theirs = bench.other.attached(volume["iqn"])
    bench.other.told(f"mount -t ext4 {theirs} /mnt && cmp /mnt/file /tmp/data && umount /mnt")


def test_two_volumes_of_a_host_have_each_its_own_data(bench: Bench) -> None:
    volumes = [bench.volume("one"), bench.volume("two")]
    bench.granted(bench.host, volumes=volumes)
    one, two = (bench.host.attached(each["iqn"]) for each in volumes)
    assert one != two
    for disk in (one, two):
        bench.host.told(f"{MAKE_DATA} && cp /tmp/data /tmp/{disk[5:]} && {WRITE.format(disk=disk)}")
    for disk in (one, two):
        bench.host.told(f"cp /tmp/{disk[5:]} /tmp/data && {COMPARE.format(disk=disk)}")


def test_what_is_discarded_reads_as_zeros_and_what_lies_next_to_it_is_as_it_was(bench: Bench) -> None:
    disk = bench.attached()
    keeps_data(bench, disk)
    bench.host.told(f"/sbin/blkdiscard -o 0 -l {MIB} {disk}")
    bench.host.told(f"dd if=/dev/zero of=/tmp/data bs={MIB} count=1 conv=notrunc && {COMPARE.format(disk=disk)}")


def test_a_disk_grows_under_a_mounted_file_system(bench: Bench) -> None:
    volume = bench.volume_of(bench.host)
    disk = bench.host.attached(volume["iqn"])
    bench.host.told(f"/sbin/mke2fs -q -t ext4 {disk} && mount -t ext4 {disk} /mnt")
    grown = bench.array.call("ModifyVolume", volumeID=volume["volumeID"], totalSize=2 * GIB)["volume"]
    assert size_of(bench, disk) == volume["totalSize"]
    bench.host.told("iscsiadm -m session --rescan")
    assert size_of(bench, disk) == grown["totalSize"]
    bench.host.told(f"/sbin/resize2fs {disk} && [ $(df -k /mnt | awk 'END {{ print $2 }}') -gt {3 * GIB // 2 >> 10} ]")


def test_a_host_whose_access_is_revoked_gets_errors_until_it_is_granted_again(bench: Bench) -> None:
    volume = bench.volume()
    group = {"volumeAccessGroupID": bench.granted(bench.host, volumes=[volume]), "volumes": [volume["volumeID"]]}
    disk = bench.host.attached(volume["iqn"])
    keeps_data(bench, disk)
    bench.array.call("RemoveVolumesFromVolumeAccessGroup", **group)
    assert "Input/output error" in bench.host.run(COMPARE.format(disk=disk)).printed
    bench.array.call("AddVolumesToVolumeAccessGroup", **group)
    bench.host.told(f"until {COMPARE.format(disk=disk)}; do sleep 0.2; done")


# ---- connections that fail ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "failure", "sign"),
    [
        ("WRITE (10)", "drop", "drop injected"),
        ("READ (10)", "drop", "drop injected"),
        ("WRITE (10)", "busy", "status=08"),
        ("READ (10)", "task-set-full", "status=28"),
    ],
)
def test_what_fails_on_the_way_is_repeated_and_the_data_is_right(
    launched: Callable[..., Bench], call: str, failure: str, sign: str
) -> None:
    bench = launched(faults=[{"call": call, "failure": failure, "nth": 5}])
    keeps_data(bench, bench.attached(**{REPLACEMENT: "15"}))
    assert sign in "\n".join(bench.array.world.transcript)


def test_a_login_that_is_refused_for_now_is_repeated(launched: Callable[..., Bench]) -> None:
    bench = launched(faults=[{"call": "LoginRequest", "failure": "refuse-login"}])
    keeps_data(bench, bench.attached())
    assert "refuse-login injected" in "\n".join(bench.array.world.transcript)


def keeps_data(bench: Bench, disk: str) -> None:
    """Write something new, and read it again."""
    bench.host.told(f"{MAKE_DATA} && {WRITE.format(disk=disk)} && {COMPARE.format(disk=disk)}")


def size_of(bench: Bench, disk: str) -> int:
    return int(bench.host.told(f"/sbin/blockdev --getsize64 {disk}"))
