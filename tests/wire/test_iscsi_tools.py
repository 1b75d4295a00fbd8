"""libiscsi's tools and QEMU's block layer, none of which share a line with us, against our target."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from simulators.iscsi.portal import Portal
from tests.simulators.iscsi.fake_fabric import (
    ACCOUNT,
    HOST,
    MIB,
    OTHER_HOST,
    STRANGER,
    TARGET,
    UNKNOWN_TARGET,
    FakeFabric,
    MemoryUnit,
)
from tests.simulators.iscsi.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.iscsi.server import TargetServer

pytestmark = pytest.mark.wire

SIZE = 16 * MIB
AUTHENTICATION, AUTHORIZATION, NOT_FOUND = "(513)", "(514)", "(515)"


@pytest.fixture
def fabric() -> FakeFabric:
    fabric = FakeFabric()
    fabric.unit.content = bytearray(SIZE)
    return fabric


@pytest.fixture
def server(fabric: FakeFabric) -> Iterator[TargetServer]:
    with serving(fabric) as running:
        yield running


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool; that it is missing is a failure, not a reason to skip."""
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=30, check=False)


def libiscsi(
    server: TargetServer, tool: str, *options: str, iqn: str = HOST, path: str = "", user: str = ""
) -> subprocess.CompletedProcess[str]:
    host, port = server.portal
    return run(tool, "-i", iqn, *options, f"iscsi://{user}{host}:{port}/{path}")


def qemu_io(
    server: TargetServer,
    *commands: str,
    iqn: str = HOST,
    secret: str | None = None,
    target: str = TARGET,
    lun: int = 1,
    extra: str = "",
) -> subprocess.CompletedProcess[str]:
    host, port = server.portal
    options = f"driver=iscsi,transport=tcp,portal={host}:{port},target={target},lun={lun},initiator-name={iqn}"
    options += f",{extra}" if extra else ""
    credentials: list[str] = []
    if secret is not None:
        credentials = ["--object", f"secret,id=s0,data={secret}"]
        options += f",user={ACCOUNT.username},password-secret=s0"
    wanted = [part for command in commands for part in ("-c", command)]
    return run("qemu-io", *credentials, "-d", "unmap", "--image-opts", options, *wanted)


# ---- looking around --------------------------------------------------------------------------------------------


def test_iscsi_ls_shows_target_portal_and_unit(server: TargetServer) -> None:
    done = libiscsi(server, "iscsi-ls", "-s")
    host, port = server.portal
    assert done.returncode == 0, done.stderr
    assert f"Target:{TARGET} Portal:{host}:{port},1" in done.stdout
    assert "Lun:1" in done.stdout
    assert "DIRECT_ACCESS" in done.stdout


def test_iscsi_ls_logs_in_with_chap(server: TargetServer, fabric: FakeFabric) -> None:
    fabric.accounts = (ACCOUNT,)
    done = libiscsi(server, "iscsi-ls", "-s", user=f"{ACCOUNT.username}%{ACCOUNT.secret.decode()}@")
    assert done.returncode == 0, done.stderr
    assert "Lun:1" in done.stdout


def test_iscsi_ls_wants_the_target_to_prove_itself(server: TargetServer, fabric: FakeFabric) -> None:
    fabric.accounts = (ACCOUNT,)
    user = f"{ACCOUNT.username}%{ACCOUNT.secret.decode()}@"
    assert ACCOUNT.mutual_secret is not None
    right = f"?target_user={ACCOUNT.mutual_username}&target_password={ACCOUNT.mutual_secret.decode()}"
    done = libiscsi(server, "iscsi-inq", path=f"{TARGET}/1{right}", user=user)
    assert done.returncode == 0, done.stderr
    assert "Vendor:EXAMPLE" in done.stdout
    wrong = f"?target_user={ACCOUNT.mutual_username}&target_password=another-secret"
    assert libiscsi(server, "iscsi-inq", path=f"{TARGET}/1{wrong}", user=user).returncode != 0


