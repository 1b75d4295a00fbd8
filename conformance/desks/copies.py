"""Copies, CHAP rotation and templates at the cloud's desk."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from conformance.contract import CachedTemplate, Template
from conformance.orchestrator.errors import UnknownObject

from .base import DeskBase

T = TypeVar("T")


class CopyDesk(DeskBase):
    """What moves bytes between LUNs, and what hosts reach them with."""

    def second_storage(self) -> str:
        """Add another primary storage like the first one; answers its uuid. Removed at the end."""
        self.ready()
        request = self._world.store_request(model=self._request.access_model)
        note = {"name": request.name, "cluster": self._cluster.uuid}
        self._world.subject.journal.intend("store", request.uuid, note)
        self._world.defer("delete_primary_storage", partial(self._remove_store, request.uuid))
        self._do("add_primary_storage", lambda: self._orchestrator.add_primary_storage(request, [self._cluster]))
        return request.uuid

    def copy(self, volume_uuid: str, destination_store_uuid: str) -> str:
        """Copy a volume to another primary storage; answers the copy's uuid. Deleted at the end."""
        request = self._orchestrator.as_large_as(volume_uuid, self._world.request())
        self._make(
            "copy_volume",
            request,
            lambda: self._orchestrator.copy_volume(volume_uuid, destination_store_uuid, request),
        )
        return request.uuid

    def with_migration(self, volume_uuid: str, work: Callable[[], T]) -> T:
        """Do some work with the volume's QoS lifted; the work must not ask the cloud about the volume."""
        return self._do("with_migration", lambda: self._orchestrator.with_migration(volume_uuid, work))

    def rotate_chap(self, volume_uuid: str) -> None:
        """Replace the secret that hosts reach a volume with."""
        self._do("rotate_chap", lambda: self._orchestrator.rotate_chap(volume_uuid))

    def template(self, content: bytes) -> Template:
        """A raw template with these bytes, in a file that is removed at the end."""
        with tempfile.NamedTemporaryFile(prefix="template-", suffix=".raw", delete=False) as file:
            file.write(content)
        self._world.defer("delete_template_file", partial(Path(file.name).unlink, missing_ok=True))
        checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return Template(f"file:{file.name}", "raw", len(content), checksum)

    def seed_template(self, template: Template) -> str:
        """Keep a template on the array; answers its uuid, to `clone` from. Deleted at the end."""
        self.ready()
        uuid = self._world.request().uuid
        self._world.defer("delete_template", partial(self._orchestrator.delete_template, uuid))
        self._do(
            "seed_template",
            lambda: self._orchestrator.seed_template(self._request.uuid, uuid, template, self._cluster),
        )
        return uuid

    def filled_again(self, uuid: str, template: Template) -> None:
        """The bridge fills a volume's disk, which is there, with a template."""
        disk = self._disk(uuid)
        self._bridge.import_template(disk.datastore, template, disk.disk, lambda _done, _of: None)

    def delete_template(self, uuid: str) -> None:
        """Delete a template from the array."""
        self._do("delete_template", lambda: self._orchestrator.delete_template(uuid))

    def cached_template(self, uuid: str) -> CachedTemplate:
        """What the cloud believes of a template; absent: `UnknownObject`."""
        for each in self._orchestrator.templates():
            if each.uuid == uuid:
                return each.cached
        raise UnknownObject("template", uuid)
