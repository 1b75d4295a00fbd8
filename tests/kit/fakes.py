"""Parts of an environment that cost nothing, for tests of the command and of the pytest plugin."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from conformance.contract import (
    Busy,
    ByteStream,
    DataStoreProvider,
    Endpoint,
    LaunchFailed,
    LaunchOptions,
    LaunchUnavailable,
    Secret,
)
from conformance.environments.external import NoWitness
from reference_providers.solidfire import PROVIDER

ENVIRONMENT = '[array]\nlaunch = "tests.kit.fakes:array"\n'


class EmptyWorld:
    """An array that nobody can talk to."""

    endpoints: Sequence[Endpoint] = ()
    parameters: Mapping[str, str | Secret] = {}
    witness = NoWitness()
    transcript: Sequence[str] = ()

    def dial(self, address: str, port: int) -> ByteStream:
        raise ConnectionRefusedError(f"nothing listens at {address}:{port}")

    def close(self) -> None: ...


class EmptyArray:
    """Opens such worlds."""

    def open_world(self) -> EmptyWorld:
        return EmptyWorld()

    def close(self) -> None: ...


class StoppedByHand(EmptyArray):
    """As if somebody pressed Ctrl-C while it starts."""

    def open_world(self) -> EmptyWorld:
        raise KeyboardInterrupt


def array(_options: LaunchOptions) -> EmptyArray:
    return EmptyArray()


def stopped_by_hand(_options: LaunchOptions) -> EmptyArray:
    return StoppedByHand()


def failing(options: LaunchOptions) -> EmptyArray:
    raise LaunchFailed(f"{options.name} has no power; plug it in")


def unavailable(_options: LaunchOptions) -> EmptyArray:
    raise LaunchUnavailable("nothing to look with is installed")


class Running:
    """A simulator that is not there."""

    is_closed = False

    def describe(self) -> Sequence[tuple[str, str]]:
        return [("endpoint", "https://127.0.0.1:8443/api"), ("username", "admin"), ("password", "secret-of-a-fake")]

    def close(self) -> None:
        self.is_closed = True


RUNNING = Running()


def simulator(_options: LaunchOptions) -> Running:
    return RUNNING


def wrong_in_two_ways() -> DataStoreProvider:
    """A plugin whose signatures are not the contract's."""
    good: Any = PROVIDER()

    class Driver:
        def __getattr__(self, name: str) -> object:
            return getattr(good.driver, name)

        def delete(self, volume: object) -> None: ...

        def fence(self, store: object) -> None: ...

    class Wrong:
        driver = Driver()

        def __getattr__(self, name: str) -> object:
            return getattr(good, name)

    wrong: Any = Wrong()
    return wrong  # type: ignore[no-any-return]


_VERSIONS = itertools.count(1)


def inconstant() -> DataStoreProvider:
    """A plugin whose instances declare different limits: REG-003 fails."""
    good: Any = PROVIDER()
    limits = replace(good.limits, name_length=100 + next(_VERSIONS))

    class Inconstant:
        def __getattr__(self, name: str) -> object:
            return limits if name == "limits" else getattr(good, name)

    made: Any = Inconstant()
    return made  # type: ignore[no-any-return]


def fails_to_close() -> DataStoreProvider:
    """A plugin whose `close` fails: met by every requirement, and none of theirs."""
    good: Any = PROVIDER()

    def close() -> None:
        raise RuntimeError("not today")

    good.close = close
    return good  # type: ignore[no-any-return]


def never_deletes() -> DataStoreProvider:
    """A plugin that finds its array busy whenever a store is to be deleted."""
    good: Any = PROVIDER()

    def delete_datastore(request: object) -> None:
        raise Busy(1.0)

    good.lifecycle.delete_datastore = delete_datastore
    return good  # type: ignore[no-any-return]
