"""A bridge whose cluster also has probe hosts: for them hooking up means nothing, for all others it is the real bridge.

Probe hosts are hosts of the cloud but not of the hypervisor; a plugin of hookup PLUGIN hooks up whatever host it
grants.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, Final

from conformance.contract import DatastoreRef, Host, HostConnection, HypervisorBridge, HypervisorType
from conformance.errors import KitError

_AT: Final = frozenset({"attach_datastore", "expand_datastore", "connect_target", "disconnect_target"})


class ProbeAwareBridge:
    """Stands in for a `HypervisorBridge`; `open_bridge` is only called when a real host is meant."""

    def __init__(
        self,
        hypervisor: HypervisorType,
        probes: Callable[[], Sequence[Host]],
        open_bridge: Callable[[], HypervisorBridge],
    ) -> None:
        self.hypervisor = hypervisor
        self._probes, self._open = probes, open_bridge

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._open(), name)
        if name in _AT:
            return wraps(value)(partial(self._without_probes, value))
        return value

    def create_datastore(self, name: str, at: Sequence[HostConnection]) -> DatastoreRef:
        """As the bridge, without the probe hosts."""
        return self._open().create_datastore(name, self._real(at))

    def detach_datastore(self, ref: DatastoreRef, hosts: Sequence[Host]) -> None:
        """As the bridge, without the probe hosts."""
        real = [each for each in hosts if each not in self._probes()]
        if real:
            self._open().detach_datastore(ref, real)

    def _without_probes(self, call: Callable[..., object], *arguments: Any, **keywords: Any) -> object:
        bound = inspect.signature(call).bind(*arguments, **keywords)
        bound.arguments["at"] = real = self._real(bound.arguments["at"])
        return call(*bound.args, **bound.kwargs) if real else None

    def _real(self, at: Sequence[HostConnection]) -> list[HostConnection]:
        return [each for each in at if each.host not in self._probes()]


def no_bridge(reason: str) -> Callable[[], HypervisorBridge]:
    """A way to open a bridge that is not there."""

    def refuse() -> HypervisorBridge:
        raise KitError(f"no hypervisor in this environment: {reason}")

    return refuse
