"""Everything that crosses the contract survives the way through JSON; nothing else gets through."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
from typing import Final, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import conformance.contract as contract
from conformance.contract import (
    AccessModel,
    ArrayUnreachable,
    Backing,
    BlockConnection,
    BridgeError,
    Busy,
    Capability,
    CapabilityNotSupported,
    ChapCredentials,
    ClusterEntry,
    Conflict,
    Created,
    Endpoint,
    FcPath,
    Hookup,
    HttpRequest,
    InvalidRequest,
    LaunchOptions,
    LunIdentity,
    NfsExport,
    OwnedObject,
    ProviderError,
    QosPolicy,
    Resized,
    Secret,
    StoreRequest,
    Subject,
    TargetNotFound,
    Tenant,
    Usage,
    VmNotFound,
    Volume,
    VolumeRequest,
    Wwpn,
)
from conformance.contract._wire_form import form_of
from conformance.contract.codec import CodecError, decode, decode_as, encode

from .strategies import BRIDGE_ERRORS, PROVIDER_ERRORS, bridge_errors, errors_of, scalars, values_of

WITH_FUNCTIONS: Final = {Endpoint, LaunchOptions, Subject}
PUBLIC: Final = [cast("object", getattr(contract, name)) for name in contract.__all__]
VALUES: Final = [
    each
    for each in PUBLIC
    if isinstance(each, type)
    if each is Secret or dataclasses.is_dataclass(each) or issubclass(each, contract.Capability.__mro__[1])
    if each not in WITH_FUNCTIONS
]


FEW: Final = settings(max_examples=12)


def through_text(value: object) -> object:
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
@FEW
@given(data=st.data())
def test_every_value_comes_back_equal(kind: type[object], data: st.DataObject) -> None:
    value = data.draw(values_of(kind))
    found = through_text(value)
    assert type(found) is kind
    assert found == value


@FEW
@given(host=values_of(contract.Host))
def test_a_host_comes_back_with_more_than_its_uuid(host: contract.Host) -> None:
    # Hosts are equal by uuid, so equality alone would not notice.
    found = decode_as(contract.Host, through_text(host) and encode(host))
    assert dataclasses.astuple(found) == dataclasses.astuple(host)


def same_error(one: BaseException, other: BaseException) -> bool:
    if type(one) is not type(other) or one.args != other.args or str(one) != str(other):
        return False
    facts = [{k: v for k, v in vars(each).items() if k != "undo_errors"} for each in (one, other)]
    undo = [getattr(each, "undo_errors", ()) for each in (one, other)]
    return facts[0] == facts[1] and len(undo[0]) == len(undo[1]) and all(map(same_error, *undo))


@pytest.mark.parametrize("kind", PROVIDER_ERRORS, ids=lambda kind: kind.__name__)
@FEW
@given(data=st.data())
def test_every_error_of_a_plugin_comes_back(kind: type[ProviderError], data: st.DataObject) -> None:
    error = data.draw(errors_of(kind))
    found = through_text(error)
    assert isinstance(found, kind)
    assert same_error(found, error)


@FEW
@given(error=bridge_errors())
def test_every_error_of_a_bridge_comes_back_with_its_undo_errors(error: BridgeError) -> None:
    found = through_text(error)
    assert isinstance(found, BridgeError)
    assert same_error(found, error)


def test_the_form_on_the_wire() -> None:
    assert encode(Resized(5)) == {"type": "Resized", "size_bytes": 5}
    assert encode(Hookup.PLUGIN) == {"type": "Hookup", "value": "plugin"}
    assert encode(Secret("s")) == {"type": "Secret", "text": "s"}
    assert encode(HttpRequest("GET", "/", {"a": "b"}, b"\0"))["body"] == "AA=="
    assert encode(ArrayUnreachable("e", "r", retryable=False)) == {
        "type": "ArrayUnreachable",
        "endpoint": "e",
        "reason": "r",
        "retryable": False,
    }


def test_a_set_has_one_order() -> None:
    tags = frozenset(f"tag-{number}" for number in range(20))
    request = StoreRequest("u", "n", contract.Zone("z", "z"), AccessModel.DIRECT, 1, tags=tags)
    assert encode(request)["tags"] == sorted(tags, key=repr)


class VendorBusy(Busy):
    """A subclass that the other side does not know."""


def test_a_vendors_subclass_arrives_as_the_kind_it_was_derived_from() -> None:
    assert same_error(cast("Busy", through_text(VendorBusy(2.0, "rebuild"))), Busy(2.0, "rebuild"))


def test_a_member_of_an_enumeration_is_good_text() -> None:
    found = through_text(CapabilityNotSupported(Capability.RESIZE))
    assert isinstance(found, CapabilityNotSupported)
    assert found.capability == "resize"


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (QosPolicy(1), "QosPolicy(min_iops=1, max_iops=None, burst_iops=None)"),
        (Secret("hidden-secret"), "***"),
        (float("nan"), "nan"),
        (Unprintable(), "Unprintable"),
        (10**5000, "int"),
        (Hookup.PLUGIN, "plugin"),
    ],
    ids=["value", "secret", "nan", "unprintable", "huge", "enumeration"],
)
def test_a_fact_that_json_does_not_have_arrives_as_text(fact: object, expected: str) -> None:
    found = through_text(InvalidRequest("field", fact, "something"))
    assert isinstance(found, InvalidRequest)
    assert found.value == expected


def test_a_foreign_undo_error_arrives_under_its_name() -> None:
    error = VmNotFound("kvm", "h1", "stop_vm", "gone")
    error.undo_errors = (KeyError("x"),)
    found = through_text(error)
    assert isinstance(found, VmNotFound)
    assert [str(each) for each in found.undo_errors] == ["kvm host h1: stop_vm: KeyError: 'x'"]


def test_undo_errors_that_hold_each_other_have_an_end() -> None:
    error = VmNotFound("kvm", "h1", "stop_vm", "gone")
    error.undo_errors = (error,)
    with pytest.raises(CodecError, match="nested too deeply"):
        encode(error)
    wire: object = []
    for _ in range(12):
        wire = [{**encode(TargetNotFound("k", "h", "c", "r")), "undo_errors": wire}]
    with pytest.raises(CodecError, match="nested too deeply"):
        decode(cast("list[object]", wire)[0])


GOOD: Final = Volume(
    VolumeRequest("u", "n", 1, tenant=Tenant("t", "t")), "17", 1, LunIdentity("0" * 16), details={"a": "b"}
)


def wire_with(path: str, value: object) -> dict[str, object]:
    wire = copy.deepcopy(encode(GOOD))
    *outer, last = path.split(".")
    inner = wire
    for step in outer:
        inner = cast("dict[str, object]", inner[step])
    inner[last] = value
    return wire


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("type", "Vulume", "type: is of a type that the contract does not have"),
        ("type", 3, "type: is missing or no text; expected the name of a type"),
        ("type", "Tenant", "name: is missing"),
        ("size_bytes", "1", "size_bytes: is str; expected a whole number"),
        ("size_bytes", True, "size_bytes: is bool; expected a whole number"),
        ("size_bytes", 1.5, "size_bytes: is float; expected a whole number"),
        ("size_bytes", 2**200, "size_bytes: is a number of more than 128 bits"),
        ("request.tenant.uuid", None, "request.tenant.uuid: is NoneType; expected text"),
        ("request.tenant.uuid", "", "request.tenant: tenant has no uuid"),
        ("request.tenant.colour", "red", "request.tenant.colour: is no field of Tenant"),
        ("request.tenant", [], "request.tenant: is list; expected an object"),
        ("request.tenant.type", "Zone", "request.tenant.type: is of another type; expected Tenant"),
        ("request.provisioning", "fat", "request.provisioning: is no Provisioning; expected one of thin, thick"),
        ("details", [], "details: is list; expected an object"),
        ("size_bytes", None, "size_bytes: is NoneType; expected a whole number"),
        ("details.a", 1, "details.[a]: is int; expected text"),
        ("identity", 1, "identity: is int; expected LunIdentity or nothing"),
        (
            "identity.wwid",
            "xyz",
            "identity: 'xyz' is no WWID; expected 16 or 32 lower-case hexadecimal digits, or None",
        ),
    ],
)
def test_a_bad_object_is_refused_with_its_place(path: str, value: object, sentence: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode(wire_with(path, value))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("wire", "sentence"),
    [
        (None, "value: is NoneType; expected an object"),
        ({}, "type: is missing or no text; expected the name of a type"),
        ({"type": "ProviderError"}, "type: is of a type that the contract does not have"),
        ({"type": "Endpoint"}, "type: is of a type that the contract does not have"),
        ({"type": "Hookup", "value": "neither"}, "value: is no Hookup; expected one of framework, plugin"),
        ({"type": "Hookup"}, "value: is missing"),
        ({"type": "Secret", "text": 1}, "text: is int; expected text"),
        (
            {"type": "Busy", "reason": "", "retry_after_seconds": float("inf")},
            "retry_after_seconds: is no finite number",
        ),
        ({"type": "Busy", "reason": ""}, "retry_after_seconds: is missing"),
        (
            {"type": "HttpResponse", "status": 1, "headers": {}, "body": "!"},
            "body: is no base64",
        ),
        (
            {"type": "HttpResponse", "status": 1, "headers": {}, "body": 1},
            "body: is int; expected text in base64",
        ),
        ({"type": "BridgeInventory", "items": [1]}, "items.[0]: is int; expected an object"),
    ],
)
def test_a_bad_wire_is_refused(wire: object, sentence: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode(wire)
    assert str(caught.value) == sentence


def test_an_item_twice_is_no_set() -> None:
    inventory = contract.BridgeInventory(frozenset({contract.InventoryItem(contract.InventoryKind.VM, "h", "n")}))
    wire = encode(inventory)
    wire["items"] = cast("list[object]", wire["items"]) * 2
    with pytest.raises(CodecError, match="items: has an item twice"):
        decode(wire)


@pytest.mark.parametrize(
    "undo", [None, [{"type": "Busy", "retry_after_seconds": 1, "reason": ""}], [3], [{"type": "Zone"}]]
)
def test_bad_undo_errors_are_refused(undo: object) -> None:
    with pytest.raises(CodecError, match="undo_errors"):
        decode({**encode(TargetNotFound("k", "h", "c", "r")), "undo_errors": undo})


def stored(secret: Secret) -> StoreRequest:
    zone = contract.Zone("z", "z")
    return StoreRequest("u", "n", zone, AccessModel.DIRECT, 1, secrets={"password": secret})


def lied(value: object) -> str:
    """A value of a wrong type where a type checker would have stopped it."""
    return cast("str", value)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (3, "value: is int; expected a value of the contract"),
        ("text", "value: is str; expected a value of the contract"),
        (
            Endpoint("u", lambda _: cast("contract.HttpResponse", None)),
            "value: is Endpoint; expected a value of the contract",
        ),
        (ValueError("x"), "value: is ValueError; expected an error of the contract"),
        (Usage(cast("int", "many"), None), "bytes: is str; expected int or nothing"),
        (OwnedObject(contract.ObjectKind.VOLUME, lied(17), "u"), "external_id: is int; expected text"),
        (OwnedObject(cast("contract.ObjectKind", "volume"), "17", "u"), "kind: is str; expected ObjectKind"),
        (Backing("u", "e", 1, cast("NfsExport", "x")), "identity: is str; expected LunIdentity or NfsExport"),
        (
            BlockConnection(LunIdentity(None), 1, (FcPath(Wwpn("0" * 16), 1), cast("FcPath", None))),
            "paths.[1]: is NoneType; expected IscsiPath or FcPath or NvmePath",
        ),
        (
            BlockConnection(LunIdentity(None), 1, cast("tuple[FcPath, ...]", [FcPath(Wwpn("0" * 16), 1)])),
            "paths: is list; expected tuple",
        ),
        (
            ChapCredentials("u", Secret("0123456789ab"), cast("str", 5), Secret("other-secret")),
            "mutual_username: is int; expected text",
        ),
        (HttpRequest("GET", "/", {}, cast("bytes", "text")), "body: is str; expected bytes"),
        (HttpRequest("GET", "/", cast("dict[str, str]", {1: "b"}), b""), "headers: has a key that is no text"),
        (contract.DataStore(cast("StoreRequest", None)), "request: is NoneType; expected StoreRequest"),
        (stored(cast("Secret", "plain")), "secrets.[password]: is str; expected Secret"),
        (Conflict(lied(None), "f", 1, 2), "uuid: is NoneType; expected text"),
        (Busy(cast("float", "soon")), "retry_after_seconds: is str; expected a number"),
    ],
)
def test_what_is_no_value_of_the_contract_is_not_written(value: object, sentence: str) -> None:
    with pytest.raises(CodecError) as caught:
        encode(value)
    assert str(caught.value) == sentence


@given(
    wire=st.recursive(
        scalars | st.sampled_from(["Volume", "Secret", "Busy", "Hookup", "VmNotFound"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "value", "text", "request", "undo_errors"]) | st.text(), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_gives_a_value_or_a_codec_error(wire: object) -> None:
    try:
        value = decode(wire)
    except CodecError:
        return
    assert through_text(value) is not None


@FEW
@given(data=st.data())
def test_any_damage_gives_a_value_or_a_codec_error(data: st.DataObject) -> None:
    wire = encode(data.draw(values_of(Volume)))
    at: dict[str, object] = wire
    while data.draw(st.booleans()):
        inner = [each for each in at.values() if isinstance(each, dict)]
        if not inner:
            break
        at = data.draw(st.sampled_from(inner))
    at[data.draw(st.sampled_from(sorted(at)) if at else st.just("x"))] = data.draw(scalars | st.just([]) | st.just({}))
    with contextlib.suppress(CodecError):
        assert decode(wire) is not None


def test_a_codec_error_quotes_no_secret() -> None:
    wire = encode(ChapCredentials("user", Secret("0123456789ab")))
    cast("dict[str, object]", wire["secret"])["text"] = "too-short!"
    with pytest.raises(CodecError) as caught:
        decode(wire)
    assert "too-short!" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


def test_decode_as_refuses_another_type() -> None:
    assert decode_as(Resized, encode(Resized(1))) == Resized(1)
    with pytest.raises(CodecError, match="is Resized; expected Created"):
        decode_as(Created, encode(Resized(1)))


def test_every_value_of_the_contract_has_a_strategy_and_no_protocol_is_one() -> None:
    assert Volume in VALUES
    assert Capability in VALUES
    assert ClusterEntry not in VALUES
    assert len(PROVIDER_ERRORS) == 12
    assert len(BRIDGE_ERRORS) == 15


def test_a_type_without_a_form_is_a_mistake_in_the_contract() -> None:
    with pytest.raises(TypeError, match="has no form on the wire"):
        form_of(list[int])
