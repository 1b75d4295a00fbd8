"""Somebody else's things on the array: the plugin works beside them or refuses, and leaves them as they are."""

from __future__ import annotations

from collections.abc import Callable

from conformance.contract import (
    CapabilityNotSupported,
    Conflict,
    Host,
    InUse,
    InvalidRequest,
    LimitReached,
    ObjectNotFound,
    ProviderError,
    WitnessedObject,
)
from conformance.expect import ARRAY, PLUGIN, broken, expect_done, expect_equal
from conformance.judgements.array import Facts, facts
from conformance.strategies.data import BLOCK
from conformance.world import Made, World

_REFUSALS = (CapabilityNotSupported, Conflict, InUse, InvalidRequest, LimitReached, ObjectNotFound)


def joins_or_is_refused(world: World, host: Host) -> None:
    """The plugin is told of a host whose initiator others hold; it may say that this cannot be."""
    listener = world.plugin.host_listener
    if listener is not None:
        _is_refused(world, "host_added", lambda: listener.host_added(host, [world.store]))


def granted_beside_or_refused(world: World, made: Made, host: Host) -> None:
    """The host, whose initiator others hold, gets in all the same, or the grant is refused and changes nothing."""
    if _is_refused(world, "the grant", lambda: world.driver.grant_access(world.store, made.volume, host)):
        return
    made.granted[host] = None
    session = world.login(made, host)
    expect_done(f"reading as {host.name}", lambda: session.read(0, BLOCK))


def leaves(world: World, made: Made, host: Host) -> None:
    """The host is revoked, as the cloud does, whether its grant was refused or not, and is removed."""
    world.revoke(made, host)
    world.remove_host(host)


def strangers_untouched(world: World, when: str) -> None:
    """What others have is as it was planted."""
    for each in world.strangers_harmed():
        broken(f"{each.expected} {when}", each.observed, ARRAY)


def _is_refused(world: World, what: str, act: Callable[[], object]) -> bool:
    before = _all_of(world)
    try:
        act()
    except _REFUSALS:
        expect_equal(f"the array after {what} was refused", _all_of(world), before, ARRAY)
        return True
    except ProviderError as error:
        wanted = " or ".join(each.__name__ for each in _REFUSALS)
        broken(f"{what} to succeed or to be refused with {wanted}", f"{type(error).__name__}: {error}", PLUGIN)
    return False


def _all_of(world: World) -> tuple[Facts, tuple[WitnessedObject, ...]]:
    view = world.view()
    return facts(view), view.objects
