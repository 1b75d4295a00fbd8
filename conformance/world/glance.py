"""One look at the array, and what it shows of the volumes of a world: their LUNs, sizes, QoS and hosts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from conformance.contract import (
    AccessGranularity,
    AccessMechanism,
    ArrayView,
    BridgeError,
    Capability,
    DiskLocation,
    Hookup,
    Host,
    HypervisorBridge,
    Iqn,
    LunIdentity,
    WitnessedLun,
    WitnessPower,
)
from conformance.verdict import Broken, Violation

if TYPE_CHECKING:
    from conformance.world.volumes import Made, WithVolumes


class Glance:
    """What a step promises is compared with one view, however many volumes there are."""

    def __init__(self, world: WithVolumes) -> None:
        self.world = world

    @cached_property
    def view(self) -> ArrayView:
        """The array as it was when it was first asked for here."""
        return self.world.view()

    @cached_property
    def _live(self) -> dict[str, WitnessedLun]:
        return {each.external_id: each for each in self.view.live}

    def lun(self, made: Made, home: str) -> WitnessedLun | None:
        """The volume's LUN; None where no witness shows it."""
        if made.lun is None or not self.sees(WitnessPower.SIZE):
            return None
        found = self._live.get(made.lun.external_id)
        if found is None:
            broken(home, "the LUN to be on the array", "it is gone")
        return found

    def sees(self, power: WitnessPower) -> bool:
        """Whether the witness shows this."""
        return power in self.world.witness.powers

    def check_size(self, made: Made, asked: int, home: str) -> None:
        """It is as large as asked, less than a granule more."""
        lun = self.lun(made, home)
        granule = self.world.subject.declared.limits.granularity_bytes
        if lun is None or self.world.subject.hookup is Hookup.PLUGIN:
            return
        if not asked <= lun.size_bytes < asked + granule:
            broken(home, f"a LUN of at least {asked} bytes and less than {granule} more", f"{lun.size_bytes} bytes")

    def check_ready(self, made: Made, home: str) -> None:
        """Hosts can use it: the array is not still filling it."""
        lun = self.lun(made, home)
        if lun is not None and not lun.is_ready:
            broken(home, "a volume that is ready to be granted", "the array is still filling it")

    def check_same_size(self, made: Made, home: str) -> None:
        """It is as large as it was."""
        lun = self.lun(made, home)
        if lun is not None and lun.size_bytes != made.lun_bytes:
            broken(home, f"the LUN to stay at {made.lun_bytes} bytes", f"{lun.size_bytes} bytes")

    def check_hosts(self, made: Made, *, missing: str, extra: str) -> None:
        """Of the probe hosts those that were granted are let in, and no other."""
        lun = self.lun(made, missing)
        if lun is None or not self.is_masked_by_host:
            return
        probes, wanted = set(_iqns(self.world.probe_hosts)), set(_iqns(made.granted))
        if lost := wanted - lun.visible_to:
            broken(missing, "every granted host to be let in", f"not let in: {_names(lost)}")
        if strangers := (lun.visible_to & probes) - wanted:
            broken(extra, "only granted hosts to be let in", f"let in: {_names(strangers)}")

    def check_others(self, made: Made, home: str) -> None:
        """Every other volume has its size, its hosts and its QoS."""
        for other in self.world.volumes:
            if other is not made and other.lun is not None:
                self.check_same_size(other, home)
                self.check_hosts(other, missing=home, extra=home)
                self.check_qos(other, home)

    def check_qos(self, made: Made, home: str) -> None:
        """It has the QoS that was asked last, where any was asked; during a migration at least that."""
        lun = self.lun(made, home)
        if lun is None or lun.qos is None or not self.world.subject.supports(Capability.QOS):
            return
        for name in ("min_iops", "max_iops", "burst_iops"):
            wanted, found = getattr(made.qos, name), getattr(lun.qos, name)
            if made.is_lifted and wanted is not None and (found or 0) < wanted:
                broken("MIG-003", f"{name} of {wanted} at least while it is copied", str(found))
            if not made.is_lifted and wanted is not None and found != wanted:
                broken(home, f"{name} of {wanted}", str(found))

    def check_datastores(self, made: Made, asked: int, home: str) -> None:
        """In hookup PLUGIN every hypervisor host that has access sees the volume's datastore in its whole size."""
        disk = made.volume.disk
        if self.world.subject.hookup is not Hookup.PLUGIN or disk is None:
            return
        bridge = self.world.open_bridge()
        size = bridge.list_disks(disk.datastore).get(disk.disk, 0) if asked else asked
        if size < asked:
            broken(home, f"a disk of {asked} bytes", f"{size} bytes")
        for host in [each for each in made.granted if each in self.world.placement.hosts]:
            seen = _datastore_bytes(bridge, disk, host)
            if seen < made.volume.size_bytes:
                broken(home, f"{host.name} to see a datastore of {made.volume.size_bytes} bytes", f"{seen}")

    @property
    def is_masked_by_host(self) -> bool:
        """Whether the array's masks tell who was granted."""
        traits = self.world.subject.declared.traits
        by_host = traits.access_granularity is AccessGranularity.HOST
        return by_host and traits.access_mechanism is not AccessMechanism.CHAP and self.sees(WitnessPower.ACCESS)


def check_identity(made: Made, identity: LunIdentity | None) -> None:
    """Where an identity is told it is the LUN's."""
    if made.lun is not None and identity is not None and identity.wwid not in {None, made.lun.wwid}:
        broken("PRV-010", f"the identity {made.lun.wwid}", str(identity.wwid))


def broken(home: str, expected: str, observed: str) -> NoReturn:
    """Say what the array shows, charged to the requirement `home`."""
    raise Broken(Violation(expected, observed, "the array", home))


def names_of(hosts: Iterable[Host]) -> str:
    """Their initiators, for a report."""
    return _names(_iqns(hosts))


def _datastore_bytes(bridge: HypervisorBridge, disk: DiskLocation, host: Host) -> int:
    try:
        return bridge.datastore_bytes(disk.datastore, host)
    except BridgeError:
        return 0


def _iqns(hosts: Iterable[Host]) -> Iterable[Iqn]:
    return (iqn for host in hosts for iqn in host.iqns)


def _names(iqns: Iterable[Iqn]) -> str:
    return ", ".join(sorted(map(str, iqns)))
