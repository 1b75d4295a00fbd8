"""The shortest plugin that conforms: one file to copy, for arrays with the SolidFire Element API.

The model is DEDICATED, so every volume is a LUN of its own; the hookup is FRAMEWORK, so the plugin speaks to
its array only. On the array a store is an account, a volume is a volume, and a host is a volume access group.

Three rules make it correct, and they are worth keeping when you put your own array in:

1. Look before you act. Any call may come twice, or come after one that was cut off in the middle. Every
method finds out what is there and does what is missing. 2. The array is the only memory. Another instance may
serve the next call, so owners' uuids are written into the objects' `attributes`, and names are made from
uuids. 3. Touch nothing that is not marked as yours, and take a lock around "is it there? then make it".
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from conformance.contract import (
    CONTRACT_VERSION,
    AccessGranularity,
    AccessMechanism,
    AccessModel,
    AccessNotGranted,
    Answer,
    ArrayUnreachable,
    AuthenticationFailed,
    Backing,
    BelowMinimum,
    BlockConnection,
    Busy,
    Capability,
    CapabilityNotSupported,
    CapacityExhausted,
    Cluster,
    Conflict,
    Created,
    DataStore,
    DeleteWhileGranted,
    Hookup,
    Host,
    InvalidRequest,
    Iqn,
    IscsiPath,
    LimitReached,
    Limits,
    LunIdentity,
    LunNumberScope,
    ObjectKind,
    ObjectNotFound,
    OwnedObject,
    Parameter,
    ParameterKind,
    Placement,
    Portal,
    ProviderContext,
    ProviderError,
    QosPolicy,
    SpaceAccounting,
    StoreObject,
    StoreRequest,
    Supported,
    Traits,
    Unsupported,
    Usage,
    Volume,
    VolumeRequest,
)

# What the plugin declares. Every capability gets an answer; an Unsupported says why.

MADE_BY: Final = "storage-conformance-minimal"
MIB: Final = 1 << 20
LIMITS: Final = Limits(
    smallest_lun_bytes=10**9,
    largest_lun_bytes=8_000_000_491_520,
    granularity_bytes=MIB,
    luns_per_host=2000,
    initiators_per_group=128,
    groups_per_lun=64,
)
TRAITS: Final = Traits(
    access_granularity=AccessGranularity.HOST,
    access_mechanism=AccessMechanism.MASK,
    lun_number_scope=LunNumberScope.TARGET,
    delete_while_granted=DeleteWhileGranted.REVOKES,
    below_minimum=BelowMinimum.REFUSED,
    space_accounting=SpaceAccounting.PROVISIONED,
    overprovisioning=False,
    name_rule="min-<40 hexadecimal digits of the uuid's SHA-256>",
)
CAPABILITIES: Final[Mapping[Capability, Answer]] = {
    each: Supported() if each is Capability.THIN else Unsupported("left out, to keep this plugin short")
    for each in Capability
}
PARAMETERS: Final = (
    Parameter("url", ParameterKind.URL, required=True, description="https://address[:port]", endpoint=True),
    Parameter("username", ParameterKind.TEXT, required=True, description="a cluster administrator"),
    Parameter("password", ParameterKind.TEXT, required=True, description="the password", secret=True),
    Parameter("ca_file", ParameterKind.PATH, required=False, description="trusted certificates", ca_file=True),
)

# The way to the array. The cloud may put something else in the place of `open_https`.


class HttpConnection(Protocol):
    """One connection; an `OSError` leaves open whether the request was carried out."""

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]: ...

    def close(self) -> None: ...


Connect = Callable[[str, str | None, bool, float], HttpConnection]
"""url, ca_file (None: the system's certificates), verify, timeout in seconds."""


class HttpsConnection:
    """`HttpConnection` of the standard library."""

    def __init__(self, connection: http.client.HTTPSConnection) -> None:
        self._connection = connection

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout)
        try:
            self._connection.request(method, path, body, dict(headers))
            response = self._connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as broken:
            raise ConnectionError("the answer broke off") from broken

    def close(self) -> None:
        self._connection.close()


