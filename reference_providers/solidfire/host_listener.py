"""What the array has to know about hosts. Grants do not depend on it: a lost call means a late clean-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conformance.contract import DataStore, Host, ProviderContext

from . import access
from .arrays import Arrays, array_uuid_of
from .element import Element
from .initiators import refresh
from .resume import resumable


class SolidFireHostListener:
    """`HostListener`. A host gets its group with its first grant; here an existing one is kept right."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    @property
    def context(self) -> ProviderContext:
        """The cloud's context."""
        return self._arrays.context

    def host_added(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._on_each(stores, lambda store: self._refresh(store, host))

    def host_connected(self, host: Host, store: DataStore) -> None:
        self._refresh(store, host)

    def host_disconnected(self, host: Host, store: DataStore) -> None:
        """It may come back: its grants stay."""

    def host_about_to_be_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._on_each(stores, lambda store: self._forget(store, host))

    def host_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        # Events get lost; what the one before has done already is not done again.
        self._on_each(stores, lambda store: self._forget(store, host))

    def host_enabled(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._on_each(stores, lambda store: self._refresh(store, host))

    def _on_each(self, stores: Sequence[DataStore], action: Callable[[DataStore], None]) -> None:
        """Do it for every store, then raise the first error: one dead array must not hide the others."""
        failures: list[Exception] = []
        for store in stores:
            try:
                action(store)
            except Exception as failure:  # whatever it is, it is raised below
                failures.append(failure)
        if failures:
            raise failures[0]

    @resumable
    def _refresh(self, store: DataStore, host: Host) -> None:
        if not host.iqns:
            return
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_host(array_uuid_of(element, store), host.uuid):
            _refresh_known(element, host)

    @resumable
    def _forget(self, store: DataStore, host: Host) -> None:
        element = self._arrays.of(store.request)
        with self._arrays.lock_of_host(array_uuid_of(element, store), host.uuid):
            access.forget(element, host)


def _refresh_known(element: Element, host: Host) -> None:
    group = access.group_of(element, host)
    if group is not None:
        refresh(element, group, host)
