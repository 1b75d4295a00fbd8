"""What the machine of bytes asks of an array, by either management API. Sizes are bytes, ids the model's numbers."""

from __future__ import annotations

import itertools
import json
from typing import Any, Protocol
from urllib.parse import urlencode

from simulators.array.administrator import Administrator
from simulators.array.apis import APIS
from simulators.array.chance import SeededChance
from simulators.array.clones import CloneTime
from simulators.array.core import ArrayCore, ArraySize
from simulators.array.element_api.http import METHODS
from simulators.array.element_api.method import Scene
from simulators.array.element_api.parameters import Arguments
from simulators.array.limits import Limits
from simulators.array.lio_store import LioStore
from simulators.array.management import Addresses

HOST = "iqn.2000-01.org.example:host"
WHERE = Addresses("m", "s")
ADMINISTRATOR = Administrator("admin", "x", "key")


class Tongue(Protocol):
    """An API in use."""

    core: ArrayCore

    def create(self, size_bytes: int) -> int:
        """Make a volume."""
        ...

    def grow(self, number: int, size_bytes: int) -> None:
        """Give a volume this size."""
        ...

    def snapshot(self, number: int) -> int:
        """Keep a volume."""
        ...

    def forget(self, snapshot_id: int) -> None:
        """Delete a snapshot."""
        ...

    def clone(self, number: int, snapshot_id: int | None, size_bytes: int | None) -> int:
        """Begin to make a clone; a size that the API cannot give is ignored."""
        ...

    def delete(self, number: int) -> None:
        """Delete a volume, so that it can be purged."""
        ...

    def purge(self, number: int) -> None:
        """Purge a deleted volume."""
        ...

    def unit(self, number: int) -> Any:
        """A volume as an initiator sees it."""
        ...


class ElementTongue:
    """Methods by name."""

    def __init__(self, limits: Limits, clone_time: CloneTime, store: LioStore | None = None) -> None:
        size = ArraySize(limits=limits, clone_time=clone_time)
        self.core = ArrayCore(size=size, administrator=ADMINISTRATOR, chance=SeededChance("bytes"), store=store)
        self._scene = Scene(self.core.model, WHERE)
        self.call("AddAccount", username="tenant")

    def call(self, method: str, **params: object) -> Any:
        found = METHODS[method]
        with self.core.lock:
            return found.run(self._scene, Arguments(params, found.parameters))

    def create(self, size_bytes: int) -> int:
        return int(self.call("CreateVolume", name="v", accountID=1, totalSize=size_bytes, enable512e=True)["volumeID"])

    def grow(self, number: int, size_bytes: int) -> None:
        self.call("ModifyVolume", volumeID=number, totalSize=size_bytes)

    def snapshot(self, number: int) -> int:
        return int(self.call("CreateSnapshot", volumeID=number)["snapshotID"])

    def forget(self, snapshot_id: int) -> None:
        self.call("DeleteSnapshot", snapshotID=snapshot_id)

    def clone(self, number: int, snapshot_id: int | None, size_bytes: int | None) -> int:
        made = self.call("CloneVolume", volumeID=number, name="c", snapshotID=snapshot_id, newSize=size_bytes)
        return int(made["volumeID"])

    def delete(self, number: int) -> None:
        self.call("DeleteVolume", volumeID=number)

    def purge(self, number: int) -> None:
        self.call("PurgeDeletedVolume", volumeID=number)

    def unit(self, number: int) -> Any:
        return self.core.fabric.units(HOST, self.core.model.volumes.get(number).iqn)[0]


class VpsaTongue:
    """Requests by path; the recycle bin is on, and every volume is attached to the one server that there is."""

    def __init__(self, limits: Limits, store: LioStore | None = None) -> None:
        size = ArraySize(limits=limits, clone_time=CloneTime(calls=0), api=APIS["vpsa"])
        self.core = ArrayCore(size=size, administrator=ADMINISTRATOR, chance=SeededChance("bytes"), store=store)
        self._api = self.core.management(WHERE, list, lambda: None)
        self._names = itertools.count()
        self.ask("POST", "settings/set_recycle_bin", recyclebin="YES")
        self.ask("POST", "servers", display_name="host", iqn=HOST)

    def ask(self, verb: str, path: str, **form: object) -> Any:
        headers = {"X-Access-Key": ADMINISTRATOR.access_key}
        reply = self._api.answer(verb, f"/api/{path}.json", headers, urlencode(form).encode()).reply
        assert reply is not None
        answer = json.loads(reply.body)["response"]
        assert answer["status"] == 0, answer
        return answer

    def create(self, size_bytes: int) -> int:
        capacity = size_bytes // self.core.model.limits.size_granularity
        form = {"name": f"v{next(self._names)}", "capacity": capacity, "pool": "pool-00000001"}
        return self._attached(self.ask("POST", "volumes", **form)["vol_name"])

    def grow(self, number: int, size_bytes: int) -> None:
        more = size_bytes - self.core.model.volumes.get(number).size_bytes
        if more:
            capacity = more // self.core.model.limits.size_granularity
            self.ask("POST", f"volumes/volume-{number:08x}/expand", capacity=capacity)

    def snapshot(self, number: int) -> int:
        name = f"s{next(self._names)}"
        made = self.ask("POST", f"consistency_groups/cg-{number:08x}/snapshots", display_name=name)
        return int(made["snapshot_name"].removeprefix("snap-"), 16)

    def forget(self, snapshot_id: int) -> None:
        self.ask("DELETE", f"snapshots/snap-{snapshot_id:08x}")

    def clone(self, number: int, snapshot_id: int | None, size_bytes: int | None) -> int:
        form = {"name": f"c{next(self._names)}"}
        if snapshot_id is not None:
            form["snapshot"] = f"snap-{snapshot_id:08x}"
        return self._attached(self.ask("POST", f"consistency_groups/cg-{number:08x}/clone", **form)["vol_name"])

    def delete(self, number: int) -> None:
        self.ask("POST", f"volumes/volume-{number:08x}/detach", servers="srv-00000001")
        self.ask("DELETE", f"volumes/volume-{number:08x}", force="YES")

    def purge(self, number: int) -> None:
        self.ask("DELETE", f"volumes/volume-{number:08x}/delete_volume_from_recycle_bin")

    def unit(self, number: int) -> Any:
        target = self.core.model.volumes.get(number).iqn
        return self.core.fabric.units(HOST, target)[self.core.model.groups.get(1).volumes[number]]

    def _attached(self, name: str) -> int:
        self.ask("POST", "servers/srv-00000001/volumes", volume_name=name)
        return int(name.removeprefix("volume-"), 16)
