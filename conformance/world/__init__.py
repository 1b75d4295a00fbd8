"""One example's world: a fresh array, a fresh cluster, a fresh plugin instance, and what was made with them.

Leaving it undoes everything last in first out *through the plugin*, then looks for what is left: on the array, in logs,
among threads. What it finds is charged to the requirement that answers for it, and only if the example itself
went well: after a failure leftovers are its consequence.
"""

from __future__ import annotations

from conformance.world.snapshots import Seeded, Taken
from conformance.world.volumes import Made
from conformance.world.whole import World

__all__ = ["Made", "Seeded", "Taken", "World"]
