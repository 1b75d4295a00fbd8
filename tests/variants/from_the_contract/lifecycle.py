"""The life cycle of a store, and what is done when hosts come and go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from conformance import contract as c

from . import errors as e
from . import shape
from .shelf import Shelf, holders, is_live, notes

Json = dict[str, Any]
Open = Callable[[c.StoreRequest], Shelf]
MODELS = frozenset({c.AccessModel.DEDICATED, c.AccessModel.DIRECT})


class OddLifeCycle:
    """A store is nothing on the array until it has volumes."""

    def __init__(self, open_shelf: Open, written: Callable[[c.DataStore], c.Usage]) -> None:
        self._open, self._used = open_shelf, written

    def initialize(self, request: c.StoreRequest) -> c.DataStore:
        if request.access_model not in MODELS:
            raise e.OddInvalid("access_model", str(request.access_model), "dedicated or direct")
        shelf = self._open(request)
        self._check(shelf, request)
        info = shelf.array.ask("GetClusterInfo")["clusterInfo"]
        return c.DataStore(request, {"cluster": str(info.get("uuid") or info["uniqueID"])})

    def _check(self, shelf: Shelf, request: c.StoreRequest) -> None:
        most = int(shelf.array.ask("GetClusterCapacity")["clusterCapacity"]["maxProvisionedSpace"])
        if not 0 < request.capacity_bytes <= most:
            raise e.OddInvalid("capacity_bytes", request.capacity_bytes, f"1 to {most}")
        if request.capacity_iops is not None and request.capacity_iops <= 0:
            raise e.OddInvalid("capacity_iops", request.capacity_iops, "more than 0, or nothing")

    def attach_cluster(self, store: c.DataStore, cluster: c.Cluster) -> Sequence[c.Backing]:
        return ()

    def detach_cluster(self, store: c.DataStore, cluster: c.Cluster) -> None:
        """Nothing was attached."""

    def attach_zone(self, store: c.DataStore, zone: c.Zone) -> Sequence[c.Backing]:
        return ()

    def delete_datastore(self, request: c.StoreRequest) -> None:
        shelf = self._open(request)
        accounts = shelf.accounts()
        for row in shelf.rows([each["accountID"] for each in accounts]):
            shelf.reap(row)
        for account in accounts:
            shelf.drop_account(account["accountID"])

    def update(self, store: c.DataStore, request: c.StoreRequest) -> c.DataStore:
        self._check(self._open(request), request)
        used = self._used(store).bytes or 0
        if request.capacity_bytes < used:
            raise e.OddInvalid("capacity_bytes", request.capacity_bytes, f"at least {used}")
        return c.DataStore(request, store.details)

    def enable(self, store: c.DataStore) -> None:
        self._open(store.request).set_state("off", on=False)

    def disable(self, store: c.DataStore) -> None:
        self._open(store.request).set_state("off", on=True)

    def maintain(self, store: c.DataStore) -> None:
        self._switch(self._open(store.request), on=True)

    def cancel_maintain(self, store: c.DataStore) -> None:
        self._switch(self._open(store.request), on=False)

    def _switch(self, shelf: Shelf, *, on: bool) -> None:
        """Set the store's mark, and let each volume be as it says; a failure sets all back."""
        was = bool(shelf.state().get("maint"))
        numbers = [each["volumeID"] for each in shelf.everything() if is_live(each)]
        done: list[int] = []
        shelf.array.operation.check()
        with shelf.array.unbroken():
            try:
                shelf.set_state("maint", on=on)
                for number in numbers:
                    done.append(number)
                    self._each(shelf, number, lambda now: self._reopen(shelf, now))
            except c.ProviderError:
                with suppress(c.ProviderError):
                    shelf.set_state("maint", on=was)
                    for number in reversed(done):
                        self._each(shelf, number, lambda now: self._reopen(shelf, now))
                raise

    def _reopen(self, shelf: Shelf, row: Json) -> None:
        if holders(row) or not notes(row).get("r"):  # nobody is left there: it is locked as it is
            shelf.open(row)

    def _each(self, shelf: Shelf, number: int, change: Callable[[Json], object]) -> None:
        row = shelf.row(number)
        if row is None or not is_live(row):
            return
        with shelf.lock(str(notes(row)["k"]), str(notes(row)["o"])):
            row = shelf.row(number)
            if row is not None and is_live(row):
                change(row)


class OddListener:
    """Hosts are nothing on the array: it knows who has access to what, by a mark of the host on the LUN."""

    def __init__(self, open_shelf: Open) -> None:
        self._open = open_shelf

    def host_added(self, host: c.Host, stores: Sequence[c.DataStore]) -> None:
        """Find out now, and not at its first volume, whether the array answers."""
        for store in stores:
            self._open(store.request).array.ask("GetAPI")

    def host_connected(self, host: c.Host, store: c.DataStore) -> None: ...

    def host_disconnected(self, host: c.Host, store: c.DataStore) -> None: ...

    def host_about_to_be_removed(self, host: c.Host, stores: Sequence[c.DataStore]) -> None:
        tag = shape.holder_tag(host)
        for store in stores:
            shelf = self._open(store.request)
            for row in shelf.everything():
                # Where access was being taken away, and that was cut off, it is finished.
                if not is_live(row) or not (tag in holders(row) or notes(row).get("r")):
                    continue
                with shelf.lock(str(notes(row)["k"]), str(notes(row)["o"])):
                    now = shelf.row(row["volumeID"])
                    if now is not None and is_live(now):
                        shelf.shut_out(now, {tag}, lambda _: False)

    def host_removed(self, host: c.Host, stores: Sequence[c.DataStore]) -> None: ...

    def host_enabled(self, host: c.Host, stores: Sequence[c.DataStore]) -> None: ...
