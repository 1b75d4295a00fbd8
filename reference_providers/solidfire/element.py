"""The calls of the Element API that this plugin makes, typed. No decisions here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from conformance.contract import ChapCredentials, QosPolicy

from .client import ElementClient, done, nothing
from .copies import Copies
from .objects import (
    AccessGroup,
    Account,
    ArrayFacts,
    HostInitiator,
    LoggedIn,
    Lun,
    Most,
    Space,
    read_account,
    read_facts,
    read_group,
    read_initiator,
    read_lun,
    read_most,
    read_session,
    read_space,
    read_written,
)

PAGE: Final = 500
_NO_LUN: Final = frozenset({"xVolumeIDDoesNotExist"})
_NO_GROUP: Final = frozenset({"xVolumeAccessGroupIDDoesNotExist"})
_NO_ACCOUNT: Final = frozenset({"xUnknownAccount", "xAccountIDDoesNotExist"})
_NO_INITIATOR: Final = frozenset({"xInitiatorDoesNotExist"})
_TAKEN: Final = frozenset({"xInitiatorExists"})
_NAME_TAKEN: Final = frozenset({"xDuplicateUsername"})
_IN_GROUP: Final = frozenset({"xAlreadyInVolumeAccessGroup"})
_NOT_IN_GROUP: Final = frozenset({"xNotInVolumeAccessGroup"}) | _NO_GROUP | _NO_LUN

_Value = TypeVar("_Value")


class Element:
    """One array's API."""

    def __init__(self, client: ElementClient) -> None:
        self._client = client
        self.copies = Copies(client)

    # the array

    def facts(self) -> ArrayFacts:
        return self._client.call("GetClusterInfo", {}, read_facts)

    def space(self) -> Space:
        return self._client.call("GetClusterCapacity", {}, read_space)

    def most(self) -> Most:
        return self._client.call("GetLimits", {}, read_most)

    def sessions(self) -> Sequence[LoggedIn]:
        return self._client.call("ListISCSISessions", {}, _each("sessions", read_session))

    # accounts

    def find_account(self, username: str) -> Account | None:
        return self._client.call_unless(
            _NO_ACCOUNT,
            "GetAccountByName",
            {"username": username},
            lambda result: read_account(result["account"]),
        )

    def accounts(self) -> Iterator[Account]:
        """All of the array, page by page."""
        start = 0
        while True:
            params = {"startAccountID": start, "limit": PAGE}
            page = self._client.call("ListAccounts", params, _each("accounts", read_account))
            yield from page
            if len(page) < PAGE:
                return
            start = max(each.account_id for each in page) + 1

    def add_account(self, username: str, attributes: Mapping[str, object]) -> None:
        """A name that is taken already is success."""
        # The array makes up secrets that nobody is told, and CHAP is off besides: only groups let initiators
        # in.
        params = {"username": username, "enableChap": False, "attributes": attributes}
        self._client.call_unless(_NAME_TAKEN, "AddAccount", params, nothing)

    def remove_account(self, account_id: int) -> None:
        self._client.call_unless(_NO_ACCOUNT, "RemoveAccount", {"accountID": account_id}, nothing)

    # volumes

    def find_lun(self, lun_id: int) -> Lun | None:
        """By id; `startVolumeID` would answer the next volume when this one is gone."""
        found = self._client.call_unless(_NO_LUN, "ListVolumes", {"volumeIDs": [lun_id]}, _each("volumes", read_lun))
        return next((each for each in found or () if each.lun_id == lun_id), None)

    def luns_named(self, name: str) -> Sequence[Lun]:
        """By name, deleted ones too: names may occur more than once."""
        return self._client.call("ListVolumes", {"volumeName": name}, _each("volumes", read_lun))

    def luns_of(self, account_ids: Collection[int]) -> Iterator[Lun]:
        """Some accounts', deleted ones too, page by page."""
        start = 0
        while account_ids:  # an empty filter may be no filter
            params = {"accounts": list(account_ids), "startVolumeID": start, "limit": PAGE}
            page = self._client.call("ListVolumes", params, _each("volumes", read_lun))
            yield from page
            if len(page) < PAGE:
                return
            start = max(each.lun_id for each in page) + 1

    def create_lun(
        self,
        name: str,
        account_id: int,
        size_bytes: int,
        qos: Mapping[str, int],
        attributes: Mapping[str, object],
    ) -> None:
        # enable512e: hypervisors want blocks of 512 bytes.
        params = {
            "name": name,
            "accountID": account_id,
            "totalSize": size_bytes,
            "enable512e": True,
            "attributes": attributes,
            **({"qos": qos} if qos else {}),
        }
        self._client.call("CreateVolume", params, nothing)

    def grow_lun(self, lun_id: int, size_bytes: int) -> Lun:
        params = {"volumeID": lun_id, "totalSize": size_bytes}
        return self._client.call("ModifyVolume", params, lambda result: read_lun(result["volume"]))

    def set_lun_qos(self, lun_id: int, qos: Mapping[str, int], attributes: Mapping[str, object] | None = None) -> None:
        """And, in the same call, all attributes if any are given."""
        noted = {} if attributes is None else {"attributes": attributes}
        self._client.call("ModifyVolume", {"volumeID": lun_id, "qos": qos, **noted}, nothing)

    def written_bytes(self, lun_id: int) -> int | None:
        return self._client.call("GetVolumeStats", {"volumeID": lun_id}, read_written)

    def lock_lun(self, lun_id: int) -> None:
        """Ends all its sessions and lets nobody in."""
        self._client.call("ModifyVolume", {"volumeID": lun_id, "access": "locked"}, nothing)

    def unlock_lun(self, lun_id: int) -> None:
        params = {"volumeID": lun_id, "access": "readWrite"}
        self._client.call("ModifyVolume", params, nothing, must_finish=True)

    def delete_lun(self, lun_id: int) -> None:
        """Ends its sessions; it stays in the trash until it is purged."""
        self._client.call_unless(_NO_LUN, "DeleteVolume", {"volumeID": lun_id}, nothing)

    def purge_lun(self, lun_id: int) -> None:
        self._client.call_unless(_NO_LUN, "PurgeDeletedVolume", {"volumeID": lun_id}, nothing)

    # access groups and initiators

    def groups(self, group_ids: Collection[int] | None = None) -> Sequence[AccessGroup]:
        """All, or some by id; ids that are gone are left out."""
        params = {} if group_ids is None else {"volumeAccessGroups": list(group_ids)}
        return self._client.call("ListVolumeAccessGroups", params, _each("volumeAccessGroups", read_group))

    def create_group(self, name: str, attributes: Mapping[str, object]) -> None:
        self._client.call("CreateVolumeAccessGroup", {"name": name, "attributes": attributes}, nothing)

    def delete_group(self, group_id: int) -> None:
        """With its initiators."""
        params = {"volumeAccessGroupID": group_id, "deleteOrphanInitiators": True}
        self._client.call_unless(_NO_GROUP, "DeleteVolumeAccessGroup", params, nothing)

    def put_lun_in_group(self, group_id: int, lun_id: int) -> None:
        params = {"volumeAccessGroupID": group_id, "volumes": [lun_id]}
        self._client.call_unless(_IN_GROUP, "AddVolumesToVolumeAccessGroup", params, nothing)

    def take_lun_from_group(self, group_id: int, lun_id: int) -> None:
        params = {"volumeAccessGroupID": group_id, "volumes": [lun_id]}
        self._client.call_unless(_NOT_IN_GROUP, "RemoveVolumesFromVolumeAccessGroup", params, nothing)

    def initiators(self, initiator_ids: Collection[int] | None = None) -> Sequence[HostInitiator]:
        """All, or some by id."""
        params = {} if initiator_ids is None else {"initiators": list(initiator_ids)}
        found = self._client.call_unless(_NO_INITIATOR, "ListInitiators", params, _each("initiators", read_initiator))
        return found or ()

    def create_initiators(self, wanted: Sequence[Mapping[str, object]]) -> bool:
        """False: one of the names is taken, and none was made."""
        params = {"initiators": list(wanted)}
        return bool(self._client.call_unless(_TAKEN, "CreateInitiators", params, done))

    def set_chap(self, initiator_ids: Collection[int], chap: ChapCredentials) -> None:
        """All of them in one call; holds for logins from now on."""
        secret = {"requireChap": True, "chapUsername": chap.username, "initiatorSecret": chap.secret.reveal()}
        changes = [{"initiatorID": each, **secret} for each in initiator_ids]
        self._client.call("ModifyInitiators", {"initiators": changes}, nothing)

    def delete_initiators(self, initiator_ids: Collection[int]) -> None:
        self._client.call_unless(_NO_INITIATOR, "DeleteInitiators", {"initiators": list(initiator_ids)}, nothing)


def qos_params(qos: QosPolicy) -> dict[str, int]:
    """What of a policy is given, in the array's words."""
    named = {"minIOPS": qos.min_iops, "maxIOPS": qos.max_iops, "burstIOPS": qos.burst_iops}
    return {name: value for name, value in named.items() if value is not None}


def _each(key: str, read: Callable[[Mapping[str, Any]], _Value]) -> Callable[[Any], list[_Value]]:
    return lambda result: [read(entry) for entry in result[key]]
