"""Whole lives of volumes, and everything that can fail in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from conformance.contract import (
    BridgeError,
    Capability,
    ProviderError,
    QosPolicy,
)
from conformance.world import Made, World


def whole_life(world: World) -> None:
    """Everything a plugin can be asked, once, in the order of a volume's life; failures are charged step by step."""
    world.only_watches()
    made, host = world.create(), world.host()
    with world.charged("repeated create"):
        world.driver_create(made.volume.request)
    world.grant(made, host)
    world.connection(made, host)
    with world.charged("list_objects"):
        world.driver.list_objects(world.store)
    with world.charged("used"):
        world.driver.used(world.store)
    world.revoke(made, host)
    _optional_calls(world, made)
    world.delete(made)
    with world.charged("repeated delete"):
        world.driver.delete(world.store, made.volume)


def _optional_calls(world: World, made: Made) -> None:
    driver: Any = world.driver
    if world.subject.supports(Capability.RESIZE):
        world.resize(made, made.volume.size_bytes + world.subject.declared.limits.granularity_bytes)
    if world.subject.supports(Capability.QOS):
        with world.charged("set_qos"):
            driver.set_qos(world.store, made.volume, world.subject.declared.limits.qos_smallest or QosPolicy())


def everything_fails(world: World) -> None:
    """Calls that cannot succeed, one after the other: what their errors say is read elsewhere."""
    world.only_watches()
    made, host = world.create(), world.stranger()
    lifecycle, request = world.plugin.lifecycle, made.volume.request
    bad_store = world.with_wrong_secrets(world.store_request())
    dead_store = world.with_dead_endpoints(world.store_request())
    bare = replace(host, uuid="bare", name="bare", initiators=())
    attempts: Sequence[Callable[[], object]] = (
        lambda: lifecycle.initialize(bad_store),
        lambda: lifecycle.initialize(dead_store),
        lambda: lifecycle.delete_datastore(bad_store),
        lambda: world.driver.connection(world.store, made.volume, host),
        lambda: world.driver.grant_access(world.store, made.volume, bare),
        lambda: world.driver_create(replace(request, size_bytes=request.size_bytes * 2)),
        lambda: world.driver_create(replace(world.request(), size_bytes=0)),
        lambda: world.driver.list_objects(replace(world.store, request=bad_store)),
    )
    for attempt in attempts:
        with suppress(ProviderError, BridgeError):
            attempt()


def error_names(error: Exception) -> set[str]:
    """What an error names: the texts among its attributes."""
    return {each for each in vars(error).values() if isinstance(each, str)}
