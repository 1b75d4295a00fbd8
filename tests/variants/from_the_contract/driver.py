"""The driver. Every method looks at the array first: nothing is remembered between two calls."""

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
VOLUME, TEMPLATE, SNAPSHOT = "volume", "template", "snapshot"
_KINDS = {VOLUME: c.ObjectKind.VOLUME, TEMPLATE: c.ObjectKind.TEMPLATE}


class OddDriver:
    """Everything but SHARED and quiesced snapshots."""

    def __init__(self, open_shelf: Open, ids: Any) -> None:
        self._open, self._ids = open_shelf, ids

    # ---- volumes -----------------------------------------------------------------------------------------------

    def create(self, store: c.DataStore, request: c.VolumeRequest, placement: c.Placement) -> c.Created:
        size = shape.lun_bytes(request.size_bytes)
        shape.check_qos(request.qos)
        return self._create(self._open(store.request), VOLUME, request, size)

    def _create(self, shelf: Shelf, kind: str, request: c.VolumeRequest, size: int) -> c.Created:
        def make(account: Json, marks: Json) -> Json:
            qos = self._wanted_qos(shelf, request.qos)
            said: Json = {"qos": qos} if qos else {}
            made = shelf.array.ask(
                "CreateVolume",
                once=True,
                name=f"odd{shape.digest(kind, shelf.uuid, request.uuid)}",
                accountID=account["accountID"],
                totalSize=size,
                enable512e=True,
                attributes=marks,
                **said,
            )
            return dict(made["volume"])

        return self._built(shelf, kind, request, "", size, make)

    def _built(
        self,
        shelf: Shelf,
        kind: str,
        request: c.VolumeRequest,
        source: str,
        size: int,
        make: Callable[[Json, Json], Json],
        finish: Callable[[Json], Json] = lambda row: row,
        check: Callable[[], None] = lambda: None,
    ) -> c.Created:
        """An owner's LUN, as it is or made now; a failure takes away what was made."""
        owner, account = request.uuid, shelf.account(kind, request.uuid)
        rows = [] if account is None else shelf.rows([account["accountID"]])
        row = next((each for each in rows if is_live(each)), None)
        if row is not None:
            self._compare(row, request, source)
            return self._created(finish(row))
        for each in rows:  # a delete was cut off
            shelf.remove(each)
        account = shelf.account(kind, owner) if rows else account
        check()
        if kind == VOLUME and shelf.state().get("off"):
            raise e.OddBusy(60.0, "the store takes no new volumes")
        marks = shelf.marks(kind, owner, ask=request.size_bytes, d=shape.fingerprint(request))
        if source:
            marks |= {"src": source, "mk": 1}
        home = account
        try:
            home = home or shelf.make_account(kind, owner)
            there = home
            row = shelf.make_row(kind, owner, there, lambda: make(there, marks))
            row = finish(row)
        except c.ProviderError as failure:
            self._clear(shelf, kind, owner, home, row)
            raise self._with_room(shelf, failure, size) from None
        return self._created(row)

    def _clear(self, shelf: Shelf, kind: str, owner: str, home: Json | None, row: Json | None) -> None:
        """Take away what a failed call made. After the deadline that is the caller's, who may have called again."""
        with shelf.array.unbroken(), suppress(c.ProviderError):
            home = home or shelf.account(kind, owner)
            if row is None and home is not None:
                row = next((each for each in shelf.rows([home["accountID"]]) if is_live(each)), None)
            if row is not None:
                shelf.reap(row)
            elif home is not None:
                shelf.drop_account(home["accountID"])

    def _with_room(self, shelf: Shelf, failure: c.ProviderError, size: int) -> c.ProviderError:
        if not isinstance(failure, c.CapacityExhausted):
            return failure
        left = None
        with suppress(c.ProviderError, LookupError, TypeError):
            space = shelf.array.ask("GetClusterCapacity")["clusterCapacity"]
            left = max(0, int(space["maxProvisionedSpace"]) - int(space["provisionedSpace"]))
        return e.OddFull(size, left)

    def _compare(self, row: Json, request: c.VolumeRequest, source: str) -> None:
        says = notes(row)
        if says.get("ask") != request.size_bytes:
            raise e.OddConflict(request.uuid, "size_bytes", says.get("ask"), request.size_bytes)
        if str(says.get("src", "")) != source:
            raise e.OddConflict(request.uuid, "source", says.get("src", "none"), source or "none")
        field = shape.differing(str(says.get("d", "")), shape.fingerprint(request))
        if field is not None:
            raise e.OddConflict(request.uuid, field, "another", getattr(request, field))

    def _created(self, row: Json) -> c.Created:
        return c.Created(
            self._ids.show(str(notes(row)["k"]), row["volumeID"]),
            row["totalSize"],
            c.LunIdentity(row["scsiNAADeviceID"]),
            details={"uuid": str(row.get("volumeUUID")), "made": str(row.get("createTime"))},
        )

    def _wanted_qos(self, shelf: Shelf, qos: c.QosPolicy) -> Json | None:
        if qos == c.QosPolicy():
            return None
        return shape.as_qos(shape.filled_qos(qos, shelf.array.ask("GetDefaultQoS")))

    def delete(self, store: c.DataStore, volume: c.Volume) -> None:
        self._delete(self._open(store.request), VOLUME, volume, may_be_granted=False)

    def _delete(self, shelf: Shelf, kind: str, target: c.Volume | c.CachedTemplate, *, may_be_granted: bool) -> None:
        with shelf.lock(kind, target.uuid):
            row = self._look(shelf, kind, target)
            if row is None:
                shelf.drop_empty(kind, target.uuid)
                return
            if is_live(row) and holders(row) and not may_be_granted:
                raise e.OddInUse(self._ids.show(kind, row["volumeID"]), tuple(shelf.sessions(row)))
            shelf.remove(row)

    def resize(self, store: c.DataStore, volume: c.Volume, size_bytes: int) -> c.Resized:
        shape.lun_bytes(size_bytes)
        shelf = self._open(store.request)
        with shelf.lock(VOLUME, volume.uuid):
            row = self._row(shelf, volume)
            size, now = shape.LIMITS.rounded_up(size_bytes), int(row["totalSize"])
            if size < now and not (size_bytes == notes(row).get("ask") and shape.lun_bytes(size_bytes) == now):
                raise e.OddInvalid("size_bytes", size_bytes, f"at least {now}")
            if size <= now:
                return c.Resized(now)
            try:
                grown = shelf.array.ask("ModifyVolume", volumeID=row["volumeID"], totalSize=size)["volume"]
            except c.CapacityExhausted as failure:
                raise self._with_room(shelf, failure, size - now) from None
            return c.Resized(int(grown["totalSize"]))

    def set_qos(self, store: c.DataStore, volume: c.Volume, qos: c.QosPolicy) -> None:
        shape.check_qos(qos)
        shelf = self._open(store.request)
        with shelf.lock(VOLUME, volume.uuid):
            row = self._row(shelf, volume)
            before = list(notes(row).get("m") or shape.values_of(row))
            wanted = [
                old if new is None else new
                for old, new in zip(before, (qos.min_iops, qos.max_iops, qos.burst_iops), strict=True)
            ]
            if wanted != sorted(wanted):
                raise e.OddInvalid("qos", f"{wanted}", "min_iops <= max_iops <= burst_iops, with what stays as it is")
            if wanted != shape.values_of(row) or "m" in notes(row):
                shelf.write(row, drop=["m"], qos=shape.as_qos(wanted))

    def begin_migration(self, store: c.DataStore, volume: c.Volume) -> None:
        shelf, most = self._open(store.request), shape.LIMITS.qos_largest
        assert most is not None
        with shelf.lock(VOLUME, volume.uuid):
            row = self._row(shelf, volume)
            if "m" in notes(row):
                return
            own = shape.values_of(row)
            tops = (most.min_iops or 0, most.max_iops or 0, most.burst_iops or 0)
            lifted = [max(pair) for pair in zip(own, tops, strict=True)]
            shelf.write(row, add={"m": own}, qos=shape.as_qos(lifted))

    def end_migration(self, store: c.DataStore, volume: c.Volume) -> None:
        shelf = self._open(store.request)
        with shelf.lock(VOLUME, volume.uuid):
            row = self._row(shelf, volume)
            own = notes(row).get("m")
            if own:
                shelf.write(row, drop=["m"], qos=shape.as_qos(list(own)))

    # ---- access ------------------------------------------------------------------------------------------------

    def grant_access(self, store: c.DataStore, target: c.StoreObject, host: c.Host) -> None:
        if isinstance(target, c.Snapshot):
            raise e.OddUnsupported("access to a snapshot", "clone it")
        if not host.iqns:
            raise e.OddInvalid("host.initiators", host.name, "an iSCSI initiator")
        shelf = self._open(store.request)
        with shelf.lock(_kind(target), target.uuid):
            row, tag = self._healed(shelf, self._row(shelf, target)), shape.holder_tag(host)
            have = holders(row)
            if tag in have and row["access"] != "locked":
                return
            if tag not in have and len(have) >= shape.MOST_HOLDERS:
                raise e.OddLimit("hosts of a LUN", shape.MOST_HOLDERS)

            def step() -> None:
                if notes(row).get("r"):
                    shelf.renew_secret(row)
                access = "locked" if shelf.state().get("maint") else "readWrite"
                change: Json = {} if row["access"] == access else {"access": access}
                held = {} if tag in have else {"h": "".join([*have, tag])}
                shelf.write(row, drop=["r"], add=held, **change)

            shelf.undone(row, step)

    def _healed(self, shelf: Shelf, row: Json) -> Json:
        """Finish taking access away where that was cut off."""
        if not (notes(row).get("r") and holders(row)):
            return row
        shelf.shut_out(row, set(), lambda _: False)
        return shelf.row(row["volumeID"]) or row

    def revoke_access(
        self, store: c.DataStore, target: c.StoreObject, host: c.Host, remaining_hosts: Sequence[c.Host]
    ) -> None:
        staying = {str(iqn) for each in remaining_hosts if each != host for iqn in each.iqns}
        self._shut_out(store, target, [host], lambda name: name in staying)

    def fence(self, store: c.DataStore, target: c.StoreObject, hosts: Sequence[c.Host]) -> None:
        self._shut_out(store, target, hosts, lambda _: False)

    def _shut_out(
        self, store: c.DataStore, target: c.StoreObject, hosts: Sequence[c.Host], is_staying: Callable[[str], bool]
    ) -> None:
        if isinstance(target, c.Snapshot):
            return
        shelf, kind = self._open(store.request), _kind(target)
        with shelf.lock(kind, target.uuid), suppress(c.ObjectNotFound):
            row = self._look(shelf, kind, target)
            if row is not None and is_live(row):
                shelf.shut_out(row, {shape.holder_tag(each) for each in hosts}, is_staying)

    def connection(self, store: c.DataStore, target: c.StoreObject, host: c.Host) -> c.BlockConnection:
        shelf = self._open(store.request)
        row, account = self._granted(shelf, target, host)
        if notes(row).get("r"):
            with shelf.lock(_kind(target), target.uuid):
                self._healed(shelf, self._row(shelf, target))
            row, account = self._granted(shelf, target, host)
        info = shelf.array.ask("GetClusterInfo")["clusterInfo"]
        chap = c.ChapCredentials(str(account["username"]), c.Secret(str(account["initiatorSecret"])))
        path = c.IscsiPath(c.Iqn(row["iqn"]), (_portal(str(info["svip"])),), 0, chap)
        return c.BlockConnection(c.LunIdentity(row["scsiNAADeviceID"]), row["totalSize"], (path,))

    def _granted(self, shelf: Shelf, target: c.StoreObject, host: c.Host) -> tuple[Json, Json]:
        if isinstance(target, c.Snapshot):
            raise e.OddNoAccess(target.external_id or target.uuid, host.uuid)
        row = self._row(shelf, target)
        if shape.holder_tag(host) not in holders(row):
            raise e.OddNoAccess(self._ids.show(_kind(target), row["volumeID"]), host.uuid)
        return row, shelf.array.ask("GetAccountByID", accountID=row["accountID"])["account"]

    def rotate_chap(self, store: c.DataStore, target: c.StoreObject, host: c.Host) -> None:
        shelf = self._open(store.request)
        with shelf.lock(_kind(target), target.uuid):
            row, _ = self._granted(shelf, target, host)
            shelf.renew_secret(self._healed(shelf, row))

    # ---- snapshots and clones ----------------------------------------------------------------------------------

    def take_snapshot(
        self, store: c.DataStore, volume: c.Volume, request: c.SnapshotRequest, *, quiesced: bool
    ) -> c.Created:
        if quiesced:
            raise e.OddUnsupported(c.Capability.QUIESCED_SNAPSHOT)
        shelf = self._open(store.request)
        with shelf.lock(VOLUME, volume.uuid):
            row = self._row(shelf, volume)
            number = row["volumeID"]

            def look() -> Json | None:
                return shelf.snapshot(request.uuid, None, known=False)

            def make() -> Json:
                mine = [each for each in shelf.snapshots(number) if shelf.owns(each)]
                most = shape.LIMITS.snapshots_per_volume
                if most is not None and len(mine) >= most:
                    raise e.OddLimit("snapshots of a volume", most)
                marks = shelf.marks(SNAPSHOT, request.uuid, vo=volume.uuid)
                name = f"odd{shape.digest(SNAPSHOT, shelf.uuid, request.uuid)}"
                made = shelf.array.ask("CreateSnapshot", once=True, volumeID=number, name=name, attributes=marks)
                return dict(made["snapshot"])

            found = look() or shelf.surely(make, look)
            if found["volumeID"] != number:
                raise e.OddConflict(request.uuid, "volume", found["volumeID"], number)
        said = {"uuid": str(found.get("snapshotUUID"))}
        return c.Created(self._ids.show(SNAPSHOT, found["snapshotID"]), found["totalSize"], details=said)

    def delete_snapshot(self, store: c.DataStore, snapshot: c.Snapshot) -> None:
        shelf = self._open(store.request)
        with shelf.lock(VOLUME, snapshot.volume_uuid):
            found = self._snapshot(shelf, snapshot)
            number = found["volumeID"] if found else self._ids.read(VOLUME, snapshot.volume_external_id)
            row = None if number is None else shelf.row(number)
            # It may be the last one of a volume that is only there for its snapshots.
            is_last = row is not None and row["status"] != "deleted" and bool(notes(row).get("gone"))
            if is_last:
                mine = None if found is None else found["snapshotID"]
                is_last = all(each["snapshotID"] == mine for each in shelf.snapshots(number))
            shelf.array.operation.check()
            with shelf.array.unbroken():
                if found is not None:
                    gone = ["xSnapshotIDDoesNotExist"]
                    shelf.array.ask("DeleteSnapshot", fine=gone, snapshotID=found["snapshotID"])
                if is_last and row is not None:
                    shelf.reap(row)

    def revert(self, store: c.DataStore, volume: c.Volume, snapshot: c.Snapshot) -> None:
        shelf = self._open(store.request)
        with shelf.lock(VOLUME, volume.uuid):
            row = self._row(shelf, volume)
            found = self._snapshot(shelf, snapshot)
            if found is None:
                raise e.OddMissing(SNAPSHOT, snapshot.external_id)
            if found["volumeID"] != row["volumeID"]:
                raise e.OddInvalid("snapshot", snapshot.external_id, "one of this volume")
            users = shelf.sessions(row)
            if users:
                raise e.OddInUse(self._ids.show(VOLUME, row["volumeID"]), tuple(users))
            numbers = {"volumeID": row["volumeID"], "snapshotID": found["snapshotID"]}
            shelf.array.ask("RollbackToSnapshot", saveCurrentState=False, **numbers)

    def clone(
        self,
        store: c.DataStore,
        request: c.VolumeRequest,
        placement: c.Placement,
        source: c.Snapshot | c.Volume | c.CachedTemplate,
    ) -> c.Created:
        shelf = self._open(store.request)
        return self._clone(shelf, shelf, request, source)

    def can_copy(self, source: c.DataStore, destination: c.DataStore) -> bool:
        here = source.details.get("cluster")
        return bool(here) and here == destination.details.get("cluster")

    def copy(
        self, source: c.DataStore, volume: c.Volume, destination: c.DataStore, request: c.VolumeRequest
    ) -> c.Created:
        if not self.can_copy(source, destination):
            raise e.OddInvalid("destination", destination.request.uuid, "a store on the same cluster")
        return self._clone(self._open(source.request), self._open(destination.request), request, volume)

    def _clone(
        self, here: Shelf, there: Shelf, request: c.VolumeRequest, source: c.Snapshot | c.Volume | c.CachedTemplate
    ) -> c.Created:
        shape.check_qos(request.qos)
        size = shape.lun_bytes(request.size_bytes)
        origin: Json = {}

        def check() -> None:
            if isinstance(source, c.Snapshot):
                found = self._snapshot(here, source)
                if found is None:
                    raise e.OddMissing(SNAPSHOT, source.external_id)
                origin.update(volumeID=found["volumeID"], snapshotID=found["snapshotID"])
            else:
                found = self._row(here, source)
                origin.update(volumeID=found["volumeID"])
            if size < int(found["totalSize"]):
                raise e.OddInvalid("size_bytes", request.size_bytes, f"at least {found['totalSize']}")

        def make(account: Json, marks: Json) -> Json:
            made = there.array.ask(
                "CloneVolume",
                once=True,
                name=f"odd{shape.digest(VOLUME, there.uuid, request.uuid)}",
                newAccountID=account["accountID"],
                newSize=size,
                access="readWrite",
                attributes=marks,
                **origin,
            )
            return dict(made["volume"])

        def finish(row: Json) -> Json:
            if not notes(row).get("mk"):
                return row
            row = self._ready(there, row)
            usual = there.array.ask("GetDefaultQoS")
            return there.write(row, drop=["mk"], qos=shape.as_qos(shape.filled_qos(request.qos, usual)))

        kind = SNAPSHOT if isinstance(source, c.Snapshot) else _kind(source)
        mark = shape.digest(kind, source.uuid)[:12]
        return self._built(there, VOLUME, request, mark, size, make, finish, check)

    def _ready(self, shelf: Shelf, row: Json) -> Json:
        """Wait until the array has filled a clone."""
        pause = 0.01
        while row["status"] != "active":
            shelf.array.operation.check()
            shelf.array.context.clock.sleep(pause)
            pause = min(0.5, pause * 1.5)
            seen = shelf.row(row["volumeID"])
            if seen is None or not is_live(seen):
                raise e.OddBusy(1.0, "the clone was taken away while it was made")
            row = seen
        return row

    # ---- templates ---------------------------------------------------------------------------------------------

    def seed_template(self, store: c.DataStore, uuid: str, template: c.Template, size_bytes: int) -> c.Created:
        size = shape.lun_bytes(size_bytes)
        request = c.VolumeRequest(uuid, template.checksum or "template", size_bytes)
        return self._create(self._open(store.request), TEMPLATE, request, size)

    def delete_template(self, store: c.DataStore, cached: c.CachedTemplate) -> None:
        self._delete(self._open(store.request), TEMPLATE, cached, may_be_granted=True)

    # ---- looking -----------------------------------------------------------------------------------------------

    def list_objects(self, store: c.DataStore) -> Sequence[c.OwnedObject]:
        shelf = self._open(store.request)
        rows, snapshots = shelf.array.at_once(lambda: list(shelf.everything()), shelf.snapshots)
        numbers = {each["volumeID"] for each in rows if each["status"] != "deleted"}
        found = [
            c.OwnedObject(
                _KINDS[notes(each)["k"]],
                self._ids.show(notes(each)["k"], each["volumeID"]),
                str(notes(each)["o"]),
                each["totalSize"],
            )
            for each in rows
            if is_live(each)
        ]
        found += [
            c.OwnedObject(
                c.ObjectKind.SNAPSHOT,
                self._ids.show(SNAPSHOT, each["snapshotID"]),
                str(notes(each)["o"]),
                each["totalSize"],
            )
            for each in snapshots
            if each["volumeID"] in numbers and shelf.owns(each)
        ]
        return found

    def used(self, store: c.DataStore) -> c.Usage:
        shelf = self._open(store.request)
        rows, stats = shelf.array.at_once(lambda: list(shelf.everything()), lambda: _written(shelf))
        iops = sum((notes(each).get("m") or shape.values_of(each))[0] for each in rows if is_live(each))
        return c.Usage(sum(stats.get(each["volumeID"], 0) for each in rows), iops)

    def volume_stats(self, store: c.DataStore, volume: c.Volume) -> c.VolumeStats:
        shelf = self._open(store.request)
        row = self._row(shelf, volume)
        stats = shelf.array.ask("GetVolumeStats", volumeID=row["volumeID"])["volumeStats"]
        blocks = stats.get("nonZeroBlocks")
        return c.VolumeStats(None if blocks is None else int(blocks) * 4096, int(row["totalSize"]))

    # ---- finding -----------------------------------------------------------------------------------------------

    def _look(self, shelf: Shelf, kind: str, target: Any) -> Json | None:
        """The target's LUN in whatever state."""
        known = target.external_id is not None
        number = self._ids.read(kind, target.external_id) if known else None
        return shelf.of_owner(kind, target.uuid, number, known=known)

    def _row(self, shelf: Shelf, target: Any) -> Json:
        """The target's LUN, if it is there for the cloud."""
        row = self._look(shelf, _kind(target), target)
        if row is None or not is_live(row):
            raise e.OddMissing(_kind(target), target.external_id or target.uuid)
        return row

    def _snapshot(self, shelf: Shelf, snapshot: c.Snapshot) -> Json | None:
        known = snapshot.external_id is not None
        number = self._ids.read(SNAPSHOT, snapshot.external_id) if snapshot.external_id is not None else None
        return shelf.snapshot(snapshot.uuid, number, known=known)


def _kind(target: c.StoreObject) -> str:
    if isinstance(target, c.CachedTemplate):
        return TEMPLATE
    return "backing" if isinstance(target, c.Backing) else SNAPSHOT if isinstance(target, c.Snapshot) else VOLUME


def _portal(svip: str) -> c.Portal:
    address, _, port = svip.partition(":") if svip.count(":") == 1 else (svip.strip("[]"), "", "")
    return c.Portal(address, int(port or 3260))


def _written(shelf: Shelf) -> dict[int, int]:
    """Bytes written to each volume on the array that is not deleted."""
    found = shelf.array.ask("ListVolumeStatsByVolume")["volumeStats"]
    return {int(each["volumeID"]): int(each.get("nonZeroBlocks") or 0) * 4096 for each in found}
