"""What others have on the hypervisors of a world: planted once a datastore shows how storage is named; compared later.

The names are nearly the world's own and never one that a datastore of it could get: they end as no number and no uuid
does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from conformance.contract import BridgeInventory, Host, HypervisorWitness, WitnessedStorage
from conformance.verdict import Violation

HOME: Final = "ISO-005"


class StrangersOnHosts:
    """Look-alikes of a world's first datastore on every host of then. Several threads may make datastores."""

    def __init__(self, witness: HypervisorWitness, hosts: Callable[[], Sequence[Host]]) -> None:
        self._witness, self._hosts = witness, hosts
        self._first = frozenset(witness.observe())
        self._planted: tuple[WitnessedStorage, ...] = ()
        self._is_planted = False
        self._lock = threading.Lock()

    def datastore_made(self, name: str) -> None:
        """A bridge made a datastore of this name: at the first one others come in, named after what is on the hosts."""
        with self._lock:
            if not self._is_planted:
                self._is_planted = True
                self._plant(name)

    def _plant(self, datastore: str) -> None:
        before = frozenset(self._witness.observe())
        new = sorted({each.name for each in before - self._first})
        active, stopped = look_alikes(new[0] if new else datastore)
        taken = {each.name for each in before}
        for name, is_active in ((active, True), (stopped, False)):
            if name not in taken:
                self._witness.plant(name, is_active=is_active)
        self._planted = tuple(sorted(frozenset(self._witness.observe()) - before))

    def without(self, inventory: BridgeInventory) -> BridgeInventory:
        """A bridge's inventory without what was planted, which is looked at by itself."""
        theirs = {(each.host_uuid, each.name) for each in self._planted}
        return replace(
            inventory, items=frozenset(each for each in inventory.items if (each.host_uuid, each.name) not in theirs)
        )

    def harmed(self) -> list[Violation]:
        """What is not as it was planted; a host that left took along what was on it."""
        here = {each.uuid for each in self._hosts()}
        now = {(each.host_uuid, each.external_id): each for each in self._witness.observe()}
        for each in self._planted:
            found = now.get((each.host_uuid, each.external_id))
            if each.host_uuid in here and found != each:
                expected = f"a stranger's storage {each.name} to stay on its host: {told(each, each)}"
                return [Violation(expected, told(found, each), "the hypervisor", HOME)]
        return []


def look_alikes(name: str) -> tuple[str, str]:
    """Names that somebody who compares only beginnings, or cuts off ends, takes for this one."""
    return f"{name}-kept", f"{name[:-1]}~"


def told(found: WitnessedStorage | None, planted: WitnessedStorage) -> str:
    """Its state, in words."""
    if found is None:
        return "gone"
    words = ["active" if found.is_active else "stopped"]
    words.append("started with the host" if found.is_autostarted else "not started with the host")
    if found.name != planted.name:
        words.append(f"named {found.name}")
    if found.definition != planted.definition:
        words.append("of another definition")
    return ", ".join(words)
