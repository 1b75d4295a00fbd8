"""A plugin that is not what the contract asks for is refused, with everything about it that is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import pytest

from conformance.contract import (
    AccessMechanism,
    AccessModel,
    Answer,
    Capability,
    ChapScope,
    DataStoreProvider,
    Hookup,
    Parameter,
    ParameterKind,
    QosPolicy,
    Supported,
    Unsupported,
)
from conformance.contract.adapters import from_callbacks
from conformance.registration import NEEDS, PROTOCOLS, TRAITS, Mismatch, RegistrationError, check, register

from .fake_array import FakeArray, Wire
from .fake_provider import FakeProvider


def provider(model: AccessModel = AccessModel.DEDICATED, hookup: Hookup = Hookup.FRAMEWORK) -> FakeProvider:
    return FakeProvider(FakeArray(Wire.ISCSI), model, hookup)


def changed(**members: object) -> object:
    """A good provider of which some members are replaced; an exception among them is raised."""
    return _variant(provider(), members)


def _variant(base: object, members: Mapping[str, object]) -> object:
    def member(name: str, value: object) -> property:
        def read(_self: object) -> object:
            if isinstance(value, BaseException):
                raise value
            return value

        return property(read, lambda *_: None)

    variant = type(type(base).__name__, (type(base),), {name: member(name, value) for name, value in members.items()})
    made: object = object.__new__(variant)
    vars(made).update({name: value for name, value in vars(base).items() if name not in members})
    return made


def driver_with(**methods: object) -> object:
    base = provider()
    return changed(driver=_variant(base.driver, methods), capabilities=base.capabilities)


def sentences(subject: object) -> list[str]:
    return list(map(str, check(subject)))


NO: Final = Unsupported("no")


def answers(**given: object) -> dict[Capability, object]:
    return {**provider().capabilities, **{Capability(name): answer for name, answer in given.items()}}


@pytest.mark.parametrize("model", AccessModel)
def test_a_good_plugin_is_registered_under_its_name(model: AccessModel) -> None:
    registry: dict[str, DataStoreProvider] = {}
    good = provider(model)
    assert check(good) == []
    assert register(good, registry) is good
    assert registry == {"fake": good}


def test_a_name_is_taken_once() -> None:
    registry: dict[str, DataStoreProvider] = {}
    register(provider(), registry)
    with pytest.raises(RegistrationError) as caught:
        register(provider(), registry)
    assert str(caught.value) == "plugin fake: name is fake, which another plugin has; expected a name of its own"


def test_all_mismatches_are_listed_at_once() -> None:
    with pytest.raises(RegistrationError) as caught:
        register(changed(name="", version=" ", hookup="framework"), {})
    assert caught.value.provider_name == "FakeProvider"
    assert [each.member for each in caught.value.mismatches] == ["name", "version", "hookup"]


def test_a_class_is_no_plugin() -> None:
    assert sentences(FakeProvider) == [
        "plugin FakeProvider: the plugin is a class; expected what its factory returns: an object"
    ]


def test_an_object_that_has_nothing_lacks_everything() -> None:
    lacking = {each.member for each in check(object())}
    assert lacking == {
        *("name", "version", "contract_version", "capabilities", "traits", "limits", "access_models", "hookup"),
        *("parameters", "driver", "lifecycle", "host_listener", "image_store_driver", "configure", "close"),
    }


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), AttributeError("inner"), GeneratorExit()])
@pytest.mark.parametrize("name", ["name", "capabilities", "traits", "driver", "lifecycle", "parameters", "close"])
def test_a_member_that_raises_is_a_mismatch(name: str, error: BaseException) -> None:
    (found,) = check(changed(**{name: error}))
    assert found.member == name
    assert found.found.startswith(f"raising {type(error).__name__}")


def test_the_users_own_interrupt_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        check(changed(name=KeyboardInterrupt()))


class Hostile(dict[Any, Any]):
    """A mapping that cannot be walked."""

    def __iter__(self) -> Iterator[Any]:
        raise SystemExit(2)


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_a_hostile_value_is_a_mismatch_too() -> None:
    (found,) = [each for each in check(changed(capabilities=Hostile())) if each.member == "capabilities"]
    assert found.found == "raising SystemExit (2) when it is read"
    (found,) = check(changed(hookup=Unshowable()))
    assert found.found == "a Unshowable that cannot be shown"


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (
            {"name": "bad name"},
            (
                "plugin FakeProvider: name is 'bad name'; "
                "expected a letter, then letters, digits, '.', '_' or '-', at most 64"
            ),
        ),
        ({"name": 3}, "plugin FakeProvider: name is 3; expected a value of type str"),
        ({"contract_version": "7.0"}, "plugin fake: contract_version is '7.0'; expected one of 0.1"),
        ({"hookup": len}, "plugin fake: hookup is a method; expected a property"),
        (
            {"access_models": frozenset()},
            "plugin fake: access_models is frozenset(); expected one or more members of AccessModel",
        ),
        (
            {"access_models": [AccessModel.DIRECT]},
            "plugin fake: access_models is [<AccessModel.DIRECT: 'direct'>]; expected a value of type frozenset",
        ),
        (
            {"hookup": Hookup.PLUGIN, "access_models": frozenset({AccessModel.DIRECT})},
            "plugin fake: hookup is PLUGIN with DIRECT alone; expected FRAMEWORK: a direct LUN has nothing to hook up",
        ),
        (
            {"capabilities": answers(thin=True)},
            "plugin fake: capabilities[thin] is True; expected Supported() or Unsupported(reason)",
        ),
        (
            {"capabilities": {k: v for k, v in answers().items() if k is not Capability.THIN}},
            "plugin fake: capabilities[thin] is missing; expected Supported() or Unsupported(reason)",
        ),
        (
            {"capabilities": {"teleport": Supported(), **{str(k): v for k, v in answers().items()}}},
            "plugin fake: capabilities is answering for 'teleport'; expected only members of Capability",
        ),
        (
            {"capabilities": answers(resize=NO)},
            "plugin fake: capabilities[resize_online] is supported; expected resize to be supported with it",
        ),
        (
            {"capabilities": answers(shared_growth=Supported())},
            "plugin fake: capabilities[shared_growth] is supported; expected SHARED in access_models with it",
        ),
        ({"configure": lambda: None}, "plugin fake: configure is (); expected (context)"),
        ({"close": None}, "plugin fake: close is None; expected a method ()"),
    ],
)
def test_one_thing_wrong_is_one_sentence(members: dict[str, object], sentence: str) -> None:
    assert sentences(changed(**members)) == [sentence]


@pytest.mark.parametrize(("capability", "needed"), NEEDS.items())
def test_a_capability_that_means_nothing_without_another(capability: Capability, needed: Capability) -> None:
    found = sentences(changed(capabilities=answers(**{capability: Supported(), needed: NO})))
    assert f"plugin fake: capabilities[{capability}] is supported; expected {needed} to be supported with it" in found


@pytest.mark.parametrize("capability", PROTOCOLS)
def test_a_declared_capability_has_its_methods(capability: Capability) -> None:
    methods = {name for protocol in PROTOCOLS[capability] for name in vars(protocol) if not name.startswith("_")}

    class Bare:
        pass

    all_no: dict[Capability, Answer] = dict.fromkeys(Capability, NO)
    found = check(changed(driver=Bare(), capabilities={**all_no, capability: Supported()}))
    assert {f"driver.{name}" for name in methods} <= {each.member for each in found if each.found == "missing"}


def test_a_capability_that_is_not_declared_needs_no_method() -> None:
    assert "driver.set_qos" not in {each.member for each in check(provider())}


@pytest.mark.parametrize("name", TRAITS)
def test_a_trait_goes_with_its_capability(name: str) -> None:
    base = provider()
    values = {"chap_scope": ChapScope.HOST, "rotation_drops_sessions": True}
    given = getattr(base.traits, name)
    other = None if given is not None else values[name]
    traits = base.traits
    object.__setattr__(traits, name, other)
    (found,) = check(changed(traits=traits))
    assert found.member == f"traits.{name}"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"access_mechanism": AccessMechanism.BOTH},
            "traits.access_mechanism is <AccessMechanism.BOTH: 'both'>; expected mask without chap",
        ),
        (
            {"completion_seconds": {"create": 0.0}},
            "traits.completion_seconds is 'create': 0.0; expected a method and its seconds",
        ),
        (
            {"completion_seconds": {"fly": 1.0}},
            "traits.completion_seconds is 'fly': 1.0; expected a method and its seconds",
        ),
        ({"trash_seconds": "1"}, "traits.trash_seconds is str; expected a whole number"),
        ({"access_granularity": "host"}, "traits.access_granularity is str; expected AccessGranularity"),
    ],
)
def test_traits_make_sense(change: dict[str, Any], sentence: str) -> None:
    traits = provider().traits
    for name, value in change.items():
        object.__setattr__(traits, name, value)
    assert sentences(changed(traits=traits)) == [f"plugin fake: {sentence}"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"granularity_bytes": 3, "smallest_lun_bytes": 4, "largest_lun_bytes": 5},
            "limits.granularity_bytes is 3; expected some size to remain possible",
        ),
        ({"luns_per_host": 0}, "limits.luns_per_host is 0; expected at least 1, or None for no limit"),
        (
            {"qos_smallest": QosPolicy(2), "qos_largest": QosPolicy(1)},
            "limits.qos_smallest.min_iops is 2; expected at most qos_largest's 1",
        ),
        ({"name_length": 1.5}, "limits.name_length is float; expected a whole number"),
    ],
)
def test_limits_make_sense(change: dict[str, Any], sentence: str) -> None:
    limits = provider().limits
    for name, value in change.items():
        object.__setattr__(limits, name, value)
    assert sentences(changed(limits=limits)) == [f"plugin fake: {sentence}"]


def parameter(name: str = "url", kind: ParameterKind = ParameterKind.URL, **flags: bool) -> Parameter:
    return Parameter(name, kind, required=True, description="words", **flags)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ((parameter(), parameter()), "a name of its own"),
        ((parameter("Url"),), "lower-case letters, digits and '_' in its name"),
        ((parameter(secret=True),), "kind TEXT for a secret"),
        ((parameter(kind=ParameterKind.TEXT, secret=True, endpoint=True),), "a secret, or an endpoint or CA file"),
        ((parameter(kind=ParameterKind.BYTES, endpoint=True),), "kind URL or TEXT"),
        ((parameter(ca_file=True),), "kind PATH for a CA file"),
        (("url",), "a Parameter"),
        ((Parameter("url", ParameterKind.URL, cast("bool", "yes"), "words"),), "true or false"),
    ],
)
def test_parameters_are_well_formed(parameters: tuple[object, ...], expected: str) -> None:
    (found,) = check(changed(parameters=parameters))
    assert found.expected == expected


def other_order(store: object, placement: object, request: object) -> None: ...
def other_name(store: object, volume_request: object, placement: object) -> None: ...
def too_few(store: object, request: object) -> None: ...
def one_more(store: object, request: object, placement: object, hint: object) -> None: ...
def by_name_only(store: object, request: object, *, placement: object) -> None: ...
def by_position_only(store: object, request: object, placement: object, /) -> None: ...
def anything(*args: object, **kwargs: object) -> None: ...
async def later(store: object, request: object, placement: object) -> None: ...
def one_by_one(store: object, request: object, placement: object) -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("method", "found"),
    [
        (other_order, "(store, placement, request)"),
        (other_name, "(store, volume_request, placement)"),
        (too_few, "(store, request)"),
        (one_more, "(store, request, placement, hint)"),
        (by_name_only, "(store, request, *, placement)"),
        (by_position_only, "(store, request, placement, /)"),
        (anything, "(*args, **kwargs)"),
        (later, "an async function"),
        (one_by_one, "a generator"),
        (7, "7"),
        (type, "without a readable signature"),
    ],
)
def test_a_method_that_cannot_be_called_as_the_contract_does(method: object, found: str) -> None:
    (mismatch,) = check(driver_with(create=method))
    assert (mismatch.member, mismatch.found) == ("driver.create", found)
    assert "(store, request, placement)" in mismatch.expected


def more_with_defaults(
    store: object, request: object, placement: object = None, hint: object = 1, *rest: object
) -> None: ...
def more_by_name(store: object, request: object, placement: object, *, hint: object = None, **rest: object) -> None: ...


@pytest.mark.parametrize("method", [more_with_defaults, more_by_name])
def test_a_method_that_takes_more_is_welcome(method: Callable[..., None]) -> None:
    assert check(driver_with(create=method)) == []


def quiesced_by_position(store: object, volume: object, request: object, quiesced: object) -> None: ...
def quiesced_missing(store: object, volume: object, request: object) -> None: ...
def quiesced_swallowed(store: object, volume: object, request: object, **rest: object) -> None: ...


def test_an_argument_passed_by_name_may_be_an_ordinary_one_but_must_be_named() -> None:
    assert check(driver_with(take_snapshot=quiesced_by_position)) == []
    for method in (quiesced_missing, quiesced_swallowed):
        (found,) = check(driver_with(take_snapshot=method))
        assert found.expected == "(store, volume, request, *, quiesced)"


def test_a_method_nobody_declared_has_to_fit_all_the_same() -> None:
    (found,) = check(driver_with(rotate_chap=too_few))
    assert str(found) == "plugin fake: driver.rotate_chap is (store, request); expected (store, target, host)"


def test_half_of_an_optional_life_cycle_is_a_mismatch() -> None:
    lifecycle = _variant(provider().lifecycle, {"enable": lambda store: None})
    assert sentences(changed(lifecycle=lifecycle)) == [
        "plugin fake: lifecycle.disable is missing; expected a method (store)"
    ]


def test_an_optional_part_is_complete_or_none() -> None:
    assert check(changed(host_listener=None)) == []
    assert {each.member for each in check(changed(image_store_driver=object()))} == {
        f"image_store_driver.{name}" for name in ("put", "get", "delete", "list_images")
    }


class Images:
    """An image store; `get` gives its bytes one by one."""

    def put(self, name: str, content: Iterator[bytes]) -> int:
        return 0

    def get(self, name: str) -> Iterator[bytes]:
        yield b""

    def delete(self, name: str) -> None: ...

    def list_images(self) -> list[str]:
        return []


def test_a_generator_is_fine_where_an_iterator_is_asked_for() -> None:
    assert check(changed(image_store_driver=Images())) == []


class Shapeless:
    """Its attributes cannot be read."""

    def __getattr__(self, name: str) -> object:
        raise OSError("no")


def test_a_part_that_raises_is_listed_member_by_member() -> None:
    found = {each.member: each.found for each in check(changed(host_listener=Shapeless()))}
    assert found["host_listener.host_added"] == "raising OSError (no)"


class NoText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


class BadDefault:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def bad_default(store: object, request: object, placement: object = BadDefault(), *, more: object) -> None: ...


def test_what_cannot_be_shown_is_named() -> None:
    (found,) = check(changed(name=NoText()))
    assert found.found == "raising NoText"
    (found,) = check(driver_with(create=bad_default))
    assert found.found == "with a default that cannot be shown"


class Dynamic:
    """Its methods come from nowhere that can be looked at."""

    def __init__(self, base: object) -> None:
        self._base = base

    def __getattr__(self, name: str) -> object:
        if name in {"rotate_chap", "seed"}:
            raise SystemExit(4)
        return getattr(self._base, name)


def test_a_dynamic_driver_is_asked_and_survived() -> None:
    base = provider()
    (found,) = check(changed(driver=Dynamic(base.driver)))
    assert (found.member, found.found) == ("driver.rotate_chap", "raising SystemExit (4)")


def test_a_new_driver_each_time_is_a_mismatch() -> None:
    class Fresh(FakeProvider):
        @property
        def lifecycle(self) -> Any:
            return provider().lifecycle

        @lifecycle.setter
        def lifecycle(self, _: object) -> None: ...

    fresh = Fresh(FakeArray(Wire.ISCSI), AccessModel.DEDICATED, Hookup.FRAMEWORK)
    assert sentences(fresh) == [
        "plugin fake: lifecycle is another object each time; expected the same object each time"
    ]


def test_an_adapted_driver_is_seen_as_the_driver_it_wraps() -> None:
    base = provider()
    assert check(changed(driver=from_callbacks(base.driver), lifecycle=from_callbacks(base.lifecycle))) == []

    class Swapped:
        create = staticmethod(other_order)

    adapted = from_callbacks(Swapped())
    assert "(store, placement, request)" in {each.found for each in check(changed(driver=adapted))}


def test_a_mismatch_is_one_sentence() -> None:
    assert str(Mismatch("p", "m", "this", "that")) == "plugin p: m is this; expected that"
