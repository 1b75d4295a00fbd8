"""Carries out a program against a world and the model side by side, and compares them after each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from conformance.contract import AccessGranularity, Capability, Host, QosPolicy
from conformance.expect import ARRAY, HOST, PLUGIN, expect, expect_bytes, expect_done, expect_equal
from conformance.machines.operations import (
    ChangeQos,
    CreateVolume,
    DeleteVolume,
    GrantHost,
    GrowVolume,
    RestartPlugin,
    RevokeHost,
    Step,
    WriteData,
)
from conformance.model.volumes import ExpectedStore, ExpectedVolume
from conformance.strategies.data import BLOCK
from conformance.world import Made, World


def follow(world: World, program: Sequence[Step]) -> None:
    """Carry out the program; everything is compared after each step, all data at the end."""
    follower = _Follower(world)
    for step in program:
        follower.take(step)
        follower.compare()
    follower.compare_data()


class _Follower:
    def __init__(self, world: World) -> None:
        self.world, self.expected = world, ExpectedStore()
        self.made: dict[int, Made] = {}
        self.gone: dict[int, Made] = {}
        self._hosts: dict[int, Host] = {}

    def take(self, step: Step) -> None:
        """One step, in the world and in the model."""
        _TAKE[type(step)](self, step)

    # --- steps -----------------------------------------------------------------------------------------------------

    def create(self, step: CreateVolume) -> None:
        if self.expected.exists(step.volume):
            known = self.made[step.volume].volume
            # Repeated as it was asked first: a volume that has grown since would be another size.
            if known.size_bytes == self.expected.volumes[step.volume].size_bytes and not self._has_changed(step.volume):
                again = expect_done("a repeated create", lambda: self.world.driver_create(known.request))
                expect_equal("external_id", again.external_id, known.external_id, PLUGIN)
            return
        made = self.world.create(self.world.request(step.size))
        self.made[step.volume] = made
        self.expected.volumes[step.volume] = ExpectedVolume(made.volume.size_bytes, QosPolicy())

    def _has_changed(self, volume: int) -> bool:
        made = self.made[volume]
        grown = made.volume.size_bytes >= made.volume.request.size_bytes + self._granule
        return grown or self.expected.volumes[volume].qos != QosPolicy()

    def delete(self, step: DeleteVolume) -> None:
        if not self.expected.exists(step.volume):
            if step.volume in self.gone:
                gone = self.gone[step.volume].volume
                expect_done("a repeated delete", lambda: self.world.driver.delete(self.world.store, gone))
            return
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
            expect_done("set_qos", lambda: driver.set_qos(self.world.store, made.volume, wanted))
            expected.qos = wanted

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
        owners = sorted(made.uuid for made in self.made.values())
        expect_equal("owners listed", sorted(self.world.owners(self.world.store)), owners, PLUGIN)

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

    def host(self, number: int) -> Host:
        """A host of the program; each in a cluster of its own."""
        cluster = self.world.cluster if number == 0 else self.world.separate_cluster
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
    RestartPlugin: _Follower.restart,
}
