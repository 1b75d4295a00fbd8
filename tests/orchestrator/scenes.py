"""Where tests begin: a world with a storage, a volume, an attached volume."""

from __future__ import annotations

from dataclasses import replace

from conformance.contract import AccessModel, Capability, Hookup
from conformance.orchestrator import Orchestrator

from .fakes import CLUSTER, HOSTS, OTHER_STORE, SECOND, SNAPSHOT, STORE, TEMPLATE, TEMPLATE_UUID, VM, VOLUME, World


def with_storage(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with one primary storage."""
    world = World(hookup, lacks)
    cloud = world.cloud()
    cloud.add_primary_storage(replace(STORE, access_model=model), [CLUSTER])
    world.script.names.clear()
    return world, cloud


def with_volume(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with one volume."""
    world, cloud = with_storage(hookup, model, lacks)
    cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)
    world.script.names.clear()
    return world, cloud


def attached(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with one volume that a VM has."""
    world, cloud = with_volume(hookup, model, lacks)
    cloud.attach_volume(VOLUME.uuid, VM, HOSTS[0])
    world.script.names.clear()
    return world, cloud


def with_snapshot(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with a volume whose bytes have changed since a snapshot was taken of it."""
    world, cloud = with_volume(hookup, model, lacks)
    world.array.luns[VOLUME.uuid].content = "old"
    cloud.take_snapshot(VOLUME.uuid, SNAPSHOT)
    world.array.luns[VOLUME.uuid].content = "new"
    world.script.names.clear()
    return world, cloud


def running(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with a VM that the cloud has started, with two volumes."""
    world, cloud = stopped(hookup, model, lacks)
    cloud.start_vm(VM, HOSTS[0])
    world.script.names.clear()
    return world, cloud


def stopped(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with a stopped VM that two volumes are assigned to."""
    world, cloud = with_volume(hookup, model, lacks)
    cloud.create_volume(STORE.uuid, SECOND, CLUSTER)
    for each in (SECOND, VOLUME):
        cloud.attach_volume(each.uuid, VM)
    world.script.names.clear()
    return world, cloud


def maintained(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with a stopped VM's volumes in a storage in maintenance."""
    world, cloud = stopped(hookup, model, lacks)
    cloud.maintain_storage(STORE.uuid)
    world.script.names.clear()
    return world, cloud


def with_host_in_maintenance(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world in which a volume was made while a host was in maintenance."""
    world, cloud = with_storage(hookup, model, lacks)
    cloud.maintain_host(HOSTS[1])
    cloud.create_volume(STORE.uuid, VOLUME, CLUSTER)
    world.script.names.clear()
    return world, cloud


def disabled(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with a volume in a storage that takes no new ones."""
    world, cloud = with_volume(hookup, model, lacks)
    cloud.disable_storage(STORE.uuid)
    world.script.names.clear()
    return world, cloud


def with_two_stores(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with a volume in one storage, and another storage."""
    world, cloud = with_volume(hookup, model, lacks)
    cloud.add_primary_storage(replace(STORE, uuid=OTHER_STORE, access_model=model), [CLUSTER])
    world.array.luns[VOLUME.uuid].content = "new"
    world.script.names.clear()
    return world, cloud


def with_template(
    hookup: Hookup = Hookup.FRAMEWORK,
    model: AccessModel = AccessModel.DEDICATED,
    lacks: frozenset[Capability] = frozenset(),
) -> tuple[World, Orchestrator]:
    """A world with a template on the array."""
    world, cloud = with_storage(hookup, model, lacks)
    cloud.seed_template(STORE.uuid, TEMPLATE_UUID, TEMPLATE, CLUSTER)
    world.script.names.clear()
    return world, cloud
