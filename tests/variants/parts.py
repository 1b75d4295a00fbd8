"""Plugins without some of the parts: less is declared, and what is not declared is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    Capability,
    CapabilityNotSupported,
    InUse,
    Snapshot,
    StoreUpdate,
    Supported,
    Unsupported,
    Usage,
    ZoneAttachment,
)
from conformance.registration import NEEDS, PROTOCOLS, TRAITS
from conformance.signatures import methods_of
from reference_providers import solidfire
from tests.variants.wrapping import Variant, Wrapped, everywhere

_CLONES: Final = frozenset({Capability.VOLUME_FROM_SNAPSHOT, Capability.VOLUME_FROM_VOLUME, Capability.TEMPLATE_CACHE})
_EXTRAS: Final = frozenset({*methods_of(StoreUpdate), *methods_of(ZoneAttachment)})
_BARE: Final = frozenset({Capability.THIN, Capability.UNMAP, Capability.CHAP})


def without(plugin: Any, name: str, *left_out: Capability, extras: bool = True, listener: bool = True) -> Variant:
    """The plugin without these capabilities and what needs them, without their traits and methods."""
    needed_by = {each for each, base in NEEDS.items() if base in left_out}
    gone = {*left_out, *needed_by}
    kept = {each for each, answer in plugin.capabilities.items() if isinstance(answer, Supported)} - gone
    no_traits = {trait: None for trait, needing in TRAITS.items() if kept.isdisjoint(needing)}
    declared = {
        "name": name,
        "capabilities": {each: Supported() if each in kept else Unsupported("left out") for each in Capability},
        "traits": replace(plugin.traits, **no_traits),
        "limits": _limits(plugin, kept),
    }
    made = Variant(plugin, declared, without=_methods(gone) - _methods(kept) | (frozenset() if extras else _EXTRAS))
    made.host_listener = made.host_listener if listener else None
    return made


def _methods(capabilities: set[Capability]) -> frozenset[str]:
    protocols = (protocol for each in capabilities for protocol in PROTOCOLS.get(each, ()))
    return frozenset(name for each in protocols for name in methods_of(each))


def _limits(plugin: Any, kept: set[Capability]) -> Any:
    no_qos = {} if Capability.QOS in kept else {"qos_smallest": None, "qos_largest": None}
    no_snapshots = {} if Capability.SNAPSHOT in kept else {"snapshots_per_volume": None}
    return replace(plugin.limits, **no_qos, **no_snapshots)


def plain(connect: Any) -> Variant:
    """Only what every plugin has, and CHAP: nothing grows, nothing is copied, and it is not told of hosts."""
    plugin = solidfire.PROVIDER(connect=connect)
    made = without(plugin, "plain", *(set(Capability) - _BARE), extras=False, listener=False)
    made.driver = Bare(made.driver)
    return made


class Bare:
    """The methods of a driver that have to be there, without any other."""

    def __init__(self, driver: Any) -> None:
        self.create, self.delete = driver.create, driver.delete
        self.grant_access, self.revoke_access = driver.grant_access, driver.revoke_access
        self.connection, self.fence = driver.connection, driver.fence
        self.list_objects = driver.list_objects

    def used(self, store: Any) -> Usage:
        """Nothing is known of it."""
        return Usage(None, None)


def without_clones(connect: Any) -> Variant:
    """Takes snapshots and reverts to them, and clones nothing."""
    return without(solidfire.PROVIDER(connect=connect), "without-clones", *_CLONES)


def without_revert(connect: Any) -> Variant:
    """Takes snapshots and clones them, and reverts nothing."""
    return without(solidfire.PROVIDER(connect=connect), "without-revert", Capability.REVERT)


def clones_of_snapshots_only(connect: Any) -> Variant:
    """Clones snapshots, and no volumes."""
    plugin = solidfire.PROVIDER(connect=connect)
    asked = Capability.VOLUME_FROM_VOLUME

    def cloned(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if not isinstance(arguments[3], Snapshot):
            raise CapabilityNotSupported(asked, "snapshots are cloned, nothing else")
        return method(*arguments)

    made = without(plugin, "clones-of-snapshots-only", asked, Capability.TEMPLATE_CACHE)
    made.driver = Wrapped(made.driver, {"clone": cloned})
    return made


def clones_of_volumes_only(connect: Any) -> Variant:
    """Clones volumes, and takes no snapshots."""
    return without(solidfire.PROVIDER(connect=connect), "clones-of-volumes-only", Capability.SNAPSHOT)


def without_listener(connect: Any) -> Variant:
    """Does everything, and is not told of hosts."""
    return without(solidfire.PROVIDER(connect=connect), "without-listener", listener=False)


def without_update(connect: Any) -> Variant:
    """Does everything, and its stores stay as they were added: no new capacity, no zones."""
    return without(solidfire.PROVIDER(connect=connect), "without-update", extras=False)


def only_at_rest(connect: Any) -> Variant:
    """Grows volumes, and changes their QoS, only while no host has them."""
    plugin: Any = solidfire.PROVIDER(connect=connect)

    def at_rest(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, volume, *_ = arguments
        lun = plugin.driver.find_lun(store, volume)
        if lun is not None and (users := plugin.driver.holders(store, lun)):
            raise InUse(lun.external_id, tuple(sorted(users)))
        return method(*arguments)

    made = without(plugin, "only-at-rest", Capability.RESIZE_ONLINE, Capability.QOS_ONLINE)
    made.driver = Wrapped(made.driver, everywhere(at_rest, "resize", "set_qos"))
    return made
