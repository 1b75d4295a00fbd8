from __future__ import annotations

from pathlib import Path

import pytest

from simulators.lio import observation
from simulators.lio.values import Acl, Chap, Lun, Session, Target, Unit

IQN = "iqn.2010-01.com.example:array.volume.1"
HOST = "iqn.1993-08.org.debian:01:host-1"
# As Linux 6.1 prints it.
LOGGED_IN = f"""InitiatorName: {HOST}
InitiatorAlias:\x20
LIO Session ID: 1   ISID: 0x80 c7 b3 02 00 00  TSIH: 258  SessionType: Normal
Session State: TARG_SESS_STATE_LOGGED_IN
---------------------[iSCSI Session Values]-----------------------
----------------------[iSCSI Connections]-------------------------
CID: 0  Connection State: TARG_CONN_STATE_LOGGED_IN
   Address 10.0.2.2 TCP  StatSN: 0x00000001
"""
NOBODY = "No active iSCSI Session for Initiator Endpoint: " + HOST + "\n"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One target, as configfs shows it: texts end with newlines, some also with a NUL."""
    storage, group = tmp_path / "core/iblock_0/scf-disk-1", tmp_path / "iscsi" / IQN / "tpgt_1"
    write(
        storage,
        wwn__vpd_unit_serial="T10 VPD Unit Serial Number: 1000000006162636400000001\n",
        wwn__company_id="0xf47acc\n",
        wwn__vendor_id="SolidFir\n",
        wwn__product_id="SSD SAN\n",
        wwn__revision="0010\n",
        attrib__block_size="512\n",
    )
    write(group, enable="1\n", dynamic_sessions="iqn.1993-08.org.debian:01:other\n\0")
    write(group / "attrib", generate_node_acls="1\n", demo_mode_write_protect="0\n", authentication="1\n")
    write(
        group / "auth", userid="tenant\n", password="secret-of-twelve\n", userid_mutual="NULL\n", password_mutual="\0"
    )
    acl = group / "acls" / HOST
    write(acl, info=LOGGED_IN, attrib__authentication="0\n", lun_5__write_protect="1\n")
    (group / "lun/lun_0").mkdir(parents=True)
    (group / "lun/lun_0/storage").symlink_to(storage)
    (acl / "lun_5/link").symlink_to(group / "lun/lun_0")
    return tmp_path


EXPECTED = Target(
    IQN,
    {"disk-1": Unit("6f47acc1000000006162636400000001", "SolidFir", "SSD SAN", "0010")},
    {HOST: Acl({5: Lun("disk-1", is_read_only=True)})},
    Acl({0: Lun("disk-1")}, Chap("tenant", "secret-of-twelve")),
)


def test_a_target_is_read_from_configfs(root: Path) -> None:
    assert observation.targets([IQN], "scf-", root) == (EXPECTED,)


def test_targets_of_others_are_not_looked_at(root: Path) -> None:
    assert observation.targets([], "scf-", root) == ()


def test_sessions_of_known_initiators_and_of_others_are_listed(root: Path) -> None:
    assert observation.sessions(root) == (
        Session(HOST, IQN, "10.0.2.2", "80c7b3020000", 258),
        Session("iqn.1993-08.org.debian:01:other", IQN),
    )


def test_an_acl_without_a_session_is_nobody() -> None:
    assert observation.session_in(NOBODY, IQN) is None
