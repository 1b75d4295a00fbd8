"""Plugins for arrays on which CHAP is otherwise: one account for everybody, or sessions that end with their secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.contract import ChapCredentials, ChapScope, DataStore, Host, StoreObject
from reference_providers import solidfire
from reference_providers.solidfire import access, luns, names
from reference_providers.solidfire.initiators import new_chap
from tests.variants.own_calls import OwnCalls
from tests.variants.wrapping import Around, Variant, Wrapped


class _OneAccount(OwnCalls):
    """All initiators of the plugin have the same name and secret."""

    def of(self, store: DataStore) -> tuple[list[int], list[ChapCredentials]]:
        """The initiators, and what they have."""
        ours = [each for each in self.element(store).initiators() if names.is_ours(each.attributes)]
        return [each.initiator_id for each in ours], [each.chap for each in ours if each.chap is not None]

    def agree(self, store: DataStore) -> None:
        """Give all what the oldest has; call this under the lock."""
        ids, chaps = self.of(store)
        if any(each != chaps[0] for each in chaps):
            self.element(store).set_chap(ids, chaps[0])


def one_account(connect: Any) -> Variant:
    """The array has one CHAP account, which every host is told."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = _OneAccount(plugin._arrays)

    def granted(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        with own.context.lock("the-one-account"):
            method(*arguments)
            own.agree(arguments[0])

    def rotated(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        store, target, host = arguments
        element = own.element(store)
        with own.context.lock("the-one-account"):
            access.group_of_holder(element, luns.get(element, store, target), host)
            element.set_chap(own.of(store)[0], new_chap(host))

    def refreshed(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        _, stores = arguments
        with own.context.lock("the-one-account"):
            method(*arguments)
            for store in stores if isinstance(stores, tuple | list) else [stores]:
                own.agree(store)

    around: dict[str, Around] = {"grant_access": granted, "rotate_chap": rotated}
    joining: Mapping[str, Around] = dict.fromkeys(("host_added", "host_connected", "host_enabled"), refreshed)
    traits = replace(plugin.traits, chap_scope=ChapScope.CONTROLLER)
    made = Variant(plugin, {"name": "one-account", "traits": traits}, driver=own.resumed(around))
    made.host_listener = Wrapped(plugin.host_listener, own.resumed(joining))
    return made


def dropping_sessions(connect: Any) -> Variant:
    """A session ends with the secret it was opened with."""
    plugin = solidfire.PROVIDER(connect=connect)
    own = OwnCalls(plugin._arrays)

    def rotated(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        method(*arguments)
        _end_sessions(own, *arguments)

    traits = replace(plugin.traits, rotation_drops_sessions=True)
    declared = {"name": "dropping-sessions", "traits": traits}
    return Variant(plugin, declared, driver=own.resumed({"rotate_chap": rotated}))


def _end_sessions(own: OwnCalls, store: DataStore, target: StoreObject, host: Host) -> None:
    element = own.element(store)
    iqns = {str(each) for each in host.iqns}
    for lun_id in {each.lun_id for each in element.sessions() if each.initiator_iqn in iqns}:
        lun = element.find_lun(lun_id)
        if lun is not None:
            access._end_sessions(element, lun, iqns)
