"""What the cloud believes: rows of its database, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conformance.contract import (
    AccessModel,
    CachedTemplate,
    Cluster,
    DataStore,
    DatastoreRef,
    Hookup,
    Host,
    Snapshot,
    StoreRequest,
    VmRef,
    Volume,
    VolumeRequest,
)

from .states import SnapshotState, StoreState, TemplateState, VmState, VolumeState


class Way(StrEnum):
    """How volumes of a store reach hosts: the access model and the hookup in one word."""

    FRAMEWORK = "dedicated, the cloud calls the bridge"
    PLUGIN = "dedicated, the plugin calls the bridge"
    DIRECT = "direct"

    @classmethod
    def of(cls, model: AccessModel, hookup: Hookup) -> Way:
        """DIRECT is always the cloud's work, whatever the plugin's hookup is."""
        if model is AccessModel.DIRECT:
            return cls.DIRECT
        return cls.PLUGIN if hookup is Hookup.PLUGIN else cls.FRAMEWORK


@dataclass(frozen=True, slots=True)
class Grant:
    """A host that has, or may have, access: noted before `grant_access`, gone after `revoke_access`.

    `is_connected`: the datastore or target was, or may have been, connected there. `made_by`: the operation
    it began in.
    """

    host: Host
    is_connected: bool
    made_by: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A VM that the volume is assigned to, and the host it runs on, None while it is stopped.

    `is_hooked`: the VM was, or may have been, given the disk.
    """

    vm: VmRef
    host: Host | None
    is_hooked: bool


@dataclass(frozen=True, slots=True)
class VolumeRecord:
    """A volume as the cloud believes it to be.

    `asked` is the user's request (disk bytes) and `disk_bytes` the size the user has now; `volume` is what
    the plugin is told (LUN bytes in hookup FRAMEWORK). `datastore_name` is noted before the datastore is
    made, `datastore` after. `source` is the uuid of what it was cloned from.
    """

    asked: VolumeRequest
    store_uuid: str
    cluster: Cluster
    way: Way
    state: VolumeState
    disk_bytes: int
    volume: Volume
    datastore_name: str | None = None
    datastore: DatastoreRef | None = None
    grants: tuple[Grant, ...] = ()
    attachment: Attachment | None = None
    source: str | None = None

    @property
    def uuid(self) -> str:
        """The volume's uuid."""
        return self.asked.uuid

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Hosts with access, in the order in which they were granted."""
        return tuple(each.host for each in self.grants)

    @property
    def is_attached(self) -> bool:
        """Whether a VM has it."""
        return self.attachment is not None


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A snapshot as the cloud believes it to be; `disk_bytes` is the size the user had when it was taken."""

    store_uuid: str
    state: SnapshotState
    disk_bytes: int
    is_quiesced: bool
    snapshot: Snapshot

    @property
    def uuid(self) -> str:
        """The snapshot's uuid."""
        return self.snapshot.uuid

    @property
    def volume_uuid(self) -> str:
        """The volume it was taken of, which may be gone."""
        return self.snapshot.volume_uuid


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """A template on the array as the cloud believes it to be.

    `host` has, or may have, access to fill it; `is_connected`: the LUN or datastore was, or may have been, connected
    there. `datastore_name` is noted before the datastore is made, `datastore` after.
    """

    store_uuid: str
    cluster: Cluster
    way: Way
    state: TemplateState
    cached: CachedTemplate
    host: Host | None = None
    is_connected: bool = False
    datastore_name: str | None = None
    datastore: DatastoreRef | None = None

    @property
    def uuid(self) -> str:
        """The template's uuid."""
        return self.cached.uuid


@dataclass(frozen=True, slots=True)
class VmRecord:
    """A VM as the cloud believes it to be; `host` is where it runs, None while it is stopped.

    `is_defined`: the hypervisor has it, or may have. `destination`: where it is being moved to; `may_have_moved`: it
    may run there already.
    """

    vm: VmRef
    state: VmState
    host: Host | None
    is_defined: bool = False
    destination: Host | None = None
    may_have_moved: bool = False

    @property
    def uuid(self) -> str:
        """The VM's uuid."""
        return self.vm.uuid


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """A primary storage as the cloud believes it to be; `store` is None until `initialize` has answered.

    `attached` are those of its clusters that are, or may be, attached: noted before `attach_cluster`, gone after
    `detach_cluster`.
    """

    request: StoreRequest
    state: StoreState
    clusters: tuple[Cluster, ...]
    attached: tuple[Cluster, ...] = ()
    store: DataStore | None = None

    @property
    def uuid(self) -> str:
        """The store's uuid."""
        return self.request.uuid


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A user operation that has not ended well: in progress, or to be finished by `recover()`.

    `is_undoing`: it failed and is being undone. `arguments` is JSON text of what its rows in the database do
    not tell.
    """

    id: int
    kind: str
    object_uuid: str
    arguments: str
    is_undoing: bool
