"""The file, the ledger, and what is told to whom."""

from __future__ import annotations

import stat
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.contract import BridgeLedger, DataStoreProvider, HypervisorBridge, StoreRequest
from conformance.orchestrator import (
    BOOKKEEPING,
    Database,
    DirectCalls,
    Orchestrator,
    SqliteLedger,
    Step,
    StepHooks,
)
from conformance.orchestrator.volume_steps import datastore_name

from .fakes import CLUSTER, HOSTS, STORE, VM, VOLUME, FakeArray, FakeBridge, FakeHypervisor, FakePlugin
from .scenes import with_storage, with_volume


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cloud.sqlite"
    path.touch(0o644)
    database = Database(path)
    database.change("INSERT INTO hosts (uuid) VALUES ('x')")
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    database.close()
    assert "cloud.sqlite-wal" in modes
    assert set(modes.values()) == {0o600}


def test_a_transaction_is_all_or_nothing() -> None:
    database = Database(None)

    def half() -> None:
        with database.transaction():
            database.change("INSERT INTO hosts (uuid) VALUES ('x')")
            with database.transaction():
                database.change("INSERT INTO hosts (uuid) VALUES ('y')")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert database.rows("SELECT * FROM hosts") == []


def test_a_ledger_keeps_replaces_forgets_and_finds_by_prefix() -> None:
    database = Database(None)
    ledger: BridgeLedger = SqliteLedger(database, "cluster-1")
    ledger.record("pool/a_", {"made": "yes"})
    ledger.record("pool/a_", {"made": "no"})
    ledger.record("pool/ab", {"é": "'\"%"})
    ledger.record("Pool/", {})
    SqliteLedger(database, "cluster-2").record("pool/a_", {"made": "elsewhere"})
    assert ledger.entries("pool/a_") == {"pool/a_": {"made": "no"}}
    assert list(ledger.entries("pool/")) == ["pool/a_", "pool/ab"]
    ledger.forget("pool/a_")
    ledger.forget("pool/a_")
    assert ledger.entries() == {"pool/ab": {"é": "'\"%"}, "Pool/": {}}


def test_a_database_in_memory_opens_in_less_than_two_milliseconds() -> None:
    def seconds() -> float:
        began = time.perf_counter()
        Database(None).close()
        return time.perf_counter() - began

    assert min(seconds() for _ in range(10)) < 0.002


def test_operations_add_less_than_a_millisecond_each() -> None:
    _, cloud = with_storage()

    def seconds(number: int) -> float:
        request = replace(VOLUME, uuid=f"volume-{number}")
        began = time.perf_counter()
        cloud.create_volume(STORE.uuid, request, CLUSTER)
        cloud.attach_volume(request.uuid, VM, HOSTS[0])
        cloud.detach_volume(request.uuid, VM)
        cloud.delete_volume(request.uuid)
        return time.perf_counter() - began

    assert min(seconds(each) for each in range(20)) < 0.004


def test_each_instance_is_told_of_the_store_in_its_own_way() -> None:
    array, hypervisor = FakeArray(), FakeHypervisor()

    def mine(request: StoreRequest) -> StoreRequest:
        return replace(request, parameters={"url": "https://127.0.0.1:5000/"})

    provider: DataStoreProvider = FakePlugin(array, hypervisor)
    bridge: HypervisorBridge = FakeBridge(hypervisor)
    cloud = Orchestrator(
        database=None,
        provider=provider,
        bridges=lambda _: bridge,
        hosts=lambda _: HOSTS,
        calls=DirectCalls(),
        told=mine,
    )
    store = cloud.add_primary_storage(STORE, [CLUSTER])
    assert array.told == ["https://127.0.0.1:5000/"]
    assert store.request == STORE
    cloud.close()


def test_nothing_the_cloud_says_of_itself_shows_a_secret() -> None:
    _, cloud = with_volume()
    assert "very secret words" not in f"{cloud.stores()} {cloud.volumes()}"


class Notes(StepHooks):
    def __init__(self) -> None:
        self.seen: list[tuple[object, ...]] = []

    def operation_began(self, operation: str, operation_id: int, object_uuid: str) -> None:
        self.seen.append(("began", operation, object_uuid))

    def operation_ended(self, operation: str, operation_id: int, error: BaseException | None) -> None:
        self.seen.append(("ended", operation, error))

    def plan(self, operation: str, steps: Sequence[Step]) -> Sequence[Step]:
        self.seen.append(("plan", *((each.name, each.about) for each in steps)))
        return steps

    def before_step(self, operation: str, step: str, index: int) -> None:
        self.seen.append((step, index))


def test_hooks_see_the_plan_each_step_and_the_end() -> None:
    world, _ = with_volume()
    notes = Notes()
    world.cloud(notes).attach_volume(VOLUME.uuid, VM, HOSTS[0])
    assert notes.seen == [
        ("began", "attach_volume", "volume-1"),
        ("plan", ("attach_disk", "vm-1")),
        ("attach_disk", 0),
        (BOOKKEEPING, 1),
        ("ended", "attach_volume", None),
    ]


@pytest.mark.parametrize(
    ("name", "uuid", "expected"),
    [
        ("sc-data", "0b54f1b4-9a2c-4ef1-8a2c-1d0e5a3c7a11", "sc-da-0b54f1b4-9a2c-4ef1-8a2c-1d0e5a3c7a11"),
        ("../ä b", "v", "..___b-v"),
        ("n", "u" * 60, "-" + "u" * 60),
    ],
)
def test_datastore_names_keep_prefix_and_uuid(name: str, uuid: str, expected: str) -> None:
    assert datastore_name(name, uuid) == expected
