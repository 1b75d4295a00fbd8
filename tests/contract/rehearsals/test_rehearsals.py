"""Everything a cloud does with storage, rehearsed on fakes: here is found what cannot be said."""

from __future__ import annotations

import itertools
from typing import Final, cast

import pytest

from conformance.contract import (
    AccessModel,
    BlockConnection,
    ChapDriver,
    ChapRejected,
    ChapScope,
    FcPath,
    Hookup,
    HostConnection,
    InvalidRequest,
    IscsiPath,
    Tenant,
    Volume,
)
from conformance.registration import check
from tests.contract.fakes import Combination, FakeProvider, Wire

from .scripts import EVERYWHERE, Script, read_by_vm
from .stage import ALICE, Stage, Way

ALL: Final = [Combination(*each) for each in itertools.product(AccessModel, Hookup, Wire)]
SAYABLE: Final = [each for each in ALL if (each.model, each.wire) != (AccessModel.DIRECT, Wire.NFS)]
ONE_TARGET: Final = [
    Combination(model, hookup, Wire.ISCSI, has_one_target=True)
    for model, hookup in itertools.product(AccessModel, Hookup)
]
CHAP: Final = [
    Combination(model, hookup, Wire.ISCSI, has_one_target, scope)
    for model, hookup, has_one_target in itertools.product(AccessModel, Hookup, (False, True))
    for scope in ChapScope
    # Behind one target, a LUN cannot have a secret of its own: CHAP comes before the LUN (RFC 7143 §6.3).
    if not (has_one_target and scope in {ChapScope.VOLUME, ChapScope.TENANT})
]
BOB: Final = Tenant("tenant-b", "bob")


@pytest.mark.parametrize("script", EVERYWHERE, ids=lambda script: script.__name__)
@pytest.mark.parametrize("combination", [*SAYABLE, *ONE_TARGET, *CHAP], ids=str)
def test_script(combination: Combination, script: Script) -> None:
    stage = Stage(combination)
    stage.add_storage()
    script(stage)


@pytest.mark.parametrize("combination", ALL, ids=str)
def test_a_plugin_of_every_combination_can_be_registered(combination: Combination) -> None:
    stage = Stage(combination)
    provider = FakeProvider(stage.array, combination.model, combination.hookup)
    assert check(provider) == []


@pytest.mark.parametrize("combination", [each for each in ALL if each not in SAYABLE], ids=str)
def test_an_export_cannot_be_given_to_a_vm_as_a_lun(combination: Combination) -> None:
    with pytest.raises(InvalidRequest, match="access_model"):
        Stage(combination).add_storage()


def blocks(stage: Stage, volume: Volume, number: int = 0) -> BlockConnection:
    """How a host reaches a volume that is a LUN."""
    (at,) = stage.granted(volume, [stage.hosts[number]])
    assert isinstance(at.connection, BlockConnection)
    return at.connection


LUN_WAYS: Final = {Way.DIRECT, Way.FRAMEWORK_DEDICATED}


@pytest.mark.parametrize("combination", [each for each in SAYABLE if each.wire is not Wire.NFS], ids=str)
def test_a_lun_is_reached_by_two_ways(combination: Combination) -> None:
    stage = Stage(combination)
    stage.add_storage()
    target = stage.backings[0] if stage.backings else stage.create_volume("a")
    (at,) = stage.granted(target, stage.hosts[:1])
    assert isinstance(at.connection, BlockConnection)
    ways = [len(each.portals) if isinstance(each, IscsiPath) else 1 for each in at.connection.paths]
    assert sum(ways) == 2


@pytest.mark.parametrize("wire", [Wire.ISCSI, Wire.FC])
def test_behind_one_target_luns_differ_by_number_and_numbers_by_host(wire: Wire) -> None:
    stage = Stage(Combination(AccessModel.DIRECT, Hookup.FRAMEWORK, wire, has_one_target=True))
    stage.add_storage()
    first, second = stage.create_volume("a"), stage.create_volume("b")
    paths = [blocks(stage, volume, host).paths[0] for volume in (first, second) for host in (0, 1)]
    assert all(isinstance(each, IscsiPath | FcPath) for each in paths)
    numbers = [each.lun_number for each in paths if isinstance(each, IscsiPath | FcPath)]
    assert numbers == [1, 2, 2, 3]
    assert len({each.target_iqn for each in paths if isinstance(each, IscsiPath)}) <= 1


