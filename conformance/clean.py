"""Undo what a killed run left on an array: through the plugin, and only what the journal names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from conformance.asked import Asked
from conformance.contract import (
    BridgeError,
    CachedTemplate,
    DataStore,
    Host,
    Iqn,
    ProviderError,
    Snapshot,
    SnapshotRequest,
    StoreRequest,
    Template,
    Volume,
)
from conformance.errors import WiringError
from conformance.journal import leftovers
from conformance.opening import opened
from conformance.subject import RunningSubject
from conformance.verdict import Broken
from conformance.world import World

Entry = Mapping[str, object]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How many objects are gone now, and what could not be removed and why."""

    gone: int
    problems: tuple[str, ...]


def clean(asked: Asked, journal: Path, tell: Tell) -> Cleaned:
    """Start the plugin and remove all that the journal names. What could not be removed stays in the journal."""
    try:
        if not leftovers(journal):
            return Cleaned(0, ())
    except OSError as error:
        raise WiringError(f"cannot read the journal {journal}: {error.strerror or error}") from None
    with opened(asked, journal=journal, is_cleaning=True) as subject:
        return tidy(subject, tell)


def tidy(subject: RunningSubject, tell: Tell) -> Cleaned:
    """Remove what the journal of a running subject names, newest first."""
    path = subject.journal.path
    entries = leftovers(path) if path is not None and path.exists() else []
    if not entries:
        return Cleaned(0, ())
    with subject.world() as world:
        return _Cleaning(world, tell).run(entries)


class _Cleaning:
    """One pass over the leftovers, with a plugin instance of its own."""

    def __init__(self, world: World, tell: Tell) -> None:
        self._world, self._tell = world, tell
        self._problems: list[str] = []
        self._gone = 0
        self._stores: dict[str, Entry] = {}
        self._made_again: dict[str, tuple[str, Callable[[Entry], object]]] = {
            "volume": ("delete", self._volume),
            "snapshot": ("delete_snapshot", self._snapshot),
            "template": ("delete_template", self._template),
        }

    def run(self, entries: list[dict[str, object]]) -> Cleaned:
        self._stores = {str(each["made"]): each for each in entries if each["kind"] == "store"}
        for entry in (each for each in entries if each["kind"] == "grant"):
            self._try(entry, self._revoke)
        # Newest first: a clone goes before its source.
        for entry in (each for each in entries if each["kind"] not in ("grant", "store")):
            self._try(entry, self._delete)
        for store in self._stores.values():
            self._try(store, self._delete_store)
        return Cleaned(self._gone, tuple(self._problems))

    def _try(self, entry: Entry, act: Callable[[Entry], None]) -> None:
        label = f"{entry['kind']} {entry['name']} ({entry['made']})"
        try:
            act(entry)
        except (ProviderError, BridgeError, Broken, WiringError) as error:
            told = self._world.trace.masked(f"{type(error).__name__}: {error}")
            self._problems.append(f"{label}: {told}")
            return
        self._gone += 1
        self._world.subject.journal.gone(str(entry["made"]))
        self._tell(f"removed {label}")

    def _revoke(self, entry: Entry) -> None:
        iqns = tuple(Iqn(str(each)) for each in cast("list[object]", entry["iqns"]))
        hypervisor = self._world.cluster.hypervisor
        host = Host(str(entry["host"]), str(entry["name"]), hypervisor, str(entry["cluster"]), iqns)
        granted = {**entry, "made": entry["volume"], "size_bytes": 0}
        target = self._template(granted) if entry.get("target") == "template" else self._volume(granted)
        self._do("revoke_access", entry, target, host, [])

    def _delete(self, entry: Entry) -> None:
        kind = str(entry["kind"])
        if kind not in self._made_again:
            raise WiringError(f"this version knows no {kind}; clean up with the version that wrote the journal")
        method, made = self._made_again[kind]
        self._do(method, entry, made(entry))

    def _do(self, method: str, entry: Entry, *arguments: object) -> None:
        """Call the plugin for the entry's store. One that is gone took everything of its own along."""
        store = self._stores.get(str(entry["store"]))
        if store is None:
            return
        driver: object = self._world.driver
        if not hasattr(driver, method):
            raise WiringError(f"this plugin has no {method}; clean up with the plugin that was run")
        getattr(driver, method)(DataStore(self._request(store)), *arguments)

    def _volume(self, entry: Entry) -> Volume:
        request = replace(self._world.request(), uuid=str(entry["made"]), name=str(entry["name"]))
        return Volume(request, None, request.size_bytes)

    def _snapshot(self, entry: Entry) -> Snapshot:
        request = SnapshotRequest(str(entry["made"]), str(entry["name"]))
        return Snapshot(request, str(entry["of"]), str(entry["of_external_id"]), None, _size(entry))

    def _template(self, entry: Entry) -> CachedTemplate:
        image = Template(str(entry["name"]), str(entry.get("format")), _size(entry), str(entry.get("checksum")))
        return CachedTemplate(str(entry["made"]), image, None, image.size_bytes)

    def _delete_store(self, entry: Entry) -> None:
        self._world.plugin.lifecycle.delete_datastore(self._request(entry))

    def _request(self, store: Entry) -> StoreRequest:
        cluster = self._world.cluster
        scope = replace(cluster, uuid=str(store.get("cluster", cluster.uuid)))
        request = self._world.store_request()
        return replace(request, uuid=str(store["made"]), name=str(store["name"]), scope=scope)


def _size(entry: Entry) -> int:
    """The size in bytes that the entry names."""
    return cast("int", entry["size_bytes"])
