"""The shortest plugin that conforms: one file to copy, for arrays with the SolidFire Element API (docs/tutorial.md).

A store is an account, a volume is a volume and a LUN, a host is a volume access group. Look before you act: any call
may come twice, or after one that was cut off. The array is the only memory: owners' uuids are in `attributes`. Touch
nothing that is not marked as yours, and take a lock around "is it there? then make it".
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, Final
from urllib.parse import urlsplit

from conformance import contract as c

Json = dict[str, Any]
Send = Callable[[str, str, str | None, Mapping[str, str], bytes, float], tuple[int, bytes]]
"""method, url, ca_file (None: the system's certificates), headers, body, seconds -> HTTP status and body."""
MADE_BY: Final = "storage-conformance-minimal"
LIMITS: Final = c.Limits(
    smallest_lun_bytes=10**9, largest_lun_bytes=8_000_000_491_520, granularity_bytes=1 << 20, groups_per_lun=64
)


def send_https(
    method: str, url: str, ca_file: str | None, headers: Mapping[str, str], body: bytes, seconds: float
) -> tuple[int, bytes]:
    """Send one request. An `OSError` leaves open whether it was carried out."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise c.InvalidRequest("url", url, "an address that begins with https://")
    try:
        trust = ssl.create_default_context(cafile=ca_file)
    except OSError:
        raise c.InvalidRequest("ca_file", ca_file, "a readable file of certificates in PEM form") from None
    with closing(http.client.HTTPSConnection(parts.netloc, timeout=seconds, context=trust)) as connection:
        connection.request(method, parts.path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()


class Array:
    """The array that a store's parameters name."""

    def __init__(self, request: c.StoreRequest, send: Send, context: c.ProviderContext) -> None:
        self._url, self._ca_file = request.parameters["url"], request.parameters.get("ca_file")
        self._send, self._context = send, context
        self.lock = context.lock  # exclusive across every instance of the plugin
        username, password = request.parameters["username"], request.secrets.get("password")
        if not re.fullmatch(r"[a-z]+://([\w.-]+|\[[\w:]+\])(:\d+)?(/[\w./-]*)?", self._url):
            raise c.InvalidRequest("url", "not shown", "https://address[:port]/path, without a password in it")
        if not username or password is None:
            raise c.InvalidRequest("password" if username else "username", None, "an administrator's")
        pair = f"{username}:{password.reveal()}".encode()
        self._headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def call(self, method: str, *, ok: Sequence[str] = (), **params: object) -> Json:
        """Call a method of the API. Errors named in `ok` are no errors: the answer is empty then."""
        body = json.dumps({"method": method, "params": params, "id": 1}).encode()
        seconds = max(1.0, self._context.operation().remaining_seconds)
        try:
            status, answer = self._send("POST", self._url, self._ca_file, self._headers, body, seconds)
            if status in (401, 403):
                raise c.AuthenticationFailed("password", self._url)
            reply = json.loads(answer)
            if "error" not in reply:
                return {**reply["result"]}
            name, message = str(reply["error"]["name"]), str(reply["error"]["message"])
        except (OSError, http.client.HTTPException, LookupError, TypeError, ValueError) as failure:
            may_pass, reason = not isinstance(failure, ssl.SSLCertVerificationError), type(failure).__name__
            raise c.ArrayUnreachable(self._url, f"no answer to {method}: {reason}", retryable=may_pass) from None
        if name not in ok:
            raise failure_of(method, name, message)
        return {}

    def account(self, request: c.StoreRequest) -> dict[str, str]:
        """What a store keeps of its account; empty when there is none."""
        found = self.call("GetAccountByName", ok=["xUnknownAccount"], username=f"min-{request.uuid}")
        return {"account_id": str(found["account"]["accountID"])} if found else {}

    def volumes(self, store: c.DataStore, target: c.StoreObject | c.VolumeRequest | None = None) -> list[Json]:
        """The store's volumes or one owner's, oldest first; also those that are deleted and still keep their space."""
        gone, account_id = ["xAccountIDDoesNotExist"], int(store.details["account_id"])
        found = self.call("ListVolumes", ok=gone, accounts=[account_id]).get("volumes", [])
        marks = {"store": store.request.uuid} | ({"owner": target.uuid} if target else {})
        known = getattr(target, "external_id", None)
        return [each for each in found if is_ours(each, **marks) and known in (None, str(each["volumeID"]))]

    def live(self, store: c.DataStore, target: c.StoreObject | c.VolumeRequest) -> list[Json]:
        """The owner's volume, in a list that is empty when it is not there or deleted."""
        return [each for each in self.volumes(store, target) if each["status"] != "deleted"]

    def groups(self, **marks: str) -> list[Json]:
        """The access groups of this plugin, each of one host."""
        return [each for each in self.call("ListVolumeAccessGroups")["volumeAccessGroups"] if is_ours(each, **marks)]

    def shut_out(self, volume: Json, host_uuids: Iterable[str]) -> None:
        """Take a volume from hosts. The group of no volume goes, and its initiators."""
        for uuid in host_uuids:
            with self.lock(f"host-{uuid}"):
                for group in self.groups(host=uuid):
                    left, number = {*group["volumes"]} - {volume["volumeID"]}, group["volumeAccessGroupID"]
                    if left:
                        self.call("ModifyVolumeAccessGroup", volumeAccessGroupID=number, volumes=sorted(left))
                    else:
                        self.call("DeleteVolumeAccessGroup", volumeAccessGroupID=number, deleteOrphanInitiators=True)

    def remove(self, volume: Json) -> None:
        """Take a volume from every host, and off the array: deleted ones would keep their space for eight hours."""
        holding = [each for each in self.groups() if volume["volumeID"] in each["volumes"]]
        self.shut_out(volume, [each["attributes"]["host"] for each in holding])
        for method in ("DeleteVolume", "PurgeDeletedVolume"):
            self.call(method, ok=["xVolumeIDDoesNotExist"], volumeID=volume["volumeID"])


def is_ours(thing: Json, **marks: str) -> bool:
    """Whether this plugin made it, with these marks: names are not unique on the array."""
    return {"made_by": MADE_BY, **marks}.items() <= (thing["attributes"] or {}).items()


def failure_of(method: str, name: str, message: str) -> c.ProviderError:
    """An error of the API in the words of the contract."""
    if name.startswith("xDB") or name in ("xNotPrimary", "xNotReadyForIO", "xRecvTimeout", "xSliceNotRegistered"):
        return c.Busy(2.0, f"{method}: {name}")
    if name == "xExceededLimit":
        return c.CapacityExhausted(0, None) if "maxProvisionedSpace" in message else c.LimitReached(message, None)
    return c.ObjectNotFound(method, message) if "NotExist" in name else c.InvalidRequest(method, name, message)


class MinimalDriver:
    """`DataStoreDriver`. `connect` gives the array that a store's parameters name."""

    def __init__(self, connect: Callable[[c.StoreRequest], Array]) -> None:
        self._connect = connect

    def create(self, store: c.DataStore, request: c.VolumeRequest, placement: c.Placement) -> c.Created:
        if not LIMITS.smallest_lun_bytes <= request.size_bytes <= LIMITS.largest_lun_bytes:
            raise c.InvalidRequest("size_bytes", request.size_bytes, "a size within the declared limits")
        if request.qos != c.QosPolicy():
            raise c.CapabilityNotSupported(c.Capability.QOS)
        array, size = self._connect(store.request), LIMITS.rounded_up(request.size_bytes)
        account, asked = int(store.details["account_id"]), str(request.size_bytes)
        marks = {"made_by": MADE_BY, "store": store.request.uuid, "owner": request.uuid, "asked": asked}
        wanted: Json = {"name": f"min-{request.uuid}", "totalSize": size, "enable512e": True, "attributes": marks}
        with array.lock(f"store-{store.request.uuid}"):
            made, space = array.live(store, request), array.call("GetClusterCapacity")["clusterCapacity"]
            left = store.request.capacity_bytes - sum(each["totalSize"] for each in array.volumes(store))
            free = min(left, space["maxProvisionedSpace"] - space["provisionedSpace"])
            if not made and size > free:
                raise c.CapacityExhausted(size, max(0, free))
            volume = made[0] if made else array.call("CreateVolume", accountID=account, **wanted)["volume"]
        if volume["attributes"]["asked"] != asked:
            raise c.Conflict(request.uuid, "size_bytes", volume["attributes"]["asked"], asked)
        return c.Created(str(volume["volumeID"]), volume["totalSize"], c.LunIdentity(volume["scsiNAADeviceID"]))

    def delete(self, store: c.DataStore, volume: c.Volume) -> None:
        array = self._connect(store.request)
        for each in array.volumes(store, volume):
            array.remove(each)

    def grant_access(self, store: c.DataStore, target: c.StoreObject, host: c.Host) -> None:
        array, iqns = self._connect(store.request), [str(each) for each in host.iqns]
        if not iqns:
            raise c.InvalidRequest("host.initiators", host.name, "at least one IQN")
        with array.lock(f"host-{host.uuid}"):
            volume, groups = self._volume(array, store, target), array.groups(host=host.uuid)
            if volume["access"] == "locked":  # a fence was cut off in the middle
                array.call("ModifyVolume", volumeID=volume["volumeID"], access="readWrite")
            held = sorted({volume["volumeID"]}.union(*(each["volumes"] for each in groups)))
            wanted: Json = {"initiators": iqns, "volumes": held}
            if groups:
                wanted |= {"volumeAccessGroupID": groups[0]["volumeAccessGroupID"], "deleteOrphanInitiators": True}
                array.call("ModifyVolumeAccessGroup", **wanted)
            else:
                marks = {"made_by": MADE_BY, "host": host.uuid}
                array.call("CreateVolumeAccessGroup", name=f"min-{host.uuid}", attributes=marks, **wanted)

    def connection(self, store: c.DataStore, target: c.StoreObject, host: c.Host) -> c.BlockConnection:
        array, iqns = self._connect(store.request), {str(each) for each in host.iqns}
        volume, groups = self._volume(array, store, target), array.groups(host=host.uuid)
        if not any(volume["volumeID"] in each["volumes"] and iqns & {*each["initiators"]} for each in groups):
            raise c.AccessNotGranted(str(volume["volumeID"]), host.uuid)
        svip = str(array.call("GetClusterInfo")["clusterInfo"]["svip"])
        address, _, port = svip.partition(":") if svip.count(":") == 1 else (svip, "", "")
        path = c.IscsiPath(c.Iqn(volume["iqn"]), (c.Portal(address, int(port or 3260)),), lun_number=0)
        return c.BlockConnection(c.LunIdentity(volume["scsiNAADeviceID"]), volume["totalSize"], (path,))

    def _volume(self, array: Array, store: c.DataStore, target: c.StoreObject) -> Json:
        for each in array.live(store, target):
            return each
        raise c.ObjectNotFound("volume", target.external_id)

    def revoke_access(
        self, store: c.DataStore, target: c.StoreObject, host: c.Host, remaining_hosts: Sequence[c.Host]
    ) -> None:
        self.fence(store, target, [host])

    def fence(self, store: c.DataStore, target: c.StoreObject, hosts: Sequence[c.Host]) -> None:
        array, iqns = self._connect(store.request), {str(iqn) for each in hosts for iqn in each.iqns}
        for volume in array.live(store, target):
            array.shut_out(volume, [each.uuid for each in hosts])
            sessions = array.call("ListISCSISessions")["sessions"]
            left = {each["initiatorName"].lower() for each in sessions if each["volumeID"] == volume["volumeID"]}
            if left & iqns or volume["access"] == "locked":
                for access in ("locked", "readWrite"):  # ends all sessions; who still has access logs in again
                    array.call("ModifyVolume", volumeID=volume["volumeID"], access=access)

    def list_objects(self, store: c.DataStore) -> Sequence[c.OwnedObject]:
        return [
            c.OwnedObject(c.ObjectKind.VOLUME, str(each["volumeID"]), each["attributes"]["owner"], each["totalSize"])
            for each in self._connect(store.request).volumes(store)
        ]

    def used(self, store: c.DataStore) -> c.Usage:
        volumes = self._connect(store.request).volumes(store)
        return c.Usage(bytes=sum(each["totalSize"] for each in volumes), iops=None)


class MinimalLifeCycle:
    """`DataStoreLifeCycle`. A store is an account, which nobody logs in with."""

    def __init__(self, connect: Callable[[c.StoreRequest], Array]) -> None:
        self._connect = connect

    def initialize(self, request: c.StoreRequest) -> c.DataStore:
        array = self._connect(request)
        most = array.call("GetClusterCapacity")["clusterCapacity"]["maxProvisionedSpace"]
        if not 0 < request.capacity_bytes <= most:
            raise c.InvalidRequest("capacity_bytes", request.capacity_bytes, f"1 to {most}")
        with array.lock(f"store-{request.uuid}"):
            if not array.account(request):
                marks = {"made_by": MADE_BY, "store": request.uuid}
                array.call("AddAccount", username=f"min-{request.uuid}", enableChap=False, attributes=marks)
            return c.DataStore(request, array.account(request))

    def attach_cluster(self, store: c.DataStore, cluster: c.Cluster) -> Sequence[c.Backing]:
        return ()

    def detach_cluster(self, store: c.DataStore, cluster: c.Cluster) -> None: ...

    def delete_datastore(self, request: c.StoreRequest) -> None:
        array = self._connect(request)
        account = array.account(request)
        if account:
            for each in array.volumes(c.DataStore(request, account)):
                array.remove(each)
            # The account goes last: while it is there, a repeated call finds the rest.
            array.call("RemoveAccount", ok=["xAccountIDDoesNotExist"], accountID=int(account["account_id"]))


class MinimalProvider:
    """`DataStoreProvider`: what the plugin declares, with an answer for every capability, and its two parts."""

    name: Final = "minimal"
    version: Final = "0.1.0"
    contract_version: Final = c.CONTRACT_VERSION
    capabilities: Final = {each: c.Unsupported("left out, to be short") for each in c.Capability}
    traits: Final = c.Traits(
        access_granularity=c.AccessGranularity.HOST,
        access_mechanism=c.AccessMechanism.MASK,
        lun_number_scope=c.LunNumberScope.TARGET,
        delete_while_granted=c.DeleteWhileGranted.REVOKES,
        below_minimum=c.BelowMinimum.REFUSED,
        space_accounting=c.SpaceAccounting.PROVISIONED,
        overprovisioning=False,
        name_rule="min-<uuid>",
    )
    limits: Final = LIMITS
    access_models: Final = frozenset({c.AccessModel.DEDICATED})
    hookup: Final = c.Hookup.FRAMEWORK
    parameters: Final = (
        c.Parameter("url", c.ParameterKind.URL, required=True, description="where the API answers", endpoint=True),
        c.Parameter("username", c.ParameterKind.TEXT, required=True, description="an administrator of the array"),
        c.Parameter("password", c.ParameterKind.TEXT, required=True, description="the password", secret=True),
        c.Parameter("ca_file", c.ParameterKind.PATH, required=False, description="trusted certificates", ca_file=True),
    )
    host_listener: Final = None
    image_store_driver: Final = None

    def __init__(self, *, send: Send = send_https) -> None:
        self._send = send
        self.driver: Final = MinimalDriver(self._array)
        self.lifecycle: Final = MinimalLifeCycle(self._array)

    def configure(self, context: c.ProviderContext) -> None:
        self._context = context

    def close(self) -> None: ...

    def _array(self, request: c.StoreRequest) -> Array:
        return Array(request, self._send, self._context)


PROVIDER = MinimalProvider