def open_https(url: str, ca_file: str | None, verify: bool, timeout: float) -> HttpConnection:  # noqa: ARG001, FBT001
    """Connect; `verify` is always asked for by this plugin."""
    address = urlsplit(url)
    if address.scheme != "https":
        raise InvalidRequest("url", url, "an address that begins with https://")
    try:
        trust = ssl.create_default_context(cafile=ca_file)
    except OSError:
        raise InvalidRequest("ca_file", ca_file, "a readable file of certificates in PEM form") from None
    connection = http.client.HTTPSConnection(str(address.hostname), address.port or 443, timeout=timeout, context=trust)
    try:
        connection.connect()
    except UnicodeError:
        raise InvalidRequest("url", url, "a host name of legal labels") from None
    return HttpsConnection(connection)


class Array:
    """The array of a store, for the length of one call of the cloud."""

    def __init__(self, request: StoreRequest, connect: Connect, context: ProviderContext) -> None:
        self._url = _url_of(request)
        path = urlsplit(self._url).path.rstrip("/")
        self._path = path if "/json-rpc/" in path else f"{path}/json-rpc/12.0"
        self._headers = _headers_of(request)
        self._ca_file = request.parameters.get("ca_file") or None
        self._connect = connect
        self._context = context

    def __enter__(self) -> Array:
        try:
            self._connection = self._connect(self._url, self._ca_file, True, self._seconds())  # noqa: FBT003
        except ssl.SSLCertVerificationError:
            raise ArrayUnreachable(self._url, "its certificate is not trusted", retryable=False) from None
        except OSError as failure:
            raise ArrayUnreachable(self._url, f"no connection: {type(failure).__name__}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def call(self, method: str, *, ok: Sequence[str] = (), **params: object) -> dict[str, Any]:
        """Send one request. Errors named in `ok` are no errors: the answer is empty then."""
        self._context.operation().check()
        return self.call_anyway(method, ok=ok, **params)

    def call_anyway(self, method: str, *, ok: Sequence[str] = (), **params: object) -> dict[str, Any]:
        """As `call`, also when the cloud has given up: for what must not be left half done."""
        body = json.dumps({"method": method, "params": params, "id": 1}).encode()
        try:
            status, answer = self._connection.request("POST", self._path, self._headers, body, self._seconds())
        except OSError as failure:
            raise ArrayUnreachable(self._url, f"no answer: {type(failure).__name__}") from None
        if status in (401, 403):
            raise AuthenticationFailed("password", self._url)
        error, result = self._parsed(status, answer)
        name = str(error.get("name", "unnamed")) if error else ""
        if name and name not in ok:
            raise _contract_error(self._url, method, name, str(error.get("message", "")))
        return result

    def _parsed(self, status: int, answer: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            decoded = json.loads(answer)
            error, result = decoded.get("error", {}), decoded.get("result", {})
            if error.keys() or result.keys() or "result" in decoded:
                return error, result
            raise ValueError("neither error nor result")
        except (AttributeError, ValueError):
            raise ArrayUnreachable(self._url, f"HTTP status {status} and no answer in JSON") from None

    def _seconds(self) -> float:
        return min(60.0, max(1.0, self._context.operation().remaining_seconds))


def _url_of(request: StoreRequest) -> str:
    url = request.parameters.get("url", "")
    try:
        parts = urlsplit(url)
        is_usable = bool(parts.scheme and parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_usable = False
    if "@" in url:  # not repeated: it may hold a password
        raise InvalidRequest("url", "an address with credentials in it", "https://address[:port]")
    if not is_usable:
        raise InvalidRequest("url", url, "https://address[:port]")
    return url


def _headers_of(request: StoreRequest) -> Mapping[str, str]:
    username, password = request.parameters.get("username", ""), request.secrets.get("password")
    if not username:
        raise InvalidRequest("username", username, "the administrator's name")
    if password is None:
        raise InvalidRequest("password", None, "the administrator's password, among the secrets")
    pair = f"{username}:{password.reveal()}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _contract_error(url: str, method: str, name: str, message: str) -> ProviderError:
    if name in ("xDBConnectionLoss", "xNotPrimary", "xNotReadyForIO", "xSliceNotRegistered"):
        return Busy(2.0, f"{method}: {name}")
    if name == "xExceededLimit" and "maxProvisionedSpace" in message:
        return CapacityExhausted(0, None)
    if name == "xExceededLimit":
        return LimitReached(f"{method}: {message}", None)
    if name.endswith("DoesNotExist"):
        return ObjectNotFound(method, message)
    if name in ("xInvalidParameter", "xMissingParameter"):
        return InvalidRequest(method, name, message)
    return ArrayUnreachable(url, f"{method}: {name}: {message}")


# Names and marks. Element names are not unique and cost nothing: identity is in `attributes`.


def _name(uuid: str) -> str:
    return f"min-{hashlib.sha256(uuid.encode()).hexdigest()[:40]}"


def _is_ours(thing: Mapping[str, Any], **marks: str) -> bool:
    attributes = thing.get("attributes") or {}
    return all(attributes.get(key) == value for key, value in {"made_by": MADE_BY, **marks}.items())


def _volumes_of(array: Array, store: DataStore, target: StoreObject | VolumeRequest) -> Sequence[dict[str, Any]]:
    """The target's volumes on the array, oldest first: none, one, or two when a repeated create overtook itself.

    By id where there is one; by name after a lost create. Deleted ones that were not purged are among them.
    """
    external_id = getattr(target, "external_id", None)
    if external_id is None:
        found = array.call("ListVolumes", volumeName=_name(target.uuid))
    elif external_id.isascii() and external_id.isdecimal():
        # Not startVolumeID: that answers the next volume when this one is gone.
        found = array.call("ListVolumes", ok=["xVolumeIDDoesNotExist"], volumeIDs=[int(external_id)])
    else:
        return []
    mine = [each for each in found.get("volumes", ()) if _is_ours(each, store=store.request.uuid, owner=target.uuid)]
    return sorted(mine, key=lambda each: int(each["volumeID"]))


def _volume_of(array: Array, store: DataStore, target: StoreObject) -> dict[str, Any] | None:
    active = (each for each in _volumes_of(array, store, target) if each["status"] != "deleted")
    return next(active, None)


def _remove(array: Array, volume: Mapping[str, Any]) -> None:
    """Delete and purge: deleted volumes would stay for eight hours, and keep their space."""
    gone = ["xVolumeIDDoesNotExist"]
    array.call("DeleteVolume", ok=gone, volumeID=volume["volumeID"])
    array.call("PurgeDeletedVolume", ok=gone, volumeID=volume["volumeID"])


def _store_volumes(array: Array, store_uuid: str, account_id: int) -> list[dict[str, Any]]:
    found = array.call("ListVolumes", accounts=[account_id])
    return [each for each in found["volumes"] if _is_ours(each, store=store_uuid)]


class MinimalDriver:
    """`DataStoreDriver`."""

    def __init__(self, plugin: MinimalProvider) -> None:
        self._plugin = plugin

    def create(self, store: DataStore, request: VolumeRequest, placement: Placement) -> Created:
        if not LIMITS.smallest_lun_bytes <= request.size_bytes <= LIMITS.largest_lun_bytes:
            expected = f"{LIMITS.smallest_lun_bytes} to {LIMITS.largest_lun_bytes}"
            raise InvalidRequest("size_bytes", request.size_bytes, expected)
        if request.qos != QosPolicy():
            raise CapabilityNotSupported(Capability.QOS)
        # The lock makes "is it there?" and "is there room?" still true when the volume is made.
        with self._plugin.array(store.request) as array, self._plugin.lock(f"store-{store.request.uuid}"):
            volume = _existing(array, store, request)
            if volume is None:
                _make(array, store, request)
                # Not simply what that answered: a request that the network delivers twice makes two.
                volume = _existing(array, store, request)
        if volume is None:
            raise ObjectNotFound("volume", request.uuid)
        return Created(str(volume["volumeID"]), volume["totalSize"], LunIdentity(volume["scsiNAADeviceID"]))

    def delete(self, store: DataStore, volume: Volume) -> None:
        with self._plugin.array(store.request) as array:
            for each in _volumes_of(array, store, volume):
                if each["status"] != "deleted":
                    self._take_away(array, each, hosts=None)
                _remove(array, each)

    def grant_access(self, store: DataStore, target: StoreObject, host: Host) -> None:
        iqns = [str(each) for each in host.iqns]
        if not iqns:
            raise InvalidRequest("host.initiators", [str(each) for each in host.initiators], "at least one IQN")
        with self._plugin.array(store.request) as array, self._plugin.lock(f"host-{host.uuid}"):
            volume = _volume_of(array, store, target)
            if volume is None:
                raise ObjectNotFound("volume", target.external_id)
            if volume["access"] == "locked":  # a fence was cut off in the middle
                _unlock(array, volume)
            _let_in(array, volume, host, iqns)

    def revoke_access(self, store: DataStore, target: StoreObject, host: Host, remaining_hosts: Sequence[Host]) -> None:
        self.fence(store, target, [host])

    def fence(self, store: DataStore, target: StoreObject, hosts: Sequence[Host]) -> None:
        with self._plugin.array(store.request) as array:
            volume = _volume_of(array, store, target)
            if volume is not None:
                self._take_away(array, volume, hosts)
                _end_sessions(array, volume, {str(iqn) for host in hosts for iqn in host.iqns})

    def connection(self, store: DataStore, target: StoreObject, host: Host) -> BlockConnection:
        with self._plugin.array(store.request) as array:
            volume = _volume_of(array, store, target)
            if volume is None:
                raise ObjectNotFound("volume", target.external_id)
            iqns = {str(each) for each in host.iqns}
            group = _group_of(array, host)
            if group is None or volume["volumeID"] not in group["volumes"] or not iqns & set(group["initiators"]):
                raise AccessNotGranted(str(volume["volumeID"]), host.uuid)
            svip = array.call("GetClusterInfo")["clusterInfo"]["svip"]
        address, _, port = svip.partition(":") if svip.count(":") == 1 else (svip, "", "")
        path = IscsiPath(Iqn(volume["iqn"]), (Portal(address, int(port or 3260)),), lun_number=0)
        return BlockConnection(LunIdentity(volume["scsiNAADeviceID"]), volume["totalSize"], (path,))

    def list_objects(self, store: DataStore) -> Sequence[OwnedObject]:
        return [
            OwnedObject(ObjectKind.VOLUME, str(each["volumeID"]), each["attributes"]["owner"], each["totalSize"])
            for each in self._all(store)
        ]

    def used(self, store: DataStore) -> Usage:
        return Usage(bytes=sum(each["totalSize"] for each in self._all(store)), iops=None)

    def _all(self, store: DataStore) -> list[dict[str, Any]]:
        with self._plugin.array(store.request) as array:
            return _store_volumes(array, store.request.uuid, int(store.details["account_id"]))

    def _take_away(self, array: Array, volume: Mapping[str, Any], hosts: Sequence[Host] | None) -> None:
        """Take the volume out of the groups of these hosts (None: of all); with its last volume a group goes.

        Empty groups are looked at too: an earlier call may have been cut off after it had emptied one.
        """
        uuids = None if hosts is None else {each.uuid for each in hosts}
        for group in array.call("ListVolumeAccessGroups")["volumeAccessGroups"]:
            uuid = (group["attributes"] or {}).get("host")
            is_held = volume["volumeID"] in group["volumes"] and (uuids is None or uuid in uuids)
            if _is_ours(group) and (is_held or not group["volumes"]):
                with self._plugin.lock(f"host-{uuid}"):
                    _leave(array, group["volumeAccessGroupID"], volume["volumeID"])


def _existing(array: Array, store: DataStore, request: VolumeRequest) -> dict[str, Any] | None:
    """The volume an earlier call made; what interrupted ones left over is cleared away."""
    found = _volumes_of(array, store, request)
    active = [each for each in found if each["status"] != "deleted"]
    for each in found:
        if each not in active[:1]:
            _remove(array, each)
    if not active:
        return None
    asked = active[0]["attributes"].get("asked_bytes")
    if asked != str(request.size_bytes):
        raise Conflict(request.uuid, "size_bytes", asked, request.size_bytes)
    return active[0]


def _make(array: Array, store: DataStore, request: VolumeRequest) -> None:
    account_id = int(store.details["account_id"])
    used = sum(each["totalSize"] for each in _store_volumes(array, store.request.uuid, account_id))
    space = array.call("GetClusterCapacity")["clusterCapacity"]
    free = min(store.request.capacity_bytes - used, space["maxProvisionedSpace"] - space["provisionedSpace"])
    if LIMITS.rounded_up(request.size_bytes) > free:
        raise CapacityExhausted(LIMITS.rounded_up(request.size_bytes), max(0, free))
    marks = {"made_by": MADE_BY, "store": store.request.uuid, "owner": request.uuid}
    array.call(
        "CreateVolume",
        name=_name(request.uuid),
        accountID=account_id,
        totalSize=request.size_bytes,
        enable512e=True,
        attributes={**marks, "asked_bytes": str(request.size_bytes)},
    )


def _let_in(array: Array, volume: Mapping[str, Any], host: Host, iqns: list[str]) -> None:
    """Put the volume into the host's group, made when missing. An initiator can be in one group only."""
    group = _group_of(array, host)
    if group is None:
        made = array.call(
            "CreateVolumeAccessGroup",
            ok=["xExceededLimit"],  # one of the IQNs is in a group: in ours, if the request came twice
            name=_name(host.uuid),
            initiators=iqns,
            volumes=[volume["volumeID"]],
            attributes={"made_by": MADE_BY, "host": host.uuid},
        )
        group = made.get("volumeAccessGroup") or _group_of(array, host)
    if group is None:
        raise LimitReached("groups of the volume, or of the host's initiators", None)
    group_id = group["volumeAccessGroupID"]
    if set(group["initiators"]) != set(iqns):
        array.call(
            "ModifyVolumeAccessGroup",
            volumeAccessGroupID=group_id,
            initiators=iqns,
            deleteOrphanInitiators=True,
        )
    array.call(
        "AddVolumesToVolumeAccessGroup",
        ok=["xAlreadyInVolumeAccessGroup"],
        volumeAccessGroupID=group_id,
        volumes=[volume["volumeID"]],
    )


def _group_of(array: Array, host: Host) -> dict[str, Any] | None:
    groups = array.call("ListVolumeAccessGroups")["volumeAccessGroups"]
    return next((each for each in groups if _is_ours(each, host=host.uuid)), None)


def _leave(array: Array, group_id: int, volume_id: int) -> None:
    """Take a volume out of a group; with the last one the group goes, and its initiators."""
    gone = ["xNotInVolumeAccessGroup", "xVolumeAccessGroupIDDoesNotExist"]
    array.call("RemoveVolumesFromVolumeAccessGroup", ok=gone, volumeAccessGroupID=group_id, volumes=[volume_id])
    _drop_if_empty(array, group_id)


def _drop_if_empty(array: Array, group_id: int) -> None:
    left = array.call("ListVolumeAccessGroups", volumeAccessGroups=[group_id])["volumeAccessGroups"]
    if left and not left[0]["volumes"]:
        array.call(
            "DeleteVolumeAccessGroup",
            ok=["xVolumeAccessGroupIDDoesNotExist"],
            volumeAccessGroupID=group_id,
            deleteOrphanInitiators=True,
        )


def _end_sessions(array: Array, volume: Mapping[str, Any], iqns: set[str]) -> None:
    """Lock the volume if a session is left: that ends all, and hosts that still have access log in again."""
    sessions = array.call("ListISCSISessions")["sessions"]
    is_left = any(each["volumeID"] == volume["volumeID"] and each["initiatorName"].lower() in iqns for each in sessions)
    try:
        if is_left:
            array.call("ModifyVolume", volumeID=volume["volumeID"], access="locked")
    finally:
        if is_left or volume["access"] == "locked":
            _unlock(array, volume)


def _unlock(array: Array, volume: Mapping[str, Any]) -> None:
    array.call_anyway("ModifyVolume", volumeID=volume["volumeID"], access="readWrite")


class MinimalLifeCycle:
    """`DataStoreLifeCycle`. A store is an account, which nobody logs in with."""

    def __init__(self, plugin: MinimalProvider) -> None:
        self._plugin = plugin

    def initialize(self, request: StoreRequest) -> DataStore:
        if request.access_model is not AccessModel.DEDICATED:
            raise InvalidRequest("access_model", str(request.access_model), str(AccessModel.DEDICATED))
        with self._plugin.array(request) as array, self._plugin.lock(f"store-{request.uuid}"):
            most = array.call("GetClusterCapacity")["clusterCapacity"]["maxProvisionedSpace"]
            if not 0 < request.capacity_bytes <= most:
                raise InvalidRequest("capacity_bytes", request.capacity_bytes, f"1 to {most}")
            account = self._account(array, request)
            if not account:
                array.call(
                    "AddAccount",
                    ok=["xDuplicateUsername"],  # networks deliver a request twice
                    username=_name(request.uuid),
                    enableChap=False,
                    attributes={"made_by": MADE_BY, "store": request.uuid},
                )
                account = self._account(array, request)
        return DataStore(request, {"account_id": str(account["account"]["accountID"])})

    def attach_cluster(self, store: DataStore, cluster: Cluster) -> Sequence[Backing]:
        return ()

    def detach_cluster(self, store: DataStore, cluster: Cluster) -> None:
        pass

    def delete_datastore(self, request: StoreRequest) -> None:
        with self._plugin.array(request) as array:
            account = self._account(array, request)
            if not account:
                return
            account_id = account["account"]["accountID"]
            for volume in _store_volumes(array, request.uuid, account_id):
                _remove(array, volume)
            self._drop_empty_groups(array)
            # The account goes last: while it is there, a repeated call finds the rest.
            array.call("RemoveAccount", ok=["xAccountIDDoesNotExist"], accountID=account_id)

    def _drop_empty_groups(self, array: Array) -> None:
        for group in array.call("ListVolumeAccessGroups")["volumeAccessGroups"]:
            if _is_ours(group) and not group["volumes"]:
                with self._plugin.lock(f"host-{group['attributes']['host']}"):
                    _drop_if_empty(array, group["volumeAccessGroupID"])

    @staticmethod
    def _account(array: Array, request: StoreRequest) -> dict[str, Any]:
        return array.call("GetAccountByName", ok=["xUnknownAccount"], username=_name(request.uuid))


class MinimalProvider:
    """`DataStoreProvider`: what is declared above, and the two parts."""

    name: Final = "minimal"
    version: Final = "0.1.0"
    contract_version: Final = CONTRACT_VERSION
    capabilities: Final = CAPABILITIES
    traits: Final = TRAITS
    limits: Final = LIMITS
    access_models: Final = frozenset({AccessModel.DEDICATED})
    hookup: Final = Hookup.FRAMEWORK
    parameters: Final = PARAMETERS
    host_listener: Final = None
    image_store_driver: Final = None

    def __init__(self, *, connect: Connect = open_https) -> None:
        self._connect = connect
        self.driver: Final = MinimalDriver(self)
        self.lifecycle: Final = MinimalLifeCycle(self)

    def configure(self, context: ProviderContext) -> None:
        self._context = context

    def close(self) -> None:
        pass  # connections do not outlive the call they were opened for

    def array(self, request: StoreRequest) -> Array:
        """The array that the store's parameters name."""
        return Array(request, self._connect, self._context)

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Excludes all instances of this plugin."""
        return self._context.lock(f"minimal-{name}")


PROVIDER = MinimalProvider
