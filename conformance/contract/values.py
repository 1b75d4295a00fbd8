"""What cloud, plugin and bridge hand each other: frozen values that validate themselves.

Sizes are bytes and say so. `details` is text to text, copied, and holds no secrets. `request.size_bytes` is
LUN bytes in hookup FRAMEWORK and disk bytes in hookup PLUGIN; `Created` and `Volume` speak the same unit as
their request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .addresses import Initiator, Iqn
from .connection import LunIdentity, NfsExport
from .frozen_mapping import FrozenMapping
from .secret import Secret


class HypervisorType(StrEnum):
    """The four hypervisors bridges exist for."""

    VSPHERE = "vsphere"
    XENSERVER = "xenserver"
    KVM = "kvm"
    OVM = "ovm"


class AccessModel(StrEnum):
    """One datastore for many volumes, one per volume, or none."""

    SHARED = "shared"
    DEDICATED = "dedicated"
    DIRECT = "direct"


class Hookup(StrEnum):
    """Who calls the bridge: the cloud or the plugin."""

    FRAMEWORK = "framework"
    PLUGIN = "plugin"


class Provisioning(StrEnum):
    """Space on write, or at once. Without capability THIN a plugin takes it at once, whatever is asked."""

    THIN = "thin"
    THICK = "thick"


class HostState(StrEnum):
    """What the cloud thinks of a host."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    MAINTENANCE = "maintenance"
    DISCONNECTED = "disconnected"


def _text(mapping: Mapping[str, str], field_name: str) -> Mapping[str, str]:
    entries: Iterable[tuple[object, object]] = mapping.items()
    for key, value in entries:
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"{field_name}[{key!r}] is {type(value).__name__}; expected text to text")
    return FrozenMapping(mapping)


def _named(kind: str, uuid: str, name: str) -> None:
    if not uuid:
        raise ValueError(f"{kind} has no uuid")
    if not name:
        raise ValueError(f"{kind} {uuid} has no name")


def _positive(field_name: str, number: object) -> None:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{field_name} is {type(number).__name__}; expected whole bytes")
    if number <= 0:
        raise ValueError(f"{field_name} {number} is not positive")


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose volume it is."""

    uuid: str
    name: str
    since = "0.1"

    def __post_init__(self) -> None:
        _named("tenant", self.uuid, self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Host:
    """A hypervisor machine; two values with one uuid are the same host, whatever else has changed."""

    uuid: str
    name: str
    hypervisor: HypervisorType
    cluster_uuid: str
    initiators: tuple[Initiator, ...]
    state: HostState = HostState.ENABLED
    since = "0.1"

    def __post_init__(self) -> None:
        _named("host", self.uuid, self.name)

    def __eq__(self, other: object) -> bool:
        return self.uuid == other.uuid if isinstance(other, Host) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.uuid)

    @property
    def iqns(self) -> tuple[Iqn, ...]:
        """The host's iSCSI initiator names; empty when it has none."""
        return tuple(each for each in self.initiators if isinstance(each, Iqn))


@dataclass(frozen=True, slots=True)
class Cluster:
    """Hosts of one hypervisor that share datastores."""

    uuid: str
    name: str
    hypervisor: HypervisorType
    since = "0.1"

    def __post_init__(self) -> None:
        _named("cluster", self.uuid, self.name)


@dataclass(frozen=True, slots=True)
class Zone:
    """Clusters of any hypervisor in one place."""

    uuid: str
    name: str
    since = "0.1"

    def __post_init__(self) -> None:
        _named("zone", self.uuid, self.name)


Scope = Cluster | Zone


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a volume is to be used: in DEDICATED/PLUGIN, these hosts get access before `create` returns."""

    cluster: Cluster
    hosts: tuple[Host, ...]
    since = "0.1"


@dataclass(frozen=True, slots=True)
class QosPolicy:
    """Guaranteed, sustained and short-term I/O operations per second; None leaves a value to the array."""

    min_iops: int | None = None
    max_iops: int | None = None
    burst_iops: int | None = None
    since = "0.1"

    def __post_init__(self) -> None:
        given = [each for each in (self.min_iops, self.max_iops, self.burst_iops) if each is not None]
        if any(each <= 0 for each in given):
            raise ValueError(f"QoS {given} is not positive")
        if given != sorted(given):
            raise ValueError(f"QoS {given} breaks min_iops <= max_iops <= burst_iops")


@dataclass(frozen=True, slots=True)
class Template:
    """A disk image to seed root disks from; `checksum` is ``algorithm:hex``."""

    source: str
    format: str
    size_bytes: int
    checksum: str
    since = "0.1"


@dataclass(frozen=True, slots=True)
class VmRef:
    """A virtual machine on a hypervisor, by the cloud's uuid and its name there."""

    uuid: str
    name: str
    since = "0.1"


@dataclass(frozen=True, slots=True)
class DatastoreRef:
    """A datastore, storage repository or storage pool.

    `locator` is the hypervisor's own handle and opaque to others.
    """

    cluster_uuid: str
    name: str
    locator: str = ""
    since = "0.1"


