"""The bottom of a world: its parts, its trace, how failures are charged, and how to look at the array."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from conformance import homes
from conformance.bridge_breaks import BridgeBreaks
from conformance.calls import KitClock, Operations
from conformance.context import Locks
from conformance.contract import (
    ArrayView,
    ArrayWitness,
    ArrayWorld,
    BridgeError,
    BridgeInventory,
    BridgeLedger,
    Cluster,
    ClusterWorld,
    DataStore,
    DatastoreRef,
    Hookup,
    Host,
    HostProbe,
    HypervisorBridge,
    HypervisorType,
    Iqn,
    ProbeRefused,
    ProbeSession,
    ProviderError,
    Secret,
    WitnessedHosts,
    WitnessedLun,
    WitnessedSnapshot,
    WitnessPower,
)
from conformance.errors import KitError
from conformance.guard import TracedBridge, Watch
from conformance.instance import Instance
from conformance.ledger import MemoryLedger
from conformance.probe_bridge import ProbeAwareBridge, no_bridge
from conformance.strategies.faults import Silence
from conformance.trace import Trace
from conformance.verdict import Broken, Certainty, Violation
from conformance.watched_connections import watched
from conformance.world import strangers
from conformance.world.strangers import Strangers
from conformance.world.strangers_on_hosts import StrangersOnHosts

if TYPE_CHECKING:
    from conformance.subject import RunningSubject

T = TypeVar("T")
_STORE_BYTES_UNSEEN = 2**40


class WorldBase:
    """The bottom of a world."""

    array: ArrayWorld
    witness: ArrayWitness
    instance: Instance
    _given: dict[str, str | Secret]
    _first_view: ArrayView | None = None
    _strangers: Strangers = strangers.NOBODY
    _strangers_on_hosts: StrangersOnHosts | None = None
    _reserved_uuid: str | None = None
    _is_filled = False
    _first_inventory: BridgeInventory

    def __init__(self, subject: RunningSubject, tag: str, *, hypervisor: bool = False) -> None:
        self.subject, self.tag = subject, tag
        self._hooks_up = hypervisor or subject.hookup is Hookup.PLUGIN
        self.found: list[Violation] = []
        self.trace = Trace()
        self.is_simulated = subject.environment.file.array.kind == "simulated"
        operations = Operations(KitClock(simulated=self.is_simulated))
        self.watch = Watch(self.trace, operations, subject.profile.ceiling_of, subject.hung, subject.threads)
        self._locks = Locks()
        self._undo: list[tuple[str, Callable[[], object]]] = []
        self._hosts: dict[str, Host] = {}
        self._known_hosts: dict[str, Host] = {}
        self._probes: dict[str, HostProbe] = {}
        self._sessions: list[ProbeSession] = []
        self._stores: dict[str, DataStore] = {}
        self._instances: list[Instance] = []
        self._removed: set[str] = set()
        self._forgotten: set[str] = set()
        self._looked_at: set[tuple[str, ...]] = set()
        self._numbers = 0
        self._named = 0
        self.ledger: BridgeLedger = MemoryLedger()
        self._cluster_world: ClusterWorld | None = None
        self.bridge_breaks = BridgeBreaks()
        self._is_configured = False
        self._only_watches = False

    def view(self) -> ArrayView:
        """The array as the witness sees it now."""
        return self.witness.observe()

    def own_view(self) -> ArrayView:
        """The same without what was planted for others, which is looked at by itself when the world closes."""
        view = self.view()
        theirs = {each.external_id for each, _ in self._strangers.luns}
        return replace(
            view,
            luns=tuple(each for each in view.luns if each.external_id not in theirs),
            snapshots=tuple(each for each in view.snapshots if each.lun_external_id not in theirs),
        )

    def new_luns(self) -> list[WitnessedLun]:
        """LUNs that were made in this world and are not in the trash."""
        known = {each.external_id for each in self._first_view.luns} if self._first_view else set()
        return [each for each in self.view().live if each.external_id not in known]

    def new_snapshots(self) -> list[WitnessedSnapshot]:
        """Snapshots that were taken in this world."""
        known = {each.external_id for each in self._first_view.snapshots} if self._first_view else set()
        return [each for each in self.view().snapshots if each.external_id not in known]

    def fill(self, free_bytes: int) -> None:
        """Let strangers use up the array until `free_bytes` are left."""
        before = self.view()
        self.witness.fill(free_bytes)
        self._is_filled = True
        self.watch.went_beyond_set_up = True
        self._take_for_granted(before, self.view())

    def plant(self, name: str, initiator: Iqn) -> None:
        """Let somebody else have a LUN, a snapshot and a group of this name, and this initiator in it."""
        self._plant(self.witness.plant, {name: initiator})

    @contextmanager
    def planted_snapshot(self, lun_external_id: str) -> Iterator[str]:
        """Somebody else has taken a snapshot of this LUN meanwhile; answers its external_id."""
        planted = self.witness.plant_snapshot(lun_external_id, f"{self._prefix}{self.tag}-somebody")
        self.act()
        try:
            yield planted
        finally:
            self.witness.remove_planted_snapshot(planted)

    def _plant_strangers(self, lun_name: str, uuid: str) -> None:
        """Let others have look-alikes of the plugin's first LUN, from its making to the end."""
        if self.is_first_look("strangers") and WitnessPower.PLANT in self.witness.powers:
            self._plant(self.witness.plant, self._let_in(*strangers.look_alikes(lun_name)))
            self._reserved_uuid = self._uuid(self._next())
            self._plant_namesakes("LUN", lun_name, strangers.named_after(lun_name, uuid, self._reserved_uuid))

    def _plant_namesakes(self, kind: str, *names: str | None) -> None:
        """Let others have things of exactly the names of the first of this kind, where the array takes that."""
        # On an array that was filled there is no room for strangers.
        if self.has_namesakes and not self._is_filled and self.is_first_look("namesakes", kind):
            wanted = [each for each in names if each is not None]
            self._plant(self.witness.plant_namesake, self._let_in(*wanted))

    @property
    def has_namesakes(self) -> bool:
        """Whether the array lets several makers use one name."""
        return WitnessPower.NAMESAKES in self.witness.powers

    def _let_in(self, *names: str) -> dict[str, Iqn]:
        """Each stranger has an initiator of its own."""
        first = len(self._strangers.luns)
        iqns = (Iqn(f"iqn.2001-04.org.example:{self.tag}-stranger{first + each}") for each in range(len(names)))
        return dict(zip(names, iqns, strict=True))

    def _plant(self, plant: Callable[[str, Iqn, bytes], str], names: dict[str, Iqn]) -> None:
        before = self.view()
        self._strangers = self._strangers.and_those(strangers.planted(plant, self.witness, names))
        self._take_for_granted(before, self.view())

    def strangers_harmed(self) -> list[Violation]:
        """What others have and is not as it was."""
        found = strangers.harmed(self._strangers, self.witness) if self._strangers is not strangers.NOBODY else []
        return found + (self._strangers_on_hosts.harmed() if self._strangers_on_hosts else [])

    def _take_for_granted(self, before: ArrayView, after: ArrayView) -> None:
        """What others made in between is nothing that this world has to remove."""
        known = {each.external_id for each in before.luns}
        things = set(before.objects)
        if self._first_view is not None:
            self._first_view = replace(
                self._first_view,
                luns=(
                    *self._first_view.luns,
                    *(each for each in after.luns if each.external_id not in known),
                ),
                objects=(*self._first_view.objects, *(each for each in after.objects if each not in things)),
                snapshots=(
                    *self._first_view.snapshots,
                    *(each for each in after.snapshots if each not in before.snapshots),
                ),
            )

    def know_secret(self, secret: Secret) -> None:
        """Remember a secret, to mask it in reports and to search for it."""
        text = secret.reveal()
        if len(text) >= 8:
            self.trace.secrets.add(text)

    def hypervisor_silent(self) -> AbstractContextManager[None]:
        """No host of the cluster answers meanwhile: every call of a bridge fails."""
        return self.bridge_breaks.all()

    @contextmanager
    def failing_bridge(self, silence: Silence) -> Iterator[list[Exception]]:
        """One call of a bridge fails inside, and so may the plugin; answers what left the plugin, at most one error."""
        self.watch.went_beyond_set_up = True
        errors: list[Exception] = []
        with self.bridge_breaks.nth(silence.nth):
            try:
                yield errors
            except (BridgeError, ProviderError) as error:
                errors.append(error)

    def defer(self, step: str, act: Callable[[], object]) -> None:
        """Do this at the end, before what was deferred earlier."""
        self._undo.append((step, act))

    def is_first_look(self, *about: str) -> bool:
        """Whether this is asked for the first time: for looks that cost too much to be taken each time."""
        is_first = about not in self._looked_at
        self._looked_at.add(about)
        return is_first

    @property
    def _prefix(self) -> str:
        safety = self.subject.environment.file.safety
        return safety.prefix if safety else "sc-"

    def _uuid(self, number: int) -> str:
        """Uuids that differ only in the middle: whoever cuts one off at either end mixes up objects."""
        ends = hashlib.sha256(self.tag.encode()).hexdigest()
        return f"{ends[:8]}-{ends[8:12]}-4{number:03x}-8{ends[12:15]}-{ends[15:27]}"

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _step(self, step: str, act: Callable[[], T]) -> T:
        with self.charged(step):
            return act()

    @contextmanager
    def charged(self, step: str) -> Iterator[None]:
        """Charge a failure inside to the requirement that answers for this step."""
        try:
            yield
        except (ProviderError, BridgeError, ProbeRefused) as error:
            said = self.trace.masked(f"{type(error).__name__}: {error}")
            who = "the host" if isinstance(error, ProbeRefused) else "the plugin"
            violation = Violation(f"{step} to succeed", said, who, self.home(step), certainty=Certainty.STEP)
            raise Broken(violation) from error

    def home(self, step: str) -> str | None:
        """The requirement that answers for a failing step; None, the one that is running, once more than set-up was
        done.

        A login that fails after a revoke is not what the requirement on grants is about.
        """
        own = self.watch.went_beyond_set_up and not self._only_watches
        return None if own else homes.STEP.get(step)

    def only_watches(self) -> None:
        """From here on every failing step is charged to its own requirement: this property is about what is watched."""
        self._only_watches = True

    def act(self) -> None:
        """From here on a failing step is what the running property is about, not its arrangement."""
        self.watch.went_beyond_set_up = True

    @property
    def probe_hosts(self) -> list[Host]:
        """Every probe host of this world, those that left included."""
        return list(self._known_hosts.values())

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster of this world: the hypervisor's where it is needed, else one that only exists in the cloud."""
        if self._hooks_up:
            return self.cluster_world.cluster
        return Cluster(f"cluster-{self.tag}", "conformance-a", HypervisorType.KVM)

    @cached_property
    def other_cluster(self) -> Cluster:
        """Another cluster, of probe hosts only."""
        return Cluster(f"other-{self.tag}", "conformance-b", HypervisorType.KVM)

    @property
    def separate_cluster(self) -> Cluster:
        """Another cluster where the cloud hooks hosts up; a plugin's own datastore belongs to one cluster."""
        return self.cluster if self.subject.hookup is Hookup.PLUGIN else self.other_cluster

    @property
    def cluster_world(self) -> ClusterWorld:
        """The hypervisor's cluster, opened when first needed."""
        if self._cluster_world is None:
            entry = self.subject.environment.cluster
            if entry is None:
                raise KitError(f"no hypervisor in this environment: {self.subject.environment.missing_cluster}")
            self._cluster_world = entry.open_world(self.array.dial)
            self.subject.chronicle.saw_hosts(self._cluster_world.hosts())
            if isinstance(self._cluster_world, WitnessedHosts):
                self._strangers_on_hosts = StrangersOnHosts(self._cluster_world.witness, self._cluster_world.hosts)
            self._first_inventory = self.open_bridge().inventory()
        return self._cluster_world

    def hosts_of(self, cluster: Cluster) -> Sequence[Host]:
        """The cluster's hosts, probe hosts included."""
        probes = [each for each in self._hosts.values() if each.cluster_uuid == cluster.uuid]
        if self._cluster_world is not None and cluster.uuid == self._cluster_world.cluster.uuid:
            return [*self._cluster_world.hosts(), *probes]
        return probes

    def bridge_for_plugin(self, cluster: Cluster) -> HypervisorBridge:
        """The bridge a plugin is handed: traced, and aware of probe hosts."""
        real = cluster.uuid == self.cluster.uuid and self.subject.environment.cluster is not None
        opened = self.open_bridge if real else no_bridge("this cluster has probe hosts only")
        aware = ProbeAwareBridge(cluster.hypervisor, lambda: list(self._hosts.values()), opened)
        return self.traced(cast("HypervisorBridge", aware), "plugin")

    def traced(self, bridge: HypervisorBridge, caller: str) -> HypervisorBridge:
        """The bridge, whose calls are lines of the trace; its first datastore lets strangers in."""
        traced = TracedBridge(self.trace, bridge, caller, self.bridge_breaks, self._datastore_made)
        return cast("HypervisorBridge", traced)

    def _datastore_made(self, ref: object) -> None:
        if self._strangers_on_hosts is not None and isinstance(ref, DatastoreRef):
            self._strangers_on_hosts.datastore_made(ref.name)

    def inventory(self) -> BridgeInventory:
        """What hypervisors hold because of storage, without what was planted for others."""
        return self.without_strangers(self.open_bridge().inventory())

    def without_strangers(self, inventory: BridgeInventory) -> BridgeInventory:
        """What a bridge tells, without what was planted for others."""
        return self._strangers_on_hosts.without(inventory) if self._strangers_on_hosts else inventory

    def open_bridge(self) -> HypervisorBridge:
        """A bridge to the hypervisor's cluster, as after a restart: what it knows is in the ledger."""
        factory = self.subject.environment.bridge_factory
        if factory is None:
            raise KitError(f"no bridge: {self.subject.environment.missing_cluster}")
        world = self.cluster_world
        return factory(world.cluster, watched(world.connections, self.trace), self.ledger)
