"""One example's world: a fresh array, a fresh cluster, a fresh plugin instance, and what was made with them.

Leaving it undoes everything last in first out *through the plugin*, then looks for what is left: on the array, in logs,
among threads. What it finds is charged to the requirement that answers for it, and only if the example itself went well:
after a failure leftovers are its consequence.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

from conformance import homes, leaks
from conformance.cloud_desk import CloudDesk
from conformance.calls import KitClock, Operations
from conformance.context import KitContext, Locks
from conformance.contract import (
    AccessModel,
    ArrayView,
    BlockConnection,
    BridgeError,
    BridgeLedger,
    Cluster,
    ClusterWorld,
    Connection,
    Created,
    DataStore,
    DataStoreDriver,
    Hookup,
    Host,
    HostProbe,
    HypervisorBridge,
    HypervisorType,
    Iqn,
    Placement,
    ProbeRefused,
    ProbeSession,
    ProviderError,
    QosPolicy,
    Secret,
    StoreRequest,
    Tenant,
    Volume,
    VolumeRequest,
    WitnessedLun,
)
from conformance.errors import KitError
from conformance.guard import GuardedPlugin, TracedBridge, Watch
from conformance.instance import Doors, Instance
from conformance.ledger import MemoryLedger
from conformance.orchestrator.errors import OperationRefused
from conformance.overheard import Overheard
from conformance.probe_bridge import ProbeAwareBridge, no_bridge
from conformance.strategies.names import Name, PlainName
from conformance.strategies.sizes import Granules, Size
from conformance.trace import Trace
from conformance.verdict import Broken, Violation

if TYPE_CHECKING:
    from conformance.subject import RunningSubject

T = TypeVar("T")
_STORE_BYTES_UNSEEN = 2**40


@dataclass(eq=False, slots=True)
class Made:
    """A volume made in this world, its LUN as the witness found it (None without one), and who was let in."""

    volume: Volume
    lun: WitnessedLun | None
    store_uuid: str
    granted: dict[Host, None] = field(default_factory=dict)

    @property
    def uuid(self) -> str:
        """The owner's uuid."""
        return self.volume.uuid


