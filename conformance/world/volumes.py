"""Volumes in a world: made through the plugin, found on the array by the witness, deleted at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from conformance.contract import (
    ArrayView,
    Created,
    DataStore,
    Hookup,
    Host,
    Placement,
    QosPolicy,
    Tenant,
    Volume,
    VolumeRequest,
    WitnessedLun,
)
from conformance.environments.file import size_in_bytes
from conformance.errors import KitError, SafetyError
from conformance.strategies.names import Name, PlainName, fitted
from conformance.strategies.sizes import Granules, Size
from conformance.verdict import Broken, Violation
from conformance.world import watching
from conformance.world.stores import WithStores

if TYPE_CHECKING:
    from conformance.subject import RunningSubject


@dataclass(eq=False, slots=True)
class Made:
    """A volume made in this world, its LUN as the witness found it (None without one), and who was let in."""

    volume: Volume
    lun: WitnessedLun | None
    store_uuid: str
    lun_bytes: int
    qos: QosPolicy
    fenced: dict[Host, None] = field(default_factory=dict)
    granted: dict[Host, None] = field(default_factory=dict)
    has_grown: bool = False
    is_lifted: bool = False
    """Whether a migration has begun: until its end the array may give it more than `qos`."""

    @property
    def uuid(self) -> str:
        """The owner's uuid."""
        return self.volume.uuid


