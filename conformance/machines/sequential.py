"""Carries out a program against a world and the model side by side, and compares them after each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from conformance.contract import (
    AccessGranularity,
    Capability,
    DataStore,
    DeleteWithDependents,
    Host,
    QosPolicy,
    RevertScope,
)
from conformance.expect import ARRAY, HOST, PLUGIN, expect, expect_bytes, expect_done, expect_equal
from conformance.machines.operations import (
    ChangeQos,
    CloneSnapshot,
    CloneVolume,
    CreateVolume,
    DeleteSnapshot,
    DeleteVolume,
    GrantHost,
    GrowVolume,
    RestartPlugin,
    RevertVolume,
    RevokeHost,
    Step,
    TakeSnapshot,
    WriteData,
)
from conformance.model.volumes import ExpectedStores, ExpectedVolume
from conformance.strategies.data import BLOCK
from conformance.world import Made, Taken, World


def follow(world: World, program: Sequence[Step]) -> None:
    """Carry out the program; everything is compared after each step, all data at the end."""
    follower = _Follower(world)
    for step in program:
        follower.take(step)
        follower.compare()
    follower.compare_data()


class _Follower:
    def __init__(self, world: World) -> None:
        self.world, self.expected = world, ExpectedStores()
        self.made: dict[int, Made] = {}
        self.gone: dict[int, Made] = {}
        self.taken: dict[int, Taken] = {}
        self._hosts: dict[int, Host] = {}
        self._stores: list[str] = []
        # Which volume was made from which object: its source may have to outlive it.
        self._clones: dict[Made, Made | Taken] = {}

    def take(self, step: Step) -> None:
        """One step, in the world and in the model."""
        _TAKE[type(step)](self, step)

    # --- steps -----------------------------------------------------------------------------------------------------

    def create(self, step: CreateVolume) -> None:
        if self.expected.exists(step.volume):
            known = self.made[step.volume].volume
            # Repeated as it was asked first: a volume that has grown since would be another size.
            if known.size_bytes == self.expected.volumes[step.volume].size_bytes and not self._has_changed(step.volume):
                at = self.store_of(step.volume)
                again = expect_done("a repeated create", lambda: self.world.driver_create(known.request, at))
                expect_equal("external_id", again.external_id, known.external_id, PLUGIN)
            return
        made = self.world.create(self.world.request(step.size), self.store(step.store))
        self._keep(step.volume, made, step.store)

    def _keep(self, number: int, made: Made, store: int, written: Mapping[int, bytes] | None = None) -> None:
        self.made[number] = made
        known = ExpectedVolume(made.volume.size_bytes, QosPolicy(), store, written=dict(written or {}))
        self.expected.volumes[number] = known

    def _has_changed(self, volume: int) -> bool:
        made = self.made[volume]
        if made in self._clones:
            return True
        grown = made.volume.size_bytes >= made.volume.request.size_bytes + self._granule
        return grown or self.expected.volumes[volume].qos != QosPolicy()

    def delete(self, step: DeleteVolume) -> None:
        if not self.expected.exists(step.volume):
            if step.volume in self.gone:
                gone = self.gone[step.volume]
                at = self.world.store_of(gone.store_uuid)
                expect_done("a repeated delete", lambda: self.world.driver.delete(at, gone.volume))
            return
        if self._is_needed(self.made[step.volume]):
            return
        mine = self.expected.snapshots_of(step.volume)
        if any(self._is_needed(self.taken[each]) for each in mine):
            return
        for each in mine:
            self._drop(each)
        made = self.made.pop(step.volume)
        for host in list(made.granted):
            if host in self._hosts.values():
                self.world.revoke(made, host)
        self.world.delete(made)
        self.gone[step.volume] = made
        del self.expected.volumes[step.volume]

    def grant(self, step: GrantHost) -> None:
        if self.expected.exists(step.volume):
            self.world.grant(self.made[step.volume], self.host(step.host))
            self.expected.volumes[step.volume].hosts.add(step.host)

    def revoke(self, step: RevokeHost) -> None:
        if self.expected.exists(step.volume):
            self.world.revoke(self.made[step.volume], self.host(step.host))
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
        subject = self.world.subject
        online = subject.supports(Capability.RESIZE_ONLINE)
        if not (self.expected.exists(step.volume) and subject.supports(Capability.RESIZE)):
            return
        expected = self.expected.volumes[step.volume]
        if not expected.hosts or online:
            asked = step.growth.beyond(expected.size_bytes, subject.declared.limits)
            expected.size_bytes = self.world.resize(self.made[step.volume], asked)
            expect(expected.size_bytes >= asked, f"at least {asked} bytes", f"{expected.size_bytes}", PLUGIN)

    def change_qos(self, step: ChangeQos) -> None:
        subject = self.world.subject
        online = subject.supports(Capability.QOS_ONLINE)
        if not (self.expected.exists(step.volume) and subject.supports(Capability.QOS)):
            return
        expected, made = self.expected.volumes[step.volume], self.made[step.volume]
        if not expected.hosts or online:
            wanted = step.qos.resolve(subject.declared.limits)
            driver: Any = self.world.driver
            expect_done("set_qos", lambda: driver.set_qos(self.store_of(step.volume), made.volume, wanted))
            expected.qos = wanted

    # --- snapshots and clones --------------------------------------------------------------------------------------

    def take_snapshot(self, step: TakeSnapshot) -> None:
        if not self._can(Capability.SNAPSHOT):
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
        if step.snapshot in self.taken and not self._is_needed(self.taken[step.snapshot]):
            self._drop(step.snapshot)

    def _drop(self, number: int) -> None:
        self.world.delete_snapshot(self.taken.pop(number))
        del self.expected.snapshots[number]

    def revert(self, step: RevertVolume) -> None:
        if step.snapshot not in self.taken or not self._can(Capability.REVERT):
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
        can = step.snapshot in self.taken and self._can(Capability.VOLUME_FROM_SNAPSHOT)
        if can and not self.expected.exists(step.volume):
            snapshot = self.expected.snapshots[step.snapshot]
            store = self.expected.volumes[snapshot.volume].store
            self._clone(self.taken[step.snapshot], step.volume, store, snapshot.written)

    def clone_volume(self, step: CloneVolume) -> None:
        can = self.expected.exists(step.source) and self._can(Capability.VOLUME_FROM_VOLUME)
        if can and not self.expected.exists(step.volume):
            source = self.expected.volumes[step.source]
            self._clone(self.made[step.source], step.volume, source.store, source.written)

    def _clone(self, source: Made | Taken, number: int, store: int, written: Mapping[int, bytes]) -> None:
        made = self.world.clone(source)
        self._clones[made] = source
        self._keep(number, made, store, written)

    def _is_needed(self, source: Made | Taken) -> bool:
        """Whether it does not go before what was made from it."""
        declared = self.world.subject.declared.traits.source_delete_with_clones
        if declared not in {DeleteWithDependents.REFUSED, DeleteWithDependents.DEFERRED}:
            return False
        return any(self._clones.get(each) is source for each in self.made.values())

    def _can(self, capability: Capability) -> bool:
        return self.world.subject.supports(capability)

    def restart(self, step: RestartPlugin) -> None:
        self.world.store  # noqa: B018  (a plugin that serves no store yet has nothing to forget)
        self.world.restart_plugin()

    # --- comparing -------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """The array holds what users own, as large, as fast and as open as they were told."""
        luns = {each.external_id: each for each in self.world.new_luns()}
        wanted = {made.lun.external_id: number for number, made in self.made.items() if made.lun is not None}
        expect_equal("LUNs on the array", sorted(luns), sorted(wanted), ARRAY)
        for external_id, number in wanted.items():
            expected, lun = self.expected.volumes[number], luns[external_id]
            big_enough = expected.size_bytes <= lun.size_bytes < expected.size_bytes + self._granule
            expect(big_enough, f"a LUN of {expected.size_bytes} bytes", f"{lun.size_bytes}", ARRAY)
            self._compare_access(expected, lun.visible_to)
            if expected.qos != QosPolicy() and lun.qos is not None:
                expect_equal("the LUN's QoS", lun.qos, expected.qos, ARRAY)
        for number, uuid in enumerate(self._stores):
            owners = [made.uuid for made in self.made.values() if made.store_uuid == uuid]
            owners += [taken.uuid for taken in self.taken.values() if taken.of.store_uuid == uuid]
            told = self.world.owners(self.world.store_of(uuid))
            expect_equal(f"owners listed in store {number}", told, sorted(owners), PLUGIN)

    def _compare_access(self, expected: ExpectedVolume, visible_to: frozenset[Any]) -> None:
        if self.world.subject.declared.traits.access_granularity is AccessGranularity.CLUSTER:
            return
        probes = {iqn for host in self._hosts.values() for iqn in host.iqns}
        wanted = {iqn for number in expected.hosts for iqn in self.host(number).iqns}
        masked = self.world.subject.declared.traits.access_mechanism != "chap"
        if masked:
            expect_equal("hosts let in", sorted(visible_to & probes), sorted(wanted), ARRAY)

    def compare_data(self) -> None:
        """Every block ever written, on every volume, from a host that may read it."""
        for number, expected in self.expected.volumes.items():
            if expected.written:
                reader = self.host(min(expected.hosts, default=0))
                self.world.grant(self.made[number], reader)
                session = self.world.login(self.made[number], reader)
                for offset in expected.written:
                    found = expect_done("reading", partial(session.read, offset, BLOCK))
                    expect_bytes(f"volume {number} at {offset}", found, expected.block_at(offset, BLOCK), HOST)
                session.close()

    def store(self, number: int) -> DataStore:
        """A store of the program; added when first needed."""
        while len(self._stores) <= number:
            store = self.world.add_store() if self._stores else self.world.store
            self._stores.append(store.request.uuid)
        return self.world.store_of(self._stores[number])

    def store_of(self, volume: int) -> DataStore:
        """The store that a volume is in."""
        return self.world.store_of(self.made[volume].store_uuid)

    def host(self, number: int) -> Host:
        """A host of the program; the second one in another cluster."""
        cluster = self.world.separate_cluster if number == 1 else self.world.cluster
        self._hosts[number] = self.world.host(f"p{number}", cluster)
        return self._hosts[number]

    @property
    def _granule(self) -> int:
        return self.world.subject.declared.limits.granularity_bytes


_TAKE: Final[Mapping[type, Callable[..., None]]] = {
    CreateVolume: _Follower.create,
    DeleteVolume: _Follower.delete,
    GrantHost: _Follower.grant,
    RevokeHost: _Follower.revoke,
    WriteData: _Follower.write,
    GrowVolume: _Follower.grow,
    ChangeQos: _Follower.change_qos,
    TakeSnapshot: _Follower.take_snapshot,
    DeleteSnapshot: _Follower.delete_snapshot,
    RevertVolume: _Follower.revert,
    CloneSnapshot: _Follower.clone_snapshot,
    CloneVolume: _Follower.clone_volume,
    RestartPlugin: _Follower.restart,
}
