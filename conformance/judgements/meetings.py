"""Two calls for different objects at one time, by two instances of a plugin: each ends as if it were alone.

The second is made between two requests of the first, at each of them in turn: what the first has read is no longer so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, cast

from conformance.contract import CapacityExhausted, Created, DataStore, Host, Volume, VolumeRequest
from conformance.expect import ARRAY, PLUGIN, broken, expect_done, expect_equal
from conformance.instance import Instance
from conformance.judgements.access import cut_off_from, granted_connection, listener_of
from conformance.judgements.attempts import count_is
from conformance.judgements.moments import is_for_now
from conformance.world import Made, World
from conformance.world.meeting import Ending

# Beyond these, operations with many requests repeat what they did before.
_MOST: Final = 8


def _met(world: World, nth: int, first: Callable[[], object], second: Callable[[], object]) -> tuple[object, object]:
    """Both calls are done, at once or, where the plugin cannot do it now, when they are repeated."""
    endings = world.meet(nth, first, second)
    whole = [_done(ending, act) for ending, act in zip(endings, (first, second), strict=True)]
    return whole[0], whole[1]


def _done(ending: Ending, act: Callable[[], object]) -> object:
    if ending.error is None:
        return ending.answer
    if not is_for_now(ending.error):
        said = f"{type(ending.error).__name__}: {ending.error}"
        broken("two calls for different objects to succeed at one time", said, PLUGIN)
    return expect_done("a call repeated after another one is done", act)


def _grant(world: World, by: Instance, made: Made, host: Host) -> Callable[[], object]:
    return partial(by.plugin.driver.grant_access, by.localised(world.store_of(made.store_uuid)), made.volume, host)


def _revoke(world: World, by: Instance, made: Made, host: Host) -> Callable[[], object]:
    return partial(by.plugin.driver.revoke_access, by.localised(world.store_of(made.store_uuid)), made.volume, host, [])


def granted_together(world: World) -> None:
    """Two volumes are granted to one host, which has none before, and then one more."""
    other, host = world.new_instance(), world.host()
    volumes = [world.create(), world.create()]
    for held in ([], [world.create()]):
        for each in held:
            world.grant(each, host)
        for nth in world.each_request(_MOST):
            _met(
                world,
                nth,
                *(_grant(world, by, each, host) for by, each in zip(_both(world, other), volumes, strict=True)),
            )
            for each in volumes:
                each.granted[host] = None
            for each in volumes:
                world.login(each, host).close()
            for each in volumes:
                world.revoke(each, host)


def _both(world: World, other: Instance) -> tuple[Instance, Instance]:
    return world.instance, other


def granted_and_revoked_together(world: World) -> None:
    """A host gets one volume while another is taken from it; first the one call meets the other, then the reverse."""
    other, host = world.new_instance(), world.host()
    goes, comes = world.create(), world.create()
    for is_reverse in (False, True):
        for nth in world.each_request(_MOST):
            told = granted_connection(world, goes, host)
            by = _both(world, other)[:: -1 if is_reverse else 1]
            calls = [_revoke(world, by[0], goes, host), _grant(world, by[1], comes, host)]
            _met(world, nth, *calls[:: -1 if is_reverse else 1])
            goes.granted.pop(host)
            comes.granted[host] = None
            world.login(comes, host).close()
            cut_off_from(world, host, told, world.lun(goes).wwid)
            world.revoke(comes, host)


def made_and_deleted_together(world: World) -> None:
    """Two volumes of a tenant who has none are made at one time, and deleted at one time."""
    other = world.new_instance()
    for nth in world.each_request(_MOST):
        requests = [world.request(tenant=world.tenant(nth + 1)) for _ in range(2)]
        answers = _met(world, nth, *_creates(world, other, requests))
        count_is(world, luns=2)
        volumes = [_volume(world, *each) for each in zip(requests, answers, strict=True)]
        expect_equal("volumes listed", world.owners(world.store), sorted(each.uuid for each in requests), PLUGIN)
        _met(world, nth, *_deletes(world, other, volumes))
        count_is(world, luns=0)


def _creates(world: World, other: Instance, requests: list[VolumeRequest]) -> Iterator[Callable[[], object]]:
    for by, request in zip(_both(world, other), requests, strict=True):
        world.will_make(request, world.store)
        yield partial(by.plugin.driver.create, by.localised(world.store), request, world.placement)


def _deletes(world: World, other: Instance, volumes: list[Volume]) -> Iterator[Callable[[], object]]:
    for by, volume in zip(_both(world, other), volumes, strict=True):
        yield partial(by.plugin.driver.delete, by.localised(world.store), volume)


def _volume(world: World, request: VolumeRequest, answer: object) -> Volume:
    made = cast("Created", answer)
    return Volume(request, made.external_id, made.size_bytes, made.identity, made.disk, world.placement, made.details)


def last_room_is_given_once(world: World, store: DataStore) -> None:
    """Two creates at one time in a store with room for one: not both are made."""
    other = world.new_instance()
    for nth in world.each_request(_MOST):
        requests = [world.request() for _ in range(2)]
        endings = world.meet(nth, *_creates(world, other, requests))
        for each in endings:
            if each.error is not None and not (isinstance(each.error, CapacityExhausted) or is_for_now(each.error)):
                broken("CapacityExhausted or success", f"{type(each.error).__name__}: {each.error}", PLUGIN)
        made = len(world.new_luns())
        if made > 1:
            broken("one LUN at most in a store with room for one", f"{made} LUNs", ARRAY)
        for request in requests:
            expect_done(
                "delete",
                partial(
                    world.driver.delete, store, Volume(request, None, request.size_bytes, placement=world.placement)
                ),
            )


def store_deleted_beside(world: World) -> None:
    """A store is deleted, with a volume that a host has, while the host gets a volume of another store."""
    other, host, stays = world.new_instance(), world.host(), world.create()
    for nth in world.each_request(_MOST):
        second = world.add_store()
        goes = world.create(store=second)
        world.grant(goes, host)
        world.forget(goes)
        delete = partial(world.plugin.lifecycle.delete_datastore, second.request)
        _met(world, nth, delete, _grant(world, other, stays, host))
        world.remove_store(second.request)
        stays.granted[host] = None
        world.login(stays, host).close()
        world.revoke(stays, host)


def host_told_of_beside(world: World) -> None:
    """A host connects, or is told of once more, while it is granted a volume."""
    other, host, made = world.new_instance(), world.host(), world.create()
    listener = listener_of(world)
    store = world.store
    events = [partial(listener.host_connected, host, store), partial(listener.host_added, host, [store])]
    for event in events:
        for nth in world.each_request(_MOST):
            _met(world, nth, event, _grant(world, other, made, host))
            made.granted[host] = None
            world.login(made, host).close()
            world.revoke(made, host)
