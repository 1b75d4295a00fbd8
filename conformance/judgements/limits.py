"""Limits that are declared, as far as a property can go in its time."""

from __future__ import annotations

from typing import Final

from conformance.contract import Host, LimitReached
from conformance.expect import ARRAY, expect_equal
from conformance.judgements.array import facts
from conformance.world import Made, World

_MOST_HOSTS: Final = 70
_MANY: Final = 34
_MANY_CERTIFYING: Final = 258
"""Beyond what fits into a LUN number of one byte (SAM-5 §4.7.7.2, peripheral device addressing)."""


def more_hosts(world: World, made: Made) -> int:
    """How many more hosts can be granted this volume, where each has a group of its own."""
    most = min(world.subject.declared.limits.groups_per_lun or _MOST_HOSTS, _MOST_HOSTS)
    return most - len(made.granted)


def one_more_host(world: World, made: Made, host: Host) -> None:
    """One host more than declared is granted, or refused with LimitReached and nothing changed."""
    before = facts(world.view())
    try:
        world.driver.grant_access(world.store, made.volume, host)
    except LimitReached:
        expect_equal("the array after the refusal", facts(world.view()), before, ARRAY)
        return
    made.granted[host] = None
    world.login(made, host).close()


def many_volumes(world: World) -> int:
    """How many volumes a host is given."""
    wanted = _MANY_CERTIFYING if world.subject.profile.is_certifying else _MANY
    return min(world.subject.declared.limits.luns_per_host or wanted, wanted)