@dataclass(frozen=True, slots=True)
class DiskLocation:
    """A disk inside a datastore, by the hypervisor's name for it."""

    datastore: DatastoreRef
    disk: str
    since = "0.1"


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """A primary storage as the administrator asked for it. `capacity_iops` None: not managed."""

    uuid: str
    name: str
    scope: Scope
    access_model: AccessModel
    capacity_bytes: int
    capacity_iops: int | None = None
    tags: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    since = "0.1"

    def __post_init__(self) -> None:
        _named("store", self.uuid, self.name)
        object.__setattr__(self, "tags", frozenset(self.tags))
        object.__setattr__(self, "parameters", _text(self.parameters, "parameters"))
        object.__setattr__(self, "secrets", FrozenMapping(self.secrets))


@dataclass(frozen=True, slots=True)
class DataStore:
    """A primary storage that `initialize` accepted, with what the plugin wants to be told again."""

    request: StoreRequest
    details: Mapping[str, str] = field(default_factory=dict)
    since = "0.1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", _text(self.details, "details"))


@dataclass(frozen=True, slots=True)
class VolumeRequest:
    """A volume as the user asked for it.

    The size is *not* checked here: refusing a bad one is the plugin's duty.
    """

    uuid: str
    name: str
    size_bytes: int
    qos: QosPolicy = field(default_factory=QosPolicy)
    provisioning: Provisioning = Provisioning.THIN
    tenant: Tenant = field(default_factory=lambda: Tenant("system", "system"))
    hypervisor: HypervisorType | None = None
    since = "0.1"

    def __post_init__(self) -> None:
        _named("volume", self.uuid, self.name)


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume the cloud keeps; `external_id` is None when the reply of its create was lost."""

    request: VolumeRequest
    external_id: str | None
    size_bytes: int
    identity: LunIdentity | None = None
    disk: DiskLocation | None = None
    placement: Placement | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    since = "0.1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", _text(self.details, "details"))

    @property
    def uuid(self) -> str:
        """The owner's uuid: the request's."""
        return self.request.uuid


@dataclass(frozen=True, slots=True)
class Created:
    """What a create, clone, snapshot or seed made; `size_bytes` is what is really there."""

    external_id: str
    size_bytes: int
    identity: LunIdentity | None = None
    disk: DiskLocation | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    since = "0.1"

    def __post_init__(self) -> None:
        external_id: object = self.external_id
        if not isinstance(external_id, str) or not external_id:
            raise ValueError(f"external_id is {self.external_id!r}; expected the array's own id as text")
        _positive("size_bytes", self.size_bytes)
        object.__setattr__(self, "details", _text(self.details, "details"))


@dataclass(frozen=True, slots=True)
class Resized:
    """The size a resize ended with."""

    size_bytes: int
    since = "0.1"

    def __post_init__(self) -> None:
        _positive("size_bytes", self.size_bytes)


@dataclass(frozen=True, slots=True)
class Backing:
    """A LUN or export that a shared datastore stands on; one backing, one datastore.

    `datastore` is told in hookup PLUGIN, where the plugin made it; in FRAMEWORK the orchestrator did, and
    keeps it. `details` come back whenever the backing is the target of a call.
    """

    uuid: str
    external_id: str
    size_bytes: int
    identity: LunIdentity | NfsExport
    datastore: DatastoreRef | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    since = "0.1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", _text(self.details, "details"))


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """A snapshot as the user asked for it."""

    uuid: str
    name: str
    since = "0.1"

    def __post_init__(self) -> None:
        _named("snapshot", self.uuid, self.name)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot the cloud keeps; `size_bytes` is the volume's size when it was taken."""

    request: SnapshotRequest
    volume_uuid: str
    volume_external_id: str
    external_id: str | None
    size_bytes: int
    details: Mapping[str, str] = field(default_factory=dict)
    since = "0.1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", _text(self.details, "details"))

    @property
    def uuid(self) -> str:
        """The owner's uuid: the request's."""
        return self.request.uuid


@dataclass(frozen=True, slots=True)
class CachedTemplate:
    """A template kept on the array so that root disks can be cloned from it."""

    uuid: str
    template: Template
    external_id: str | None
    size_bytes: int
    identity: LunIdentity | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    since = "0.1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", _text(self.details, "details"))


StoreObject = Volume | Snapshot | CachedTemplate | Backing
"""Whatever access can be granted to."""


class ObjectKind(StrEnum):
    """Kinds of object a plugin makes on the array."""

    VOLUME = "volume"
    SNAPSHOT = "snapshot"
    TEMPLATE = "template"
    BACKING = "backing"


@dataclass(frozen=True, slots=True)
class OwnedObject:
    """One line of `list_objects`: what the plugin made, and for whom."""

    kind: ObjectKind
    external_id: str
    owner_uuid: str
    size_bytes: int | None = None
    since = "0.1"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store has in use by its declared accounting; unknown is None, never 0."""

    bytes: int | None
    iops: int | None
    since = "0.1"


@dataclass(frozen=True, slots=True)
class VolumeStats:
    """What one volume has in use; unknown is None, never 0."""

    written_bytes: int | None
    provisioned_bytes: int | None
    since = "0.1"
