"""Keep a template on the array, so that root disks are cloned from it (CloudStack: createAsync of a template).

DEDICATED: seed_template → grant_access on one host → connection → create_datastore → import_template → read_disk, which
           must have the template's checksum → detach_datastore → revoke_access
DIRECT:    seed_template → grant_access on one host → connection → connect_target → write_template →
           disconnect_target → revoke_access

In both hookups: what is on a template is the cloud's business, and the plugin only grants it. It is cloned only after
all of this; see `create_volume_from`. In DIRECT no bridge reads a raw LUN: that what was written has the template's
checksum is the word of `write_template`.

Failed at any step: delete_datastore or disconnect_target, revoke_access, delete_template, as far as it had come; by its
uuid when there was no answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from conformance.contract import CachedTemplate, DiskLocation, Host, InvalidRequest, Template
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import AlreadyExists, BrokenPromise, ObjectBusy, WrongState
from conformance.orchestrator.records import TemplateRecord, Way
from conformance.orchestrator.states import StoreState, TemplateState
from conformance.orchestrator.steps import Step

from .template_operation import TemplateOperation

ROOT_DISK: Final = "root"
PIECE_BYTES: Final = 1 << 20


class SeedTemplate(TemplateOperation):
    """Makes a LUN for a template and fills it from one host."""

    kind = "seed_template"

    def __init__(
        self, cloud: Cloud, template_uuid: str, host: Host, lun_bytes: int, new: TemplateRecord | None
    ) -> None:
        super().__init__(cloud, template_uuid)
        self._host, self._lun_bytes, self._new = host, lun_bytes, new

    @classmethod
    def revive(cls, cloud: Cloud, template_uuid: str, arguments: str) -> SeedTemplate:
        """The operation again, from its journal."""
        host, lun_bytes = json.loads(arguments)
        return cls(cloud, template_uuid, decode_as(Host, host), lun_bytes, None)

    def arguments(self) -> str:
        return json.dumps([encode(self._host), self._lun_bytes])

    def begin(self) -> Sequence[str]:
        if self._new is not None:
            store = self.cloud.store(self._new.store_uuid)
            if store.state is not StoreState.UP or self._new.cluster not in store.clusters:
                raise WrongState(store.uuid, f"{store.state} for cluster {self._new.cluster.uuid}", self.kind)
            for uuid in (store.uuid, self._new.cluster.uuid):
                if self.cloud.journal.is_claimed(uuid):
                    raise ObjectBusy(uuid)
            self.save(self._new)
        return self.claims()

    def steps(self) -> Sequence[Step]:
        host = self._host
        seeded = [
            Step("seed_template", self._seed),
            Step("grant_access", partial(self._grant, host), host.uuid),
            self.ask_connection(host),
        ]
        filled = self._filled_raw() if self.record.way is Way.DIRECT else self._filled_datastore()
        return [*seeded, *filled, self.revoke(host)]

    def undo_steps(self) -> Sequence[Step]:
        return self.removal()

    def finish(self) -> None:
        self.save(replace(self.record, state=TemplateState.READY))

    def undone(self) -> None:
        self.cloud.templates.delete(self.object_uuid)

    def _filled_datastore(self) -> list[Step]:
        return [
            self.create_datastore(self._host),
            Step("import_template", self._import),
            Step("read_disk", self._verify),
            Step("detach_datastore", self._detach, self._host.uuid),
        ]

    def _filled_raw(self) -> list[Step]:
        connect = Step("connect_target", self._connect, self._host.uuid)
        return [connect, Step("write_template", self._write), self.disconnect_target(self._host)]

    def _seed(self) -> None:
        cached = self.record.cached
        created = self.cloud.caller.plugin(
            "seed_template", self.driver.seed_template, self.store, cached.uuid, cached.template, self._lun_bytes
        )
        cached = CachedTemplate(
            uuid=cached.uuid,
            template=cached.template,
            external_id=created.external_id,
            size_bytes=created.size_bytes,
            identity=created.identity,
            details=created.details,
        )
        self.save(replace(self.record, cached=cached))

    def _grant(self, host: Host) -> None:
        self.save(replace(self.record, host=host))
        grant, cached = self.cloud.driver.grant_access, self.record.cached
        self.cloud.caller.plugin("grant_access", grant, self.store, cached, host)

    def _import(self) -> None:
        fill, template = self.bridge.import_template, self.record.cached.template
        self.cloud.caller.bridge("import_template", fill, self.datastore(), template, ROOT_DISK, _unwatched)

    def _verify(self) -> None:
        template, disk = self.record.cached.template, DiskLocation(self.datastore(), ROOT_DISK)
        algorithm, _, expected = template.checksum.partition(":")
        digest = hashlib.new(algorithm, usedforsecurity=False)
        for offset in range(0, template.size_bytes, PIECE_BYTES):
            length = min(PIECE_BYTES, template.size_bytes - offset)
            digest.update(self.cloud.caller.bridge("read_disk", self.bridge.read_disk, disk, offset, length))
        if digest.hexdigest() != expected:
            raise BrokenPromise("import_template", f"a disk with checksum {template.checksum}", digest.hexdigest())

    def _detach(self) -> None:
        detach = self.bridge.detach_datastore
        self.cloud.caller.bridge("detach_datastore", detach, self.datastore(), [self._host])
        self.save(replace(self.record, is_connected=False))

    def _connect(self) -> None:
        at = self.reached(self._host)
        self.save(replace(self.record, is_connected=True))
        self.cloud.caller.bridge("connect_target", self.bridge.connect_target, [at])

    def _write(self) -> None:
        at, template = self.reached(self._host), self.record.cached.template
        self.cloud.caller.bridge("write_template", self.bridge.write_template, at, template, _unwatched)


def refuse_checksum(template: Template) -> None:
    """Refuse a template that nobody could verify."""
    if template.checksum.partition(":")[0] not in hashlib.algorithms_guaranteed:
        raise InvalidRequest("checksum", template.checksum, "algorithm:hex with an algorithm of hashlib")


def seeded_already(record: TemplateRecord, store_uuid: str, template: Template) -> CachedTemplate:
    """The answer to a request that is repeated after it has succeeded."""
    if (record.store_uuid, record.cached.template) != (store_uuid, template):
        raise AlreadyExists(record.uuid)
    if record.state is TemplateState.SEEDING:
        raise ObjectBusy(record.uuid)
    if record.state is not TemplateState.READY:
        raise WrongState(record.uuid, record.state, SeedTemplate.kind)
    return record.cached


def _unwatched(_done: int, _total: int) -> None:
    """Nobody looks at the progress."""