class World:
    """See the module's text. Not for use from several threads."""

    def __init__(self, subject: RunningSubject, tag: str, *, hypervisor: bool = False) -> None:
        self.subject, self.tag = subject, tag
        self._hooks_up = hypervisor or subject.hookup is Hookup.PLUGIN
        self.found: list[Violation] = []
        self.trace = Trace()
        simulated = subject.environment.file.array.kind == "simulated"
        operations = Operations(KitClock(simulated=simulated))
        self.watch = Watch(self.trace, operations, subject.profile.completion_ceiling)
        self._locks = Locks()
        self._undo: list[tuple[str, Callable[[], object]]] = []
        self._hosts: dict[str, Host] = {}
        self._known_hosts: dict[str, Host] = {}
        self._probes: dict[str, HostProbe] = {}
        self._sessions: list[ProbeSession] = []
        self._made: dict[str, Made] = {}
        self._stores: dict[str, DataStore] = {}
        self._instances: list[Instance] = []
        self._removed: set[str] = set()
        self._forgotten: set[str] = set()
        self._numbers = 0
        self._named = 0
        self.ledger: BridgeLedger = MemoryLedger()
        self._cluster_world: ClusterWorld | None = None
        self.bridge_breaks: set[str] = set()

    # --- opening and closing ---------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._threads = set(threading.enumerate())
        self._overheard = Overheard()
        self.array = self.subject.environment.array.open_world()
        self.witness = self.subject.witness(self.array.witness)
        self._given = {
            **self.array.parameters,
            **self.subject.environment.file.parameters,
            **self.subject.plan.parameters,
        }
        for value in self._given.values():
            if isinstance(value, Secret):
                self.know_secret(value)
        self._overheard.__enter__()
        try:
            self._first_view = self.view() if self.witness.powers else None
            self.instance = self.new_instance()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None or issubclass(kind, Exception):
                self._clean_up(went_well=kind is None)
        finally:
            for session in self._sessions:
                session.close()
            for instance in self._instances:
                instance.close()
            if self._cluster_world is not None:
                self._cluster_world.close()
            self.array.close()
            self._overheard.__exit__(None, None, None)

    def _clean_up(self, *, went_well: bool) -> None:
        problems = [each for each in (self._undone(step, act) for step, act in reversed(self._undo)) if each]
        for instance in self._instances:
            problems += [each for each in [self._closed(instance)] if each]
        if went_well and not problems:
            problems += self._left_behind()
        if went_well:
            self.found += problems[:1]
        self.found += self.watch.found
        self.found += leaks.secrets_in(self._texts(), self.trace.secrets)

    def _undone(self, step: str, act: Callable[[], object]) -> Violation | None:
        try:
            act()
        except Broken as error:
            return error.violation
        except (ProviderError, BridgeError, ProbeRefused, OperationRefused) as error:
            said = f"{type(error).__name__}: {error}"
            return Violation(f"{step} to succeed while cleaning up", said, "the plugin", homes.STEP.get(step))
        return None

    def _closed(self, instance: Instance) -> Violation | None:
        try:
            leaks.close_provider(instance.plugin.raw)
        except Broken as error:
            return error.violation
        return None

    def _left_behind(self) -> list[Violation]:
        found = leaks.threads_since(self._threads)
        if self._first_view is not None:
            trash = self.subject.declared.traits.trash_seconds > 0
            found += leaks.left_on_array(self._first_view, self.view(), trash_allowed=trash)
        return found

    def _texts(self) -> dict[str, str]:
        for answer in self.watch.answers:
            if isinstance(answer, BlockConnection):
                self.block(answer)
        errors = [each.error for each in self.trace.calls if each.error is not None and each.party == "plugin"]
        texts = self._overheard.places()
        texts["errors"] = "\n".join(leaks.error_text(each) for each in errors)
        texts["answers"] = "\n".join(repr(each) for each in self.watch.answers)
        if self._cluster_world is not None:
            texts["what a hypervisor's administrator can read"] = self._cluster_world.secrets_seen()
        return texts

    # --- plugin, store ---------------------------------------------------------------------------------------------

    @property
    def plugin(self) -> GuardedPlugin:
        """The plugin instance in use."""
        return self.instance.plugin

    @property
    def driver(self) -> DataStoreDriver:
        """Its driver."""
        return self.plugin.driver

    def new_instance(self) -> Instance:
        """Start one more instance of the plugin, with endpoints of its own."""
        raw = self.subject.new_provider()
        instance = Instance(raw, self.watch, self.array.endpoints, self.subject.door)
        self._instances.append(instance)
        context = KitContext(
            trace=self.trace,
            operations=self.watch.operations,
            locks=self._locks,
            bridge_of=self.bridge_for_plugin,
            hosts_of=self.hosts_of,
        )
        self._configure(instance, context)
        return instance

    def _configure(self, instance: Instance, context: KitContext) -> None:
        try:
            instance.plugin.raw.configure(context)
        except Exception as error:
            raise Broken(
                Violation("configure to succeed", f"{type(error).__name__}: {error}", "the plugin", "REG-002")
            ) from error

    def restart_plugin(self) -> None:
        """Put a new instance in the place of the one in use, as after a restart of the cloud's process."""
        old = self.instance
        self.instance = self.new_instance()
        leaks.close_provider(old.plugin.raw)
        old.close()
        self._instances.remove(old)
        self._stores = {uuid: self.instance.localised(store) for uuid, store in self._stores.items()}

    @cached_property
    def store_uuid(self) -> str:
        """Uuid of this world's first store, added when first asked for."""
        return self.add_store().request.uuid

    @property
    def store(self) -> DataStore:
        """This world's first store, as the instance in use must be told of it."""
        return self._stores[self.store_uuid]

    @property
    def _store_bytes(self) -> int:
        return self._first_view.capacity_bytes // 2 if self._first_view else _STORE_BYTES_UNSEEN

    def store_request(self, capacity_bytes: int | None = None, doors: Doors | None = None) -> StoreRequest:
        """A request for one more store with all parameters filled in; half of the array unless told otherwise."""
        values = self.instance.values(self._given, doors)
        for secret in values.secrets.values():
            self.know_secret(secret)
        number = self._next()
        return StoreRequest(
            uuid=self._uuid(number),
            name=f"{self._prefix}store" + "-2" * len(self._stores),
            scope=self.cluster,
            access_model=self.subject.access_model or AccessModel.DEDICATED,
            capacity_bytes=self._store_bytes if capacity_bytes is None else capacity_bytes,
            capacity_iops=None,
            parameters=values.parameters,
            secrets=values.secrets,
        )

    def store_elsewhere(self) -> tuple[DataStore, Doors]:
        """One more store, for the plugin on another array: behind endpoints of its own."""
        doors = self.instance.open_doors()
        return self.add_store(self.store_request(doors=doors)), doors

    def add_store(self, request: StoreRequest | None = None) -> DataStore:
        """Initialise a store and attach the cluster; removed again at the end."""
        request = request or self.store_request()
        self.subject.journal.intend("store", request.uuid, {"name": request.name})
        self._undo.append(("delete_datastore", lambda: self.remove_store(request)))
        store = self._step("initialize", lambda: self.plugin.lifecycle.initialize(request))
        self._stores[request.uuid] = store
        self._step("attach_cluster", lambda: self.plugin.lifecycle.attach_cluster(store, self.cluster))
        return store

    def remove_store(self, request: StoreRequest) -> None:
        """Let hosts leave, detach the cluster and delete the store; removed before is fine."""
        if request.uuid in self._removed:
            return
        store = self._stores.get(request.uuid)
        if store is not None:
            self._forget_hosts()
            self.plugin.lifecycle.detach_cluster(store, self.cluster)
        self.plugin.lifecycle.delete_datastore(self.instance.localised_request(request))
        self._removed.add(request.uuid)
        self.subject.journal.gone(request.uuid)

    def with_wrong_secrets(self, request: StoreRequest) -> StoreRequest:
        """The request with secrets that are not right."""
        wrong = {name: Secret(f"wrong-{secrets.token_hex(8)}") for name in request.secrets}
        for each in wrong.values():
            self.know_secret(each)
        return replace(request, secrets=wrong)

    def with_dead_endpoints(self, request: StoreRequest) -> StoreRequest:
        """The request with addresses where nobody answers."""
        dead = {
            each.name: self._dead(request.parameters[each.name])
            for each in self.subject.declared.parameters
            if each.endpoint and each.name in request.parameters
        }
        return replace(request, parameters={**request.parameters, **dead})

    def _dead(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "memory":
            return urlunsplit(parts._replace(netloc="nobody"))
        with socket.socket() as closed_again:
            closed_again.bind(("127.0.0.1", 0))
            return urlunsplit(parts._replace(netloc=f"127.0.0.1:{closed_again.getsockname()[1]}"))

    def with_other_authority(self, request: StoreRequest) -> StoreRequest:
        """The request with a CA file that did not sign the endpoint's certificate."""
        stranger = str(self.subject.proxies.untrusted.ca_file)
        names = [each.name for each in self.subject.declared.parameters if each.ca_file]
        return replace(request, parameters={**request.parameters, **dict.fromkeys(names, stranger)})

    def owners(self, store: DataStore) -> list[str]:
        """Uuids of the owners that `list_objects` tells, sorted."""
        with self.charged("list_objects"):
            return sorted(each.owner_uuid for each in self.driver.list_objects(store))

    def _forget_hosts(self) -> None:
        listener = self.plugin.host_listener
        if listener is None:
            return
        for host in self._hosts.values():
            listener.host_about_to_be_removed(host, tuple(self._stores.values()))
            listener.host_removed(host, tuple(self._stores.values()))

    # --- volumes ---------------------------------------------------------------------------------------------------

    def size(self, wanted: Size) -> int:
        """Resolve a size inside the plugin's limits, in bytes."""
        return wanted.resolve(self.subject.declared.limits)

    def request(
        self, size: Size | None = None, name: Name | None = None, qos: QosPolicy | None = None
    ) -> VolumeRequest:
        """A request for a new volume."""
        number = self._next()
        plain = f"{self._prefix}{self.tag}-volume" + "1" * self._named
        self._named += 1
        return VolumeRequest(
            uuid=self._uuid(number),
            name=(name or PlainName()).resolve(plain, self.subject.declared.limits),
            size_bytes=self.size(size or Granules(0)),
            qos=qos or QosPolicy(),
            tenant=Tenant(f"tenant-{self.tag}", "conformance"),
            hypervisor=self.cluster.hypervisor,
        )

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
        return self._keep(request, answer, before, store)

    def driver_create(self, request: VolumeRequest, store: DataStore | None = None) -> Created:
        """Call `create` as the cloud would; what it makes is removed at the end."""
        at = store or self.store
        self.subject.journal.intend("volume", request.uuid, {"store": at.request.uuid, "name": request.name})
        unknown = Volume(request, None, max(request.size_bytes, 1), placement=self.placement)
        store_uuid = at.request.uuid
        self._undo.append(("delete", lambda: self._delete_made(request.uuid, unknown, store_uuid)))
        return self.driver.create(at, request, self.placement)

    def _keep(self, request: VolumeRequest, answer: Created, before: ArrayView | None, store: DataStore | None) -> Made:
        volume = Volume(
            request,
            answer.external_id,
            answer.size_bytes,
            answer.identity,
            answer.disk,
            self.placement,
            answer.details,
        )
        lun = self._new_lun(before) if before is not None else None
        at = (store or self.store).request.uuid
        made = Made(volume, lun, at, dict.fromkeys(self.placement.hosts))
        self._made[request.uuid] = made
        return made

    def _new_lun(self, before: ArrayView) -> WitnessedLun:
        known = {each.external_id for each in before.live}
        new = [each for each in self.view().live if each.external_id not in known]
        if len(new) != 1:
            seen = f"{len(new)} new LUNs on the array"
            raise Broken(Violation("create to make exactly one LUN", seen, "the array", homes.STEP["create"]))
        return new[0]

    def _delete_made(self, uuid: str, unknown: Volume, store_uuid: str) -> None:
        if uuid in self._forgotten:
            return
        made = self._made.get(uuid)
        store = self._stores[store_uuid]
        volume = made.volume if made else unknown
        for host in list(made.granted) if made else []:
            remaining = [each for each in made.granted if each != host] if made else []
            self.driver.revoke_access(store, volume, host, remaining)
            if made:
                del made.granted[host]
        self.driver.delete(store, volume)
        self._made.pop(uuid, None)
        self.subject.journal.gone(uuid)

    def delete(self, made: Made) -> None:
        """Delete a volume whose hosts were revoked; failing is charged to the requirement on deletes."""
        self._step("delete", lambda: self.driver.delete(self.store, made.volume))
        self._made.pop(made.uuid, None)

    def forget(self, *volumes: Made) -> None:
        """Do not delete these at the end: their store goes with all that is in it."""
        for made in volumes:
            self._forgotten.add(made.uuid)
            self._made.pop(made.uuid, None)

    def resize(self, made: Made, size_bytes: int) -> int:
        """Grow a volume that a property needs grown; answers the new size in bytes."""
        resizer = self.plugin.driver
        answer = self._step("resize", lambda: resizer.resize(self.store, made.volume, size_bytes))  # type: ignore[attr-defined]
        made.volume = replace(made.volume, size_bytes=answer.size_bytes)
        return cast("int", answer.size_bytes)

    # --- hosts, access, data ---------------------------------------------------------------------------------------

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
        return self._cluster_world

    def host(self, name: str = "a", cluster: Cluster | None = None, *, initiators: int = 1) -> Host:
        """A probe host of that name: one that the kit logs in as. Told to the plugin's listener when it is new."""
        if name not in self._hosts:
            host = self._known_hosts.get(name) or self._new_host(name, cluster or self.cluster, initiators)
            self._hosts[name] = self._known_hosts[name] = host
            listener = self.plugin.host_listener
            if listener is not None:
                self.store_uuid  # noqa: B018  (a host joins a cluster whose stores are there)
                self._step("host_added", lambda: listener.host_added(host, tuple(self._stores.values())))
        return self._hosts[name]

    def _new_host(self, name: str, cluster: Cluster, initiators: int) -> Host:
        # Each name is the beginning of the next: whoever compares only beginnings mixes up hosts.
        ones = "1" * (1 + len(self._known_hosts))
        ends = ("h", "i")[:initiators]
        iqns = tuple(Iqn(f"iqn.2013-03.org.storage-conformance:{self.tag}-{end}{ones}") for end in ends)
        return Host(self._uuid(self._next()), f"{self._prefix}host-{ones}", cluster.hypervisor, cluster.uuid, iqns)

    def unknown_host(self) -> Host:
        """A host that no plugin was told of."""
        iqn = Iqn(f"iqn.2013-03.org.storage-conformance:{self.tag}-unknown")
        return Host(f"host-{self.tag}-unknown", "unknown", self.cluster.hypervisor, self.cluster.uuid, (iqn,))

    def remove_host(self, host: Host) -> None:
        """A probe host leaves its cluster; its grants were revoked."""
        listener = self.plugin.host_listener
        stores = tuple(self._stores.values())
        if listener is not None:
            self._step("host_about_to_be_removed", lambda: listener.host_about_to_be_removed(host, stores))
            self._step("host_removed", lambda: listener.host_removed(host, stores))
        self._hosts = {name: each for name, each in self._hosts.items() if each != host}
        self._probes.pop(host.uuid, None)

    def stranger(self) -> Host:
        """A probe host of another cluster: outside every granule of the first."""
        return self.host("stranger", self.separate_cluster)

    def hosts_of(self, cluster: Cluster) -> Sequence[Host]:
        """The cluster's hosts, probe hosts included."""
        probes = [each for each in self._hosts.values() if each.cluster_uuid == cluster.uuid]
        if self._cluster_world is not None and cluster.uuid == self._cluster_world.cluster.uuid:
            return [*self._cluster_world.hosts(), *probes]
        return probes

    def second_probe(self, host: Host) -> HostProbe:
        """The second initiator of a host that has two."""
        entry = self.subject.environment.probe
        if entry is None:
            raise KitError(f"no host probe: {self.subject.environment.missing_probe}")
        return entry.open_probe(host.iqns[1], self.array.dial)

    def probe(self, host: Host) -> HostProbe:
        """The initiator of a probe host."""
        if host.uuid not in self._probes:
            entry = self.subject.environment.probe
            if entry is None:
                raise KitError(f"no host probe: {self.subject.environment.missing_probe}")
            self._probes[host.uuid] = entry.open_probe(host.iqns[0], self.array.dial)
        return self._probes[host.uuid]

    def grant(self, made: Made, host: Host) -> None:
        """Give a host access that a property needs; failing is charged to the requirement on grants."""
        made.granted[host] = None
        self._step("grant_access", lambda: self.driver.grant_access(self.store, made.volume, host))

    def revoke(self, made: Made, host: Host) -> None:
        """Take access away; failing is charged to the requirement on revokes."""
        remaining = [each for each in made.granted if each != host]
        self._step("revoke_access", lambda: self.driver.revoke_access(self.store, made.volume, host, remaining))
        made.granted.pop(host, None)

    def connection(self, made: Made, host: Host) -> BlockConnection:
        """How a granted host reaches the LUN."""
        found = self._step("connection", lambda: self.driver.connection(self.store, made.volume, host))
        return self.block(found)

    def block(self, connection: Connection) -> BlockConnection:
        """The connection as one to a LUN; its CHAP secrets are remembered, to be searched for."""
        if not isinstance(connection, BlockConnection):
            raise Broken(Violation("a connection to a LUN", f"{connection!r}", "the plugin", homes.STEP["connection"]))
        for path in connection.paths:
            chap = getattr(path, "chap", None)
            if chap is not None:
                for secret in (chap.secret, chap.mutual_secret):
                    if secret is not None:
                        self.know_secret(secret)
        return connection

    def login(self, made: Made, host: Host) -> ProbeSession:
        """Log in as a granted host; closed at the end."""
        connection = self.connection(made, host)
        session = self._step("login", lambda: self.probe(host).open(connection))
        self._sessions.append(session)
        return session

    def can_reach(self, host: Host, connection: BlockConnection) -> str:
        """Try to log in as a host with somebody's connection: empty when it was refused, else how it got in."""
        chapless = self._got_in(lambda: self.probe(host).open_without_chap(connection))
        if chapless:
            return "without authentication"
        return "with these credentials" if self._got_in(lambda: self.probe(host).open(connection)) else ""

    def _got_in(self, login: Callable[[], ProbeSession]) -> bool:
        try:
            session = login()
        except ProbeRefused:
            return False
        session.close()
        return True

    def access(self, made: Made, name: str = "a") -> tuple[Host, ProbeSession]:
        """Grant a probe host and log in as it."""
        host = self.host(name)
        self.grant(made, host)
        return host, self.login(made, host)

    # --- looking ---------------------------------------------------------------------------------------------------

    def view(self) -> ArrayView:
        """The array as the witness sees it now."""
        return self.witness.observe()

    def new_luns(self) -> list[WitnessedLun]:
        """LUNs that were made in this world and are not in the trash."""
        known = {each.external_id for each in self._first_view.luns} if self._first_view else set()
        return [each for each in self.view().live if each.external_id not in known]

    def lun(self, made: Made) -> WitnessedLun:
        """The volume's LUN as the witness sees it now."""
        if made.lun is None:
            raise KitError("this property needs a witness")
        for each in self.view().live:
            if each.external_id == made.lun.external_id:
                return each
        raise Broken(Violation("the LUN to be on the array", "it is gone", "the array", None))

    def fill(self, free_bytes: int) -> None:
        """Let strangers use up the array until `free_bytes` are left."""
        before = self.view()
        self.witness.fill(free_bytes)
        after = self.view()
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
            )

    def know_secret(self, secret: Secret) -> None:
        """Remember a secret, to mask it in reports and to search for it."""
        text = secret.reveal()
        if len(text) >= 8:
            self.trace.secrets.add(text)

    # --- hypervisor ------------------------------------------------------------------------------------------------

    def bridge_for_plugin(self, cluster: Cluster) -> HypervisorBridge:
        """The bridge a plugin is handed: traced, and aware of probe hosts."""
        real = cluster.uuid == self.cluster.uuid and self.subject.environment.cluster is not None
        opened = self.open_bridge if real else no_bridge("this cluster has probe hosts only")
        aware = ProbeAwareBridge(cluster.hypervisor, lambda: list(self._hosts.values()), opened)
        return cast(
            "HypervisorBridge",
            TracedBridge(self.trace, cast("HypervisorBridge", aware), "plugin", self.bridge_breaks),
        )

    @cached_property
    def cloud(self) -> CloudDesk:
        """The cloud's own desk: user operations through the orchestrator. Only in a world with a hypervisor."""
        return CloudDesk(self)

    def open_bridge(self) -> HypervisorBridge:
        """A bridge to the hypervisor's cluster, as after a restart: what it knows is in the ledger."""
        factory = self.subject.environment.bridge_factory
        if factory is None:
            raise KitError(f"no bridge: {self.subject.environment.missing_cluster}")
        world = self.cluster_world
        return factory(world.cluster, world.connections, self.ledger)

    # --- plumbing --------------------------------------------------------------------------------------------------

    def defer(self, step: str, act: Callable[[], object]) -> None:
        """Do this at the end, before what was deferred earlier."""
        self._undo.append((step, act))

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
            raise Broken(Violation(f"{step} to succeed", said, who, homes.STEP[step])) from error
