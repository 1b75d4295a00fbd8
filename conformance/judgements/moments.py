"""An array that fails for a moment: what a plugin says of that, what it tells meanwhile, what is left of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from conformance.contract import (
    ArrayUnreachable,
    BlockConnection,
    Busy,
    Capability,
    Connection,
    Host,
    IscsiPath,
    OperationCancelled,
    ProviderError,
    Usage,
    VolumeStats,
)
from conformance.expect import ARRAY, PLUGIN, broken, expect_done, expect_none
from conformance.judgements.access import listener_of
from conformance.judgements.array import objects_of
from conformance.judgements.attempts import count_is
from conformance.strategies.faults import Cut
from conformance.strategies.qos import QosAt
from conformance.strategies.sizes import Growth
from conformance.world import Made, World
from conformance.world.meeting import ending_of

# Nothing arrives; HTTP 503; an error of the API. A failure of one request only may be cured by asking again.
FAILURES: Final = (
    Cut(0, is_reply=False, lasts=True),
    Cut(0, is_reply=False, is_refused=True, lasts=True),
    Cut(0, is_reply=False, is_refused=True, lasts=True, in_its_words=True),
)
_SILENT: Final = FAILURES[0]
# Beyond these, operations with many requests repeat what they did before.
_MOST: Final = 4
_TRIES: Final = 20
T = TypeVar("T")


def said_to_pass(world: World, at: Cut, what: str, act: Callable[[], T]) -> T:
    """An error says that it is for now, not that something is wrong or missing; then all is well, and it is done."""
    with world.broken_off(at) as attempt:
        act()
    if attempt.error is not None and not is_for_now(attempt.error):
        wanted = f"{what} to raise Busy, or ArrayUnreachable that may be tried again, while the array fails"
        broken(wanted, f"{type(attempt.error).__name__}: {attempt.error}", PLUGIN)
    return expect_done(f"the repeated {what}", act)


def is_for_now(error: ProviderError) -> bool:
    """Whether an error says that the same call may succeed later."""
    if isinstance(error, ArrayUnreachable):
        return error.retryable
    return isinstance(error, Busy | OperationCancelled)


def done_in_the_end(what: str, act: Callable[[], object]) -> None:
    """Called until it no longer says that it cannot be done now: a call with many requests may meet a bad moment."""
    for _ in range(_TRIES):
        error = ending_of(act).error
        if error is None or not is_for_now(error):
            break
    if error is not None:
        expect_done(what, act)


def failures_are_said_to_pass(world: World, failure: Cut) -> None:
    """The lives of volumes, each call with an array that fails from one of its requests on."""
    store = world.store
    for at in world.at_each_request(failure, most=_MOST):
        _stores_are_said_to_pass(world, at)
        host, request, before = world.host(), world.request(), world.view()
        answer = said_to_pass(world, at, "create", partial(world.driver_create, request))
        made = world.keep(request, answer, before, store)
        _changes_are_said_to_pass(world, at, made)
        made.granted[host] = None
        said_to_pass(world, at, "grant_access", partial(world.driver.grant_access, store, made.volume, host))
        for what, tell in _told(world, made, host).items():
            said_to_pass(world, at, what, tell)
        revoke = partial(world.driver.revoke_access, store, made.volume, host, [])
        said_to_pass(world, at, "revoke_access", revoke)
        world.revoke(made, host)
        said_to_pass(world, at, "delete", partial(world.driver.delete, store, made.volume))
        world.delete(made)


def _stores_are_said_to_pass(world: World, at: Cut) -> None:
    request, lifecycle = world.store_request(), world.plugin.lifecycle
    said_to_pass(world, at, "initialize", partial(lifecycle.initialize, request))
    world.add_store(request)
    said_to_pass(world, at, "delete_datastore", partial(lifecycle.delete_datastore, request))
    world.remove_store(request)


def _changes_are_said_to_pass(world: World, at: Cut, made: Made) -> None:
    if world.subject.supports(Capability.RESIZE):
        asked = Growth(1).beyond(made.volume.size_bytes, world.subject.declared.limits)
        said_to_pass(world, at, "resize", partial(world.copier.resize, world.store, made.volume, asked))
        world.resize(made, asked)
    if world.subject.supports(Capability.QOS):
        qos = QosAt(500, 500, 500).resolve(world.subject.declared.limits)
        said_to_pass(world, at, "set_qos", partial(world.copier.set_qos, world.store, made.volume, qos))
        world.set_qos(made, qos)
    if world.subject.supports(Capability.SNAPSHOT):
        before, request = world.view(), world.snapshot_request()
        answer = said_to_pass(world, at, "take_snapshot", partial(world.driver_snapshot, made, request))
        taken = world.keep_snapshot(made, request, answer, before)
        delete = partial(world.copier.delete_snapshot, world.store, taken.snapshot)
        said_to_pass(world, at, "delete_snapshot", delete)
        world.delete_snapshot(taken)
    if world.subject.supports(Capability.VOLUME_FROM_VOLUME):
        clone, before = world.clone_request(made), world.view()
        answer = said_to_pass(world, at, "clone", partial(world.driver_clone, made, clone))
        world.delete(world.keep(clone, answer, before, None))


def _told(world: World, made: Made, host: Host) -> dict[str, Callable[[], object]]:
    """What a plugin can be asked for that changes nothing."""
    driver, store = world.driver, world.store
    told: dict[str, Callable[[], object]] = {
        "list_objects": lambda: {(each.kind, each.owner_uuid, each.external_id) for each in driver.list_objects(store)},
        "used": lambda: driver.used(store),
        "connection": lambda: _way_in(world, driver.connection(store, made.volume, host)),
    }
    if world.subject.supports(Capability.VOLUME_STATS):
        told["volume_stats"] = lambda: world.copier.volume_stats(store, made.volume)
    return told


def _way_in(world: World, connection: Connection) -> object:
    """What has to be the same in whatever order paths are told."""
    block: BlockConnection = world.block(connection)
    ways = {(path.target_iqn, path.lun_number, path.chap) for path in block.paths if isinstance(path, IscsiPath)}
    return block.identity, block.size_bytes, ways


def what_is_told_is_true(world: World, failure: Cut) -> None:
    """What is told while the array fails is an error, or what is told otherwise; numbers may be unknown."""
    made, host = world.create(), world.host()
    world.create()
    world.grant(made, host)
    for what, tell in _told(world, made, host).items():
        truth = expect_done(what, tell)
        for at in world.at_each_request(failure, most=_MOST):
            told = None
            with world.broken_off(at):
                told = tell()
            if told is not None and _where_known(told, truth) != truth:
                broken(f"{what} to raise an error, or to tell {truth}, while the array fails", f"{told}", PLUGIN)


def _where_known(told: object, truth: object) -> object:
    """What is told, with the truth in the place of what is told to be unknown."""
    if isinstance(told, Usage | VolumeStats) and isinstance(truth, Usage | VolumeStats):
        unknown = {name: getattr(truth, name) for name in told.__slots__ if getattr(told, name) is None}
        return replace(told, **unknown)
    return told


def stores_broken_off(world: World, cut: Cut) -> None:
    """Stores are added, used and deleted; each call is broken off, and done again."""
    lifecycle = world.plugin.lifecycle
    for at in world.at_each_request(cut):
        request = world.store_request()
        with world.broken_off(at):
            lifecycle.initialize(request)
        made = world.create(store=world.add_store(request))
        world.grant(made, world.host())
        world.forget(made)
        with world.broken_off(at) as attempt:
            lifecycle.delete_datastore(request)
        if attempt.error is None:
            count_is(world, luns=0)
        expect_done("the repeated delete_datastore", partial(world.remove_store, request))
        count_is(world, luns=0)


def leavers_broken_off(world: World, cut: Cut) -> None:
    """Hosts join, use a volume and leave; what takes them off the array is broken off, and done again."""
    listener, made, stores = listener_of(world), world.create(), [world.store]
    for at in world.at_each_request(cut):
        host = world.host(f"leaver-{at.nth}")
        with world.broken_off(at):
            listener.host_added(host, stores)
        expect_done("the repeated host_added", partial(listener.host_added, host, stores))
        world.grant(made, host)
        world.revoke(made, host)
        with world.broken_off(at) as attempt:
            listener.host_about_to_be_removed(host, stores)
        if attempt.error is None:
            _is_off(world, host)
        expect_done("the repeated removal", partial(world.remove_host, host))
        _is_off(world, host)


def silence_is_told(world: World) -> None:
    """What is told of hosts while the array does not answer at all is no success where the array was asked."""
    listener, made, store = listener_of(world), world.create(), world.store
    host = world.host()
    world.grant(made, host)
    events: dict[str, Callable[[], object]] = {
        "host_added": partial(listener.host_added, host, [store]),
        "host_connected": partial(listener.host_connected, host, store),
        "host_enabled": partial(listener.host_enabled, host, [store]),
    }
    for what, event in events.items():
        _raises_or_needs_no_array(world, what, event)
        expect_done(f"the repeated {what}", event)
    world.revoke(made, host)
    leave = partial(listener.host_about_to_be_removed, host, [store])
    _raises_or_needs_no_array(world, "host_about_to_be_removed", leave)
    world.remove_host(host)


def _raises_or_needs_no_array(world: World, what: str, event: Callable[[], object]) -> None:
    asked = world.instance.exchanges
    with world.broken_off(_SILENT) as attempt:
        event()
    if attempt.error is None and world.instance.exchanges > asked:
        broken(f"{what} to raise an error when no request was answered", "success", PLUGIN)


def _is_off(world: World, host: Host) -> None:
    expect_none("trace of the host's initiators", objects_of(world, {str(each) for each in host.iqns}), ARRAY)
