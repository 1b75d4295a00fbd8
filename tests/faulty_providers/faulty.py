"""Puts a fault into the chain: a plugin, its connector, a bridge or the cloud's steps, right in all but one place."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from conformance.contract import BridgeFactory, HypervisorBridge
from conformance.orchestrator.steps import Step, StepHooks
from conformance.subject import SubjectPlan
from reference_providers import solidfire, zadara
from tests.faulty_providers.fault import Call, Fault, Memory, Part, Site
from tests.reference_providers.minimal_over import minimal_over
from tests.variants.trash import WithTrash

BASES: Mapping[str, Callable[..., Any]] = {
    "solidfire": solidfire.PROVIDER,
    "solidfire-plugin-hookup": solidfire.PLUGIN_HOOKUP,
    "minimal": minimal_over,
    "with-trash": WithTrash,
    "zadara": zadara.PROVIDER,
}


@dataclass(slots=True)
class Injector:
    """Decides at each call whether the fault shows, and counts how often it did."""

    fault: Fault | None
    fired: int = 0
    shared: dict[str, Any] = field(default_factory=dict)

    def is_at(self, part: Part) -> bool:
        """Whether the fault sits in this part."""
        return self.fault is not None and self.fault.at.part is part

    def pass_through(self, call: Call) -> Any:
        """Let a call pass the site, rightly or wrongly."""
        if self.fault is None or not self.fault.when(call):
            return call.proceed()
        self.fired += 1
        return self.fault.change(call)


class FaultyPart:
    """One object of the chain; all but the faulty method is the object's own."""

    def __init__(self, injector: Injector, part: Part, target: Any, plugin: FaultyPlugin) -> None:
        self._injector, self._part, self._target, self._plugin = injector, part, target, plugin
        self._numbers = 0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        fault = self._injector.fault
        if fault is None or fault.at != Site(self._part, name) or not callable(value):
            return value

        def faulty(*arguments: Any, **keywords: Any) -> Any:
            self._numbers += 1
            bound = inspect.signature(value).bind(*arguments, **keywords)
            bound.apply_defaults()
            call = Call(
                fault.at,
                dict(bound.arguments),
                lambda **given: _call_bound(value, given),
                self._plugin.memory,
                self._plugin.true_parts,
                self._numbers,
                not self._plugin.has_initialised,
            )
            return self._injector.pass_through(call)

        # Registration and the guard look at signatures.
        faulty.__signature__ = inspect.signature(value)  # type: ignore[attr-defined]
        faulty.__name__ = name
        return faulty


def _call_bound(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    return function(**given)


class FaultyPlugin:
    """A provider with one fault."""

    def __init__(self, injector: Injector, base: Callable[..., Any], connect: Callable[..., Any]) -> None:
        self.memory = Memory(shared=injector.shared)
        self.has_initialised = False
        self._injector = injector
        # A new object means a new world, unless it restarts: what worlds share is dropped when a store is initialised.
        self._target = base(connect=_FaultyConnector(self, connect))
        self.driver = FaultyPart(injector, Part.DRIVER, self._target.driver, self)
        self.lifecycle = _NotingInitialise(injector, Part.LIFECYCLE, self._target.lifecycle, self)
        listener = self._target.host_listener
        self.host_listener = None if listener is None else FaultyPart(injector, Part.LISTENER, listener, self)
        self._as_part = FaultyPart(injector, Part.PROVIDER, self._target, self)

    @property
    def injector(self) -> Injector:
        """What decides."""
        return self._injector

    @property
    def true_parts(self) -> Mapping[str, Any]:
        """The plugin's parts without the fault."""
        target = self._target
        return {
            "driver": target.driver,
            "lifecycle": target.lifecycle,
            "listener": target.host_listener,
            "provider": target,
        }

    def __getattr__(self, name: str) -> Any:
        fault = self._injector.fault
        if fault is not None and fault.at == Site(Part.PROVIDER, name) and not callable(getattr(self._target, name)):
            # A declaration: the change is made to its value.
            call = Call(fault.at, {}, lambda: getattr(self._target, name), self.memory, self.true_parts, 1, False)  # noqa: FBT003
            return self._injector.pass_through(call)
        return getattr(self._as_part, name)


class _NotingInitialise(FaultyPart):
    """Notes that this object initialised the store, so that `after_restart` knows."""

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if name != "initialize":
            return value

        def initialize(request: Any) -> Any:
            if not self._plugin.has_initialised:
                self._plugin.memory.shared.clear()
            self._plugin.has_initialised = True
            return value(request)

        initialize.__signature__ = inspect.signature(value)  # type: ignore[attr-defined]
        return initialize


class _FaultyConnector:
    """Opens connections whose requests pass the fault's site, by the name of the array's method."""

    def __init__(self, plugin: FaultyPlugin, connect: Callable[..., Any]) -> None:
        self._plugin, self._connect = plugin, connect

    def __call__(self, *arguments: Any) -> Any:
        connection = self._opened(arguments)
        return _FaultyConnection(self._plugin, connection) if self._plugin.injector.is_at(Part.WIRE) else connection

    def _opened(self, arguments: tuple[Any, ...]) -> Any:
        """`Wire.connect` is the site where connections are opened."""
        plugin = self._plugin
        fault = plugin.injector.fault
        if fault is None or fault.at != Site(Part.WIRE, "connect"):
            return self._connect(*arguments)
        named = dict(zip(("url", "ca_file", "verify", "timeout"), arguments, strict=True))
        call = Call(
            fault.at,
            named,
            lambda **given: self._connect(*given.values()),
            plugin.memory,
            plugin.true_parts,
            1,
            not plugin.has_initialised,
        )
        return plugin.injector.pass_through(call)


class _FaultyConnection:
    def __init__(self, plugin: FaultyPlugin, connection: Any) -> None:
        self._plugin, self._connection, self._numbers = plugin, connection, 0

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, bytes]:
        injector = self._plugin.injector
        asked = json.loads(body)
        if injector.fault is None or injector.fault.at.method != asked.get("method"):
            return cast("tuple[int, bytes]", self._connection.request(method, path, headers, body, timeout))
        self._numbers += 1
        return self._faulty(asked, lambda changed: self._connection.request(method, path, headers, changed, timeout))

    def _faulty(self, asked: dict[str, Any], send: Callable[[bytes], tuple[int, bytes]]) -> tuple[int, bytes]:
        statuses: list[int] = []

        def proceed(**params: Any) -> Any:
            status, answer = send(json.dumps({**asked, "params": params}).encode())
            statuses.append(status)
            return _result_of(status, answer)

        def other(method: str, **params: Any) -> Any:
            """Another request than the one that passes: `others["send"]`; the answer is the whole reply."""
            return _reply_of(*send(json.dumps({**asked, "method": method, "params": params}).encode()))

        plugin = self._plugin
        fault = plugin.injector.fault
        assert fault is not None
        others = {**plugin.true_parts, "send": other}
        call = Call(
            fault.at, dict(asked.get("params", {})), proceed, plugin.memory, others, self._numbers,
            not plugin.has_initialised,
        )  # fmt: skip
        try:
            result = plugin.injector.pass_through(call)
        except _ApiError as error:
            return error.status, error.body
        return (statuses or [200])[-1], json.dumps({"id": asked.get("id"), "result": result}).encode()

    def close(self) -> None:
        self._connection.close()


