"""Delete a template from the array; its clones keep working.

DEDICATED: delete_datastore (no host has it: the bridge forgets it) → delete_template
DIRECT:    delete_template

Failed: it stays `Expunging`, and deleting it again, or `recover()`, goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.errors import ObjectBusy
from conformance.orchestrator.states import TemplateState
from conformance.orchestrator.steps import Step

from .template_operation import TemplateOperation


class DeleteTemplate(TemplateOperation):
    """Removes a template, also one whose seeding failed and could not be undone."""

    kind = "delete_template"

    @classmethod
    def revive(cls, cloud: Cloud, template_uuid: str, _arguments: str) -> DeleteTemplate:
        """The operation again, from its journal."""
        return cls(cloud, template_uuid)

    def arguments(self) -> str:
        return ""

    def begin(self) -> Sequence[str]:
        if self.cloud.journal.is_claimed(self.object_uuid):
            raise ObjectBusy(self.object_uuid)
        self.cloud.refuse_store(self.record.store_uuid, self.kind)
        self.save(replace(self.record, state=TemplateState.DESTROYING))
        return self.claims()

    def steps(self) -> Sequence[Step]:
        return self.removal()

    def undo_steps(self) -> None:
        return None

    def finish(self) -> None:
        self.cloud.templates.delete(self.object_uuid)

    def undone(self) -> None:
        raise AssertionError("a deletion is never undone")
