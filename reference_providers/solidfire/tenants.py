"""Accounts: each tenant's volumes in a store belong to an account of that tenant and that store.

An array's own reports, quotas and lists go by account, so its administrator sees whose volumes are whose. What
belongs to no tenant, cached templates among it, is in the store's own account, which is also the mark that the
store is there. A tenant's account is made with the first volume and goes with the last one, deleted volumes
counting until they are purged, so that nothing is left of a tenant who has left; what a killed call forgets,
the next delete for that tenant takes, or the store's end.

Accounts let nobody in: CHAP is off for them, and hosts come in by their groups. All changes happen under the
store's lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from conformance.contract import (
    CapacityExhausted,
    Conflict,
    DataStore,
    InvalidRequest,
    LimitReached,
    ObjectNotFound,
    Tenant,
)

from . import names
from .arrays import account_id_of
from .element import Element
from .objects import Account

NO_TENANT: Final = "system"
"""The uuid of the contract's tenant for what belongs to none."""


@contextmanager
def account_of(element: Element, store: DataStore, tenant: Tenant) -> Iterator[int]:
    """The account in which a LUN is made; one that was opened for a LUN that is refused is closed again."""
    account_id = _opened(element, store, tenant)
    try:
        yield account_id
    except (CapacityExhausted, InvalidRequest, LimitReached):
        drop_unused(element, store, tenant)
        raise


def drop_unused(element: Element, store: DataStore, tenant: Tenant) -> None:
    """Close the tenant's account if no volume is left in it."""
    if tenant.uuid == NO_TENANT:
        return
    account = element.find_account(names.of_tenant(store.request.uuid, tenant.uuid))
    if account is not None and not account.lun_ids and _is_of(account, store, tenant):
        element.remove_account(account.account_id)


def accounts_of(element: Element, store_uuid: str) -> Sequence[Account]:
    """All of a store; its own comes last."""
    ours = (each for each in element.accounts() if names.is_of_store(each.attributes, store_uuid))
    return sorted(ours, key=lambda each: "tenant" not in each.attributes)


def ids_of(element: Element, store_uuid: str) -> Sequence[int]:
    """The numbers of all accounts of a store."""
    return [each.account_id for each in accounts_of(element, store_uuid)]


def _opened(element: Element, store: DataStore, tenant: Tenant) -> int:
    if tenant.uuid == NO_TENANT:
        return account_id_of(element, store)
    username = names.of_tenant(store.request.uuid, tenant.uuid)
    account = element.find_account(username)
    if account is None:
        element.add_account(username, names.tenant_mark(store.request.uuid, tenant.uuid))
        account = element.find_account(username)
    if account is None:
        raise ObjectNotFound("account", username)
    if not _is_of(account, store, tenant):
        raise Conflict(tenant.uuid, f"account {username}", "an account of others", "one of this plugin's")
    return account.account_id


def _is_of(account: Account, store: DataStore, tenant: Tenant) -> bool:
    marks = account.attributes
    return names.is_of_store(marks, store.request.uuid) and marks.get("tenant") == tenant.uuid
