"""What others are called that stand beside a plugin's things."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.contract import Iqn, LaunchOptions, Transport
from conformance.world import strangers
from conformance.world.strangers import NOBODY, look_alikes, named_after
from simulators.array.launcher import element

ONE, TWO = "0f1e2d3c-4b5a-4001-8aaa-111111111111", "0f1e2d3c-4b5a-4002-8aaa-111111111111"


@pytest.mark.parametrize(
    ("name", "next_name"),
    [
        (f"vol-{ONE}", f"vol-{TWO}"),
        (f"V{ONE.replace('-', '')}", f"V{TWO.replace('-', '')}"),
        ("lun-00017", None),
    ],
)
def test_the_next_name_is_told_where_names_show_their_uuids(name: str, next_name: str | None) -> None:
    assert named_after(name, ONE, TWO) == next_name


def test_look_alikes_are_never_the_name_itself() -> None:
    for name in ("vol", "v" * 63, "v" * 64):
        assert name not in look_alikes(name)
        assert all(len(each) <= 64 for each in look_alikes(name))


def test_what_became_of_any_stranger_is_told() -> None:
    with_array = element(LaunchOptions("array", Transport.MEMORY, {})).open_world()
    witness = with_array.witness
    first = strangers.planted(witness.plant, witness, {"one": Iqn("iqn.2001-04.org.example:1")})
    both = NOBODY.and_those(first).and_those(
        strangers.planted(witness.plant_namesake, witness, {"one": Iqn("iqn.2001-04.org.example:2")})
    )
    assert [len(each) for each in (both.luns, both.snapshots)] == [2, 2]
    assert strangers.harmed(both, witness) == []
    gone = NOBODY.and_those(replace(first, snapshots=(replace(first.snapshots[0], external_id="99"),)))
    assert [each.requirement_id for each in strangers.harmed(gone, witness)] == ["ISO-003"]
    with_array.close()
    other = element(LaunchOptions("array", Transport.MEMORY, {})).open_world()
    assert [each.requirement_id for each in strangers.harmed(both, other.witness)] == ["ISO-001"]
