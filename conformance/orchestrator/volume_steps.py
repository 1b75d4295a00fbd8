"""The steps that operations on volumes are made of.

Each notes what it is about to make, calls, and notes the answer.

Connections are asked for each use and never stored (contract: `connection`): those of this run are kept in
memory, and are asked for again when an operation is carried on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from conformance.contract import (
    AccessMechanism,
    BlockConnection,
    ChapScope,
    Connection,
    Created,
    DataStore,
    DatastoreConflict,
    DatastoreRef,
    DiskLocation,
    Host,
    HostConnection,
    HypervisorBridge,
    Placement,
    VmRef,
    Volume,
    VolumeRequest,
)

from .cloud import Cloud
from .errors import BrokenPromise
from .records import Attachment, Grant, VolumeRecord, Way
from .states import VolumeState
from .steps import Step

# vSphere allows 42 characters in a datastore's name; the other hypervisors allow more.
_NAME_LENGTH: Final = 42

Make = Callable[[DataStore, VolumeRequest, Placement], Created]
"""A call of the driver that makes a volume."""


def datastore_name(name: str, uuid: str) -> str:
    """A name that begins like the volume's, so that a run's prefix is seen, and ends with its uuid."""
    tail = "-" + uuid
    return re.sub(r"[^A-Za-z0-9._-]", "_", name[: max(0, _NAME_LENGTH - len(tail))] + tail)


class VolumeSteps:
    """Steps for one volume in one operation; `record` is kept in step with the database."""

    def __init__(self, cloud: Cloud, record: VolumeRecord, operation_id: int) -> None:
        self.record = record
        self._cloud, self._operation_id = cloud, operation_id
        self._grants = {each.host.uuid: each for each in record.grants}
        self._connections: dict[str, Connection] = {}
        self._told: DataStore | None = None

    # -- sequences that several operations share

    def hook_up(self, host: Host) -> list[Step]:
        """Give a host that joined the volume's datastore. DIRECT volumes are only granted to a VM's host."""
        if self.record.way is Way.DIRECT:
            return []
        if self.record.way is Way.PLUGIN:
            return [self.grant(host)]
        return [self.grant(host), self.ask_connection(host), self.attach_datastore(host)]

    def unhook(self, grant: Grant) -> list[Step]:
        """Take the volume's datastore from a host that leaves: first unmount, then unmap."""
        detach = [self.detach_datastore(grant.host)] if self._is_mounted(grant) else []
        return [*detach, self.revoke(grant.host), *self._told_anew(grant)]

    def _told_anew(self, leaving: Grant) -> list[Step]:
        """Where a secret that the volume's hosts share is all that keeps others out, it is another one now."""
        traits = self._cloud.provider.traits
        if (traits.access_mechanism, traits.chap_scope) != (AccessMechanism.CHAP, ChapScope.VOLUME):
            return []
        staying = [each for each in self._grants.values() if each.host != leaving.host and self._is_mounted(each)]
        return [step for each in staying for step in (self.ask_connection(each.host), self.attach_datastore(each.host))]

    def taken_from(self, hosts: Sequence[Host]) -> list[Step]:
        """Take the LUN from hosts for a while: first all unmount, then all are unmapped; `hook_up` gives it back."""
        leaving = [each for each in reversed(self.record.grants) if each.host in hosts]
        unmounted = [self.detach_datastore(each.host) for each in leaving if self._is_mounted(each)]
        return [*unmounted, *(self.revoke(each.host) for each in leaving)]

    def given_back(self, hosts: Sequence[Host]) -> list[Step]:
        """Hook up these hosts; all of them, for an unmount that gave no answer may have been done."""
        return [step for host in hosts for step in self.hook_up(host)]

    def let_go(self, attachment: Attachment) -> list[Step]:
        """Take the volume from its VM; what is not there any more is left out."""
        if self.record.way is not Way.DIRECT:
            return [self.detach_disk(attachment.vm)] if attachment.is_hooked else []
        # The VM's host; and another one that a move could not take it from.
        return [step for grant in self._grants.values() for step in self._taken_from_vm(attachment, grant)]

    def _taken_from_vm(self, attachment: Attachment, grant: Grant) -> list[Step]:
        is_hooked = attachment.is_hooked and attachment.host == grant.host
        detached = [self.detach_lun(attachment.vm, grant.host)] if is_hooked else []
        return self.leave(grant, detached)

    def leave(self, grant: Grant, first: Sequence[Step] = ()) -> list[Step]:
        """Take a LUN without a datastore from a host: after what comes first there, disconnect and unmap it."""
        host = grant.host
        steps = [*first, *([self.disconnect_target(host)] if grant.is_connected else [])]
        ask = [self.ask_connection(host)] if steps and host.uuid not in self._connections else []
        return [*ask, *steps, self.revoke(host)]

    def reach(self, host: Host) -> list[Step]:
        """Let a VM's host use the volume; what is granted to all hosts of the cluster is granted already."""
        if self.record.way is Way.DIRECT:
            return [self.grant(host), self.ask_connection(host), self.connect_target(host)]
        # What this operation began to give, and was killed in, is given again.
        is_new = any(each.host == host for each in self.made_here())
        return self.hook_up(host) if is_new or not self.is_granted(host) else []

    def unreach(self, host: Host) -> list[Step]:
        """Take away what `reach` gave in this operation, as far as it had come."""
        if self.record.way is Way.DIRECT:
            return [step for grant in self._grants.values() if grant.host == host for step in self.leave(grant)]
        return [step for grant in self.made_here() if grant.host == host for step in self.unhook(grant)]

    def plug(self, vm: VmRef, host: Host) -> Step:
        """Give the volume to a VM on a host that reaches it."""
        return self.attach_lun(vm, host) if self.record.way is Way.DIRECT else self.attach_disk(vm)

    def removal(self) -> list[Step]:
        """Take away all of the volume that may be there: the mirror image of its creation."""
        steps = self.let_go(self.record.attachment) if self.record.attachment else []
        if self.record.way is Way.PLUGIN:
            return [*steps, self.delete()]
        steps += [self.delete_disk()] if self.record.volume.disk else []
        steps += [self.delete_datastore()] if self.record.datastore_name else []
        revoked = {each.about for each in steps if each.name == "revoke_access"}
        left = [each.host for each in self._grants.values() if each.host.uuid not in revoked]
        return [*steps, *map(self.revoke, reversed(left)), self.delete()]

    def made_here(self) -> list[Grant]:
        """Grants that this operation made, the latest first."""
        return [each for each in reversed(self._grants.values()) if each.made_by == self._operation_id]

    def is_granted(self, host: Host) -> bool:
        """Whether the host has what `hook_up` gives."""
        grant = self._grants.get(host.uuid)
        return grant is not None and (grant.is_connected or self.record.way is not Way.FRAMEWORK)

    # -- the plugin's part

    def create(self, hosts: Sequence[Host]) -> Step:
        """Make the volume; in hookup PLUGIN with grants, datastore and disk."""
        return self.make("create", hosts, self._cloud.driver.create)

    def make(self, name: str, hosts: Sequence[Host], call: Make) -> Step:
        """Make the volume by that call of the driver: create, clone or copy."""
        return Step(name, partial(self._make, name, hosts, call))

    def delete(self) -> Step:
        """Remove the volume; in hookup PLUGIN with all that stands on it."""
        return Step("delete", self._delete)

    def grant(self, host: Host) -> Step:
        """Let a host see the LUN; in hookup PLUGIN use it."""
        return Step("grant_access", partial(self._grant, host), host.uuid)

    def revoke(self, host: Host) -> Step:
        """Take a host's access away."""
        return Step("revoke_access", partial(self._revoke, host), host.uuid)

    def ask_connection(self, host: Host) -> Step:
        """Ask how a host reaches the LUN now."""
        return Step("connection", partial(self._ask_connection, host), host.uuid)

    # -- the bridge's part

    def create_datastore(self, hosts: Sequence[Host]) -> Step:
        """Make a datastore on the LUN, for all hosts at once."""
        return Step("create_datastore", partial(self._create_datastore, hosts))

    def create_disk(self) -> Step:
        """Make the disk the user asked for."""
        return Step("create_disk", self._create_disk)

    def check_disk(self) -> Step:
        """See that the disk which the plugin says it has made is there."""
        return Step("list_disks", self._check_disk)

    def delete_disk(self) -> Step:
        """Remove the disk."""
        return Step("delete_disk", self._delete_disk)

    def delete_datastore(self) -> Step:
        """Unmount the datastore everywhere and remove it."""
        return Step("delete_datastore", self._delete_datastore)

    def attach_datastore(self, host: Host) -> Step:
        """Make the datastore usable on a host that joined."""
        return Step("attach_datastore", partial(self._attach_datastore, host), host.uuid)

    def detach_datastore(self, host: Host) -> Step:
        """Unmount the datastore on a host that leaves."""
        return Step("detach_datastore", partial(self._detach_datastore, host), host.uuid)

    def attach_disk(self, vm: VmRef) -> Step:
        """Give a VM the disk."""
        return Step("attach_disk", partial(self._attach_disk, vm), vm.uuid)

    def detach_disk(self, vm: VmRef) -> Step:
        """Take the disk from the VM."""
        return Step("detach_disk", partial(self._detach_disk, vm), vm.uuid)

    def connect_target(self, host: Host) -> Step:
        """Connect a VM's host to the LUN."""
        return Step("connect_target", partial(self._connect_target, host), host.uuid)

    def disconnect_target(self, host: Host) -> Step:
        """Disconnect a VM's host from the LUN."""
        return Step("disconnect_target", partial(self._disconnect_target, host), host.uuid)

    def attach_lun(self, vm: VmRef, host: Host) -> Step:
        """Give a VM the LUN."""
        return Step("attach_lun", partial(self._attach_lun, vm, host), vm.uuid)

    def detach_lun(self, vm: VmRef, host: Host) -> Step:
        """Take the LUN from the VM."""
        return Step("detach_lun", partial(self._detach_lun, vm, host), vm.uuid)

    # -- what an operation needs besides

    @property
    def store(self) -> DataStore:
        """The store, as the plugin is told of it."""
        if self._told is None:
            self._told = self._cloud.told_store(self.record.store_uuid)
        return self._told

    @property
    def bridge(self) -> HypervisorBridge:
        """The bridge of the volume's cluster."""
        return self._cloud.bridge(self.record.cluster)

    def host_connections(self, hosts: Iterable[Host]) -> list[HostConnection]:
        """Hosts with their connections, which are asked for where this run has not yet."""
        for host in hosts:
            if host.uuid not in self._connections:
                self._ask_connection(host)
        return [HostConnection(host, self._connections[host.uuid]) for host in hosts]

    def learn(self, record: VolumeRecord) -> None:
        """Note what has been learnt; what is as before is not written again."""
        known, self.record = self.record, record
        volumes = self._cloud.volumes
        with self._cloud.database.transaction():
            if record.volume is not known.volume:
                volumes.save_volume(record.uuid, record.volume)
            if (record.datastore_name, record.datastore) != (known.datastore_name, known.datastore):
                volumes.save_datastore(record.uuid, record.datastore_name, record.datastore)
            if record.disk_bytes != known.disk_bytes:
                volumes.save_disk_bytes(record.uuid, record.disk_bytes)

    def datastore(self) -> DatastoreRef:
        """The volume's datastore, which must be there by now."""
        if self.record.datastore is None:
            raise BrokenPromise("create_datastore", "a datastore", "none")
        return self.record.datastore

    def disk(self) -> DiskLocation:
        """The volume's disk, which must be there by now."""
        if self.record.volume.disk is None:
            raise BrokenPromise("create", "a disk", "none")
        return self.record.volume.disk

    # -- how each step is done

    def _make(self, name: str, hosts: Sequence[Host], call: Make) -> None:
        self._cloud.volumes.set_state(self.record.uuid, VolumeState.CREATING)
        if self.record.way is Way.PLUGIN:
            for host in hosts:
                self._note_grant(host)
        placement = Placement(self.record.cluster, tuple(hosts))
        request = self.record.volume.request
        created = self._cloud.caller.plugin(name, call, self.store, request, placement)
        self._note_created(created, placement)

    def _note_created(self, created: Created, placement: Placement) -> None:
        volume = Volume(
            request=self.record.volume.request,
            external_id=created.external_id,
            size_bytes=created.size_bytes,
            identity=created.identity,
            disk=created.disk if self.record.way is Way.PLUGIN else self.record.volume.disk,
            placement=placement,
            details=created.details,
        )
        datastore = volume.disk.datastore if volume.disk else self.record.datastore
        self.learn(replace(self.record, volume=volume, datastore=datastore))

    def _delete(self) -> None:
        self._cloud.caller.plugin("delete", self._cloud.driver.delete, self.store, self.record.volume)

    def _grant(self, host: Host) -> None:
        self._note_grant(host)
        driver = self._cloud.driver
        self._cloud.caller.plugin("grant_access", driver.grant_access, self.store, self.record.volume, host)

    def _revoke(self, host: Host) -> None:
        remaining = [each.host for each in self._grants.values() if each.host != host]
        driver, volume = self._cloud.driver, self.record.volume
        self._cloud.caller.plugin("revoke_access", driver.revoke_access, self.store, volume, host, remaining)
        self._cloud.volumes.revoke(self.record.uuid, host.uuid)
        self._grants.pop(host.uuid, None)
        self._connections.pop(host.uuid, None)

    def _ask_connection(self, host: Host) -> None:
        driver, volume = self._cloud.driver, self.record.volume
        self._connections[host.uuid] = self._cloud.caller.plugin(
            "connection", driver.connection, self.store, volume, host
        )

    def _create_datastore(self, hosts: Sequence[Host]) -> None:
        self.make_datastore("create_datastore", hosts, self.bridge.create_datastore)

    def make_datastore(
        self, call: str, hosts: Sequence[Host], make: Callable[[str, Sequence[HostConnection]], DatastoreRef]
    ) -> None:
        """Make the volume's datastore by that call of the bridge, and note it before and after."""
        name = datastore_name(self.record.asked.name, self.record.uuid)
        at = self.host_connections(hosts)
        self.learn(replace(self.record, datastore_name=name))
        self._note_connected(hosts, is_connected=True)
        try:
            ref = self._cloud.caller.bridge(call, make, name, at)
        except DatastoreConflict:
            # What has the name is somebody else's: it must not be found by name, and removed, on the way
            # back.
            self._forget_datastore()
            raise
        self.learn(replace(self.record, datastore=ref))

    def _create_disk(self) -> None:
        name, size_bytes = self.datastore().name, self.record.disk_bytes
        disk = self._cloud.caller.bridge("create_disk", self.bridge.create_disk, self.datastore(), name, size_bytes)
        self.learn(replace(self.record, volume=replace(self.record.volume, disk=disk)))

    def _check_disk(self) -> None:
        disk = self.disk()
        there = self._cloud.caller.bridge("list_disks", self.bridge.list_disks, disk.datastore)
        if disk.disk not in there:
            raise BrokenPromise("create", f"disk {disk.disk} in datastore {disk.datastore.name}", "no such disk")

    def _delete_disk(self) -> None:
        self._cloud.caller.bridge("delete_disk", self.bridge.delete_disk, self.disk())
        self.learn(replace(self.record, volume=replace(self.record.volume, disk=None)))

    def _delete_datastore(self) -> None:
        ref = self.record.datastore
        if ref is None and self.record.datastore_name is not None:
            ref = self._cloud.caller.bridge("find_datastore", self.bridge.find_datastore, self.record.datastore_name)
        if ref is not None:
            self._cloud.caller.bridge("delete_datastore", self.bridge.delete_datastore, ref)
        self._forget_datastore()

    def _forget_datastore(self) -> None:
        self.learn(replace(self.record, datastore_name=None, datastore=None))
        self._note_connected([each.host for each in self._grants.values()], is_connected=False)

    def _attach_datastore(self, host: Host) -> None:
        at = self.host_connections([host])
        self._note_connected([host], is_connected=True)
        self._cloud.caller.bridge("attach_datastore", self.bridge.attach_datastore, self.datastore(), at)

    def _detach_datastore(self, host: Host) -> None:
        self._cloud.caller.bridge("detach_datastore", self.bridge.detach_datastore, self.datastore(), [host])
        self._note_connected([host], is_connected=False)

    def _attach_disk(self, vm: VmRef) -> None:
        self._note_hooked(is_hooked=True)
        self._cloud.caller.bridge("attach_disk", self.bridge.attach_disk, vm, self.disk())

    def _detach_disk(self, vm: VmRef) -> None:
        self._cloud.caller.bridge("detach_disk", self.bridge.detach_disk, vm, self.disk())
        self._note_hooked(is_hooked=False)

    def _connect_target(self, host: Host) -> None:
        at = self.host_connections([host])
        self._note_connected([host], is_connected=True)
        self._cloud.caller.bridge("connect_target", self.bridge.connect_target, at)

    def _disconnect_target(self, host: Host) -> None:
        at = self.host_connections([host])
        self._cloud.caller.bridge("disconnect_target", self.bridge.disconnect_target, at)
        self._note_connected([host], is_connected=False)

    def _attach_lun(self, vm: VmRef, host: Host) -> None:
        connection = self.block_connection(host)
        self._note_hooked(is_hooked=True)
        self._cloud.caller.bridge("attach_lun", self.bridge.attach_lun, vm, connection)

    def _detach_lun(self, vm: VmRef, host: Host) -> None:
        self._cloud.caller.bridge("detach_lun", self.bridge.detach_lun, vm, self.block_connection(host))
        self._note_hooked(is_hooked=False)

    def block_connection(self, host: Host) -> BlockConnection:
        """How a VM on the host reaches the LUN."""
        connection = self.host_connections([host])[0].connection
        if not isinstance(connection, BlockConnection):
            raise BrokenPromise("connection", "a BlockConnection for a VM", type(connection).__name__)
        return connection

    # -- notes

    def _note_grant(self, host: Host) -> None:
        self._cloud.volumes.grant(self.record.uuid, host, self._operation_id)
        self._grants.setdefault(host.uuid, Grant(host, is_connected=False, made_by=self._operation_id))

    def _note_connected(self, hosts: Iterable[Host], *, is_connected: bool) -> None:
        for host in hosts:
            self._cloud.volumes.set_connected(self.record.uuid, host.uuid, is_connected=is_connected)
            if host.uuid in self._grants:
                self._grants[host.uuid] = replace(self._grants[host.uuid], is_connected=is_connected)

    def _note_hooked(self, *, is_hooked: bool) -> None:
        attachment = self.record.attachment
        if attachment is not None:
            attachment = replace(attachment, is_hooked=is_hooked)
            self._cloud.volumes.attach(self.record.uuid, attachment)
            self.record = replace(self.record, attachment=attachment)

    def _is_mounted(self, grant: Grant) -> bool:
        return self.record.way is Way.FRAMEWORK and grant.is_connected
