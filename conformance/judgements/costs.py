"""What operations cost: requests that the plugin sends to the array, by operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from conformance.contract import SpaceAccounting
from conformance.expect import PLUGIN, expect
from conformance.world import Made, World

_SLACK: Final = 2
"""A page more of a list, or a look at what is new, is not growth."""

T = TypeVar("T")
Costs = Mapping[str, int]


def cost_of_a_life(world: World) -> Costs:
    """Requests to the array for each step of one volume's life."""
    costs: dict[str, int] = {}
    made = _counted(world, costs, "create", world.create)
    host = world.host("counted")
    _counted(world, costs, "grant_access", lambda: world.driver.grant_access(world.store, made.volume, host))
    made.granted[host] = None
    _counted(world, costs, "connection", lambda: world.driver.connection(world.store, made.volume, host))
    _counted(world, costs, "revoke_access", lambda: world.driver.revoke_access(world.store, made.volume, host, []))
    made.granted.pop(host)
    _counted(world, costs, "delete", lambda: world.delete(made))
    return costs


def cost_of_looking(world: World) -> Costs:
    """Requests to the array for what the cloud asks every few minutes.

    What was written may have to be asked for each volume; what is provisioned stands in the list.
    """
    costs: dict[str, int] = {}
    if world.subject.declared.traits.space_accounting is SpaceAccounting.PROVISIONED:
        _counted(world, costs, "used", lambda: world.driver.used(world.store))
    _counted(world, costs, "list_objects", lambda: world.driver.list_objects(world.store))
    return costs


def snapshots_cost(world: World, made: Made) -> Costs:
    """Requests to the array for each step of one snapshot's life."""
    costs: dict[str, int] = {}
    taken = _counted(world, costs, "take_snapshot", lambda: world.snapshot(made))
    _counted(world, costs, "delete_snapshot", lambda: world.delete_snapshot(taken))
    return costs


def cost_stays(few: Costs, many: Costs, what: str) -> None:
    """No operation needs more requests than before, whatever was added in between."""
    for name, cost in many.items():
        most = few[name] + _SLACK
        expect(cost <= most, f"{name} to need at most {most} requests with {what}", f"{cost}", PLUGIN)


def _counted(world: World, costs: dict[str, int], name: str, act: Callable[[], T]) -> T:
    before = world.instance.exchanges
    answer = act()
    costs[name] = world.instance.exchanges - before
    return answer