def test_qemu_writes_and_reads_with_header_digests(server: TargetServer, fabric: FakeFabric) -> None:
    done = qemu_io(server, "write -P 0xab 0 1M", "read -P 0xab 0 1M", "discard 0 64k", extra="header-digest=crc32c")
    assert done.returncode == 0, done.stdout + done.stderr
    assert any("HeaderDigest=CRC32C" in str(entry) for entry in server.transcript.entries())
    assert fabric.unit.content[65536:MIB] == b"\xab" * (MIB - 65536)


def test_iscsi_ls_is_told_every_portal() -> None:
    fabric = FakeFabric()
    with serving(fabric, Portal("127.0.0.1", 0, 2)) as server:
        done = libiscsi(server, "iscsi-ls")
        assert done.returncode == 0, done.stderr
        shown = [f"Target:{TARGET} Portal:{host}:{port},{tag}" for host, port, tag in server.portals]
        assert [line for line in shown if line not in done.stdout] == []


def test_iscsi_ls_shows_a_stranger_nothing(server: TargetServer) -> None:
    done = libiscsi(server, "iscsi-ls", iqn=STRANGER)
    assert TARGET not in done.stdout


def test_iscsi_inq_shows_who_made_it(server: TargetServer) -> None:
    done = libiscsi(server, "iscsi-inq", path=f"{TARGET}/1")
    assert done.returncode == 0, done.stderr
    for line in ("Vendor:EXAMPLE", "Product:ARRAY", "Revision:0042", "Peripheral Device Type:DIRECT_ACCESS"):
        assert line in done.stdout


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        (0x00, ["Page:0x83 DEVICE_IDENTIFICATION", "Page:0xb0 BLOCK_LIMITS"]),
        (0x80, ["Unit Serial Number:[SN0001]"]),
        (0x83, ["Designator Type:(3) NAA", "Designator:[EXAMPLE SN0001]", f"Designator:[{TARGET},t,0x0001]"]),
        (0xB0, ["maximum transfer length:16384", "maximum unmap block descriptor count:256"]),
        (0xB2, ["lbpu:1", "lbprz:1", "provisioning type:2"]),
    ],
)
def test_iscsi_inq_reads_each_page_of_vital_product_data(server: TargetServer, page: int, lines: list[str]) -> None:
    done = libiscsi(server, "iscsi-inq", "-e", "1", "-c", str(page), path=f"{TARGET}/1")
    assert done.returncode == 0, done.stderr
    assert [line for line in lines if line not in done.stdout] == []


def test_iscsi_readcapacity16_shows_size_and_provisioning(server: TargetServer) -> None:
    done = libiscsi(server, "iscsi-readcapacity16", path=f"{TARGET}/1")
    assert done.returncode == 0, done.stderr
    for line in (f"Total size:{SIZE}", "LOGICAL BLOCK LENGTH IN BYTES:512", "LBPME:1 LBPRZ:1"):
        assert line in done.stdout


# ---- data ------------------------------------------------------------------------------------------------------


