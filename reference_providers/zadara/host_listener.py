"""What the array has to know about hosts. Grants do not depend on it: a lost call means a late clean-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conformance.contract import DataStore, Host

from . import access
from .arrays import OnArrays
from .resume import resumable
from .vpsa import Vpsa


class ZadaraHostListener(OnArrays):
    """`HostListener`. A host gets its servers with its first LUN; here existing ones are kept right."""

    def host_added(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._on_each(stores, host, access.refresh)

    def host_connected(self, host: Host, store: DataStore) -> None:
        self._on_each([store], host, access.refresh)

    def host_disconnected(self, host: Host, store: DataStore) -> None:
        """It may come back: its grants stay."""

    def host_about_to_be_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._on_each(stores, host, access.forget)

    def host_removed(self, host: Host, stores: Sequence[DataStore]) -> None:
        # Events get lost; what the one before has done already is not done again.
        self._on_each(stores, host, access.forget)

    def host_enabled(self, host: Host, stores: Sequence[DataStore]) -> None:
        self._on_each(stores, host, access.refresh)

    def _on_each(self, stores: Sequence[DataStore], host: Host, act: Callable[[Vpsa, Host], None]) -> None:
        """Do it for every store, then raise the first error: one dead array must not hide the others."""
        failures: list[Exception] = []
        for store in stores:
            try:
                self._on(store, host, act)
            except Exception as failure:  # whatever it is, it is raised below
                failures.append(failure)
        if failures:
            raise failures[0]

    @resumable
    def _on(self, store: DataStore, host: Host, act: Callable[[Vpsa, Host], None]) -> None:
        with self._arrays.locks_of_hosts([host.uuid]):
            act(self._arrays.of(store.request), host)
