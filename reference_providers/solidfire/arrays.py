"""What every part of the plugin starts from: the cloud's context, and the array of a store."""

from __future__ import annotations

from contextlib import AbstractContextManager

from conformance.contract import DataStore, ObjectNotFound, ProviderContext, StoreRequest

from . import names
from .client import ElementClient
from .connections import Connections
from .connector import Connect
from .element import Element
from .objects import Account
from .parameters import login_of


class Arrays:
    """Opens arrays by the parameters of stores: each store brings its own address and credentials."""

    def __init__(self, connect: Connect) -> None:
        self._connections = Connections(connect)
        self._context: ProviderContext | None = None

    @property
    def context(self) -> ProviderContext:
        """The cloud's context."""
        if self._context is None:
            raise RuntimeError("configure() has not been called")
        return self._context

    def configure(self, context: ProviderContext) -> None:
        """Take the context."""
        self._context = context

    def of(self, request: StoreRequest) -> Element:
        """The array of a store."""
        return Element(ElementClient(login_of(request), self._connections, self.context))

    def lock_of_store(self, request: StoreRequest) -> AbstractContextManager[None]:
        """Held while room is looked for and taken."""
        return self.context.lock(f"solidfire-store-{request.uuid}")

    def lock_of_host(self, array_uuid: str, host_uuid: str) -> AbstractContextManager[None]:
        """Held while a host's group is made, changed or removed: all stores of an array share it."""
        return self.context.lock(f"solidfire-{array_uuid}-host-{host_uuid}")

    def lock_of_volume(self, uuid: str) -> AbstractContextManager[None]:
        """Held while a volume's snapshots are taken, gone back to, or looked at before it is deleted."""
        return self.context.lock(f"solidfire-volume-{uuid}")

    def close(self) -> None:
        """Let go of all connections."""
        self._connections.close()


class OnArrays:
    """What works on the arrays of stores."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    @property
    def context(self) -> ProviderContext:
        """The cloud's context."""
        return self._arrays.context


def account_id_of(element: Element, store: DataStore) -> int:
    """The store's account; `initialize` noted it."""
    noted = store.details.get("account_id", "")
    if noted.isdecimal():
        return int(noted)
    return account_named(element, store.request).account_id


def array_uuid_of(element: Element, store: DataStore) -> str:
    """Which array the store is on; `initialize` noted it."""
    return store.details.get("array_uuid") or element.facts().uuid


def account_named(element: Element, request: StoreRequest) -> Account:
    """The store's account, made when it is missing; call this under the store's lock."""
    username = names.of_store(request.uuid)
    account = element.find_account(username)
    if account is None:
        element.add_account(username, names.store_mark(request.uuid))
        account = element.find_account(username)
    if account is None:
        raise ObjectNotFound("account", username)
    return account
