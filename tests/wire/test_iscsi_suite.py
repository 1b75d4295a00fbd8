"""libiscsi's own test suite for targets, against ours.

CUnit counts a skipped test as passed, so only families whose commands are simulated are listed. Each runs by itself: in
one run of everything, the tool misjudges the size of a thin unit in its 16-byte families, with other targets too.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.simulators.iscsi.fake_fabric import HOST, MIB, OTHER_HOST, TARGET, FakeFabric
from tests.simulators.iscsi.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.iscsi.server import TargetServer

pytestmark = pytest.mark.wire

FAMILIES = [
    "Inquiry",
    "Mandatory",
    "ModeSense6",
    "NoMedia",
    "Read6",
    "Read10",
    "Read12",
    "Read16",
    "ReadCapacity10",
    "ReadCapacity16",
    "ReadOnly",
    "TestUnitReady",
    "Unmap",
    "Write10",
    "Write12",
    "Write16",
    "iSCSIResiduals",
    "iSCSIcmdsn",
    "iSCSIdatasn",
    "iSCSITMF",
]


@pytest.fixture
def server() -> Iterator[TargetServer]:
    fabric = FakeFabric()
    fabric.unit.content = bytearray(64 * MIB)
    fabric.access[OTHER_HOST] = fabric.access[HOST]
    with serving(fabric) as running:
        yield running


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_the_suite_fails_nowhere_unexpectedly(server: TargetServer, family: str) -> None:
    host, port = server.portal
    command = ["iscsi-test-cu", "-d", "-t", f"ALL.{family}", "-i", HOST, "-I", OTHER_HOST]
    done = subprocess.run(
        [*command, f"iscsi://{host}:{port}/{TARGET}/1"],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=60,
        check=False,
    )
    summary = re.search(r"tests +(\d+) +(\d+) +(\d+) +(\d+)", done.stdout)
    assert summary is not None, done.stdout + done.stderr
    ran, failed = int(summary[2]), int(summary[4])
    assert ran > 0
    assert failed == 0, done.stdout
