"""The template cache: LUNs that the cloud fills once and clones root disks from.

A template's LUN is made like a volume's, under a name of its own kind, so that a template and a volume with
the same uuid stay apart. Which template it is for is kept with it. Clones do not depend on it.
"""

from __future__ import annotations

from conformance.contract import CachedTemplate, Created, DataStore, ObjectKind, Template, VolumeRequest

from . import access, limits, luns, snapshots
from .arrays import OnArrays
from .resume import resumable


class TemplateMethods(OnArrays):
    """`TemplateDriver`."""

    @resumable
    def seed_template(self, store: DataStore, uuid: str, template: Template, size_bytes: int) -> Created:
        lun_bytes = limits.lun_bytes_of_new(size_bytes)
        element = self._arrays.of(store.request)
        wanted = luns.Wanted(
            VolumeRequest(uuid, "template", size_bytes), ObjectKind.TEMPLATE, f"template {template.checksum}"
        )
        with self._arrays.lock_of_store(store.request):
            lun = luns.create(element, store, wanted, lun_bytes, {})
        return Created(lun.external_id, lun.size_bytes, lun.identity)

    @resumable
    def delete_template(self, store: DataStore, cached: CachedTemplate) -> None:
        element = self._arrays.of(store.request)
        found = luns.candidates(element, store, cached)
        for lun in found:
            access.check_not_granted(element, lun)
            snapshots.check_none(element, lun)
        for lun in found:
            luns.remove(element, lun)