def _result_of(status: int, answer: bytes) -> Any:
    """The result object; every other answer passes unchanged, also one that is no JSON: a 401, 404 or 503."""
    try:
        decoded = json.loads(answer)
    except ValueError:
        raise _ApiError(status, answer) from None
    if not isinstance(decoded, dict) or "result" not in decoded:
        raise _ApiError(status, answer)
    return decoded["result"]


def _reply_of(status: int, answer: bytes) -> Any:
    """The whole reply, an error object included."""
    try:
        return json.loads(answer)
    except ValueError:
        raise _ApiError(status, answer) from None


class _ApiError(Exception):
    """The array refused; passes unchanged."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body
        super().__init__(status)


class FaultyBridge:
    """A bridge with one fault."""

    def __init__(self, injector: Injector, target: HypervisorBridge) -> None:
        self._injector, self._target, self._numbers = injector, target, 0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        fault = self._injector.fault
        if fault is None or fault.at != Site(Part.BRIDGE, name):
            return value

        def faulty(*arguments: Any, **keywords: Any) -> Any:
            self._numbers += 1
            bound = inspect.signature(value).bind(*arguments, **keywords)
            memory = Memory(shared=self._injector.shared)
            others = {"bridge": self._target}
            call = Call(
                fault.at,
                dict(bound.arguments),
                lambda **given: value(**given),
                memory,
                others,
                self._numbers,
                False,  # noqa: FBT003
            )
            return self._injector.pass_through(call)

        return faulty


class FaultySteps(StepHooks):
    """The cloud with one step gone wrong: `Cloud.create_volume` is the operation; the change maps its list of steps."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector

    def plan(self, operation: str, steps: Sequence[Step]) -> Sequence[Step]:
        fault = self._injector.fault
        if fault is None or fault.at != Site(Part.CLOUD, operation):
            return steps
        memory = Memory(shared=self._injector.shared)
        call = Call(fault.at, {"steps": list(steps)}, lambda steps: steps, memory, {}, 1, False)  # noqa: FBT003
        return cast("Sequence[Step]", self._injector.pass_through(call))


def plan_for_fault(injector: Injector, base: str) -> SubjectPlan:
    """The subject: in memory the base's connector is the kit's network, on sockets its own."""
    maker = BASES[base]
    default = inspect.signature(maker).parameters["connect"].default

    def over_sockets() -> Any:
        return FaultyPlugin(injector, maker, default)

    name = injector.fault.name if injector.fault else base
    return SubjectPlan(name, over_sockets, lambda network: FaultyPlugin(injector, maker, network.connect))


def faulty_bridge_factory(injector: Injector, factory: BridgeFactory) -> BridgeFactory:
    """A bridge factory whose bridges have the fault."""

    def open_bridge(cluster: Any, connections: object, ledger: Any) -> HypervisorBridge:
        return cast("HypervisorBridge", FaultyBridge(injector, factory(cluster, connections, ledger)))

    return open_bridge if injector.is_at(Part.BRIDGE) else factory
