"""The life cycle: a store is its accounts on the array, and everything that belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from conformance.contract import (
    AccessModel,
    Backing,
    Cluster,
    Conflict,
    DataStore,
    InvalidRequest,
    ProviderContext,
    StoreRequest,
    Zone,
)

from . import access, luns, names, room, tenants
from .arrays import Arrays, account_named
from .element import Element
from .objects import Lun
from .resume import resumable


class SolidFireLifeCycle:
    """`DataStoreLifeCycle`, `ZoneAttachment` and `StoreUpdate`. `unhook` takes a LUN off the hypervisors."""

    def __init__(self, arrays: Arrays, access_models: Collection[AccessModel], unhook: Callable[[Lun], None]) -> None:
        self._arrays = arrays
        self._access_models = access_models
        self._unhook = unhook

    @property
    def context(self) -> ProviderContext:
        """The cloud's context."""
        return self._arrays.context

    @resumable
    def initialize(self, request: StoreRequest) -> DataStore:
        self._check_model(request)
        element = self._arrays.of(request)
        # Reads come first: whatever is wrong with the request is found before anything is made.
        array_uuid = element.facts().uuid
        _check_capacity(element, request)
        with self._arrays.lock_of_store(request):
            account = account_named(element, request)
        existing = account.attributes.get("store")
        if existing != request.uuid:
            raise Conflict(request.uuid, f"account {names.of_store(request.uuid)}", existing, request.uuid)
        return DataStore(request, {"array_uuid": array_uuid, "account_id": str(account.account_id)})

    def attach_cluster(self, store: DataStore, cluster: Cluster) -> Sequence[Backing]:
        return ()

    def detach_cluster(self, store: DataStore, cluster: Cluster) -> None:
        """Nothing was made by `attach_cluster`."""

    def attach_zone(self, store: DataStore, zone: Zone) -> Sequence[Backing]:
        return ()

    @resumable
    def update(self, store: DataStore, request: StoreRequest) -> DataStore:
        if request.uuid != store.request.uuid:
            raise InvalidRequest("uuid", request.uuid, f"the store's own: {store.request.uuid}")
        element = self._arrays.of(store.request)
        used = room.of_store(element, store.request.uuid)
        if request.capacity_bytes < (used.bytes or 0):
            raise InvalidRequest("capacity_bytes", request.capacity_bytes, f"at least the used {used.bytes}")
        if request.capacity_iops is not None and request.capacity_iops < (used.iops or 0):
            raise InvalidRequest("capacity_iops", request.capacity_iops, f"at least the used {used.iops}")
        return self.initialize(request)

    @resumable
    def delete_datastore(self, request: StoreRequest) -> None:
        element = self._arrays.of(request)
        for lun in luns.of_store(element, request.uuid):
            self._unhook(lun)
            luns.remove(element, lun)
        self._remove_unused_groups(element)
        # Accounts go last, the store's own after its tenants': as long as they are there, a repetition finds
        # the rest.
        for account in tenants.accounts_of(element, request.uuid):
            element.remove_account(account.account_id)

    def _remove_unused_groups(self, element: Element) -> None:
        unused = [each for each in element.groups() if names.is_ours(each.attributes) and not each.lun_ids]
        array_uuid = element.facts().uuid if unused else ""
        for group in unused:
            with self._arrays.lock_of_host(array_uuid, group.host_uuid):
                # Another store on this array may have granted something meanwhile.
                if not any(each.lun_ids for each in element.groups([group.group_id])):
                    access.remove_group(element, group)

    def _check_model(self, request: StoreRequest) -> None:
        if request.access_model not in self._access_models:
            expected = " or ".join(sorted(self._access_models))
            raise InvalidRequest("access_model", str(request.access_model), expected)
        if request.capacity_bytes <= 0:
            raise InvalidRequest("capacity_bytes", request.capacity_bytes, "a positive number of bytes")
        if request.capacity_iops is not None and request.capacity_iops <= 0:
            raise InvalidRequest("capacity_iops", request.capacity_iops, "a positive number, or none")


def _check_capacity(element: Element, request: StoreRequest) -> None:
    most_bytes = element.space().most_bytes
    if request.capacity_bytes > most_bytes:
        raise InvalidRequest("capacity_bytes", request.capacity_bytes, f"at most the array's {most_bytes}")
