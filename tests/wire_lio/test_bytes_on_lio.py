"""The machine of bytes on LIO, by either API: what an initiator writes through it is where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from simulators.array.core import ArrayCore
from simulators.array.lio_store import LioStore
from simulators.iscsi.chap import ChapCredentials
from simulators.iscsi.initiator import Initiator, Session
from simulators.lio import start
from simulators.lio.remote import RemoteLio
from tests.simulators.array.test_bytes_machine import Bytes, BytesByElement, BytesByVpsa
from tests.simulators.array.tongues import HOST

pytestmark = pytest.mark.wire

# Each step costs logins to a machine: a few long ways, the same each time.
A_FEW = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class WireUnit:
    """A volume as an initiator that logs in to LIO finds it."""

    def __init__(self, lio: RemoteLio, core: ArrayCore, number: int) -> None:
        self._portal, self._core = lio.portals[0], core
        self._volume = core.model.volumes.get(number)

    @property
    def size_bytes(self) -> int:
        with self._logged_in() as (session, lun):
            return session.read_capacity(lun)[0]

    def read(self, offset: int, length: int) -> bytes:
        with self._logged_in() as (session, lun):
            return session.read(lun, offset, length)

    def write(self, offset: int, data: bytes) -> None:
        with self._logged_in() as (session, lun):
            session.write(lun, offset, data)

    def unmap(self, offset: int, length: int) -> None:
        with self._logged_in() as (session, lun):
            session.unmap(lun, offset, length)

    @contextmanager
    def _logged_in(self) -> Iterator[tuple[Session, int]]:
        target, fabric = self._volume.iqn, self._core.fabric
        (account,) = fabric.admit(HOST, target).chap
        luns = fabric.units(HOST, target).items()
        lun = next(number for number, unit in luns if unit.identity.naa == self._volume.naa)
        chap = ChapCredentials(account.username, account.secret)
        with Initiator(HOST).login(self._portal.address, self._portal.port, target, chap) as session:
            yield session, lun


@pytest.fixture(scope="module")
def lio() -> Iterator[RemoteLio]:
    with start.start() as machine:
        yield machine


@pytest.mark.parametrize("begin", [BytesByElement, BytesByVpsa])
def test_every_byte_is_where_it_belongs_on_lio(lio: RemoteLio, begin: Callable[[LioStore], Bytes]) -> None:
    def machine() -> Bytes:
        lio.clear()
        made = begin(LioStore(lio))
        made.unit = lambda number: WireUnit(lio, made.core, number)  # type: ignore[method-assign]
        return made

    run_state_machine_as_test(cast("type[Bytes]", machine), settings=A_FEW)
