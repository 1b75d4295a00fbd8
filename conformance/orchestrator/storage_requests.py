"""What administrators ask of the cloud about primary storages in use."""

from __future__ import annotations

from dataclasses import replace

from .operations.cancel_maintain_storage import CancelMaintainStorage
from .operations.disable_storage import DisableStorage
from .operations.enable_storage import EnableStorage
from .operations.maintain_storage import MaintainStorage
from .operations.update_storage import UpdateStorage
from .requests import Requests
from .states import StoreState


class StorageRequests(Requests):
    """Maintain, disable and resize primary storages."""

    def maintain_storage(self, store_uuid: str) -> None:
        """Take a store out of use; refused while a VM that runs has a volume of it. In maintenance: success."""
        self._cloud.require_life_cycle("maintain")
        if self._cloud.store(store_uuid).state is not StoreState.MAINTENANCE:
            self._runner.run(MaintainStorage(self._cloud, store_uuid))

    def cancel_maintain_storage(self, store_uuid: str) -> None:
        """Take a store into use again, with the same data; in use: success."""
        self._cloud.require_life_cycle("cancel_maintain")
        if self._cloud.store(store_uuid).state is not StoreState.UP:
            self._runner.run(CancelMaintainStorage(self._cloud, store_uuid))

    def disable_storage(self, store_uuid: str) -> None:
        """Make no new volumes in a store; disabled already: success."""
        self._cloud.require_life_cycle("disable")
        if self._cloud.store(store_uuid).state is not StoreState.DISABLED:
            self._runner.run(DisableStorage(self._cloud, store_uuid))

    def enable_storage(self, store_uuid: str) -> None:
        """Make new volumes in a store again; enabled already: success."""
        self._cloud.require_life_cycle("enable")
        if self._cloud.store(store_uuid).state is not StoreState.UP:
            self._runner.run(EnableStorage(self._cloud, store_uuid))

    def update_storage(
        self, store_uuid: str, capacity_bytes: int | None = None, capacity_iops: int | None = None
    ) -> None:
        """Give a store another capacity; None leaves a value as it is."""
        self._cloud.require_life_cycle("update")
        request = self._cloud.store(store_uuid).request
        wanted = replace(
            request,
            capacity_bytes=request.capacity_bytes if capacity_bytes is None else capacity_bytes,
            capacity_iops=request.capacity_iops if capacity_iops is None else capacity_iops,
        )
        self._runner.run(UpdateStorage(self._cloud, store_uuid, wanted))
