"""What the cloud keeps of templates on the array."""

from __future__ import annotations

from conformance.contract import CachedTemplate, Cluster, DatastoreRef, Host

from .database import Database, Row
from .records import TemplateRecord, Way
from .row_text import from_text, to_text
from .states import TemplateState


class TemplateTable:
    """Cached templates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, record: TemplateRecord) -> None:
        """Keep it as it is now."""
        self._database.change(
            "INSERT OR REPLACE INTO templates (uuid, store_uuid, cluster, way, state, cached, host, is_connected,"
            " datastore_name, datastore) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            record.uuid,
            record.store_uuid,
            to_text(record.cluster),
            record.way.name,
            record.state,
            to_text(record.cached),
            None if record.host is None else to_text(record.host),
            int(record.is_connected),
            record.datastore_name,
            None if record.datastore is None else to_text(record.datastore),
        )

    def find(self, uuid: str) -> TemplateRecord | None:
        """The template of that uuid, or None."""
        found = self._read("WHERE uuid = ?", uuid)
        return found[0] if found else None

    def all(self) -> tuple[TemplateRecord, ...]:
        """All templates."""
        return self._read("ORDER BY uuid")

    def delete(self, uuid: str) -> None:
        """Forget it."""
        self._database.change("DELETE FROM templates WHERE uuid = ?", uuid)

    def _read(self, where: str, *values: str) -> tuple[TemplateRecord, ...]:
        columns = (
            "SELECT store_uuid, cluster, way, state, cached, host, is_connected, datastore_name, datastore"
            " FROM templates "
        )
        return tuple(_template(each) for each in self._database.rows(columns + where, *values))


def _template(row: Row) -> TemplateRecord:
    store_uuid, cluster, way, state, cached, host, is_connected, datastore_name, datastore = row
    return TemplateRecord(
        store_uuid=str(store_uuid),
        cluster=from_text(cluster, Cluster),
        way=Way[str(way)],
        state=TemplateState(str(state)),
        cached=from_text(cached, CachedTemplate),
        host=None if host is None else from_text(host, Host),
        is_connected=bool(is_connected),
        datastore_name=None if datastore_name is None else str(datastore_name),
        datastore=None if datastore is None else from_text(datastore, DatastoreRef),
    )
