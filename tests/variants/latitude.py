"""Plugins that do what the contract leaves to them, the other way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    Conflict,
    DataStore,
    InUse,
    ProviderError,
    Volume,
)
from reference_providers import solidfire
from reference_providers.solidfire import luns
from reference_providers.solidfire.element import qos_params
from reference_providers.solidfire.objects import Lun
from tests.variants.own_calls import OwnCalls
from tests.variants.wrapping import DRIVER_METHODS, LIFECYCLE_METHODS, Variant, everywhere

_LIFTED: Final = 15_000


def keeping_its_size(connect: Any) -> Variant:
    """Cannot make a LUN smaller: a revert leaves zeros behind the snapshot's end."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def reverted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, volume, _ = arguments
        before = luns.get(own.element(store), store, volume)
        noted = int(str(before.attributes.get("size_before_revert", before.size_bytes)))
        size_bytes = max(before.size_bytes, noted)
        # Written down first: what goes on after a kill still knows how large it was.
        _note(own, store, before, {"size_before_revert": str(size_bytes)})
        try:
            method(*arguments)
        finally:
            after = luns.get(own.element(store), store, volume)
            if after.size_bytes < size_bytes:
                after = own.element(store).grow_lun(after.lun_id, size_bytes)
            _note(own, store, after, {"size_before_revert": None})

    return Variant(plugin, {"name": "keeping-its-size"}, driver=own.resumed({"revert": reverted}))


def _note(own: OwnCalls, store: DataStore, lun: Lun, marks: dict[str, str | None]) -> None:
    noted = {name: value for name, value in {**lun.attributes, **marks}.items() if value is not None}
    own.element(store).set_lun_qos(lun.lun_id, {}, noted)


def reverting_granted(connect: Any) -> Variant:
    """Reverts what hosts have access to, as long as none of them is logged in."""
    plugin: Any = solidfire.PROVIDER(connect=connect)

    def reverted(_method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return plugin.driver.revert_lun(*arguments, despite_grants=True)

    return Variant(plugin, {"name": "reverting-granted"}, driver={"revert": reverted})


def strict(connect: Any) -> Variant:
    """Takes a request for another one whatever differs: name, tenant, provisioning."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def made(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, request, *_ = arguments
        there = luns.find(own.element(store), store, Volume(request, None, request.size_bytes))
        asked = f"{request.name}/{request.tenant.uuid}/{request.provisioning}"
        known = None if there is None else there.attributes.get("asked_otherwise")
        if known not in (None, asked):
            raise Conflict(request.uuid, "name, tenant or provisioning", known, asked)
        answer = method(*arguments)
        lun = luns.get(own.element(store), store, Volume(request, None, request.size_bytes))
        if lun.attributes.get("asked_otherwise") != asked:
            _note(own, store, lun, {"asked_otherwise": asked})
        return answer

    return Variant(plugin, {"name": "strict"}, driver=own.resumed(everywhere(made, "create", "clone")))


def with_own_errors(connect: Any) -> Variant:
    """Raises kinds of its own, each derived from one of the contract's, with as few facts as will do."""

    def spoken(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        try:
            return method(*arguments)
        except ProviderError as error:
            raise _own_kind(error) from error

    plugin = solidfire.PROVIDER(connect=connect)
    driver, lifecycle = everywhere(spoken, *DRIVER_METHODS), everywhere(spoken, *LIFECYCLE_METHODS, "update")
    return Variant(plugin, {"name": "with-own-errors"}, driver=driver, lifecycle=lifecycle)


def _own_kind(error: ProviderError) -> ProviderError:
    kind = type(error)
    if issubclass(kind, InUse):
        return _in_use(error)
    own = type(f"Acme{kind.__name__}", (kind,), {"_sentence": lambda self: f"ACME-4711: {kind._sentence(self)}"})
    made: ProviderError = own(*error.args)
    made.__dict__.update(error.__dict__)
    return made


def _in_use(error: InUse | ProviderError) -> InUse:
    return InUse(getattr(error, "external_id", ""))


def lifting_little(connect: Any) -> Variant:
    """Lifts a volume for a migration by a little: the array has no more to give."""
    plugin: Any = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def begun(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, volume = arguments
        before = luns.get(own.element(store), store, volume).qos
        method(*arguments)
        now = luns.get(own.element(store), store, volume)
        if (before.max_iops or 0) < _LIFTED < (now.qos.max_iops or 0):
            own.element(store).set_lun_qos(now.lun_id, qos_params(replace(now.qos, max_iops=_LIFTED)))

    def changed(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, volume, qos = arguments
        method(*arguments)
        now = luns.get(own.element(store), store, volume)
        # What a user asks for meanwhile may be more than the little.
        if (qos.max_iops or 0) > (now.qos.max_iops or 0):
            burst = max(qos.max_iops, now.qos.burst_iops or 0)
            lifted = replace(now.qos, max_iops=qos.max_iops, burst_iops=burst)
            own.element(store).set_lun_qos(now.lun_id, qos_params(lifted))

    driver = own.resumed({"begin_migration": begun, "set_qos": changed})
    return Variant(plugin, {"name": "lifting-little"}, driver=driver)
