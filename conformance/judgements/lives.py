"""Whole lives of volumes, and everything that can fail in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast

from conformance.contract import (
    BridgeError,
    Capability,
    InvalidRequest,
    ProviderError,
    QosPolicy,
    StoreUpdate,
)
from conformance.errors import BeyondDeclared
from conformance.expect import PLUGIN, broken, expect_done, expect_equal, expect_refusal
from conformance.judgements.array import nothing_changes
from conformance.strategies.faults import Cut
from conformance.strategies.sizes import Growth
from conformance.subject import RunningSubject
from conformance.world import Made, World

_CUTS: Final = 5


def whole_life(world: World) -> None:
    """Everything a plugin can be asked, once, in the order of a volume's life; failures are charged step by step."""
    world.only_watches()
    made, host = world.create(), world.host()
    with world.charged("repeated create"):
        world.driver_create(made.volume.request)
    world.grant(made, host)
    world.connection(made, host)
    if world.subject.supports(Capability.CHAP_ROTATION):
        with world.charged("rotate_chap"):
            world.copier.rotate_chap(world.store, made.volume, host)
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


def life_on_hosts(world: World) -> None:
    """What a bridge is asked for in the life of a volume and of a host, once; failures are charged step by step."""
    world.only_watches()
    cloud = world.cloud
    volume, neighbour = cloud.create_volume(), cloud.create_volume()
    cloud.attach(volume, "a")
    if len(cloud.hosts()) > 1:
        cloud.move("a", cloud.hosts()[1])
    cloud.stop("a")
    cloud.detach(volume, "a")
    if world.subject.supports(Capability.RESIZE):
        with suppress(BeyondDeclared):
            cloud.resize(volume, Growth(1).beyond(cloud.size(volume), world.subject.declared.limits))
    if world.is_simulated:
        cloud.remove_host(cloud.add_host())
    for each in (volume, neighbour):
        cloud.delete_volume(each)


def _optional_calls(world: World, made: Made) -> None:
    driver: Any = world.driver
    if world.subject.supports(Capability.RESIZE):
        with suppress(BeyondDeclared):
            world.resize(made, Growth(1).beyond(made.volume.size_bytes, world.subject.declared.limits))
    if world.subject.supports(Capability.QOS):
        with world.charged("set_qos"):
            driver.set_qos(world.store, made.volume, world.subject.declared.limits.qos_smallest or QosPolicy())
    if world.subject.supports(Capability.MIGRATION_QOS):
        for step in (world.begin_migration, world.end_migration):
            step(made)
    if world.subject.supports(Capability.SNAPSHOT):
        world.delete_snapshot(world.snapshot(made))
    if world.subject.supports(Capability.VOLUME_FROM_VOLUME):
        world.delete(world.clone(made))


def kept_besides(world: World, made: Made) -> None:
    """Whatever a store may hold besides volumes, as far as the plugin makes it."""
    if world.subject.supports(Capability.SNAPSHOT):
        world.snapshot(made)
    if world.subject.supports(Capability.VOLUME_FROM_VOLUME):
        world.clone(made)
    if world.subject.supports(Capability.TEMPLATE_CACHE):
        world.seed()


def objects_listed(world: World) -> list[tuple[str, str, str]]:
    """Kinds, owners and ids that `list_objects` tells, sorted."""
    with world.charged("list_objects"):
        told = world.driver.list_objects(world.store)
    return sorted((str(each.kind), each.owner_uuid, each.external_id) for each in told)


def breaks_off(world: World) -> None:
    """What sends secrets or leads to them, with an array that refuses or does not answer at one request of each."""
    world.only_watches()
    made = world.create()
    for nth in range(_CUTS):
        _breaks_off_at(world, made, Cut(nth, is_reply=nth % 2 == 0, is_refused=nth % 3 == 0, lasts=nth % 2 == 1))
    # What an array says of a request tempts to say what it was asked.
    for at in world.at_each_request(Cut(0, is_reply=False, is_refused=True, in_its_words=True)):
        host = world.host(f"refused{at.nth}")
        with world.broken_off(at):
            world.driver.grant_access(world.store, made.volume, host)
        with suppress(ProviderError):
            world.driver.revoke_access(world.store, made.volume, host, [])


def _breaks_off_at(world: World, made: Made, cut: Cut) -> None:
    request, host = world.store_request(), world.host(f"cut{cut.nth}")
    lifecycle, driver, store = world.plugin.lifecycle, world.copier, world.store
    steps: list[Callable[[], object]] = [
        partial(lifecycle.initialize, request),
        partial(driver.grant_access, store, made.volume, host),
        partial(driver.connection, store, made.volume, host),
    ]
    if world.subject.supports(Capability.CHAP_ROTATION):
        steps.append(partial(driver.rotate_chap, store, made.volume, host))
    steps.append(partial(driver.revoke_access, store, made.volume, host, []))
    for step in steps:
        with world.broken_off(cut):
            step()
        with suppress(ProviderError):
            step()
    with suppress(ProviderError):
        lifecycle.delete_datastore(request)


def one_world_each(subject: RunningSubject, *courses: Callable[[World], None]) -> None:
    """Courses in worlds of their own, until something is found: the less was done, the clearer what told a secret."""
    for course in courses:
        with subject.world() as world:
            course(world)
        if world.found:
            return


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


def accepted_without(world: World, names: Collection[str]) -> None:
    """A store is added without these parameters; a refusal that has another cause is not judged."""
    whole, lifecycle = world.store_request(), world.plugin.lifecycle
    request = replace(
        whole,
        parameters={name: value for name, value in whole.parameters.items() if name not in names},
        secrets={name: value for name, value in whole.secrets.items() if name not in names},
    )
    world.act()
    try:
        lifecycle.initialize(request)
    except InvalidRequest as refused:
        broken("a store without what is not required to be accepted", f"InvalidRequest: {refused}", PLUGIN)
    except ProviderError as error:
        raise BeyondDeclared(f"a store without them is refused for another cause: {type(error).__name__}") from error
    world.defer("delete_datastore", lambda: lifecycle.delete_datastore(request))


def used_iops_are_kept(world: World) -> None:
    """Fewer IOPS than a store has in use are refused, as many are taken; who does not know them is not judged."""
    used, update = world.driver.used(world.store).iops, cast("StoreUpdate", world.plugin.lifecycle).update
    if not used:
        raise BeyondDeclared("`used` tells no IOPS")
    world.act()
    fewer, enough = (replace(world.store.request, capacity_iops=iops) for iops in (used - 1, used))
    with nothing_changes(world):
        expect_refusal(InvalidRequest, "update below used IOPS", lambda: update(world.store, fewer))
        updated = expect_done("update to as many IOPS", lambda: update(world.store, enough))
    expect_equal("the new capacity", updated.request.capacity_iops, used, PLUGIN)


def error_names(error: Exception) -> set[str]:
    """What an error names: the texts among its attributes."""
    return {each for each in vars(error).values() if isinstance(each, str)}
