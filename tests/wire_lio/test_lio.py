"""LIO of Linux as our module drives it, seen by our own initiator and by libiscsi; and the machine it runs in."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from simulators.iscsi.chap import ChapCredentials
from simulators.iscsi.errors import (
    CheckCondition,
    ConnectionClosed,
    InitiatorError,
    LoginRefused,
    MutualAuthenticationFailed,
)
from simulators.iscsi.initiator import Initiator, Session
from simulators.lio import homes, image, start, vm
from simulators.lio.errors import LioError
from simulators.lio.remote import RemoteLio
from simulators.lio.values import Acl, Chap, Lun, Target, Unit

pytestmark = pytest.mark.wire

MIB = 1 << 20
HOST, OTHER_HOST, STRANGER = (f"iqn.1993-08.org.debian:01:host-{name}" for name in ("1", "11", "stranger"))
IQN = "iqn.2010-01.com.example:array.volume.1"
DISK, OTHER_DISK = "disk-1", "disk-2"
UNITS = {
    DISK: Unit("6f47acc1000000006162636400000001", "SolidFir", "SSD SAN", "0010"),
    OTHER_DISK: Unit("6f47acc1000000006162636400000002", "SolidFir", "SSD SAN", "0010"),
}
LUNS = {0: Lun(DISK)}
CHAP = Chap("host-1", "correct-horse-16")
MUTUAL = Chap("host-1", "correct-horse-16", "array", "battery-staple-16")
OURS = ChapCredentials("host-1", b"correct-horse-16")
FORBIDDEN, AUTHENTICATION, UNAVAILABLE = (2, 2), (2, 1), (3, 1)


@pytest.fixture(scope="module")
def machine() -> Iterator[RemoteLio]:
    with start.start() as machine:
        yield machine


@pytest.fixture
def lio(machine: RemoteLio) -> Iterator[RemoteLio]:
    """With two disks, and empty afterwards."""
    machine.create_disk(DISK, 64 * MIB)
    machine.create_disk(OTHER_DISK, 64 * MIB)
    yield machine
    machine.clear()
    assert (machine.observe(), machine.allocated()) == ([], {})


def one_target(*, anybody: Acl | None = None, is_enabled: bool = True, **acls: Acl) -> Target:
    known = {{"host": HOST, "other": OTHER_HOST}[name]: acl for name, acl in acls.items()}
    shown = {lun.disk for acl in [*acls.values(), *([anybody] if anybody else [])] for lun in acl.luns.values()}
    return Target(IQN, {each: UNITS[each] for each in sorted(shown)}, known, anybody, is_enabled)


def log_in(lio: RemoteLio, name: str = HOST, chap: ChapCredentials | None = None, iqn: str = IQN) -> Session:
    portal = lio.portals[0]
    return Initiator(name).login(portal.address, portal.port, iqn, chap)


def refusal(lio: RemoteLio, name: str = HOST, chap: ChapCredentials | None = None, iqn: str = IQN) -> tuple[int, int]:
    with pytest.raises(LoginRefused) as caught:
        log_in(lio, name, chap, iqn)
    return caught.value.status_class, caught.value.status_detail


def patient(session: Session) -> None:
    """LIO may tell a host once that something has changed before it answers."""
    with suppress(CheckCondition):
        session.test_unit_ready(0)
    session.test_unit_ready(0)


# ---- what is asked for is there -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [
        one_target(host=Acl(LUNS)),
        one_target(host=Acl({0: Lun(DISK), 255: Lun(OTHER_DISK, is_read_only=True)}, MUTUAL), other=Acl(LUNS, CHAP)),
        one_target(anybody=Acl({7: Lun(DISK)}, CHAP), host=Acl({3: Lun(DISK)})),
        one_target(is_enabled=False, host=Acl(LUNS)),
        one_target(),
    ],
    ids=["one host", "two hosts", "anybody", "disabled", "nobody"],
)
def test_configfs_has_what_was_asked_for(lio: RemoteLio, wanted: Target) -> None:
    lio.apply([wanted])
    assert lio.observe() == [wanted]


def test_targetcli_shows_what_was_made_and_no_secret(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl({0: Lun(DISK), 255: Lun(OTHER_DISK, is_read_only=True)}, MUTUAL), other=Acl(LUNS))])
    shown = lio.listed()
    for name in (DISK, OTHER_DISK, IQN, HOST, OTHER_HOST, str(lio.portals[0])):
        assert name in shown
    assert re.search(rf"mapped_lun255 \.+ \[lun[01] block/\S+{OTHER_DISK} \(ro\)\]", shown), shown
    assert "mutual auth" in shown
    assert not [each for each in (MUTUAL.secret, MUTUAL.mutual_secret) if str(each) in shown]


def test_what_lio_refuses_leaves_nothing(lio: RemoteLio) -> None:
    with pytest.raises(LioError, match="WWN not valid"):
        lio.apply([Target(IQN, {DISK: UNITS[DISK]}, {"nobody": Acl(LUNS)})])
    assert lio.observe() == []
    lio.apply([one_target(host=Acl(LUNS))])
    log_in(lio).logout()


# ---- who gets in --------------------------------------------------------------------------------------------------


def test_a_known_host_gets_in_and_a_stranger_does_not(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS))])
    log_in(lio).logout()
    assert refusal(lio, OTHER_HOST) == FORBIDDEN
    assert refusal(lio, iqn=f"{IQN}1") == UNAVAILABLE


def test_with_chap_only_the_right_secret_gets_in(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS, CHAP))])
    log_in(lio, chap=OURS).logout()
    assert refusal(lio) == AUTHENTICATION
    assert refusal(lio, chap=ChapCredentials("host-1", b"wrong-horse-1616")) == AUTHENTICATION
    assert refusal(lio, chap=ChapCredentials("host-11", b"correct-horse-16")) == AUTHENTICATION


def test_with_mutual_chap_both_prove_themselves(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS, MUTUAL))])
    mutual = ChapCredentials("host-1", b"correct-horse-16", "array", b"battery-staple-16")
    log_in(lio, chap=mutual).logout()
    with pytest.raises(MutualAuthenticationFailed):
        log_in(lio, chap=ChapCredentials("host-1", b"correct-horse-16", "array", b"another-staple-16"))
    log_in(lio, chap=OURS).logout()


def test_anybody_with_the_secret_gets_in_and_the_known_need_none(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS), anybody=Acl(LUNS, CHAP))])
    log_in(lio).logout()
    log_in(lio, STRANGER, OURS).logout()
    assert refusal(lio, STRANGER) == AUTHENTICATION
    lio.apply([one_target(host=Acl(LUNS))])
    assert refusal(lio, OTHER_HOST, OURS) == FORBIDDEN


def test_each_host_sees_its_own_luns(lio: RemoteLio) -> None:
    lio.write(DISK, 0, b"one".ljust(512))
    lio.write(OTHER_DISK, 0, b"two".ljust(512))
    lio.apply([one_target(host=Acl({0: Lun(DISK)}), other=Acl({0: Lun(OTHER_DISK), 255: Lun(DISK)}))])
    mine, theirs = log_in(lio), log_in(lio, OTHER_HOST)
    for session in (mine, theirs):
        patient(session)
    assert mine.read(0, 0, 512).startswith(b"one")
    assert theirs.read(0, 0, 512).startswith(b"two")
    assert theirs.read(255, 0, 512).startswith(b"one")
    with pytest.raises(CheckCondition) as caught:
        mine.read(255, 0, 512)
    assert (caught.value.asc, caught.value.ascq) == (0x25, 0)
    mine.logout()
    theirs.logout()


# ---- sessions -----------------------------------------------------------------------------------------------------


def names(lio: RemoteLio) -> list[str]:
    return sorted(each.initiator_iqn for each in lio.sessions())


def test_a_host_that_loses_access_is_thrown_out_and_the_others_stay(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS), other=Acl(LUNS), anybody=Acl(LUNS, CHAP))])
    held = [log_in(lio), log_in(lio, OTHER_HOST), log_in(lio, STRANGER, OURS)]
    assert names(lio) == sorted([HOST, OTHER_HOST, STRANGER])
    lio.apply([one_target(host=Acl(LUNS), anybody=Acl(LUNS, CHAP))])
    assert names(lio) == sorted([HOST, STRANGER])
    lio.apply([one_target(host=Acl(LUNS))])
    assert names(lio) == [HOST]
    patient(held[0])
    with pytest.raises((InitiatorError, ConnectionClosed)):
        held[1].test_unit_ready(0)
    for each in held:
        each.close()


def test_a_host_that_has_to_prove_itself_now_is_thrown_out_and_a_new_secret_throws_nobody_out(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS))])
    before = log_in(lio)
    lio.apply([one_target(host=Acl(LUNS, CHAP))])
    assert names(lio) == []
    after = log_in(lio, chap=OURS)
    lio.apply([one_target(host=Acl(LUNS, Chap("host-1", "changed-horse-16")))])
    assert names(lio) == [HOST]
    assert refusal(lio, chap=OURS) == AUTHENTICATION
    for each in (before, after):
        each.close()


def test_a_disabled_target_has_no_sessions(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS))])
    session = log_in(lio)
    lio.apply([one_target(host=Acl(LUNS), is_enabled=False)])
    assert names(lio) == []
    lio.apply([one_target(host=Acl(LUNS))])
    log_in(lio).logout()
    session.close()


# ---- data ---------------------------------------------------------------------------------------------------------


def test_bytes_are_the_same_from_both_sides_and_discarded_ones_take_no_space(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS))])
    session = log_in(lio)
    patient(session)
    session.write(0, MIB, b"x" * MIB)
    assert lio.read(DISK, MIB - 1, 3) == b"\0xx"
    assert lio.allocated()[DISK] == MIB
    lio.write(DISK, 0, b"y" * 4096)
    assert session.read(0, 0, 4096) == b"y" * 4096
    session.unmap(0, MIB, MIB)
    assert session.read(0, MIB, 4096) == bytes(4096)
    assert lio.allocated()[DISK] == 4096
    session.logout()


def test_a_disk_grows_and_is_overwritten_while_somebody_uses_it(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS))])
    session = log_in(lio)
    patient(session)
    session.write(0, 0, b"before".ljust(512))
    lio.copy_disk(DISK, "copy")
    session.write(0, 0, b"after".ljust(512))
    lio.resize_disk(DISK, 128 * MIB)
    assert session.read_capacity(0) == (128 * MIB, 512)
    session.write(0, 100 * MIB, b"new".ljust(512))
    lio.overwrite_disk("copy", DISK)
    assert session.read(0, 0, 512) == b"before".ljust(512)
    assert session.read(0, 100 * MIB, 512) == bytes(512)
    assert names(lio) == [HOST]
    session.logout()


def test_a_read_only_lun_takes_no_data(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl({0: Lun(DISK, is_read_only=True)}))])
    session = log_in(lio)
    patient(session)
    with pytest.raises(CheckCondition):
        session.write(0, 0, bytes(512))
    session.logout()


def test_libiscsi_reads_the_identity(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS))])
    url = f"iscsi://{lio.portals[0]}/{IQN}/0"
    done = subprocess.run(["iscsi-inq", "-i", HOST, url], capture_output=True, encoding="utf-8", timeout=30, check=True)
    for line in ("Vendor:SolidFir", "Product:SSD SAN", "Revision:0010"):
        assert line in done.stdout
    session = log_in(lio)
    patient(session)
    assert session.wwid(0) == UNITS[DISK].naa
    session.logout()


def test_blocks_may_be_of_4_kib(lio: RemoteLio) -> None:
    unit = Unit(UNITS[DISK].naa, block_bytes=4096)
    lio.apply([Target(IQN, {DISK: unit}, {HOST: Acl(LUNS)})])
    session = log_in(lio)
    patient(session)
    assert session.read_capacity(0) == (64 * MIB, 4096)
    session.logout()


# ---- what is left behind ------------------------------------------------------------------------------------------


def test_what_an_owner_that_is_gone_has_left_is_removed_by_the_next() -> None:
    with start.start() as lio:
        for _ in range(2):
            lio.create_disk(DISK, 64 * MIB)
            lio.apply([one_target(host=Acl(LUNS, CHAP), anybody=Acl(LUNS, MUTUAL))])
            session = log_in(lio, chap=OURS)
            patient(session)
            lio.call("begin", lio.portals, b"")
            assert (lio.observe(), lio.allocated(), lio.sessions()) == ([], {}, [])
            session.close()


# ---- the machine --------------------------------------------------------------------------------------------------


def test_two_machines_do_not_meet(lio: RemoteLio) -> None:
    lio.apply([one_target(host=Acl(LUNS))])
    with start.start() as other:
        assert other.observe() == []
        assert other.portals != lio.portals


def test_a_machine_may_have_several_portals() -> None:
    with start.start(0, 0) as lio:
        lio.create_disk(DISK, MIB)
        lio.apply([one_target(host=Acl(LUNS))])
        for portal in lio.portals:
            Initiator(HOST).login(portal.address, portal.port, IQN).logout()
        found = Initiator(HOST).discover(lio.portals[0].address, lio.portals[0].port)
        assert found == [(IQN, [(each.address, each.port) for each in lio.portals])]


def test_a_port_that_is_taken_is_told(machine: RemoteLio) -> None:
    with pytest.raises((LioError, OSError), match=r"opened|in use"):
        start.start(machine.portals[0].port)


def test_a_torn_state_is_made_anew(tmp_path: Path) -> None:
    made = image.ready_image(homes.cache())
    for each in (made.directory, homes.cache() / f"latest-{made.directory.name.split('-')[1]}"):
        (tmp_path / each.name).symlink_to(each)
    (tmp_path / f"state-{start.state_key(made, vm.hardware(), start.qemu_version())}").write_bytes(b"torn")
    with start.start(cache=tmp_path) as lio:
        assert lio.observe() == []


KILLED = """
import sys, time
from simulators.lio import start
lio = start.start()
print(lio.portals[0].port, flush=True)
time.sleep(60)
"""


def test_the_machine_ends_with_whoever_started_it_however_that_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert machines_at(port) == 1
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while machines_at(port) and time.monotonic() < until:
        threading.Event().wait(0.05)
    assert machines_at(port) == 0


def test_after_ctrl_c_everything_ends_in_good_order() -> None:
    command = [sys.executable, "-m", "storage_conformance", "simulate", "array", "--data-plane", "lio-vm"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", start_new_session=True
    )
    assert process.stdout is not None
    lines = list(iter(process.stdout.readline, "Ctrl-C stops it.\n"))
    (port,) = (line.rpartition(":")[2].strip() for line in lines if line.startswith("iSCSI portal"))
    assert machines_at(port) == 1
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert (process.returncode, rest.strip()) == (0, "stopped; what was on it is gone")
    assert machines_at(port) == 0


def machines_at(port: str) -> int:
    """QEMU processes that forward this port."""
    found = 0
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes()
        except OSError:
            continue
        found += words.startswith(b"qemu") and f":{port}-".encode() in words
    return found


def test_nothing_is_left_in_the_directory_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with start.start() as lio:
        assert os.listdir(tmp_path) == []  # noqa: PTH208
        lio.observe()
    assert list(tmp_path.iterdir()) == []
