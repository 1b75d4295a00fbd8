"""Whether a plugin is what the contract asks for, before it is called for the first time.

`check` reads the plugin's properties and looks at the signatures of its methods; it calls nothing, so it
belongs before `configure`. It lists everything it finds, not the first thing, and it survives what it looks
at: a property that raises, even SystemExit, is a mismatch (KeyboardInterrupt alone is the user's own).

What fits: the cloud passes a method's arguments by position and keyword-only ones by name. So parameters have
the contract's names in the contract's order; swapped names would be swapped objects. A plugin may add
parameters with defaults, give defaults where the contract has none, and take a keyword-only argument as an
ordinary one. ``*args`` in place of the contract's names does not fit: a decorator that hides a signature uses
`functools.wraps`. Methods of a protocol whose capability is *not* declared may be there, and then have to fit
too, because the kit calls them to see that they refuse.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from inspect import Signature
from typing import Final, TypeVar, cast

from conformance.contract import (
    CONTRACT_VERSION,
    AccessMechanism,
    AccessModel,
    Capability,
    ChapDriver,
    CloneDriver,
    CopyDriver,
    DataStoreDriver,
    DataStoreLifeCycle,
    DataStoreProvider,
    GrowthDriver,
    Hookup,
    HostListener,
    ImageStoreDriver,
    Limits,
    MigrationDriver,
    Parameter,
    ParameterKind,
    QosDriver,
    QosPolicy,
    ResizeDriver,
    RevertDriver,
    SnapshotDriver,
    StatsDriver,
    StoreMaintenance,
    StoreSwitch,
    StoreUpdate,
    Supported,
    TemplateDriver,
    Traits,
    Unsupported,
    ZoneAttachment,
)
from conformance.contract.codec import CodecError, encode
from conformance.signatures import (
    described,
    fits,
    gives_iterator,
    is_present,
    methods_of,
    present_of,
    shown,
    signature_of,
    text_of,
)

T = TypeVar("T")

KNOWN_VERSIONS: Final = (CONTRACT_VERSION,)

PROTOCOLS: Final[Mapping[Capability, tuple[type, ...]]] = {
    Capability.RESIZE: (ResizeDriver,),
    Capability.RESIZE_ONLINE: (ResizeDriver,),
    Capability.SHRINK: (ResizeDriver,),
    Capability.SNAPSHOT: (SnapshotDriver,),
    Capability.QUIESCED_SNAPSHOT: (SnapshotDriver,),
    Capability.REVERT: (RevertDriver,),
    Capability.VOLUME_FROM_SNAPSHOT: (CloneDriver,),
    Capability.VOLUME_FROM_VOLUME: (CloneDriver,),
    Capability.COPY: (CopyDriver,),
    Capability.QOS: (QosDriver,),
    Capability.QOS_ONLINE: (QosDriver,),
    Capability.CHAP_ROTATION: (ChapDriver,),
    Capability.VOLUME_STATS: (StatsDriver,),
    Capability.SHARED_GROWTH: (GrowthDriver,),
    # A cached template is there to be cloned from.
    Capability.TEMPLATE_CACHE: (TemplateDriver, CloneDriver),
    Capability.MIGRATION_QOS: (MigrationDriver,),
}
"""What a driver has when it declares a capability. Those not named here are observed, not called."""

NEEDS: Final[Mapping[Capability, Capability]] = {
    Capability.RESIZE_ONLINE: Capability.RESIZE,
    Capability.SHRINK: Capability.RESIZE,
    Capability.QUIESCED_SNAPSHOT: Capability.SNAPSHOT,
    Capability.REVERT: Capability.SNAPSHOT,
    Capability.VOLUME_FROM_SNAPSHOT: Capability.SNAPSHOT,
    Capability.QOS_ONLINE: Capability.QOS,
    Capability.MUTUAL_CHAP: Capability.CHAP,
    Capability.CHAP_ROTATION: Capability.CHAP,
    Capability.MIGRATION_QOS: Capability.QOS,
}
"""A capability that means nothing without another one."""

TRAITS: Final[Mapping[str, tuple[Capability, ...]]] = {
    "chap_scope": (Capability.CHAP,),
    "delete_with_snapshots": (Capability.SNAPSHOT,),
    "source_delete_with_clones": (Capability.VOLUME_FROM_SNAPSHOT, Capability.VOLUME_FROM_VOLUME),
    "revert_scope": (Capability.REVERT,),
    "rotation_drops_sessions": (Capability.CHAP_ROTATION,),
}
"""A trait that is declared if, and only if, one of these capabilities is."""

_LIFECYCLE_EXTRAS: Final = (ZoneAttachment, StoreUpdate, StoreSwitch, StoreMaintenance)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
_PARAMETER_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_COUNTS: Final = ("luns_per_host", "initiators_per_group", "groups_per_lun", "snapshots_per_volume")
_NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing about a plugin that is not as the contract says."""

    plugin: str
    member: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"plugin {self.plugin}: {self.member} is {self.found}; expected {self.expected}"


