"""Operations that the array breaks off one by one: what is said to be done is done, the rest can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from conformance.contract import Capability
from conformance.errors import BeyondDeclared
from conformance.judgements.access import locked_out
from conformance.judgements.array import is_gone
from conformance.judgements.attempts import count_is, is_as_large, tried_twice
from conformance.judgements.qos import qos_is
from conformance.judgements.snapshots import volume_holds
from conformance.strategies.faults import Cut
from conformance.strategies.qos import QosAt
from conformance.strategies.sizes import Growth
from conformance.world import Made, World

# Once, and from then on: what a first error hides a second one may show, and the other way round.
_REFUSED: Final = tuple(
    Cut(0, is_reply=False, is_refused=True, lasts=lasts, in_its_words=True) for lasts in (False, True)
)
# Beyond these, operations with many requests repeat what they did before.
_MOST: Final = 8
_CONTENT: Final = b"\x5a" * 4096


def life_broken_off(world: World) -> None:
    """Volumes are made and deleted, hosts let in and shut out; each call is refused at each of its requests."""
    for at in _at_each_request(world):
        _made_and_deleted(world, at)
    made = world.create()
    for at in _at_each_request(world):
        _let_in_and_shut_out(world, at, made)


def _at_each_request(world: World) -> Iterator[Cut]:
    for refused in _REFUSED:
        yield from world.at_each_request(refused, most=_MOST)


def _made_and_deleted(world: World, cut: Cut) -> None:
    request, before = world.request(), world.view()
    create = partial(world.driver_create, request, world.store)
    answer = tried_twice(world, cut, "create", create, partial(count_is, world, luns=1))
    made = world.keep(request, answer, before, world.store)
    delete = partial(world.driver.delete, world.store, made.volume)
    tried_twice(world, cut, "delete", delete, partial(is_gone, world, made))
    world.delete(made)


def _let_in_and_shut_out(world: World, cut: Cut, made: Made) -> None:
    driver, store, host = world.driver, world.store, world.host()
    made.granted[host] = None
    grant = partial(driver.grant_access, store, made.volume, host)
    tried_twice(world, cut, "grant", grant, lambda: world.login(made, host).close())
    told = world.connection(made, host)
    revoke = partial(driver.revoke_access, store, made.volume, host, list(world.placement.hosts))
    tried_twice(world, cut, "revoke", revoke, partial(locked_out, world, host, told))
    world.revoke(made, host)


def changes_broken_off(world: World, made: Made) -> None:
    """All that the plugin can do to a volume, each call refused at each of its requests."""
    supported = [change for capability, change in _CHANGES.items() if world.subject.supports(capability)]
    if not supported:
        raise BeyondDeclared("the plugin declares that it can change nothing about a volume")
    for change in supported:
        for at in _at_each_request(world):
            change(world, at, made)


def _resize(world: World, cut: Cut, made: Made) -> None:
    asked = Growth(1).beyond(made.volume.size_bytes, world.subject.declared.limits)
    resize = partial(world.copier.resize, world.store, made.volume, asked)
    tried_twice(world, cut, "resize", resize, partial(is_as_large, world, made, asked))
    world.resize(made, asked)


def _set_qos(world: World, cut: Cut, made: Made) -> None:
    made.qos = QosAt(500, 500, 500 + cut.nth).resolve(world.subject.declared.limits)
    change = partial(world.copier.set_qos, world.store, made.volume, made.qos)
    tried_twice(world, cut, "set_qos", change, partial(qos_is, world, made, made.qos))


def _snapshot(world: World, cut: Cut, made: Made) -> None:
    before, request = world.view(), world.snapshot_request()
    take = partial(world.driver_snapshot, made, request)
    answer = tried_twice(world, cut, "take_snapshot", take, partial(count_is, world, snapshots=1))
    taken = world.keep_snapshot(made, request, answer, before)
    delete = partial(world.copier.delete_snapshot, world.store, taken.snapshot)
    tried_twice(world, cut, "delete_snapshot", delete, partial(count_is, world, snapshots=0))
    world.delete_snapshot(taken)


def _clone(world: World, cut: Cut, made: Made) -> None:
    request, before = world.clone_request(made), world.view()
    clone = partial(world.driver_clone, made, request)
    answer = tried_twice(world, cut, "clone", clone, partial(count_is, world, luns=2))
    world.delete(world.keep(request, answer, before, None))


def _revert(world: World, cut: Cut, made: Made) -> None:
    world.put(made, 0, _CONTENT)
    taken = world.snapshot(made)
    world.put(made, 0, bytes(len(_CONTENT)))
    with world.released(made):
        revert = partial(world.copier.revert, world.store, made.volume, taken.snapshot)
        tried_twice(world, cut, "revert", revert, partial(volume_holds, world, made, 0, _CONTENT))
    world.delete_snapshot(taken)


_CHANGES: Final[Mapping[Capability, Callable[[World, Cut, Made], None]]] = MappingProxyType(
    {
        Capability.RESIZE: _resize,
        Capability.QOS: _set_qos,
        Capability.SNAPSHOT: _snapshot,
        Capability.VOLUME_FROM_VOLUME: _clone,
        Capability.REVERT: _revert,
    }
)