def test_qemu_writes_reads_and_discards_with_chap(server: TargetServer, fabric: FakeFabric) -> None:
    fabric.accounts = (ACCOUNT,)
    fabric.unit.content[4 * MIB : 8 * MIB] = b"\xcd" * (4 * MIB)
    done = qemu_io(
        server,
        "write -P 0xab 0 4M",
        "read -P 0xab 0 4M",
        "read -P 0xcd 4M 4M",
        "discard 1M 1M",
        "read -P 0 1M 1M",
        "write -f -P 0xef 65536 512",
        "flush",
        secret=ACCOUNT.secret.decode(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    content = fabric.unit.content
    assert content[:65536] == b"\xab" * 65536
    assert content[65536:66048] == b"\xef" * 512
    assert content[MIB : 2 * MIB] == bytes(MIB)
    assert content[2 * MIB : 4 * MIB] == b"\xab" * (2 * MIB)
    assert fabric.unit.flushes > 0


def test_qemu_notices_a_wrong_pattern(server: TargetServer) -> None:
    assert qemu_io(server, "read -P 0xab 0 4k").returncode == 1


@pytest.mark.parametrize("is_thin", [True, False])
@pytest.mark.parametrize("block_bytes", [512, 4096])
def test_qemu_uses_thick_units_and_large_blocks(
    server: TargetServer, fabric: FakeFabric, is_thin: bool, block_bytes: int
) -> None:
    unit = MemoryUnit(3, size_bytes=SIZE, block_bytes=block_bytes, is_thin=is_thin)
    fabric.show(HOST, {1: unit})
    done = qemu_io(server, "write -P 0x11 8M 4M", "read -P 0x11 8M 4M", "discard 8M 4M")
    assert done.returncode == 0, done.stdout + done.stderr
    assert unit.content[8 * MIB : 12 * MIB] == (b"\0" if is_thin else b"\x11") * (4 * MIB)


def test_each_initiator_reads_its_own_unit(server: TargetServer, fabric: FakeFabric) -> None:
    fabric.unit.content[:MIB] = b"\x01" * MIB
    fabric.other_unit.content[:MIB] = b"\x02" * MIB
    assert qemu_io(server, "read -P 1 0 1M").returncode == 0
    assert qemu_io(server, "read -P 2 0 1M", iqn=OTHER_HOST).returncode == 0
    assert qemu_io(server, "read -P 2 0 1M").returncode == 1


# ---- refusals --------------------------------------------------------------------------------------------------


def test_a_wrong_secret_is_an_authentication_failure(server: TargetServer, fabric: FakeFabric) -> None:
    fabric.accounts = (ACCOUNT,)
    assert AUTHENTICATION in qemu_io(server, "read 0 4k", secret="not the secret").stderr
    done = libiscsi(server, "iscsi-inq", path=f"{TARGET}/1", user=f"{ACCOUNT.username}%wrong-secret@")
    assert AUTHENTICATION in done.stderr


def test_missing_credentials_are_an_authentication_failure(server: TargetServer, fabric: FakeFabric) -> None:
    fabric.accounts = (ACCOUNT,)
    assert AUTHENTICATION in qemu_io(server, "read 0 4k").stderr
    assert AUTHENTICATION in libiscsi(server, "iscsi-inq", path=f"{TARGET}/1").stderr


def test_an_initiator_without_access_is_an_authorization_failure(server: TargetServer) -> None:
    assert AUTHORIZATION in qemu_io(server, "read 0 4k", iqn=STRANGER).stderr
    assert AUTHORIZATION in libiscsi(server, "iscsi-inq", iqn=STRANGER, path=f"{TARGET}/1").stderr


def test_an_unknown_target_is_not_found(server: TargetServer) -> None:
    assert NOT_FOUND in qemu_io(server, "read 0 4k", target=UNKNOWN_TARGET).stderr
    assert NOT_FOUND in libiscsi(server, "iscsi-inq", path=f"{UNKNOWN_TARGET}/1").stderr


def test_an_unmapped_lun_number_is_not_supported(server: TargetServer) -> None:
    done = libiscsi(server, "iscsi-readcapacity16", path=f"{TARGET}/7")
    assert done.returncode != 0
    assert "LOGICAL_UNIT_NOT_SUPPORTED(0x2500)" in done.stderr


def test_a_secret_is_in_no_line_of_the_transcript(server: TargetServer, fabric: FakeFabric) -> None:
    fabric.accounts = (ACCOUNT,)
    assert qemu_io(server, "read 0 4k", secret=ACCOUNT.secret.decode()).returncode == 0
    lines = [str(entry) for entry in server.transcript.entries()]
    assert any("CHAP_R=***" in line for line in lines)
    assert not [line for line in lines if ACCOUNT.secret.decode() in line]
