"""Values refuse what cannot be, in a sentence that says what was expected, and cannot be changed afterwards."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from collections.abc import Callable
from typing import Final, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.contract import (
    AccessModel,
    ArrayView,
    Backing,
    BlockConnection,
    BridgeInventory,
    Capability,
    ChapCredentials,
    Cluster,
    Created,
    DataStore,
    FcPath,
    FrozenMapping,
    Host,
    HostState,
    HypervisorType,
    InventoryItem,
    InventoryKind,
    Iqn,
    IscsiPath,
    Limits,
    LunIdentity,
    NfsClient,
    NfsExport,
    Nqn,
    NvmePath,
    Parameter,
    ParameterKind,
    Portal,
    ProbeRefused,
    QosPolicy,
    Refusal,
    Resized,
    Secret,
    Snapshot,
    SnapshotRequest,
    StoreRequest,
    Supported,
    Tenant,
    Traits,
    Unsupported,
    Volume,
    VolumeRequest,
    WitnessedLun,
    Wwpn,
    Zone,
)

from .strategies import values_of

CLUSTER: Final = Cluster("c", "c", HypervisorType.KVM)
PATH: Final = FcPath(Wwpn("0" * 16), 0)
Make = Callable[[], object]


def parameter(name: str, description: str) -> Parameter:
    return Parameter(name, ParameterKind.TEXT, required=True, description=description)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Iqn("target"), "'target' is no iSCSI name; expected iqn.YYYY-MM.domain[:name]"),
        (lambda: Iqn("iqn.2001-13.com.example"), "is no iSCSI name"),
        (lambda: Iqn("iqn.2001-05.com.example:" + "x" * 223), "is no iSCSI name"),
        (lambda: Iqn("iqn.2001-05.com.example:a b"), "is no iSCSI name"),
        (lambda: Wwpn("12"), "'12' is no WWPN; expected 16 hexadecimal digits"),
        (lambda: Nqn("nqn.x"), "'nqn.x' is no NQN; expected nqn.YYYY-MM.domain:name"),
        (lambda: NfsClient("host"), "'host' is no NFS client; expected an IP address or network"),
        (lambda: Portal("10.0.0.1", 0), "port 0 is outside 1..65535"),
        (lambda: Portal("-x"), "'-x' is no portal address; expected an IP address or host name"),
        (lambda: LunIdentity("XYZ"), "'XYZ' is no WWID; expected 16 or 32 lower-case hexadecimal digits, or None"),
        (lambda: IscsiPath(Iqn("eui." + "0" * 16), (), 0), "an iSCSI path has no portal; expected at least one"),
        (lambda: FcPath(Wwpn("0" * 16), 16384), "lun_number 16384 is outside 0..16383"),
        (lambda: NvmePath(Nqn("nqn.2014-08.org:x"), (), 1), "an NVMe path has no portal; expected at least one"),
        (lambda: NvmePath(Nqn("nqn.2014-08.org:x"), (Portal("h"),), 0), "namespace_id 0 is below 1"),
        (lambda: BlockConnection(LunIdentity(None), 0, (PATH,)), "size_bytes 0 is not positive"),
        (lambda: BlockConnection(LunIdentity(None), 1, ()), "a connection has no path; expected at least one"),
        (lambda: NfsExport("h", "/a/../b"), "'/a/../b' is no export path; expected an absolute path without '..'"),
        (lambda: ChapCredentials("", Secret("0" * 12)), "chap username is empty; expected the account's name"),
        (lambda: ChapCredentials("u", Secret("0" * 12), "m"), "mutual CHAP needs both"),
        (lambda: Tenant("", "n"), "tenant has no uuid"),
        (lambda: Host("h", "", HypervisorType.KVM, "c", ()), "host h has no name"),
        (lambda: Zone("z", ""), "zone z has no name"),
        (lambda: VolumeRequest("v", "", 1), "volume v has no name"),
        (lambda: SnapshotRequest("s", ""), "snapshot s has no name"),
        (lambda: StoreRequest("s", "", CLUSTER, AccessModel.DIRECT, 1), "store s has no name"),
        (lambda: QosPolicy(min_iops=0), "QoS [0] is not positive"),
        (lambda: QosPolicy(5, None, 4), "QoS [5, 4] breaks min_iops <= max_iops <= burst_iops"),
        (lambda: Created("", 1), "external_id is ''; expected the array's own id as text"),
        (lambda: Created(cast("str", 17), 1), "external_id is 17; expected the array's own id as text"),
        (lambda: Created("17", 0), "size_bytes 0 is not positive"),
        (lambda: Created("17", cast("int", 1.5)), "size_bytes is float; expected whole bytes"),
        (lambda: Resized(size_bytes=True), "size_bytes is bool; expected whole bytes"),
        (
            lambda: Created("17", 1, details=cast("dict[str, str]", {"a": 1})),
            "details['a'] is int; expected text to text",
        ),
        (
            lambda: Backing("b", "1", 1, LunIdentity(None), details=cast("dict[str, str]", {"a": Secret("s")})),
            "details['a'] is Secret; expected text to text",
        ),
        (lambda: Unsupported(" "), "Unsupported has no reason; expected a few words for the report"),
        (lambda: parameter("a b", "d"), "parameter name 'a b' is no identifier"),
        (lambda: parameter("a", ""), "parameter a has no description"),
        (lambda: Limits(2, 1, 1), "expected 0 < smallest_lun_bytes <= largest_lun_bytes"),
        (lambda: Limits(1, 1, 0), "granularity_bytes and name_length must be positive"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make: Make, sentence: str) -> None:
    with pytest.raises((ValueError, TypeError), match=re.escape(sentence)):
        make()


@settings(max_examples=10)
@given(traits=values_of(Traits))
def test_traits_refuse_negative_times(traits: Traits) -> None:
    for name, value in (("trash_seconds", -1), ("stats_lag_seconds", -0.5), ("default_completion_seconds", 0.0)):
        given_fields = {each.name: getattr(traits, each.name) for each in dataclasses.fields(traits)}
        with pytest.raises(ValueError, match="must not be negative"):
            cast("type", Traits)(**{**given_fields, name: value})


def test_addresses_have_one_spelling() -> None:
    assert str(Iqn("IQN.2001-05.com.Example:A")) == "iqn.2001-05.com.example:a"
    assert str(Wwpn("50:00:00:00:00:00:AA:01")) == "500000000000aa01"
    assert str(Nqn("nqn.2014-08.org.nvmexpress:x")) == "nqn.2014-08.org.nvmexpress:x"
    assert str(NfsClient("10.0.0.0/8")) == "10.0.0.0/8"
    assert [str(Portal(each)) for each in ("10.0.0.1", "fe80::1", "array.example")] == [
        "10.0.0.1:3260",
        "[fe80::1]:3260",
        "array.example:3260",
    ]


def test_a_host_is_its_uuid() -> None:
    one = Host("h", "one", HypervisorType.KVM, "c", (Iqn("eui." + "0" * 16), NfsClient("10.0.0.1")))
    other = Host("h", "two", HypervisorType.KVM, "c", (), HostState.DISABLED)
    assert one == other
    assert len({one, other}) == 1
    assert one != "h"
    assert one.iqns == (Iqn("eui." + "0" * 16),)


def test_details_are_a_copy_that_cannot_be_changed() -> None:
    details = {"a": "b"}
    made = Created("17", 1, details=details)
    details["a"] = "changed"
    assert made.details == {"a": "b"}
    with pytest.raises(TypeError):
        made.details["a"] = "changed"  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.size_bytes = 2  # type: ignore[misc]


VALUES_WITH_MAPPINGS: Final = [Volume, Created, DataStore, Snapshot, Backing, Traits]


@pytest.mark.parametrize("kind", VALUES_WITH_MAPPINGS, ids=lambda kind: kind.__name__)
@settings(max_examples=5)
@given(data=st.data())
def test_a_value_can_be_a_key_and_be_copied(kind: type[Volume], data: st.DataObject) -> None:
    value = data.draw(values_of(kind))
    assert len({value, copy.copy(value), copy.deepcopy(value)}) == 1


@settings(max_examples=10)
@given(volume=values_of(Volume))
def test_a_value_without_secrets_can_be_pickled(volume: Volume) -> None:
    assert pickle.loads(pickle.dumps(volume)) == volume  # noqa: S301 - written one line above


def test_a_frozen_mapping_is_a_mapping() -> None:
    mapping = FrozenMapping({"a": 1})
    assert mapping == {"a": 1}
    assert (len(mapping), list(mapping), mapping["a"], repr(mapping)) == (1, ["a"], 1, "{'a': 1}")
    assert copy.copy(mapping) is mapping
    assert pickle.loads(pickle.dumps(mapping)) == mapping  # noqa: S301 - written on this line


def test_an_object_knows_its_owner() -> None:
    snapshot = Snapshot(SnapshotRequest("s", "s"), "v", "17", None, 1)
    assert (Volume(VolumeRequest("v", "v", 1), None, 1).uuid, snapshot.uuid) == ("v", "s")


def test_answers_are_true_or_false() -> None:
    assert Supported()
    assert not Unsupported("no")
    assert {each.since for each in Capability} == {"0.1"}


def test_limits_and_traits_answer() -> None:
    assert [Limits(1, 100, 8).rounded_up(size) for size in (1, 8, 9)] == [8, 8, 16]


@settings(max_examples=5)
@given(traits=values_of(Traits))
def test_a_method_without_a_ceiling_of_its_own_has_the_general_one(traits: Traits) -> None:
    assert traits.seconds_for("no such method") == traits.default_completion_seconds
    assert all(traits.seconds_for(name) == given_seconds for name, given_seconds in traits.completion_seconds.items())


def test_views_pick() -> None:
    target, vm = (InventoryItem(kind, "h", "n") for kind in (InventoryKind.TARGET, InventoryKind.VM))
    assert BridgeInventory(frozenset({target, vm})).of(InventoryKind.VM) == {vm}
    live, gone = (WitnessedLun(str(n), "n", 1, "w", in_trash=bool(n)) for n in (0, 1))
    assert ArrayView((live, gone), (), (), 1, 1).live == (live,)
    assert str(ProbeRefused(Refusal.NO_LUN, "behind a good login")) == "no_lun: behind a good login"
