"""A plugin for an array without masking: each volume has a CHAP account of its own, and whoever knows it gets in.

The hosts that were told are noted with the LUN. Who leaves takes what it knows along, so the secret is replaced then;
the sessions of those that stay go on, and each new login asks for the secret anew. Who is still logged in when it is
shut out is cut off with everybody else.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from conformance.contract import (
    AccessMechanism,
    AccessNotGranted,
    BlockConnection,
    CachedTemplate,
    CapabilityNotSupported,
    ChapCredentials,
    ChapScope,
    DataStore,
    Host,
    InUse,
    IscsiPath,
    LimitReached,
    Secret,
    Snapshot,
    StoreObject,
)
from reference_providers import solidfire
from reference_providers.solidfire import luns, names
from reference_providers.solidfire.client import nothing
from reference_providers.solidfire.element import Element
from reference_providers.solidfire.initiators import iqns_of
from reference_providers.solidfire.objects import Lun
from tests.variants.own_calls import OwnCalls
from tests.variants.wrapping import Around, Variant

_HOLDERS: Final = "holders"
_MOST_HOSTS: Final = 12
"""Their uuids are in the LUN's attributes, which have 1000 bytes."""


class _ByAccount(OwnCalls):
    """Access by the accounts of volumes."""

    def granted(self, _method: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        store, target, host = arguments
        iqns_of(host)
        _check_presentable(target)
        element = self.element(store)
        with self.arrays.lock_of_volume(target.uuid):
            lun = luns.get(element, store, target)
            if len({*_holders(lun), host.uuid}) > _MOST_HOSTS:
                raise LimitReached("groups_per_lun", _MOST_HOSTS)
            if lun.is_locked:
                element.unlock_lun(lun.lun_id)
            account_id = _account_id_of(element, store, lun)
            if lun.account_id != account_id:
                _call(element, "ModifyVolume", volumeID=lun.lun_id, accountID=account_id)
            _note(element, lun, {*_holders(lun), host.uuid})
            _call(element, "ModifyAccount", accountID=account_id, enableChap=True)

    def reached(self, _method: Callable[..., Any], arguments: tuple[Any, ...]) -> BlockConnection:
        store, target, host = arguments
        _check_presentable(target)
        element = self.element(store)
        lun = luns.get(element, store, target)
        if host.uuid not in _holders(lun):
            raise AccessNotGranted(lun.external_id, host.uuid)
        account = _account(element, lun)
        chap = ChapCredentials(account["username"], Secret(account["initiatorSecret"]))
        path = IscsiPath(lun.target_iqn, (element.facts().portal,), 0, chap)
        return BlockConnection(lun.identity, lun.size_bytes, (path,))

    def revoked(self, _method: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        store, target, host, _ = arguments
        self._shut_out(store, target, [host])

    def fenced(self, _method: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._shut_out(*arguments)

    def _shut_out(self, store: DataStore, target: StoreObject, hosts: Sequence[Host]) -> None:
        element = self.element(store)
        with self.arrays.lock_of_volume(target.uuid):
            lun = luns.find(element, store, target)
            if lun is None or not _holders(lun):
                return
            leaving = {each.uuid for each in hosts}
            iqns = {str(iqn) for each in hosts for iqn in each.iqns}
            is_in = any(each.lun_id == lun.lun_id and each.initiator_iqn in iqns for each in element.sessions())
            staying = _holders(lun) - leaving
            if staying == _holders(lun) and not is_in:
                return
            _call(element, "ModifyAccount", accountID=lun.account_id, initiatorSecret=_new(), enableChap=bool(staying))
            if is_in:
                element.lock_lun(lun.lun_id)
                element.unlock_lun(lun.lun_id)
            _note(element, lun, staying)

    def rotated(self, _method: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        store, target, host = arguments
        element = self.element(store)
        with self.arrays.lock_of_volume(target.uuid):
            lun = luns.get(element, store, target)
            if host.uuid not in _holders(lun):
                raise AccessNotGranted(lun.external_id, host.uuid)
            _call(element, "ModifyAccount", accountID=lun.account_id, initiatorSecret=_new())

    def kept(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Not while a host has access."""
        store, target, *_ = arguments
        lun = luns.find(self.element(store), store, target)
        if lun is not None and _holders(lun):
            raise InUse(lun.external_id, tuple(sorted(_holders(lun))))
        return method(*arguments)

    def deleted(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        store, target = arguments
        self.kept(method, arguments)
        element = self.element(store)
        account = element.find_account(_username(store, target.uuid, isinstance(target, CachedTemplate)))
        if account is not None and not account.lun_ids:
            element.remove_account(account.account_id)


def _check_presentable(target: StoreObject) -> None:
    if isinstance(target, Snapshot):
        raise CapabilityNotSupported("access to a snapshot", "grant a clone of it")


def _username(store: DataStore, uuid: str, is_template: bool) -> str:
    return f"{'t' if is_template else 'v'}-{store.request.uuid[-12:]}-{uuid}"[:64]


def _account_id_of(element: Element, store: DataStore, lun: Lun) -> int:
    """The LUN's own account, made when it is missing; it lets nobody in before somebody is granted."""
    username = _username(store, lun.owner_uuid, lun.kind == "template")
    account = element.find_account(username)
    if account is None:
        element.add_account(username, {**names.store_mark(store.request.uuid), "tenant": f"of volume {lun.owner_uuid}"})
        account = element.find_account(username)
    assert account is not None
    return account.account_id


def _account(element: Element, lun: Lun) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = element._client.call(
        "GetAccountByID", {"accountID": lun.account_id}, lambda result: result["account"]
    )
    return answer


def _call(element: Element, method: str, **params: object) -> None:
    element._client.call(method, params, nothing)


def _holders(lun: Lun) -> frozenset[str]:
    return frozenset(str(lun.attributes.get(_HOLDERS, "")).split())


def _note(element: Element, lun: Lun, holders: Collection[str]) -> None:
    if frozenset(holders) != _holders(lun):
        element.set_lun_qos(lun.lun_id, {}, {**lun.attributes, _HOLDERS: " ".join(sorted(holders))})


def _new() -> str:
    return secrets.token_urlsafe(12)


def chap_alone(connect: Any) -> Variant:
    """No host is masked; each volume has a secret."""
    plugin = solidfire.PROVIDER(connect=connect)
    by = _ByAccount(plugin._arrays)
    around: dict[str, Around] = {
        "grant_access": by.granted,
        "connection": by.reached,
        "revoke_access": by.revoked,
        "fence": by.fenced,
        "rotate_chap": by.rotated,
        "delete": by.deleted,
        "delete_template": by.deleted,
        "revert": by.kept,
    }
    traits = replace(plugin.traits, access_mechanism=AccessMechanism.CHAP, chap_scope=ChapScope.VOLUME)
    limits = replace(plugin.limits, groups_per_lun=_MOST_HOSTS, initiators_per_group=None, luns_per_host=None)
    declared = {"name": "chap-alone", "traits": traits, "limits": limits}
    made = Variant(plugin, declared, driver=by.resumed(around))
    made.host_listener = None
    return made
