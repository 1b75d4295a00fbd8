"""Names on the array: legal, short enough, and never one for two."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conformance.contract import Portal
from reference_providers.solidfire import names
from reference_providers.solidfire.objects import read_portal

UUIDS = st.one_of(
    st.uuids().map(str),
    st.text(min_size=1, max_size=80),
    st.text(alphabet="aA-_", min_size=1, max_size=50),
)


@given(uuid=UUIDS)
@example(uuid="00000000-0000-0000-0000-000000000000")
@example(uuid="a" * 48)
@example(uuid="a" * 49)
@example(uuid="-")
def test_names_are_legal(uuid: str) -> None:
    for name in (names.of_volume(uuid), names.of_store(uuid), names.of_host(uuid)):
        assert re.fullmatch(r"[A-Za-z0-9-]{1,64}", name)


@given(first=UUIDS, second=UUIDS)
@example(first="a-b", second="A-B")
@example(first="a" * 60, second="a" * 61)
def test_two_uuids_never_share_a_name(first: str, second: str) -> None:
    same = names.of_volume(first).lower() == names.of_volume(second).lower()
    assert same is (first == second)


@pytest.mark.parametrize(
    ("svip", "portal"),
    [
        ("10.0.0.1", Portal("10.0.0.1")),
        ("10.0.0.1:3261", Portal("10.0.0.1", 3261)),
        ("fd00::1", Portal("fd00::1")),
        ("[fd00::1]", Portal("fd00::1")),
        ("[fd00::1]:3261", Portal("fd00::1", 3261)),
        ("san.example", Portal("san.example")),
    ],
)
def test_storage_addresses_are_read_with_and_without_port(svip: str, portal: Portal) -> None:
    assert read_portal(svip) == portal
