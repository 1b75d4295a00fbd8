"""Which sites each requirement touches: learnt from the unbroken plugin.

A requirement that never passes the place where a fault sits cannot see it, so it need not be run against that fault.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from conformance.contract import BridgeFactory, HypervisorBridge
from conformance.orchestrator.steps import Step, StepHooks
from conformance.subject import SubjectPlan
from tests.faulty_providers.fault import Part, Site
from tests.faulty_providers.faulty import BASES

CONNECT = Site(Part.WIRE, "connect")


class Reached:
    """The sites that were passed since the last `take`."""

    def __init__(self) -> None:
        self._sites: set[Site] = set()

    def note(self, part: Part, method: str) -> None:
        """A call passes."""
        self._sites.add(Site(part, method))

    def take(self) -> frozenset[Site]:
        """What was passed; begin anew."""
        taken, self._sites = frozenset(self._sites), set()
        return taken


class _NotingPart:
    """Stands in for one object of the chain and notes which of its methods are called."""

    def __init__(self, reached: Reached, part: Part, target: Any) -> None:
        self._reached, self._part, self._target = reached, part, target

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return value
        reached, part = self._reached, self._part

        # Registration looks at signatures.
        @functools.wraps(value)
        def noting(*arguments: Any, **keywords: Any) -> Any:
            reached.note(part, name)
            return value(*arguments, **keywords)

        return noting


class _NotingPlugin:
    def __init__(self, reached: Reached, base: Callable[..., Any], connect: Callable[..., Any]) -> None:
        self._target = base(connect=_NotingConnector(reached, connect))
        self.driver = _NotingPart(reached, Part.DRIVER, self._target.driver)
        self.lifecycle = _NotingPart(reached, Part.LIFECYCLE, self._target.lifecycle)
        listener = self._target.host_listener
        self.host_listener = None if listener is None else _NotingPart(reached, Part.LISTENER, listener)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class _NotingConnector:
    def __init__(self, reached: Reached, connect: Callable[..., Any]) -> None:
        self._reached, self._connect = reached, connect

    def __call__(self, *arguments: Any) -> Any:
        self._reached.note(CONNECT.part, CONNECT.method)
        return _NotingConnection(self._reached, self._connect(*arguments))


class _NotingConnection:
    def __init__(self, reached: Reached, connection: Any) -> None:
        self._reached, self._connection = reached, connection

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        self._reached.note(Part.WIRE, _asked(method, path, body))
        return cast("tuple[int, bytes]", self._connection.request(method, path, headers, body, timeout))

    def close(self) -> None:
        self._connection.close()


def _asked(verb: str, path: str, body: bytes) -> str:
    """The method that JSON-RPC names; else verb and path."""
    try:
        return str(json.loads(body)["method"])
    except (ValueError, LookupError, TypeError):
        return f"{verb} {path.partition('?')[0]}"


class NotingSteps(StepHooks):
    """Notes which operations the cloud plans."""

    def __init__(self, reached: Reached) -> None:
        self._reached = reached

    def plan(self, operation: str, steps: Sequence[Step]) -> Sequence[Step]:
        self._reached.note(Part.CLOUD, operation)
        return steps


def noting_plan(reached: Reached, base: str) -> SubjectPlan:
    """The unbroken base, with notes taken of what is called."""
    maker = BASES[base]
    return SubjectPlan(base, maker, lambda network: _NotingPlugin(reached, maker, network.connect))


def noting_bridges(reached: Reached, factory: BridgeFactory) -> BridgeFactory:
    """Bridges with notes taken of what is called."""

    def open_bridge(cluster: Any, connections: object, ledger: Any) -> HypervisorBridge:
        return cast("HypervisorBridge", _NotingPart(reached, Part.BRIDGE, factory(cluster, connections, ledger)))

    return open_bridge


def seen_from(site: Site, reach: Mapping[str, frozenset[Site]]) -> list[str]:
    """Ids of the requirements that can see a fault at this site."""
    # What a plugin declares decides which requirements are asked at all, and how they judge.
    is_everywhere = site.part is Part.PROVIDER
    return [each for each, sites in reach.items() if is_everywhere or site in sites]
