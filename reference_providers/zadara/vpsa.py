"""The calls of the API that this plugin makes, typed. No decisions here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from conformance.contract import ChapCredentials, Iqn, ObjectNotFound, Secret

from .client import VpsaClient

GB: Final = 1 << 30
_MB: Final = 1 << 20

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Pool:
    """How much a pool has, and how much of it is promised to volumes."""

    name: str
    capacity_bytes: int
    provisioned_bytes: int


@dataclass(frozen=True, slots=True)
class Controller:
    """The way in for hosts."""

    target_iqn: Iqn
    address: str
    chap: ChapCredentials


@dataclass(frozen=True, slots=True)
class Lun:
    """A volume of the array; `comment` says what was asked for."""

    external_id: str
    name: str
    group: str
    gigabytes: int
    pool: str
    servers: tuple[str, ...]
    has_snapshots: bool
    comment: str

    @property
    def size_bytes(self) -> int:
        return self.gigabytes * GB


@dataclass(frozen=True, slots=True)
class Server:
    """A host's initiator as the array knows it; `lun_number` where it was asked for by volume."""

    server_id: str
    name: str
    iqn: str
    lun_number: int | None


@dataclass(frozen=True, slots=True)
class LunSnapshot:
    """A snapshot of a volume, by the volume's consistency group."""

    external_id: str
    name: str
    group: str
    size_bytes: int


class Vpsa:
    """One array's API."""

    def __init__(self, client: VpsaClient) -> None:
        self._client = client

    def in_any_case(self) -> Vpsa:
        """The same, also when the caller has given up."""
        return Vpsa(self._client.in_any_case())

    # the array

    def pools(self) -> Sequence[Pool]:
        return self._client.get("pools", _each("pools", _pool))

    def controller(self) -> Controller | None:
        """The active one."""
        found = self._client.get("vcontrollers", _each("vcontrollers", _active))
        return next((each for each in found if each is not None), None)

    # volumes

    def luns(self) -> Sequence[Lun]:
        return self._client.get("volumes", _each("volumes", _lun), showonlyblock="YES")

    def lun_named(self, name: str) -> Lun | None:
        found = self._client.get("volumes", _each("volumes", _lun), display_name=name)
        return next((each for each in found if each.name == name), None)

    def lun(self, external_id: str) -> Lun | None:
        try:
            return self._client.get(f"volumes/{external_id}", lambda answer: _lun(answer["volume"]))
        except ObjectNotFound:
            return None

    def create_lun(self, name: str, pool: str, gigabytes: int) -> None:
        form = {"name": name, "pool": pool, "capacity": str(gigabytes), "block": "YES", "thin": "YES"}
        self._client.post("volumes", {**form, "attachpolicies": "NO"})

    def grow_lun(self, lun: Lun, gigabytes: int) -> None:
        """By so much, not to so much."""
        self._client.post(f"volumes/{lun.external_id}/expand", {"capacity": str(gigabytes)})

    def rename_lun(self, lun: Lun, name: str) -> None:
        self._client.post(f"volumes/{lun.external_id}/rename", {"new_name": name})

    def comment_lun(self, lun: Lun, comment: str) -> None:
        self._client.post(f"volumes/{lun.external_id}/update_comment", {"new_comment": comment})

    def delete_lun(self, lun: Lun, *, with_snapshots: bool) -> None:
        """An absent one is success."""
        self._removed(f"volumes/{lun.external_id}", force="YES" if with_snapshots else "NO")

    # access

    def servers(self) -> Sequence[Server]:
        return self._client.get("servers", _each("servers", _server))

    def servers_of(self, lun: Lun) -> Sequence[Server]:
        return self._client.get(f"volumes/{lun.external_id}/servers", _each("servers", _server))

    def luns_of(self, server: Server) -> Sequence[Lun]:
        return self._client.get(f"servers/{server.server_id}/volumes", _each("volumes", _lun))

    def create_server(self, name: str, iqn: str) -> None:
        self._client.post("servers", {"display_name": name, "iqn": iqn})

    def delete_server(self, server: Server) -> None:
        """An absent one is success."""
        self._removed(f"servers/{server.server_id}")

    def attach(self, lun: Lun, server: Server) -> None:
        """Attached already is success."""
        self._client.post(f"servers/{server.server_id}/volumes", {"volume_name[]": lun.external_id})

    def detach(self, lun: Lun, server: Server) -> None:
        self._client.post(f"volumes/{lun.external_id}/detach", {"server_name[]": server.server_id, "force": "YES"})

    # snapshots and clones

    def snapshots(self) -> Sequence[LunSnapshot]:
        return self._client.get("snapshots", _each("snapshots", _snapshot))

    def snapshots_of(self, lun: Lun) -> Sequence[LunSnapshot]:
        return self._client.get(f"consistency_groups/{lun.group}/snapshots", _each("snapshots", _snapshot))

    def take_snapshot(self, lun: Lun, name: str) -> None:
        self._client.post(f"consistency_groups/{lun.group}/snapshots", {"display_name": name})

    def delete_snapshot(self, snapshot: LunSnapshot) -> None:
        self._client.delete(f"snapshots/{snapshot.external_id}")

    def clone(self, group: str, name: str, snapshot_id: str | None) -> None:
        """Of a snapshot, or of what a volume holds now."""
        self._client.post(
            f"consistency_groups/{group}/clone", {"name": name, **({"snapshot": snapshot_id} if snapshot_id else {})}
        )

    def _removed(self, path: str, **form: str) -> None:
        try:
            self._client.delete(path, **form)
        except ObjectNotFound:
            return


def _each(name: str, read: Callable[[Mapping[str, Any]], _Value]) -> Callable[[Any], list[_Value]]:
    return lambda answer: [read(each) for each in answer[name]]


def _pool(given: Mapping[str, Any]) -> Pool:
    return Pool(str(given["name"]), int(given["capacity"]) * GB, int(given["provisioned_capacity"]) * GB)


def _active(given: Mapping[str, Any]) -> Controller | None:
    if given["state"] != "active":
        return None
    chap = ChapCredentials(str(given["vpsa_chap_user"]), Secret(given["vpsa_chap_secret"]))
    return Controller(Iqn(given["target"]), str(given["iscsi_ipv6"] or given["iscsi_ip"]), chap)


def _lun(given: Mapping[str, Any]) -> Lun:
    return Lun(
        external_id=str(given["name"]),
        name=str(given["display_name"]),
        group=str(given["cg_name"]),
        gigabytes=int(given["virtual_capacity"]),
        pool=str(given["pool_name"]),
        servers=tuple(each for each in str(given["server_ext_names"] or "").split(",") if each),
        has_snapshots=given["has_snapshots"] == "YES",
        comment=str(given.get("comment") or ""),
    )


def _server(given: Mapping[str, Any]) -> Server:
    number = given.get("lun")
    return Server(
        str(given["name"]), str(given["display_name"]), str(given["iqn"]), None if number is None else int(number)
    )


def _snapshot(given: Mapping[str, Any]) -> LunSnapshot:
    size_bytes = int(given["volume_capacity_mb"]) * _MB
    return LunSnapshot(str(given["name"]), str(given["display_name"]), str(given["cg_name"]), size_bytes)
