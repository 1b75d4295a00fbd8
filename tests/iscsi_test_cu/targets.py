"""The targets that are put to the test. Another is one more row of `TARGETS`."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from simulators.iscsi.portal import Portal
from simulators.lio import start
from simulators.lio.values import Acl, Lun, Target, Unit
from simulators.lio.vm import QEMU
from tests.simulators.iscsi.fake_fabric import HOST, MIB, OTHER_HOST, TARGET, AccountedUnit, FakeFabric
from tests.simulators.iscsi.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

SIZE_BYTES = 64 * MIB


@dataclass(frozen=True, slots=True)
class Running:
    """A target that listens, with a LUN of at least 64 MiB that both initiators may write."""

    urls: Sequence[str]
    """`iscsi://address:port/iqn/number`: one for each path to the LUN."""
    initiators: tuple[str, str]


class TargetUnderTest(Protocol):
    """One row."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    def is_possible(self) -> bool:
        """Whether this machine can run it."""

    def start(self) -> AbstractContextManager[Running]:
        """Run it until the context is left."""


class Simulated:
    """Our own, with a thin LUN, at two portals."""

    name = "simulated"

    def is_possible(self) -> bool:
        return True

    @contextmanager
    def start(self) -> Iterator[Running]:
        fabric = FakeFabric()
        unit = AccountedUnit(1, size_bytes=SIZE_BYTES)
        fabric.access = {HOST: {1: unit}, OTHER_HOST: {1: unit}}
        with serving(fabric, Portal("127.0.0.1", 0, 2)) as server:
            urls = [f"iscsi://{address}:{port}/{TARGET}/1" for address, port, _tag in server.portals]
            yield Running(urls, (HOST, OTHER_HOST))


class Lio:
    """LIO of Linux with a LUN on a block backstore, at two portals, in the machine that is made for it."""

    name = "LIO"

    def is_possible(self) -> bool:
        return shutil.which(QEMU) is not None

    @contextmanager
    def start(self) -> Iterator[Running]:
        lun = Acl({1: Lun("disk")})
        with start.start(0, 0) as lio:
            lio.create_disk("disk", SIZE_BYTES)
            lio.apply([Target(TARGET, {"disk": _UNIT}, {HOST: lun, OTHER_HOST: lun})])
            yield Running(
                [f"iscsi://{each.address}:{each.port}/{TARGET}/1" for each in lio.portals], (HOST, OTHER_HOST)
            )


_UNIT = Unit("6f47acc1000000006162636400000001", "EXAMPLE", "ARRAY", "0042")
TARGETS: tuple[TargetUnderTest, ...] = (Simulated(), Lio())
