"""Correct but unusual plugins: whatever the kit says against one of them is a false alarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conformance.subject import SubjectPlan
from reference_providers.solidfire import open_https
from tests.variants import (
    answers,
    chap_alone,
    copying,
    credentials,
    declared,
    dependents,
    from_the_contract,
    latitude,
    meanwhile,
    narrow,
    own_objects,
    parts,
    presenting,
    shapes,
)
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
    "chap-alone": chap_alone.chap_alone,
    "from-the-contract": from_the_contract.OddProvider,
    "from-the-contract-opaque": from_the_contract.opaque,
    "revoking": declared.revoking,
    "refusing-small": declared.refusing_small,
    "counting-written": declared.counting_written,
    "overprovisioned": declared.overprovisioned,
    "numbers-per-host": declared.numbers_per_host,
    "numbers-per-cluster": declared.numbers_per_cluster,
    "direct-only": declared.direct_only,
    "unhurried": declared.unhurried,
    "thick-only": declared.thick_only,
    "quiescing": declared.quiescing,
    "unlimited": declared.unlimited,
    "lagging": declared.lagging,
    "narrow": narrow.narrow,
    "one-snapshot": narrow.one_snapshot,
    "one-size": narrow.one_size,
    "one-qos": narrow.one_qos,
    "ragged": narrow.ragged,
    "short-names": narrow.short_names,
    "keeping-its-size": latitude.keeping_its_size,
    "reverting-granted": latitude.reverting_granted,
    "strict": latitude.strict,
    "with-own-errors": latitude.with_own_errors,
    "presenting-snapshots": presenting.presenting_snapshots,
    "lifting-little": latitude.lifting_little,
    "with-spares": own_objects.with_spares,
    "eager": own_objects.eager,
    "forgetful": own_objects.forgetful,
    "over-policies": own_objects.over_policies,
    "busy-everywhere": meanwhile.busy_everywhere,
    "with-heartbeat": meanwhile.with_heartbeat,
    "asking-twice": meanwhile.asking_twice,
    "over-a-bad-line": meanwhile.over_a_bad_line,
    "purging-later": lambda connect: meanwhile.PurgingLater(connect=connect),
}


ENVIRONMENTS: Final[Mapping[str, Path]] = {
    name: Path(__file__).with_name(file)
    for name, file in {
        "numbers-from-200": "other-numbers.toml",
        "numbers-per-host": "numbers-from-1.toml",
        "numbers-per-cluster": "numbers-from-1.toml",
        "narrow": "narrow.toml",
        "one-snapshot": "one-snapshot.toml",
    }.items()
}
"""Where a variant needs another array than the usual one."""


def all_variants() -> list[tuple[str, SubjectPlan]]:
    """Each by its name."""
    return [(name, _plan(name, make)) for name, make in MAKERS.items()]


def _plan(name: str, make: Callable[[Any], Any]) -> SubjectPlan:
    return SubjectPlan(name, lambda: make(open_https), lambda network: make(network.connect))
