"""The targets that are put to the test. Another is one more row of `TARGETS`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from simulators.iscsi.portal import Portal
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


TARGETS: tuple[TargetUnderTest, ...] = (Simulated(),)
