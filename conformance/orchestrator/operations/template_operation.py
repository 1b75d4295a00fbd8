"""What seeding and deleting a template share: each step notes what it is about to make, calls, and notes the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, cast

from conformance.contract import (
    Connection,
    DataStore,
    DatastoreConflict,
    DatastoreRef,
    Host,
    HostConnection,
    HypervisorBridge,
    TemplateDriver,
)
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import BrokenPromise
from conformance.orchestrator.records import TemplateRecord
from conformance.orchestrator.states import TemplateState
from conformance.orchestrator.steps import Step
from conformance.orchestrator.volume_steps import datastore_name


class TemplateOperation:
    """One operation on one template. While it runs nobody else works on it."""

    kind: ClassVar[str]

    def __init__(self, cloud: Cloud, template_uuid: str) -> None:
        self.id = 0
        self.object_uuid = template_uuid
        self.cloud = cloud
        self._connection: Connection | None = None

    @property
    def record(self) -> TemplateRecord:
        """What is believed about the template now."""
        return self.cloud.template(self.object_uuid)

    @property
    def store(self) -> DataStore:
        """Its store, as the plugin is told of it."""
        return self.cloud.told_store(self.record.store_uuid)

    @property
    def driver(self) -> TemplateDriver:
        """The plugin's driver, which declares a template cache."""
        return cast(TemplateDriver, self.cloud.driver)

    @property
    def bridge(self) -> HypervisorBridge:
        """The bridge of the cluster that fills it."""
        return self.cloud.bridge(self.record.cluster)

    def claims(self) -> Sequence[str]:
        """The template."""
        return [self.object_uuid]

    def stuck(self) -> None:
        """It can be deleted, and nothing else."""
        self.save(replace(self.record, state=TemplateState.EXPUNGING))

    def save(self, record: TemplateRecord) -> None:
        """Note what has been learnt."""
        self.cloud.templates.save(record)

    def removal(self) -> list[Step]:
        """Take away all of it that may be there: the mirror image of its seeding."""
        record, steps = self.record, list[Step]()
        if record.datastore_name is not None:
            steps.append(Step("delete_datastore", self._delete_datastore))
        elif record.host is not None and record.is_connected:
            steps += [self.ask_connection(record.host), self.disconnect_target(record.host)]
        if record.host is not None:
            steps.append(self.revoke(record.host))
        return [*steps, Step("delete_template", self._delete)]

    def ask_connection(self, host: Host) -> Step:
        """Ask how the host that fills it reaches it."""
        return Step("connection", partial(self._ask_connection, host), host.uuid)

    def disconnect_target(self, host: Host) -> Step:
        """Disconnect the host that filled it."""
        return Step("disconnect_target", partial(self._disconnect_target, host), host.uuid)

    def revoke(self, host: Host) -> Step:
        """Take the access of the host that filled it away."""
        return Step("revoke_access", partial(self._revoke, host), host.uuid)

    def create_datastore(self, host: Host) -> Step:
        """Make a datastore on it, for the host that fills it."""
        return Step("create_datastore", partial(self._create_datastore, host))

    def datastore(self) -> DatastoreRef:
        """Its datastore, which must be there by now."""
        if self.record.datastore is None:
            raise BrokenPromise("create_datastore", "a datastore", "none")
        return self.record.datastore

    def reached(self, host: Host) -> HostConnection:
        """The host with its connection, which is asked for where this run has not yet."""
        if self._connection is None:
            self._ask_connection(host)
        return HostConnection(host, cast(Connection, self._connection))

    def _ask_connection(self, host: Host) -> None:
        ask, cached = self.cloud.driver.connection, self.record.cached
        self._connection = self.cloud.caller.plugin("connection", ask, self.store, cached, host)

    def _create_datastore(self, host: Host) -> None:
        name, at = datastore_name(self.record.cached.uuid, self.object_uuid), self.reached(host)
        self.save(replace(self.record, datastore_name=name, is_connected=True))
        try:
            ref = self.cloud.caller.bridge("create_datastore", self.bridge.create_datastore, name, [at])
        except DatastoreConflict:
            # What has the name is somebody else's: it must not be found by name, and removed, on the way back.
            self.save(replace(self.record, datastore_name=None, is_connected=False))
            raise
        self.save(replace(self.record, datastore=ref))

    def _delete_datastore(self) -> None:
        name, ref = self.record.datastore_name, self.record.datastore
        if ref is None and name is not None:
            ref = self.cloud.caller.bridge("find_datastore", self.bridge.find_datastore, name)
        if ref is not None:
            self.cloud.caller.bridge("delete_datastore", self.bridge.delete_datastore, ref)
        self.save(replace(self.record, datastore_name=None, datastore=None, is_connected=False))

    def _disconnect_target(self, host: Host) -> None:
        at = self.reached(host)
        self.cloud.caller.bridge("disconnect_target", self.bridge.disconnect_target, [at])
        self.save(replace(self.record, is_connected=False))

    def _revoke(self, host: Host) -> None:
        revoke, cached = self.cloud.driver.revoke_access, self.record.cached
        self.cloud.caller.plugin("revoke_access", revoke, self.store, cached, host, [])
        self.save(replace(self.record, host=None))

    def _delete(self) -> None:
        self.cloud.caller.plugin("delete_template", self.driver.delete_template, self.store, self.record.cached)
