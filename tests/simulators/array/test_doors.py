"""The witness looks where initiators are answered, and not where the array has noted what it wanted."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from conformance.contract import Iqn
from simulators.array.adapters import TableWitness
from simulators.array.clones import CloneTime
from simulators.array.lio_store import LioStore
from simulators.lio.values import Portal, Target
from tests.simulators.array.test_bytes_machine import TINY
from tests.simulators.array.tongues import HOST, ElementTongue
from tests.simulators.lio.memory_lio import MemoryLio


class DeafLio(MemoryLio):
    """Exports what it was told first, whatever it is told later."""

    def apply(self, targets: Iterable[Target]) -> None:
        self.exported = self.exported or list(targets)


def furnished(store: LioStore | None) -> ElementTongue:
    array = ElementTongue(TINY, CloneTime(), store)
    array.create(TINY.volume_size_min)
    array.call("CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[1])
    return array


@pytest.mark.parametrize("kind", [None, MemoryLio])
def test_who_is_let_in_is_seen_on_either_plane(kind: type[MemoryLio] | None) -> None:
    array = furnished(None if kind is None else LioStore(kind([Portal("127.0.0.1", 3260)])))
    witness = TableWitness(array.core, list)
    (lun,) = witness.observe().luns
    assert (lun.visible_to, lun.needs_chap) == (frozenset({Iqn(HOST)}), True)
    array.call("DeleteVolumeAccessGroup", volumeAccessGroupID=1)
    assert witness.observe().luns[0].visible_to == frozenset()
    array.call("ModifyAccount", accountID=1, enableChap=False)
    assert not witness.observe().luns[0].needs_chap


def test_a_plane_that_does_not_follow_is_seen() -> None:
    array = furnished(LioStore(DeafLio([Portal("127.0.0.1", 3260)])))
    # Exported when there was no group yet, and never again.
    assert TableWitness(array.core, list).observe().luns[0].visible_to == frozenset()
