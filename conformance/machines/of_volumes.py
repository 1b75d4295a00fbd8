"""Steps about volumes and the hosts that use them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.contract import Capability, Conflict, QosPolicy, Tenant
from conformance.expect import PLUGIN, expect, expect_done, expect_equal
from conformance.machines.bookkeeping import Bookkeeping
from conformance.machines.operations import (
    ChangeQos,
    CreateVolume,
    DeleteVolume,
    FenceHost,
    GrantHost,
    GrowVolume,
    RevokeHost,
    WriteData,
)
from conformance.strategies.data import BLOCK


class OfVolumes(Bookkeeping):
    """Make, delete, grow; let in, shut out, write."""

    def create(self, step: CreateVolume) -> None:
        if self.expected.exists(step.volume):
            self._create_again(step.volume)
            return
        request = self.world.request(step.size)
        if step.volume == 2:
            # Another customer's: whoever keeps customers apart has two of them in one store.
            request = replace(request, tenant=Tenant(f"another-{request.tenant.uuid}", "another customer"))
        self.keep(step.volume, self.world.create(request, self.store(step.store)), step.store)

    def _create_again(self, volume: int) -> None:
        """The request as it was asked first; a volume that has changed since may be called another."""
        known, at = self.made[volume].volume, self.store_of(volume)
        if self.made[volume] in self.clones:
            return
        try:
            again = self.world.driver_create(known.request, at)
        except Conflict:
            expect(self._has_changed(volume), "a repeated create to succeed", "Conflict", PLUGIN)
            return
        expect_equal("external_id", again.external_id, known.external_id, PLUGIN)

    def _has_changed(self, volume: int) -> bool:
        known = self.made[volume].volume
        grown = known.size_bytes >= known.request.size_bytes + self.granule
        return grown or self.expected.volumes[volume].qos != QosPolicy()

    def delete(self, step: DeleteVolume) -> None:
        if not self.expected.exists(step.volume):
            self._delete_again(step.volume)
            return
        mine = self.expected.snapshots_of(step.volume)
        if self.is_needed(self.made[step.volume]) or any(self.is_needed(self.taken[each]) for each in mine):
            return
        for each in mine:
            self.world.delete_snapshot(self.taken.pop(each))
            del self.expected.snapshots[each]
        made = self.made.pop(step.volume)
        for host in list(made.granted):
            if host in self.hosts.values():
                self.world.revoke(made, host)
        self.world.delete(made)
        self.gone[step.volume] = made
        self.lifted.discard(step.volume)
        del self.expected.volumes[step.volume]

    def _delete_again(self, volume: int) -> None:
        if volume in self.gone:
            gone = self.gone[volume]
            at = self.world.store_of(gone.store_uuid)
            expect_done("a repeated delete", lambda: self.world.driver.delete(at, gone.volume))

    def grant(self, step: GrantHost) -> None:
        if self.expected.exists(step.volume):
            self.world.grant(self.made[step.volume], self.host(step.host))
            self.expected.volumes[step.volume].hosts.add(step.host)

    def revoke(self, step: RevokeHost) -> None:
        if self.expected.exists(step.volume):
            self.world.revoke(self.made[step.volume], self.host(step.host))
            self.expected.volumes[step.volume].hosts.discard(step.host)

    def fence(self, step: FenceHost) -> None:
        if self.expected.is_granted(step.volume, step.host):
            made, host, at = self.made[step.volume], self.host(step.host), self.store_of(step.volume)
            expect_done("fence", lambda: self.world.driver.fence(at, made.volume, [host]))
            self.world.was_fenced(made, host)
            self.expected.volumes[step.volume].hosts.discard(step.host)

    def write(self, step: WriteData) -> None:
        if not self.expected.is_granted(step.volume, step.host):
            return
        expected, content = self.expected.volumes[step.volume], step.pattern.content
        session = self.world.login(self.made[step.volume], self.host(step.host))
        offset = step.place.offset(session.size_bytes, len(content))
        expect_done("writing as a granted host", lambda: session.write(offset, content))
        session.close()
        expected.write(offset, content, BLOCK)

    def grow(self, step: GrowVolume) -> None:
        if not (self.expected.exists(step.volume) and self.can(Capability.RESIZE)):
            return
        expected = self.expected.volumes[step.volume]
        if not expected.hosts or self.can(Capability.RESIZE_ONLINE):
            asked = step.growth.beyond(expected.size_bytes, self.world.subject.declared.limits)
            expected.size_bytes = self.world.resize(self.made[step.volume], asked)
            expect(expected.size_bytes >= asked, f"at least {asked} bytes", f"{expected.size_bytes}", PLUGIN)

    def change_qos(self, step: ChangeQos) -> None:
        if not (self.expected.exists(step.volume) and self.can(Capability.QOS)):
            return
        expected, made = self.expected.volumes[step.volume], self.made[step.volume]
        if not expected.hosts or self.can(Capability.QOS_ONLINE):
            wanted = step.qos.resolve(self.world.subject.declared.limits)
            driver: Any = self.world.driver
            expect_done("set_qos", lambda: driver.set_qos(self.store_of(step.volume), made.volume, wanted))
            expected.qos = wanted
