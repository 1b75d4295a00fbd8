"""Correct but unusual plugins: whatever the kit says against one of them is a false alarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.subject import SubjectPlan
from reference_providers.solidfire import open_https
from tests.variants import answers, shapes
from tests.variants.trash import WithTrash

MAKERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "slow": answers.slow,
    "busy": answers.busy,
    "localised": answers.localised,
    "other-ids": answers.other_ids,
    "full-of-details": answers.full_of_details,
    "without-identity": answers.without_identity,
    "coarse": shapes.coarse,
    "hashed-names": shapes.hashed_names,
    "cluster-wide": shapes.cluster_wide,
    "cluster-wide-with-listener": shapes.cluster_wide_with_listener,
    "plain": shapes.plain,
    "with-trash": lambda connect: WithTrash(connect=connect),
}


def all_variants() -> list[tuple[str, SubjectPlan]]:
    """Each by its name."""
    return [(name, _plan(name, make)) for name, make in MAKERS.items()]


def _plan(name: str, make: Callable[[Any], Any]) -> SubjectPlan:
    return SubjectPlan(name, lambda: make(open_https), lambda network: make(network.connect))