class RegistrationError(Exception):
    """A plugin that cannot be registered, with all reasons at once."""

    def __init__(self, provider_name: str, mismatches: Iterable[Mismatch]) -> None:
        self.provider_name, self.mismatches = provider_name, tuple(mismatches)
        super().__init__(provider_name, self.mismatches)

    def __str__(self) -> str:
        return "\n".join(map(str, self.mismatches))


def check(provider: object) -> list[Mismatch]:
    """List everything about a plugin that is not as the contract says; nothing: it can be registered."""
    return _Inspection(provider).run()


def register(provider: object, registry: MutableMapping[str, DataStoreProvider]) -> DataStoreProvider:
    """Put a plugin under its name, or raise `RegistrationError`; a name is taken once."""
    inspection = _Inspection(provider)
    mismatches = inspection.run()
    if not mismatches and inspection.plugin in registry:
        taken = f"{inspection.plugin}, which another plugin has"
        mismatches = [Mismatch(inspection.plugin, "name", taken, "a name of its own")]
    if mismatches:
        raise RegistrationError(inspection.plugin, mismatches)
    registry[inspection.plugin] = known = cast(DataStoreProvider, provider)
    return known


class _Inspection:
    """Looks at one plugin once."""

    def __init__(self, provider: object) -> None:
        self._provider, self._found = provider, list[Mismatch]()
        self._traits: Traits | None = None
        self.plugin = type(provider).__name__

    def run(self) -> list[Mismatch]:
        if isinstance(self._provider, type):
            self.plugin = self._provider.__name__
            self._find("the plugin", "a class", "what its factory returns: an object")
            return self._found
        self._guarded("name", self._check_names, None)
        answered = self._guarded("capabilities", self._check_capabilities, None)
        supported = answered or frozenset()
        models = self._guarded("access_models", self._check_models, frozenset[AccessModel]())
        if Capability.SHARED_GROWTH in supported and AccessModel.SHARED not in models:
            self._find("capabilities[shared_growth]", "supported", "SHARED in access_models with it")
        for member, look in self._sections(supported).items():
            self._guarded(member, look, None)
        if answered is not None:
            self._guarded("traits", lambda: self._check_choices(supported), None)
        return self._found

    def _sections(self, supported: frozenset[Capability]) -> Mapping[str, Callable[[], None]]:
        return {
            "traits": self._check_traits,
            "limits": self._check_limits,
            "parameters": self._check_parameters,
            "driver": lambda: self._check_driver(supported),
            "lifecycle": self._check_lifecycle,
            "host_listener": lambda: self._check_optional("host_listener", HostListener),
            "image_store_driver": lambda: self._check_optional("image_store_driver", ImageStoreDriver),
            "the plugin": lambda: self._check_methods(self._provider, "", methods_of(DataStoreProvider)),
        }

    def _guarded(self, member: str, look: Callable[[], T], otherwise: T) -> T:
        """Look at what may do anything when it is looked at: compare, iterate, show itself."""
        try:
            return look()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._find(member, f"raising {described(error)} when it is read", "values of the contract")
            return otherwise

    def _find(self, member: str, found: str, expected: str) -> None:
        self._found.append(Mismatch(self.plugin, member, found, expected))

    # Properties

    def _read(self, name: str, kind: type | None = None) -> object:
        """Read a property; what is not there or raises is noted and is `_NOTHING`."""
        value = self._get(self._provider, name, name, "a property")
        if value is _NOTHING:
            return value
        if inspect.isroutine(value):
            self._find(name, "a method", "a property")
        elif kind is not None and not isinstance(value, kind):
            self._find(name, shown(value), f"a value of type {kind.__name__}")
        else:
            return value
        return _NOTHING

    def _get(self, owner: object, name: str, member: str, expected: str) -> object:
        try:
            return getattr(owner, name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            is_missing = isinstance(error, AttributeError) and not is_present(owner, name)
            self._find(member, "missing" if is_missing else f"raising {described(error)}", expected)
            return _NOTHING

    def _read_text(self, name: str) -> str | None:
        value = self._read(name, str)
        return str.__str__(value) if isinstance(value, str) else None

    def _check_names(self) -> None:
        name, version = self._read_text("name"), self._read_text("version")
        if name is not None and _NAME.fullmatch(name):
            self.plugin = name
        elif name is not None:
            self._find("name", shown(name), "a letter, then letters, digits, '.', '_' or '-', at most 64")
        if version is not None and not version.strip():
            self._find("version", "empty", "the plugin's own version")

    def _check_capabilities(self) -> frozenset[Capability] | None:
        version = self._read_text("contract_version")
        if version is not None and version not in KNOWN_VERSIONS:
            self._find("contract_version", shown(version), f"one of {', '.join(KNOWN_VERSIONS)}")
        answers = self._read("capabilities", Mapping)
        if not isinstance(answers, Mapping):
            return None
        for stranger in set(answers) - set(Capability):
            self._find("capabilities", f"answering for {shown(stranger)}", "only members of Capability")
        asked = [each for each in Capability if _number(each.since) <= _number(version or CONTRACT_VERSION)]
        supported = frozenset(each for each in asked if self._check_answer(each, answers.get(each, _NOTHING)))
        for each in sorted(supported & NEEDS.keys()):
            if NEEDS[each] not in supported:
                self._find(f"capabilities[{each}]", "supported", f"{NEEDS[each]} to be supported with it")
        return supported

    def _check_answer(self, capability: Capability, answer: object) -> bool:
        if not isinstance(answer, Supported | Unsupported):
            found = "missing" if answer is _NOTHING else shown(answer)
            self._find(f"capabilities[{capability}]", found, "Supported() or Unsupported(reason)")
        return isinstance(answer, Supported)

    def _check_models(self) -> frozenset[AccessModel]:
        given, hookup = self._read("access_models", frozenset), self._read("hookup", Hookup)
        if not isinstance(given, frozenset):
            return frozenset()
        models = frozenset(each for each in given if isinstance(each, AccessModel))
        if not given or len(models) != len(given):
            self._find("access_models", shown(given), "one or more members of AccessModel")
        elif hookup is Hookup.PLUGIN and models == {AccessModel.DIRECT}:
            self._find("hookup", "PLUGIN with DIRECT alone", "FRAMEWORK: a direct LUN has nothing to hook up")
        return models

    def _check_traits(self) -> None:
        traits = self._read("traits", Traits)
        if isinstance(traits, Traits) and self._check_types("traits", traits):
            self._traits = traits
            for name, seconds in traits.completion_seconds.items():
                if name not in _ALL_METHODS or seconds <= 0:
                    found = f"{shown(name)}: {seconds}"
                    self._find("traits.completion_seconds", found, "a method and its seconds")

    def _check_choices(self, supported: frozenset[Capability]) -> None:
        """Compare traits with capabilities, when both could be read."""
        traits = self._traits
        if traits is None:
            return
        for name, capabilities in TRAITS.items():
            is_declared, is_needed = getattr(traits, name) is not None, not supported.isdisjoint(capabilities)
            words = " or ".join(capabilities)
            if is_needed and not is_declared:
                self._find(f"traits.{name}", "None", f"a choice, because {words} is supported")
            if is_declared and not is_needed:
                self._find(f"traits.{name}", shown(getattr(traits, name)), f"None without {words}")
        if traits.access_mechanism is not AccessMechanism.MASK and Capability.CHAP not in supported:
            self._find("traits.access_mechanism", shown(traits.access_mechanism), "mask without chap")

    def _check_limits(self) -> None:
        limits = self._read("limits", Limits)
        if not isinstance(limits, Limits) or not self._check_types("limits", limits):
            return
        if limits.rounded_up(limits.smallest_lun_bytes) > limits.largest_lun_bytes:
            self._find("limits.granularity_bytes", str(limits.granularity_bytes), "some size to remain possible")
        for name in _COUNTS:
            count: int | None = getattr(limits, name)
            if count is not None and count < 1:
                self._find(f"limits.{name}", str(count), "at least 1, or None for no limit")
        if limits.qos_smallest and limits.qos_largest:
            self._check_qos(limits.qos_smallest, limits.qos_largest)

    def _check_qos(self, smallest: QosPolicy, largest: QosPolicy) -> None:
        for name in ("min_iops", "max_iops", "burst_iops"):
            low, high = getattr(smallest, name), getattr(largest, name)
            if low is not None and high is not None and low > high:
                self._find(f"limits.qos_smallest.{name}", str(low), f"at most qos_largest's {high}")

    def _check_parameters(self) -> None:
        parameters = self._read("parameters", tuple)
        if not isinstance(parameters, tuple):
            return
        names: set[str] = set()
        for number, each in enumerate(parameters):
            member = f"parameters[{number}]"
            if not isinstance(each, Parameter):
                self._find(member, shown(each), "a Parameter")
            elif self._check_types(member, each):
                self._check_parameter(member, each)
                if each.name in names:
                    self._find(member, f"{each.name} again", "a name of its own")
                names.add(each.name)

    def _check_parameter(self, member: str, each: Parameter) -> None:
        rules = (
            (_PARAMETER_NAME.fullmatch(each.name) is None, "lower-case letters, digits and '_' in its name"),
            (each.secret and each.kind is not ParameterKind.TEXT, "kind TEXT for a secret"),
            (each.secret and (each.endpoint or each.ca_file), "a secret, or an endpoint or CA file"),
            (each.endpoint and each.kind not in {ParameterKind.URL, ParameterKind.TEXT}, "kind URL or TEXT"),
            (each.ca_file and each.kind is not ParameterKind.PATH, "kind PATH for a CA file"),
        )
        for is_broken, expected in rules:
            if is_broken:
                self._find(member, shown(each), expected)

    def _check_types(self, member: str, value: object) -> bool:
        """See by the codec that every field is of its type, since a dataclass does not look."""
        try:
            encode(value)
        except CodecError as problem:
            self._find(".".join((member, *problem.place)), *_halves(problem.reason))
            return False
        return True

    # Objects with methods

    def _check_driver(self, supported: frozenset[Capability]) -> None:
        driver = self._read_object("driver")
        if driver is _NOTHING:
            return
        needed = {DataStoreDriver, *(each for name in supported for each in PROTOCOLS.get(name, ()))}
        optional = {each for protocols in PROTOCOLS.values() for each in protocols} - needed
        for protocol in sorted(needed, key=_protocol_name):
            self._check_methods(driver, "driver.", methods_of(protocol))
        for protocol in sorted(optional, key=_protocol_name):
            self._check_methods(driver, "driver.", present_of(driver, protocol))

    def _check_lifecycle(self) -> None:
        lifecycle = self._read_object("lifecycle")
        if lifecycle is _NOTHING:
            return
        self._check_methods(lifecycle, "lifecycle.", methods_of(DataStoreLifeCycle))
        for protocol in _LIFECYCLE_EXTRAS:
            # Nothing declares these but their presence: one method brings its siblings.
            if present_of(lifecycle, protocol):
                self._check_methods(lifecycle, "lifecycle.", methods_of(protocol))

    def _check_optional(self, name: str, protocol: type) -> None:
        part = self._read_object(name)
        if part is not _NOTHING and part is not None:
            self._check_methods(part, f"{name}.", methods_of(protocol))

    def _read_object(self, name: str) -> object:
        part = self._read(name)
        if part is not _NOTHING and self._read(name) is not part:
            self._find(name, "another object each time", "the same object each time")
        return part

    def _check_methods(self, owner: object, prefix: str, methods: Mapping[str, Callable[..., object]]) -> None:
        for name, wanted in methods.items():
            expected = signature_of(wanted, is_bound=False)
            method = self._get(owner, name, prefix + name, f"a method {text_of(expected)}")
            if method is not _NOTHING:
                self._check_method(prefix + name, method, wanted, expected)

    def _check_method(
        self, member: str, method: object, wanted: Callable[..., object], expected: Signature | None
    ) -> None:
        if not callable(method):
            self._find(member, shown(method), f"a method {text_of(expected)}")
        elif inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
            hint = f"a synchronous method {text_of(expected)}; contract.adapters makes one of it"
            self._find(member, "an async function", hint)
        elif inspect.isgeneratorfunction(method) and not gives_iterator(wanted):
            self._find(member, "a generator", f"a method {text_of(expected)} that returns its answer")
        else:
            found = signature_of(method, is_bound=True)
            if found is None or expected is None or not fits(found, expected):
                self._find(member, text_of(found), text_of(expected))


def _protocol_name(protocol: type) -> str:
    return protocol.__name__


def _all_methods() -> Iterator[str]:
    yield from methods_of(DataStoreDriver)
    for protocols in PROTOCOLS.values():
        for each in protocols:
            yield from methods_of(each)
    for protocol in (DataStoreLifeCycle, *_LIFECYCLE_EXTRAS, HostListener, ImageStoreDriver):
        yield from methods_of(protocol)


_ALL_METHODS: Final = frozenset(_all_methods())


def _halves(reason: str) -> tuple[str, str]:
    found, _, expected = reason.partition("; expected ")
    return found.removeprefix("is "), expected or "a value of the field's type"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
