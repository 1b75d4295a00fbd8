"""What a plugin was tried with: the array, the clusters, the probe; and where each requirement was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.contract import AccessModel, Hookup
from conformance.requirement import Need, Requirement

if TYPE_CHECKING:
    from conformance.subject import RunningSubject


@dataclass(frozen=True, slots=True)
class ClusterAround:
    """A cluster of hypervisor hosts. `missing`: why it could not be used."""

    name: str
    hypervisor: str
    kind: str
    hosts: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a requirement was looked at. `hypervisor` is empty where no hypervisor takes part."""

    hypervisor: str
    access_model: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All of it; `array` is simulated or external, `endpoints` are those that the plugin has parameters for."""

    transport: str
    array: str
    endpoints: int
    probe: bool
    probe_missing: str
    clusters: tuple[ClusterAround, ...]
    hookup: str
    access_model: str


def surroundings(subject: RunningSubject) -> Surroundings:
    """As they are in this run."""
    environment = subject.environment
    tables = environment.file.cluster[:1]
    missing = "" if environment.cluster is not None else environment.missing_cluster
    return Surroundings(
        transport=str(environment.transport),
        array=environment.file.array.kind,
        endpoints=sum(each.endpoint for each in subject.declared.parameters),
        probe=environment.probe is not None,
        probe_missing="" if environment.probe is not None else environment.missing_probe,
        clusters=tuple(
            ClusterAround(each.name, str(each.hypervisor), each.kind, subject.chronicle.hosts, missing)
            for each in tables
        ),
        hookup=str(subject.hookup),
        access_model=str(subject.access_model or ""),
    )


def place_of(requirement: Requirement, around: Surroundings) -> Place:
    """Where a requirement is looked at: a plugin that hooks up itself meets the hypervisor everywhere."""
    meets = Need.HYPERVISOR in requirement.needs or around.hookup == Hookup.PLUGIN
    hypervisor = around.clusters[0].hypervisor if meets and around.clusters else ""
    models = [each for each in requirement.needs if isinstance(each, AccessModel)]
    is_direct = Need.DIRECT in requirement.needs
    return Place(hypervisor, str(models[0] if models else AccessModel.DIRECT if is_direct else around.access_model))