class WithVolumes(WithStores):
    """Volumes in a world."""

    def __init__(self, subject: RunningSubject, tag: str, *, hypervisor: bool = False) -> None:
        super().__init__(subject, tag, hypervisor=hypervisor)
        self._made: dict[str, Made] = {}

    def size(self, wanted: Size) -> int:
        """Resolve a size inside the plugin's limits, in bytes."""
        return wanted.resolve(self.subject.declared.limits)

    def request(
        self,
        size: Size | None = None,
        name: Name | None = None,
        qos: QosPolicy | None = None,
        *,
        tenant: Tenant | None = None,
    ) -> VolumeRequest:
        """A request for a new volume, of the world's own tenant unless told otherwise."""
        # Where others have taken the name that the plugin will give, as far as that can be told.
        uuid, self._reserved_uuid = self._reserved_uuid or self._uuid(self._next()), None
        plain = f"{self._prefix}{self.tag}-volume" + "1" * self._named
        self._named += 1
        return VolumeRequest(
            uuid=uuid,
            name=self._named_like(name, plain),
            size_bytes=self.size(size or Granules(0)),
            qos=qos or QosPolicy(),
            tenant=tenant or Tenant(f"tenant-{self.tag}", "conformance"),
            hypervisor=self.cluster.hypervisor,
        )

    def _named_like(self, name: Name | None, plain: str) -> str:
        limits = self.subject.declared.limits
        return fitted((name or PlainName()).resolve(plain, limits), limits)

    def tenant(self, number: int) -> Tenant:
        """A tenant besides the world's own; all have one name, which is not what tells them apart."""
        return Tenant(f"tenant-{self.tag}" + "1" * number, "conformance")

    @property
    def volumes(self) -> list[Made]:
        """The volumes that are there, oldest first."""
        return list(self._made.values())

    @property
    def placement(self) -> Placement:
        """The cluster and its hypervisor hosts."""
        hosts = tuple(self.cluster_world.hosts()) if self._hooks_up else ()
        return Placement(self.cluster, hosts)

    def create(self, request: VolumeRequest | None = None, store: DataStore | None = None) -> Made:
        """Make a volume that a property needs; failing is charged to the requirement on creates."""
        request = request or self.request()
        before = self.view() if self.witness.powers else None
        answer = self._step("create", lambda: self.driver_create(request, store))
        return self.keep(request, answer, before, store)

    def driver_create(
        self, request: VolumeRequest, store: DataStore | None = None, placement: Placement | None = None
    ) -> Created:
        """Call `create` as the cloud would; what it makes is removed at the end."""
        at = store or self.store
        self.will_make(request, at)
        return self.driver.create(at, request, placement or self.placement)

    def will_make(self, request: VolumeRequest, at: DataStore) -> None:
        """Note, before the call, what it may make; whatever that is is removed at the end.

        A request that is repeated makes nothing, and what was made by it goes when its turn comes.
        """
        if request.uuid in self._made:
            return
        self._stay_within_budget(request.size_bytes)
        store_uuid = at.request.uuid
        self.subject.journal.intend("volume", request.uuid, {"store": store_uuid, "name": request.name})
        self._forgotten.discard(request.uuid)
        unknown = Volume(request, None, max(request.size_bytes, 1), placement=self.placement)
        self._undo.append(("delete", lambda: self._delete_made(request.uuid, unknown, store_uuid)))

    def _stay_within_budget(self, size_bytes: int) -> None:
        """On an array that is not simulated, stop before a call would make more than the [safety] table allows."""
        safety = self.subject.environment.file.safety
        if safety is None:
            return
        luns, used = len(self._made) + 1, sum(each.volume.size_bytes for each in self._made.values()) + size_bytes
        if luns > safety.max_luns or used > size_in_bytes(safety.max_bytes):
            raise SafetyError(f"{luns} LUNs of {used} bytes would pass [safety] {safety.max_luns}, {safety.max_bytes}")

    def keep(
        self,
        request: VolumeRequest,
        answer: Created,
        before: ArrayView | None,
        store: DataStore | None,
        watch: Callable[[WithVolumes, Made], None] = watching.after_create,
        step: str = "create",
    ) -> Made:
        """Keep what a step answered, with the LUN that came to the array; `watch` looks at what it promises."""
        volume = Volume(
            request,
            answer.external_id,
            answer.size_bytes,
            answer.identity,
            answer.disk,
            self.placement,
            answer.details,
        )
        lun = self._new_lun(before, step) if before is not None else None
        at = (store or self.store).request.uuid
        lun_bytes = lun.size_bytes if lun else answer.size_bytes
        hooked_up = self.placement.hosts if self.subject.hookup is Hookup.PLUGIN else ()
        made = Made(volume, lun, at, lun_bytes, request.qos, granted=dict.fromkeys(hooked_up))
        self._made[request.uuid] = made
        watch(self, made)
        if lun is not None:
            self._plant_strangers(lun.name, request.uuid)
        return made

    def _new_lun(self, before: ArrayView, step: str) -> WitnessedLun:
        known = {each.external_id for each in before.live}
        new = [each for each in self.view().live if each.external_id not in known]
        if len(new) != 1:
            seen = f"{len(new)} new LUNs on the array"
            raise Broken(Violation(f"{step} to make exactly one LUN", seen, "the array", self.home(step)))
        return new[0]

    def lun(self, made: Made) -> WitnessedLun:
        """The volume's LUN as the witness sees it now."""
        if made.lun is None:
            raise KitError("this property needs a witness")
        for each in self.view().live:
            if each.external_id == made.lun.external_id:
                return each
        raise Broken(Violation("the LUN to be on the array", "it is gone", "the array", None))

    def _delete_made(self, uuid: str, unknown: Volume, store_uuid: str) -> None:
        store = self._stores.get(store_uuid)
        if uuid in self._forgotten or store is None:
            return
        made = self._made.get(uuid)
        volume = made.volume if made else unknown
        for host in [*made.granted, *made.fenced] if made else []:
            remaining = [each for each in made.granted if each != host] if made else []
            self.driver.revoke_access(store, volume, host, remaining)
            if made:
                made.granted.pop(host, None)
                watching.after_revoke(self, made)
        self.driver.delete(store, volume)
        self._made.pop(uuid, None)
        if made:
            self._after_delete(made)

    def delete(self, made: Made) -> None:
        """Delete a volume whose hosts were revoked; failing is charged to the requirement on deletes."""
        self._step("delete", lambda: self.driver.delete(self._at(made), made.volume))
        self._forgotten.add(made.uuid)
        self._made.pop(made.uuid, None)
        self._after_delete(made)

    def _after_delete(self, made: Made) -> None:
        watching.after_delete(self, made)

    def _at(self, made: Made) -> DataStore:
        return self.store_of(made.store_uuid)

    def set_qos(self, made: Made, qos: QosPolicy) -> None:
        """Set QoS that a property needs set; failing is charged to the requirement on that."""
        driver: Any = self.driver
        self._step("set_qos", lambda: driver.set_qos(self._at(made), made.volume, qos))
        made.qos = QosPolicy(
            qos.min_iops or made.qos.min_iops, qos.max_iops or made.qos.max_iops, qos.burst_iops or made.qos.burst_iops
        )
        watching.after_set_qos(self, made)

    def begin_migration(self, made: Made) -> None:
        """Have a volume's QoS lifted for a copy; failing is charged to the requirement on migrations."""
        driver: Any = self.driver
        self._step("begin_migration", lambda: driver.begin_migration(self._at(made), made.volume))
        made.is_lifted = True
        watching.after_migration(self, made)

    def end_migration(self, made: Made) -> None:
        """Have its own QoS put back; failing is charged to the requirement on migrations."""
        driver: Any = self.driver
        self._step("end_migration", lambda: driver.end_migration(self._at(made), made.volume))
        made.is_lifted = False
        watching.after_migration(self, made)

    def forget(self, *volumes: Made) -> None:
        """Do not delete these at the end: their store goes with all that is in it."""
        for made in volumes:
            self._forgotten.add(made.uuid)
            self._made.pop(made.uuid, None)

    def resize(self, made: Made, size_bytes: int) -> int:
        """Grow a volume that a property needs grown; answers the new size in bytes."""
        resizer = self.plugin.driver
        answer = self._step("resize", lambda: resizer.resize(self._at(made), made.volume, size_bytes))  # type: ignore[attr-defined]
        made.has_grown = made.has_grown or answer.size_bytes > made.volume.size_bytes
        made.volume = replace(made.volume, size_bytes=answer.size_bytes)
        if made.lun is not None:
            made.lun_bytes = self.lun(made).size_bytes
        watching.after_resize(self, made, size_bytes)
        return cast("int", answer.size_bytes)
