"""What users ask of the cloud about templates on the array."""

from __future__ import annotations

from conformance.contract import CachedTemplate, Capability, Cluster, Template

from .operations.delete_template import DeleteTemplate
from .operations.seed_template import SeedTemplate, refuse_checksum, seeded_already
from .records import TemplateRecord, Way
from .requests import Requests
from .states import TemplateState


class TemplateRequests(Requests):
    """Keep templates on the array; volumes are made of them by `create_volume_from`."""

    def seed_template(self, store_uuid: str, uuid: str, template: Template, cluster: Cluster) -> CachedTemplate:
        """Keep a template on the array, filled from a host of the cluster; repeated after success: the same answer."""
        found = self._cloud.templates.find(uuid)
        if found is not None:
            return seeded_already(found, store_uuid, template)
        self._cloud.require(Capability.TEMPLATE_CACHE)
        refuse_checksum(template)
        way = self._cloud.way(self._cloud.store(store_uuid).request)
        host = self._cloud.usable_hosts(cluster)[0]
        # What is on a template is the cloud's business in both hookups: so is the room that a datastore needs, and that
        # a template smaller than the smallest LUN is on one of that size.
        needed = max(template.size_bytes, self._cloud.provider.limits.smallest_lun_bytes)
        lun_bytes = self._lun_bytes(Way.DIRECT if way is Way.DIRECT else Way.FRAMEWORK, cluster, needed)
        cached = CachedTemplate(uuid, template, None, lun_bytes)
        new = TemplateRecord(store_uuid, cluster, way, TemplateState.SEEDING, cached)
        self._runner.run(SeedTemplate(self._cloud, uuid, host, lun_bytes, new))
        return self._cloud.template(uuid).cached

    def delete_template(self, template_uuid: str) -> None:
        """Delete a template from the array, also a failed one; absent is success."""
        if self._cloud.templates.find(template_uuid) is not None:
            self._runner.run(DeleteTemplate(self._cloud, template_uuid))

    def templates(self) -> tuple[TemplateRecord, ...]:
        """All templates on the array that it believes in."""
        return self._cloud.templates.all()
