"""The fakes, wired together: one array, one cluster of three hosts, and plugins that reach both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import Final, cast

from conformance.contract import (
    AccessModel,
    BridgeError,
    ChapScope,
    Cluster,
    DataStoreDriver,
    DataStoreLifeCycle,
    Hookup,
    Host,
    HostListener,
    HypervisorBridge,
    HypervisorType,
    Iqn,
    NfsClient,
    ProviderError,
    Wwpn,
)
from conformance.contract.codec import decode, encode

from .fake_array import FakeArray, Wire
from .fake_bridge import FakeBridge
from .fake_provider import FakeContext, FakeProvider

__all__ = ["CLUSTER", "Combination", "FakeArray", "FakeBridge", "FakeProvider", "FakeWorld", "Wire", "carried"]

CLUSTER: Final = Cluster("cluster-1", "first", HypervisorType.KVM)


@dataclass(frozen=True)
class Combination:
    """An access model, a hookup, a wire, and how the array gives names and secrets."""

    model: AccessModel
    hookup: Hookup
    wire: Wire
    has_one_target: bool = False
    chap_scope: ChapScope | None = None

    def __str__(self) -> str:
        extra = [each for each in (self.chap_scope, "one-target" if self.has_one_target else None) if each]
        return "-".join([self.model, self.hookup, self.wire, *extra])


class HandClock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


class FakeWorld:
    """An array, a cluster, and as many instances of the plugin as asked for."""

    def __init__(self, combination: Combination) -> None:
        self.combination = combination
        self.array = FakeArray(
            combination.wire, has_one_target=combination.has_one_target, chap_scope=combination.chap_scope
        )
        self.bridge = FakeBridge(self.array, [host(number) for number in range(3)])
        self._clock = HandClock()
        self._context = FakeContext(cast(HypervisorBridge, _OnAWire(self.bridge)), self._clock, {})

    def new_instance(self) -> FakeProvider:
        """Start an instance of the plugin."""
        provider = FakeProvider(self.array, self.combination.model, self.combination.hookup)
        provider.configure(self._context)
        provider.driver = cast(DataStoreDriver, _OnAWire(provider.driver))
        provider.lifecycle = cast(DataStoreLifeCycle, _OnAWire(provider.lifecycle))
        if provider.host_listener is not None:
            provider.host_listener = cast(HostListener, _OnAWire(provider.host_listener))
        return provider


def host(number: int) -> Host:
    """A host with an initiator of every kind."""
    initiators = (
        Iqn(f"iqn.1994-05.com.example:host-{number}"),
        Wwpn(f"21000000000000{number:02x}"),
        NfsClient(f"10.64.2.{number + 1}"),
    )
    return Host(f"host-{number}", f"h{number}", HypervisorType.KVM, CLUSTER.uuid, initiators)


def carried(value: object) -> object:
    """Put whatever crosses the contract through the codec, as text."""
    if isinstance(value, Enum | Exception) or is_dataclass(value):
        return decode(json.loads(json.dumps(encode(value))))
    if isinstance(value, Mapping):
        return {key: carried(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [carried(each) for each in value]
    return value


class _OnAWire:
    """Calls an object's methods with arguments, results and errors that went through the codec."""

    def __init__(self, target: object) -> None:
        self._target = target

    def __getattr__(self, name: str) -> object:
        member: object = getattr(self._target, name)
        if not callable(member):
            return carried(member)

        def call(*args: object, **kwargs: object) -> object:
            try:
                return carried(member(*map(carried, args), **kwargs))
            except (ProviderError, BridgeError) as error:
                raise cast(Exception, carried(error)) from None

        return call
