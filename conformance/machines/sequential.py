"""Carries out a program against a world and the model side by side, and compares them after each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from conformance.errors import BeyondDeclared
from conformance.machines import operations
from conformance.machines.of_care import OfCare
from conformance.machines.of_copies import OfCopies
from conformance.machines.of_volumes import OfVolumes
from conformance.machines.operations import Step
from conformance.world import World


def follow(world: World, program: Sequence[Step]) -> None:
    """Carry out the program; everything is compared after each step, all data at the end."""
    follower = _Follower(world)
    for step in program:
        with suppress(BeyondDeclared):  # what the plugin has no room for is left out
            _TAKE[type(step)](follower, step)
        follower.compare()
    follower.compare_data()


class _Follower(OfVolumes, OfCopies, OfCare):
    """Takes every kind of step."""


_TAKE: Final[Mapping[type, Callable[..., None]]] = {
    operations.CreateVolume: _Follower.create,
    operations.DeleteVolume: _Follower.delete,
    operations.GrantHost: _Follower.grant,
    operations.RevokeHost: _Follower.revoke,
    operations.FenceHost: _Follower.fence,
    operations.WriteData: _Follower.write,
    operations.GrowVolume: _Follower.grow,
    operations.ChangeQos: _Follower.change_qos,
    operations.TakeSnapshot: _Follower.take_snapshot,
    operations.DeleteSnapshot: _Follower.delete_snapshot,
    operations.RevertVolume: _Follower.revert,
    operations.CloneSnapshot: _Follower.clone_snapshot,
    operations.CloneVolume: _Follower.clone_volume,
    operations.SeedTemplate: _Follower.seed_template,
    operations.CloneTemplate: _Follower.clone_template,
    operations.DeleteTemplate: _Follower.delete_template,
    operations.BeginMigration: _Follower.begin_migration,
    operations.EndMigration: _Follower.end_migration,
    operations.RotateChap: _Follower.rotate_chap,
    operations.InitializeAgain: _Follower.initialize_again,
    operations.ConnectHost: _Follower.connect_host,
    operations.RestartPlugin: _Follower.restart,
}
