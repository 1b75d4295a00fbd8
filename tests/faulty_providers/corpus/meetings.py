"""Calls for different objects that meet: what two volumes share is read, changed and written without a lock."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from conformance.contract import Conflict
from tests.faulty_providers.fault import Call, Change, Driver, Fault, Kind, LifeCycle, Listener, Provider
from tests.faulty_providers.solidfire_inside import ask


class _Unlocked:
    """The cloud's context; of the locks with these words in their names each instance has its own, or nobody any."""

    def __init__(self, context: Any, words: str) -> None:
        self._context, self._words = context, words

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def lock(self, name: str) -> AbstractContextManager[None]:
        locked: AbstractContextManager[None] = self._context.lock(name)
        return nullcontext() if self._words in name else locked


def without_locks(words: str) -> Change:
    """For `Provider.configure`: nothing is locked by names with these words."""
    return lambda call: call.proceed(context=_Unlocked(call.arguments["context"], words))


def _groups_as_they_were(call: Call) -> Any:
    """Hosts' groups are read, then the call is done, then they are written as they were, without what is gone."""
    groups = _groups(call)
    answer = call.proceed()
    there = {each["volumeID"] for each in ask(call, "ListVolumes")["volumes"] if each["status"] == "active"}
    left = {each["volumeAccessGroupID"] for each in _groups(call)}
    for group in groups:
        if group["volumeAccessGroupID"] in left:
            volumes = sorted({*group["volumes"]} & there - _revoked(call))
            ask(call, "ModifyVolumeAccessGroup", volumeAccessGroupID=group["volumeAccessGroupID"], volumes=volumes)
    return answer


def _groups(call: Call) -> list[dict[str, Any]]:
    """The group of the host that a call is about, or all."""
    host = call.arguments.get("host")
    listed = ask(call, "ListVolumeAccessGroups")["volumeAccessGroups"]
    return [each for each in listed if host is None or each["name"] == f"host-{host.uuid}"]


def _revoked(call: Call) -> set[int]:
    target = call.arguments.get("target")
    return set() if target is None or target.external_id is None else {int(target.external_id)}


def _one_at_a_time(call: Call) -> Any:
    """A create that comes while another one is made is a conflict."""
    begun: list[str] = call.memory.shared.setdefault("begun", [])
    if begun:
        raise Conflict(call.arguments["request"].uuid, "state", f"{begun[0]} is being made", "new")
    begun.append(call.arguments["request"].uuid)
    try:
        return call.proceed()
    finally:
        begun.clear()


FAULTS: Final = (
    Fault(
        "ACC-025",
        "hosts' groups are changed without a lock",
        Provider.configure,
        without_locks("host-"),
        Kind.LIFE,
        base="minimal",
    ),
    Fault(
        "SPC-006",
        "the room of a store is looked for and taken without a lock",
        Provider.configure,
        without_locks("store-"),
    ),
    Fault(
        "ACC-026",
        "a revoke writes the hosts' groups as it read them before",
        Driver.revoke_access,
        _groups_as_they_were,
        Kind.LIFE,
    ),
    Fault(
        "LIF-014",
        "deleting a store writes the hosts' groups as it read them before",
        LifeCycle.delete_datastore,
        _groups_as_they_were,
        Kind.LIFE,
    ),
    Fault(
        "HST-016",
        "a host that connects has its group written as it was read before",
        Listener.host_connected,
        _groups_as_they_were,
        Kind.LIFE,
    ),
    Fault("OPS-016", "a create beside another one is a conflict", Driver.create, _one_at_a_time, base="minimal"),
)
