"""What is declared unsupported refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from conformance.contract import (
    Capability,
    CapabilityNotSupported,
    QosPolicy,
    SnapshotRequest,
    Template,
)
from conformance.expect import (
    expect_refusal,
)
from conformance.judgements.array import nothing_changes
from conformance.strategies.data import BLOCK
from conformance.world import Made, World

Arguments = Callable[[World, Made], tuple[object, ...]]


def _growth(world: World, made: Made) -> tuple[object, ...]:
    return world.store, "growth-1", made.volume.size_bytes, world.cluster


def _seed(world: World, made: Made) -> tuple[object, ...]:
    return world.store, "template-1", Template("t", "raw", BLOCK, "sha256:0"), made.volume.size_bytes


_CALLS: Final[Mapping[str, tuple[Capability, Arguments]]] = {
    "resize": (Capability.RESIZE, lambda w, m: (w.store, m.volume, m.volume.size_bytes * 2)),
    "set_qos": (Capability.QOS, lambda w, m: (w.store, m.volume, QosPolicy(100, 500, 900))),
    "take_snapshot": (Capability.SNAPSHOT, lambda w, m: (w.store, m.volume, SnapshotRequest("snapshot-1", "s"))),
    "clone": (Capability.VOLUME_FROM_VOLUME, lambda w, m: (w.store, w.request(), w.placement, m.volume)),
    "rotate_chap": (Capability.CHAP_ROTATION, lambda w, m: (w.store, m.volume, w.host())),
    "volume_stats": (Capability.VOLUME_STATS, lambda w, m: (w.store, m.volume)),
    "begin_migration": (Capability.MIGRATION_QOS, lambda w, m: (w.store, m.volume)),
    "seed_template": (Capability.TEMPLATE_CACHE, _seed),
    "grow_store": (Capability.SHARED_GROWTH, _growth),
}
_KEYWORDS: Final[Mapping[str, Mapping[str, object]]] = {"take_snapshot": {"quiesced": False}}


def unsupported_is_refused(world: World, made: Made) -> None:
    """What is declared unsupported refuses and changes nothing; a method that is not there at all is refusal enough."""
    for method, (capability, arguments) in _CALLS.items():
        if not world.subject.supports(capability) and hasattr(world.plugin.raw.driver, method):
            keywords = _KEYWORDS.get(method, {})
            call: Any = partial(getattr(world.driver, method), *arguments(world, made), **keywords)
            with nothing_changes(world):
                expect_refusal(CapabilityNotSupported, f"{method}, declared unsupported,", call)
