"""What others are called that stand beside a plugin's things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.contract import (
    BridgeInventory,
    Host,
    HypervisorType,
    InventoryItem,
    InventoryKind,
    Iqn,
    LaunchOptions,
    Transport,
    WitnessedStorage,
)
from conformance.world import strangers, strangers_on_hosts
from conformance.world.strangers import NOBODY, look_alikes, named_after
from conformance.world.strangers_on_hosts import StrangersOnHosts
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


class TwoHosts:
    """A witness of two hosts, whose storage is a list."""

    def __init__(self) -> None:
        self.hosts = [Host(each, each, HypervisorType.KVM, "cluster", ()) for each in ("one", "two")]
        self.storage: list[WitnessedStorage] = []

    def observe(self) -> list[WitnessedStorage]:
        return list(self.storage)

    def plant(self, name: str, *, is_active: bool) -> None:
        for each in self.hosts:
            self.has(each.uuid, name, is_active=is_active)

    def has(self, host: str, name: str, *, is_active: bool = True) -> None:
        """This host has storage of this name from now on."""
        self.storage.append(WitnessedStorage(host, f"{host} {name}", name, "<pool/>", is_active, not is_active))


def test_others_come_to_the_hosts_with_the_first_datastore_and_are_named_after_what_it_is_there() -> None:
    witness = TwoHosts()
    witness.has("one", "scratch")
    others = StrangersOnHosts(witness, lambda: witness.hosts)
    assert others.harmed() == []
    witness.has("one", "pool-of-ds-1")
    others.datastore_made("ds-1")
    others.datastore_made("ds-2")
    names = [each.name for each in witness.storage if each.host_uuid == "two"]
    assert names == ["pool-of-ds-1-kept", "pool-of-ds-~"]
    assert others.harmed() == []


def test_a_name_that_is_taken_is_left_to_who_has_it() -> None:
    witness = TwoHosts()
    witness.has("one", "ds-1-kept")
    others = StrangersOnHosts(witness, lambda: witness.hosts)
    others.datastore_made("ds-1")
    assert sorted({each.name for each in witness.storage}) == ["ds-1-kept", "ds-~"]
    witness.storage.pop(0)
    assert others.harmed() == []


@pytest.mark.parametrize(
    ("change", "observed"),
    [
        (lambda _: None, "gone"),
        (lambda each: replace(each, is_active=False), "stopped, not started with the host"),
        (lambda each: replace(each, is_autostarted=True), "active, started with the host"),
        (lambda each: replace(each, name="x"), "active, not started with the host, named x"),
        (lambda each: replace(each, definition=""), "active, not started with the host, of another definition"),
    ],
)
def test_what_became_of_any_stranger_on_a_host_is_told(
    change: Callable[[WitnessedStorage], WitnessedStorage | None], observed: str
) -> None:
    witness = TwoHosts()
    others = StrangersOnHosts(witness, lambda: witness.hosts)
    others.datastore_made("ds-1")
    changed = change(witness.storage[0])
    witness.storage[:1] = [changed] if changed else []
    [found] = others.harmed()
    assert (found.requirement_id, found.observed) == ("ISO-005", observed)
    assert found.expected == "a stranger's storage ds-1-kept to stay on its host: active, not started with the host"
    witness.hosts.pop(0)
    assert others.harmed() == [], "a host that left took along what was on it"


def test_an_inventory_is_told_without_them() -> None:
    witness = TwoHosts()
    others = StrangersOnHosts(witness, lambda: witness.hosts)
    others.datastore_made("ds-1")
    ours = InventoryItem(InventoryKind.TARGET, "one", "ds-1")
    theirs = InventoryItem(InventoryKind.TARGET, "one", "ds-1-kept", ours=False)
    elsewhere = InventoryItem(InventoryKind.TARGET, "three", "ds-1-kept")
    told = others.without(BridgeInventory(frozenset({ours, theirs, elsewhere})))
    assert told.items == {ours, elsewhere}


@pytest.mark.parametrize("name", ["d", "vol-1", "vol-10", f"vol-{ONE}"])
def test_look_alikes_on_hosts_end_as_no_number_and_no_uuid_does(name: str) -> None:
    for each in strangers_on_hosts.look_alikes(name):
        assert each != name
        assert each[-1] not in "0123456789abcdef-"
