"""Hookup PLUGIN: the calls that no hypervisor needs to hear of."""

from __future__ import annotations

from conformance.contract import CachedTemplate, Created, DataStore, QosPolicy, Template, Volume, VolumeStats

from .hooking import Hooking


class ArrayAlone(Hooking):
    """`QosDriver`, `MigrationDriver`, `StatsDriver` and `TemplateDriver`: what fills a template is the cloud."""

    def set_qos(self, store: DataStore, volume: Volume, qos: QosPolicy) -> None:
        self._array.set_qos(store, volume, qos)

    def begin_migration(self, store: DataStore, volume: Volume) -> None:
        self._array.begin_migration(store, volume)

    def end_migration(self, store: DataStore, volume: Volume) -> None:
        self._array.end_migration(store, volume)

    def volume_stats(self, store: DataStore, volume: Volume) -> VolumeStats:
        return self._array.volume_stats(store, volume)

    def seed_template(self, store: DataStore, uuid: str, template: Template, size_bytes: int) -> Created:
        return self._array.seed_template(store, uuid, template, size_bytes)

    def delete_template(self, store: DataStore, cached: CachedTemplate) -> None:
        self._array.delete_template(store, cached)
