"""What a plugin's calls make and remove, as lines of the journal: whoever makes them, property or cloud.

Stores and volumes are noted by who asks for them, before the first of their calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from conformance.contract import CachedTemplate, DataStore, Host, Snapshot, SnapshotRequest, Template, Volume
from conformance.journal import Journal

Arguments = Sequence[Any]


class Noting:
    """Looks at the calls of one world: `before` each, and `after` each that succeeded."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def before(self, name: str, arguments: Arguments) -> None:
        """Note what this call may make; on disk when this returns."""
        if name in _MAKE:
            kind, uuid, note = _MAKE[name](arguments)
            self._journal.intend(kind, uuid, note)

    def after(self, name: str, arguments: Arguments) -> None:
        """Note what this call has removed."""
        if name in _REMOVE:
            self._journal.gone(_REMOVE[name](arguments))


def _grant(arguments: Arguments) -> tuple[str, str, Mapping[str, object]]:
    """Whoever is let in keeps a LUN from being deleted."""
    store, target, host = arguments[:3]
    note = {
        "name": host.name,
        "store": store.request.uuid,
        "volume": target.uuid,
        "target": "template" if isinstance(target, CachedTemplate) else "volume",
        "host": host.uuid,
        "cluster": host.cluster_uuid,
        "iqns": [str(each) for each in host.iqns],
    }
    return "grant", _of_grant(arguments), note


def _snapshot(arguments: Arguments) -> tuple[str, str, Mapping[str, object]]:
    store: DataStore = arguments[0]
    volume: Volume = arguments[1]
    request: SnapshotRequest = arguments[2]
    # Not under "volume": a snapshot may stay when its volume goes.
    note = {
        "name": request.name,
        "store": store.request.uuid,
        "of": volume.uuid,
        "of_external_id": volume.external_id or "",
        "size_bytes": volume.size_bytes,
    }
    return "snapshot", request.uuid, note


def _template(arguments: Arguments) -> tuple[str, str, Mapping[str, object]]:
    store: DataStore = arguments[0]
    template: Template = arguments[2]
    note = {
        "name": template.source,
        "store": store.request.uuid,
        "format": template.format,
        "checksum": template.checksum,
        "size_bytes": arguments[3],
    }
    return "template", arguments[1], note


def _of_grant(arguments: Arguments) -> str:
    host: Host = arguments[2]
    return f"{arguments[1].uuid} {host.uuid}"


def _of_object(arguments: Arguments) -> str:
    removed: Volume | Snapshot | CachedTemplate = arguments[1]
    return removed.uuid


_MAKE: Final[Mapping[str, Callable[[Arguments], tuple[str, str, Mapping[str, object]]]]] = {
    "grant_access": _grant,
    "take_snapshot": _snapshot,
    "seed_template": _template,
}
_REMOVE: Final[Mapping[str, Callable[[Arguments], str]]] = {
    "revoke_access": _of_grant,
    "delete_snapshot": _of_object,
    "delete_template": _of_object,
    "delete": _of_object,
    "delete_datastore": lambda arguments: str(arguments[0].uuid),
}