def test_a_neighbour_behind_the_same_target_keeps_working() -> None:
    stage = Stage(Combination(AccessModel.DIRECT, Hookup.FRAMEWORK, Wire.ISCSI, has_one_target=True))
    stage.add_storage()
    first, on = stage.create_volume("a"), stage.hosts[0]
    vm = stage.start_vm("vm", on)
    stage.attach(first, vm, on)
    stage.bridge.guest_write(vm, on.uuid, b"mine")
    second, other = stage.create_volume("b"), stage.start_vm("other", on)
    stage.attach(second, other, on)
    stage.detach(second, other, on)
    stage.delete_volume(second)
    assert stage.bridge.guest_read(vm, on.uuid) == b"mine"


def account(stage: Stage, volume: Volume, number: int = 0) -> str:
    """The user name a host logs in with."""
    (path,) = blocks(stage, volume, number).paths
    assert isinstance(path, IscsiPath)
    assert path.chap is not None
    return path.chap.username


@pytest.mark.parametrize(
    ("scope", "same_tenant", "other_tenant", "other_host"),
    [
        (ChapScope.TENANT, True, False, True),
        (ChapScope.CONTROLLER, True, True, True),
        (ChapScope.VOLUME, False, False, True),
        (ChapScope.HOST, True, True, False),
    ],
)
def test_who_shares_a_chap_account(scope: ChapScope, same_tenant: bool, other_tenant: bool, other_host: bool) -> None:
    stage = Stage(Combination(AccessModel.DIRECT, Hookup.FRAMEWORK, Wire.ISCSI, chap_scope=scope))
    stage.add_storage()
    mine = stage.create_volume("a", tenant=ALICE)
    also_mine, his = stage.create_volume("b", tenant=ALICE), stage.create_volume("c", tenant=BOB)
    name = account(stage, mine)
    assert (account(stage, also_mine) == name) is same_tenant
    assert (account(stage, his) == name) is other_tenant
    assert (account(stage, mine, 1) == name) is other_host


@pytest.mark.parametrize("scope", ChapScope)
def test_after_a_rotation_the_old_secret_is_refused(scope: ChapScope) -> None:
    stage = Stage(Combination(AccessModel.DIRECT, Hookup.FRAMEWORK, Wire.ISCSI, chap_scope=scope))
    stage.add_storage()
    volume, on = stage.create_volume("a"), stage.hosts[0]
    old = HostConnection(on, blocks(stage, volume))
    stage.bridge.connect_target([old])
    cast(ChapDriver, stage.provider.driver).rotate_chap(stage.store, volume, on)
    with pytest.raises(ChapRejected):
        stage.bridge.connect_target([old])
    assert read_by_vm(stage, volume) == b""


def test_a_snapshot_of_a_tenants_volume_is_reached_with_the_tenants_account() -> None:
    stage = Stage(Combination(AccessModel.DIRECT, Hookup.FRAMEWORK, Wire.ISCSI, chap_scope=ChapScope.TENANT))
    stage.add_storage()
    snapshot = stage.snapshot(stage.create_volume("a", tenant=ALICE), "s")
    (at,) = stage.granted(snapshot, stage.hosts[:1])
    assert isinstance(at.connection, BlockConnection)
    (path,) = at.connection.paths
    assert isinstance(path, IscsiPath)
    assert path.chap is not None
    assert path.chap.username == "tenant-tenant-a"


def test_what_is_kept_for_undoing_holds_no_secret() -> None:
    stage = Stage(Combination(AccessModel.DIRECT, Hookup.FRAMEWORK, Wire.ISCSI, chap_scope=ChapScope.HOST))
    stage.add_storage()
    volume, on = stage.create_volume("a"), stage.hosts[0]
    stage.attach(volume, stage.start_vm("vm", on), on)
    (kept,) = stage.kept.values()
    assert [each.chap for each in kept.connection.paths if isinstance(each, IscsiPath)] == [None]
