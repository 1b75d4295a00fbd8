"""What a plugin leaves on the array is told, and what the array itself still keeps is not charged to it."""

from __future__ import annotations

import pytest

from conformance.contract import ArrayView, WitnessedLun, WitnessedSnapshot
from conformance.leaks import left_on_array

KEPT = WitnessedSnapshot("1", "1", "kept", 512)
LEFT = WitnessedSnapshot("2", "2", "left", 512)


def view(*snapshots: WitnessedSnapshot, in_trash: bool = False) -> ArrayView:
    luns = tuple(WitnessedLun(number, f"lun-{number}", 512, "", in_trash=in_trash) for number in ("1", "2"))
    return ArrayView(luns, (), (), 1, 1, snapshots)


def test_a_snapshot_that_was_not_there_before_is_left() -> None:
    assert left_on_array(view(KEPT), view(KEPT), trash_allowed=True) == []
    (found,) = left_on_array(view(KEPT), view(KEPT, LEFT), trash_allowed=True)
    assert found.observed == "snapshot left"


@pytest.mark.parametrize("trash_allowed", [True, False])
def test_a_lun_in_the_trash_may_keep_its_snapshots_where_there_may_be_trash(trash_allowed: bool) -> None:
    before, after = view(in_trash=True), view(LEFT, in_trash=True)
    assert (left_on_array(before, after, trash_allowed=trash_allowed) == []) is trash_allowed
