"""What a program has made so far, in the world and in the model, and the comparison of the two."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from conformance.contract import (
    AccessGranularity,
    Capability,
    DataStore,
    DeleteWithDependents,
    Host,
    QosPolicy,
    SpaceAccounting,
    WitnessPower,
)
from conformance.expect import ARRAY, HOST, PLUGIN, expect, expect_bytes, expect_done, expect_equal
from conformance.judgements.array import usage_is_true
from conformance.model.volumes import ExpectedStores, ExpectedVolume
from conformance.strategies.data import BLOCK
from conformance.world import Made, Seeded, Taken, World


class Bookkeeping:
    """Numbers are a program's; what they stand for is kept here."""

    def __init__(self, world: World) -> None:
        self.world, self.expected = world, ExpectedStores()
        self.made: dict[int, Made] = {}
        self.gone: dict[int, Made] = {}
        self.taken: dict[int, Taken] = {}
        self.template: Seeded | None = None
        self.hosts: dict[int, Host] = {}
        self.stores: list[str] = []
        # Which volume was made from which object: its source may have to outlive it.
        self.clones: dict[Made, Made | Taken | Seeded] = {}
        # Volumes in a migration: the array gives them more than users asked for.
        self.lifted: set[int] = set()

    def can(self, capability: Capability) -> bool:
        """Whether the plugin supports it."""
        return self.world.subject.supports(capability)

    def keep(self, number: int, made: Made, store: int, written: Mapping[int, bytes] | None = None) -> None:
        """A volume was made."""
        self.made[number] = made
        known = ExpectedVolume(made.volume.size_bytes, QosPolicy(), store, written=dict(written or {}))
        self.expected.volumes[number] = known

    def store(self, number: int) -> DataStore:
        """A store of the program; added when first needed."""
        while len(self.stores) <= number:
            store = self.world.add_store() if self.stores else self.world.store
            self.stores.append(store.request.uuid)
        return self.world.store_of(self.stores[number])

    def store_of(self, volume: int) -> DataStore:
        """The store that a volume is in."""
        return self.world.store_of(self.made[volume].store_uuid)

    def host(self, number: int) -> Host:
        """A host of the program; the second one in another cluster."""
        cluster = self.world.separate_cluster if number == 1 else self.world.cluster
        self.hosts[number] = self.world.host(f"p{number}", cluster)
        return self.hosts[number]

    def is_needed(self, source: Made | Taken | Seeded) -> bool:
        """Whether it does not go before what was made from it."""
        declared = self.world.subject.declared.traits.source_delete_with_clones
        if declared not in {DeleteWithDependents.REFUSED, DeleteWithDependents.DEFERRED}:
            return False
        return any(self.clones.get(each) is source for each in self.made.values())

    @property
    def granule(self) -> int:
        """What sizes are rounded up to, in bytes."""
        return self.world.subject.declared.limits.granularity_bytes

    # --- comparing -------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """The array holds what users own, as large, as fast and as open as they were told."""
        luns = {each.external_id: each for each in self.world.new_luns()}
        wanted = {made.lun.external_id: number for number, made in self.made.items() if made.lun is not None}
        templates = [self.template.made.lun] if self.template is not None else []
        others = [each.external_id for each in templates if each is not None]
        expect_equal("LUNs on the array", sorted(luns), sorted([*wanted, *others]), ARRAY)
        for external_id, number in wanted.items():
            expected, lun = self.expected.volumes[number], luns[external_id]
            big_enough = expected.size_bytes <= lun.size_bytes < expected.size_bytes + self.granule
            expect(big_enough, f"a LUN of {expected.size_bytes} bytes", f"{lun.size_bytes}", ARRAY)
            self._compare_access(expected, lun.visible_to)
            if expected.qos != QosPolicy() and lun.qos is not None and number not in self.lifted:
                expect_equal("the LUN's QoS", lun.qos, expected.qos, ARRAY)
        self._compare_owners()

    def _compare_owners(self) -> None:
        for number, uuid in enumerate(self.stores):
            owners = [made.uuid for made in self.made.values() if made.store_uuid == uuid]
            owners += [taken.uuid for taken in self.taken.values() if taken.of.store_uuid == uuid]
            owners += [self.template.cached.uuid] if self.template is not None and number == 0 else []
            told = self.world.owners(self.world.store_of(uuid))
            expect_equal(f"owners listed in store {number}", told, sorted(owners), PLUGIN)

    def _compare_access(self, expected: ExpectedVolume, visible_to: frozenset[Any]) -> None:
        if self.world.subject.declared.traits.access_granularity is AccessGranularity.CLUSTER:
            return
        probes = {iqn for host in self.hosts.values() for iqn in host.iqns}
        wanted = {iqn for number in expected.hosts for iqn in self.host(number).iqns}
        masked = self.world.subject.declared.traits.access_mechanism != "chap"
        if masked:
            expect_equal("hosts let in", sorted(visible_to & probes), sorted(wanted), ARRAY)

    def compare_data(self) -> None:
        """Every block ever written, on every volume from a host that may read it, and in every snapshot."""
        for number, expected in self.expected.volumes.items():
            if expected.written:
                reader = self.host(min(expected.hosts, default=0))
                self.world.grant(self.made[number], reader)
                session = self.world.login(self.made[number], reader)
                for offset in expected.written:
                    found = expect_done("reading", partial(session.read, offset, BLOCK))
                    expect_bytes(f"volume {number} at {offset}", found, expected.block_at(offset, BLOCK), HOST)
                session.close()
        self._compare_snapshots()
        self._compare_usage()

    def _compare_snapshots(self) -> None:
        witness = self.world.witness
        if not {WitnessPower.SNAPSHOTS, WitnessPower.BYTES} <= witness.powers:
            return
        for number, taken in self.taken.items():
            if taken.seen is not None:
                for offset, block in self.expected.snapshots[number].written.items():
                    found = witness.read_snapshot(taken.seen.external_id, offset, BLOCK)
                    expect_bytes(f"snapshot {number} at {offset}", found, block, ARRAY)

    def _compare_usage(self) -> None:
        written = self.world.subject.declared.traits.space_accounting is SpaceAccounting.WRITTEN
        if self.stores and self.template is None and not self.lifted and not (written and self.taken):
            expect_done("used", lambda: usage_is_true(self.world))
