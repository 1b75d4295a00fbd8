"""Correct but unusual plugins: whatever the kit says against one of them is a false alarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conformance.subject import SubjectPlan
from reference_providers.solidfire import open_https
from tests.variants import answers, copying, credentials, dependents, parts, shapes
from tests.variants.trash import WithTrash

MAKERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "slow": answers.slow,
    "busy": answers.busy,
    "localised": answers.localised,
    "localised-in-japanese": answers.localised_in_japanese,
    "other-ids": answers.other_ids,
    "full-of-details": answers.full_of_details,
    "numbers-from-200": answers.numbers_from_200,
    "without-identity": answers.without_identity,
    "knowing-no-usage": answers.knowing_no_usage,
    "over-futures": lambda connect: answers.OverFutures(connect=connect),
    "coarse": shapes.coarse,
    "coarse-over-a-bridge": shapes.coarse_over_a_bridge,
    "steps-of-16-mib": shapes.steps_of_16_mib,
    "hashed-names": shapes.hashed_names,
    "cluster-wide": shapes.cluster_wide,
    "cluster-wide-with-listener": shapes.cluster_wide_with_listener,
    "with-trash": lambda connect: WithTrash(connect=connect),
    "plain": parts.plain,
    "without-clones": parts.without_clones,
    "without-revert": parts.without_revert,
    "clones-of-snapshots-only": parts.clones_of_snapshots_only,
    "clones-of-volumes-only": parts.clones_of_volumes_only,
    "without-listener": parts.without_listener,
    "without-update": parts.without_update,
    "only-at-rest": parts.only_at_rest,
    "refusing": dependents.refusing,
    "cascading": dependents.cascading,
    "deferring": dependents.deferring,
    "independent": dependents.independent,
    "discarding-newer": dependents.discarding_newer,
    "by-way-of-snapshots": copying.by_way_of_snapshots,
    "templates-as-snapshots": copying.templates_as_snapshots,
    "one-account": credentials.one_account,
    "dropping-sessions": credentials.dropping_sessions,
}


ENVIRONMENTS: Final[Mapping[str, Path]] = {"numbers-from-200": Path(__file__).with_name("other-numbers.toml")}
"""Where a variant needs another array than the usual one."""


def all_variants() -> list[tuple[str, SubjectPlan]]:
    """Each by its name."""
    return [(name, _plan(name, make)) for name, make in MAKERS.items()]


def _plan(name: str, make: Callable[[Any], Any]) -> SubjectPlan:
    return SubjectPlan(name, lambda: make(open_https), lambda network: make(network.connect))
