"""Steps about snapshots, clones and templates."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.contract import Capability, Conflict, QosPolicy, RevertScope
from conformance.expect import PLUGIN, expect, expect_done, expect_equal
from conformance.machines.bookkeeping import Bookkeeping
from conformance.machines.operations import (
    CloneSnapshot,
    CloneTemplate,
    CloneVolume,
    DeleteSnapshot,
    DeleteTemplate,
    RevertVolume,
    SeedTemplate,
    TakeSnapshot,
)
from conformance.strategies.data import BLOCK, Pattern
from conformance.strategies.sizes import Granules
from conformance.world import Made, Seeded, Taken

_IMAGE = Pattern(99)


class OfCopies(Bookkeeping):
    """Keep, put back, copy."""

    def take_snapshot(self, step: TakeSnapshot) -> None:
        if not self.can(Capability.SNAPSHOT):
            return
        if step.snapshot in self.taken:
            taken = self.taken[step.snapshot]
            again = expect_done(
                "a repeated snapshot", lambda: self.world.driver_snapshot(taken.of, taken.snapshot.request)
            )
            expect_equal("external_id", again.external_id, taken.snapshot.external_id, PLUGIN)
        elif self.expected.exists(step.volume):
            self.taken[step.snapshot] = self.world.snapshot(self.made[step.volume])
            self.expected.take(step.snapshot, step.volume)

    def delete_snapshot(self, step: DeleteSnapshot) -> None:
        if step.snapshot in self.taken and not self.is_needed(self.taken[step.snapshot]):
            self.world.delete_snapshot(self.taken.pop(step.snapshot))
            del self.expected.snapshots[step.snapshot]

    def revert(self, step: RevertVolume) -> None:
        if step.snapshot not in self.taken or not self.can(Capability.REVERT):
            return
        taken, snapshot = self.taken[step.snapshot], self.expected.snapshots[step.snapshot]
        expected = self.expected.volumes[snapshot.volume]
        self.world.revert(taken.of, taken)
        expected.size_bytes = taken.of.volume.size_bytes
        expected.revert(snapshot, BLOCK)
        if self.world.subject.declared.traits.revert_scope is RevertScope.DISCARDS_NEWER:
            for number in [each for each, known in self.taken.items() if known not in self.world.snapshots]:
                del self.taken[number], self.expected.snapshots[number]

    def clone_snapshot(self, step: CloneSnapshot) -> None:
        if step.snapshot in self.taken and self.can(Capability.VOLUME_FROM_SNAPSHOT):
            snapshot = self.expected.snapshots[step.snapshot]
            store = self.expected.volumes[snapshot.volume].store
            self._clone(self.taken[step.snapshot], step.volume, step.more, store, snapshot.written)

    def clone_volume(self, step: CloneVolume) -> None:
        if self.expected.exists(step.source) and self.can(Capability.VOLUME_FROM_VOLUME):
            source = self.expected.volumes[step.source]
            self._clone(self.made[step.source], step.volume, step.more, source.store, source.written)

    def seed_template(self, step: SeedTemplate) -> None:
        if self.template is None and self.can(Capability.TEMPLATE_CACHE):
            self.store(0)
            self.template = self.world.seed(_IMAGE.content)

    def clone_template(self, step: CloneTemplate) -> None:
        if self.template is not None:
            written = {place * BLOCK: _IMAGE.content[:BLOCK] for place in range(_IMAGE.blocks)}
            self._clone(self.template, step.volume, 0, 0, written)

    def delete_template(self, step: DeleteTemplate) -> None:
        if self.template is not None and not self.is_needed(self.template):
            self.world.delete_template(self.template)
            self.template = None

    def _clone(
        self, source: Made | Taken | Seeded, number: int, more: int, store: int, written: Mapping[int, bytes]
    ) -> None:
        if self.expected.exists(number):
            self._clone_again(source, number)
            return
        made = self.world.clone(source, self.world.clone_request(source, Granules(more)))
        self.clones[made] = source
        self.keep(number, made, store, written)

    def _clone_again(self, source: Made | Taken | Seeded, number: int) -> None:
        """The request as it was asked first; a clone that has changed since may be called another."""
        made = self.made[number]
        if self.clones.get(made) is not source:
            return
        known = made.volume
        grown = known.size_bytes >= known.request.size_bytes + self.granule
        try:
            again = self.world.driver_clone(source, known.request)
        except Conflict:
            has_changed = grown or self.expected.volumes[number].qos != QosPolicy()
            expect(has_changed, "a repeated clone to succeed", "Conflict", PLUGIN)
            return
        expect_equal("external_id", again.external_id, known.external_id, PLUGIN)
