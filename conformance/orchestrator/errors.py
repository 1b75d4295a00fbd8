"""What the cloud itself refuses, before any call to plugin or bridge: not an error of either."""

from __future__ import annotations


class OperationRefused(Exception):
    """The cloud did not begin: no call was made, nothing changed."""


class ObjectBusy(OperationRefused):
    """Another operation works on the object; the same request may be repeated when that has ended."""

    def __init__(self, uuid: str) -> None:
        self.uuid = uuid
        super().__init__(f"{uuid} is being worked on by another operation; repeat when it has ended, or recover()")


class WrongState(OperationRefused):
    """The object is not in a state this operation begins in."""

    def __init__(self, uuid: str, state: str, operation: str) -> None:
        self.uuid, self.state, self.operation = uuid, state, operation
        super().__init__(f"{operation} cannot begin: {uuid} is {state}; recover() or delete it first")


class VolumeInUse(OperationRefused):
    """The volume is attached to a VM, or to another one."""

    def __init__(self, uuid: str, vm: str) -> None:
        self.uuid, self.vm = uuid, vm
        super().__init__(f"volume {uuid} is attached to VM {vm}; detach it first")


class HasDependents(OperationRefused):
    """Snapshots or clones depend on the volume, and the plugin declares that it is not deleted before them."""

    def __init__(self, uuid: str, dependents: tuple[str, ...]) -> None:
        self.uuid, self.dependents = uuid, dependents
        super().__init__(f"{', '.join(dependents)} depend on {uuid}; delete them first")


class StoreInUse(OperationRefused):
    """The primary storage still has volumes, snapshots or templates."""

    def __init__(self, uuid: str, volumes: tuple[str, ...]) -> None:
        self.uuid, self.volumes = uuid, volumes
        super().__init__(f"primary storage {uuid} has {', '.join(volumes)}; delete them first")


class HostInUse(OperationRefused):
    """VMs run on the host, or volumes are attached to VMs there."""

    def __init__(self, uuid: str, volumes: tuple[str, ...], vms: tuple[str, ...] = ()) -> None:
        self.uuid, self.volumes, self.vms = uuid, volumes, vms
        who = f"VMs {', '.join(vms)} run on host {uuid}" if vms else f"VMs on host {uuid}"
        used = f" use volumes {', '.join(volumes)}; detach them first" if volumes else ""
        super().__init__(who + used + ("; move or stop them first" if vms else ""))


class UnknownObject(OperationRefused):
    """The cloud has no such object."""

    def __init__(self, kind: str, uuid: str) -> None:
        self.kind, self.uuid = kind, uuid
        super().__init__(f"the cloud has no {kind} {uuid}")


class AlreadyExists(OperationRefused):
    """The same uuid with another request."""

    def __init__(self, uuid: str) -> None:
        self.uuid = uuid
        super().__init__(f"{uuid} exists and was asked for differently; expected the same request, or a new uuid")


class NoUsableHost(OperationRefused):
    """A cluster has no host that could use storage."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        super().__init__(f"cluster {cluster} has no connected host; expected at least one")


class ModelNotServed(OperationRefused):
    """The plugin, or this orchestrator, does not carry out the access model."""

    def __init__(self, model: str, by: str) -> None:
        self.model, self.by = model, by
        super().__init__(f"{by} does not serve access model {model}")


class BrokenPromise(Exception):
    """A call came back without error, but the cloud cannot go on with what it answered."""

    def __init__(self, call: str, expected: str, observed: str) -> None:
        self.call, self.expected, self.observed = call, expected, observed
        super().__init__(f"{call} came back with {observed}; expected {expected}")
