"""The calls of the Element API that keep and multiply data, typed: snapshots, rollbacks, clones. No decisions here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .client import ElementClient, nothing

_NO_LUN: Final = frozenset({"xVolumeIDDoesNotExist"})
_NO_SNAPSHOT: Final = frozenset({"xSnapshotIDDoesNotExist"})
# Older releases have the second name for it.
_NO_JOB: Final = frozenset({"xAsyncHandleDoesNotExist", "xDBNoSuchPath"})


@dataclass(frozen=True, slots=True)
class LunSnapshot:
    """A LUN as it was at one moment; the size is the LUN's at that moment."""

    snapshot_id: int
    lun_id: int
    size_bytes: int
    attributes: Mapping[str, object]

    @property
    def external_id(self) -> str:
        """The id as the cloud keeps it."""
        return str(self.snapshot_id)

    @property
    def owner_uuid(self) -> str:
        """The snapshot's uuid; empty when this plugin did not make it."""
        return str(self.attributes.get("owner", ""))


@dataclass(frozen=True, slots=True)
class Origin:
    """What a clone is made of: a LUN as it is, or as a snapshot of it kept it."""

    lun_id: int
    snapshot_id: int | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class CloneJob:
    """A clone that the array has begun: the LUN is listed at once, and holds its bytes when the job is done."""

    handle: int
    lun_id: int


class Copies:
    """What one array keeps and clones."""

    def __init__(self, client: ElementClient) -> None:
        self._client = client

    def snapshot(self, snapshot_id: int) -> LunSnapshot | None:
        """By id."""
        found = self._client.call_unless(_NO_SNAPSHOT, "ListSnapshots", {"snapshotID": snapshot_id}, _read_all)
        return next((each for each in found or () if each.snapshot_id == snapshot_id), None)

    def snapshots_of(self, lun_id: int) -> Sequence[LunSnapshot]:
        """A LUN's, also while it waits to be purged; oldest first."""
        found = self._client.call_unless(_NO_LUN, "ListSnapshots", {"volumeID": lun_id}, _read_all) or ()
        return sorted((each for each in found if each.lun_id == lun_id), key=lambda each: each.snapshot_id)

    def snapshots(self) -> Sequence[LunSnapshot]:
        """All that the array has: the API lists them by LUN or all together."""
        return self._client.call("ListSnapshots", {}, _read_all)

    def take_snapshot(self, lun_id: int, name: str, attributes: Mapping[str, object]) -> None:
        params = {"volumeID": lun_id, "name": name, "attributes": attributes}
        self._client.call("CreateSnapshot", params, nothing)

    def delete_snapshot(self, snapshot_id: int) -> None:
        self._client.call_unless(_NO_SNAPSHOT, "DeleteSnapshot", {"snapshotID": snapshot_id}, nothing)

    def roll_back(self, lun_id: int, snapshot_id: int) -> None:
        """What the LUN holds now is lost; all snapshots stay."""
        params = {"volumeID": lun_id, "snapshotID": snapshot_id, "saveCurrentState": False}
        self._client.call("RollbackToSnapshot", params, nothing)

    def clone(
        self, origin: Origin, name: str, account_id: int, size_bytes: int, attributes: Mapping[str, object]
    ) -> CloneJob:
        """It has the origin's QoS, and is in none of its groups."""
        params = {
            "volumeID": origin.lun_id,
            "name": name,
            "newAccountID": account_id,
            "newSize": size_bytes,
            "access": "readWrite",
            "enable512e": True,
            "attributes": attributes,
            **({} if origin.snapshot_id is None else {"snapshotID": origin.snapshot_id}),
        }
        return self._client.call("CloneVolume", params, _read_job)

    def job_of(self, lun_id: int) -> int | None:
        """The job that fills a LUN, whoever began it; None when its end has been told already."""
        handles = self._client.call("ListAsyncResults", {"asyncResultTypes": ["Clone"]}, _read_jobs)
        return next((each.handle for each in handles if each.lun_id == lun_id), None)

    def failure_of(self, handle: int) -> Exception | None:
        """What a job failed with. The first answer that tells a job's end is also the last that the array gives."""
        error = self._client.call_unless(_NO_JOB, "GetAsyncResult", {"asyncHandle": handle}, _read_failure)
        return self._client.refused("CloneVolume", error) if error else None


def _read_all(result: Mapping[str, Any]) -> list[LunSnapshot]:
    return [
        LunSnapshot(
            snapshot_id=int(entry["snapshotID"]),
            lun_id=int(entry["volumeID"]),
            size_bytes=int(entry["totalSize"]),
            attributes=dict(entry.get("attributes") or {}),
        )
        for entry in result["snapshots"]
    ]


def _read_job(result: Mapping[str, Any]) -> CloneJob:
    return CloneJob(int(result["asyncHandle"]), int(result["volumeID"]))


def _read_jobs(result: Mapping[str, Any]) -> list[CloneJob]:
    # What a job is about is not told of every kind.
    about = [(int(entry["asyncResultID"]), entry.get("data") or {}) for entry in result["asyncHandles"]]
    return [CloneJob(handle, int(data.get("volumeID") or 0)) for handle, data in about]


def _read_failure(result: Mapping[str, Any]) -> object:
    return result.get("error") if str(result["status"]) == "complete" else None
