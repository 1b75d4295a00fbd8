"""Steps that tell the plugin's host listener what happens to hosts; a listener that fails is not ignored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from conformance.contract import DataStore, Host, HostListener
from conformance.orchestrator.cloud import Cloud
from conformance.orchestrator.steps import Step

Event = Literal["host_added", "host_about_to_be_removed", "host_removed", "host_enabled"]


def host_connected(cloud: Cloud, host: Host, store_uuid: str) -> Step:
    """The host is connected and will use a store."""
    return Step("host_connected", partial(_connected, cloud, host, store_uuid), host.uuid)


def host_disconnected(cloud: Cloud, host: Host, store_uuid: str) -> Step:
    """The host is gone for now."""
    return Step("host_disconnected", partial(_disconnected, cloud, host, store_uuid), host.uuid)


def told_of(cloud: Cloud, event: Event, host: Host, store_uuids: Sequence[str]) -> list[Step]:
    """What happened to the host, with all stores that its cluster uses; no step without a listener."""
    if cloud.listener is None:
        return []
    return [Step(event, partial(_told, cloud, event, host, store_uuids), host.uuid)]


def _connected(cloud: Cloud, host: Host, store_uuid: str) -> None:
    if cloud.listener is not None:
        store = cloud.told_store(store_uuid)
        cloud.caller.plugin("host_connected", cloud.listener.host_connected, host, store)


def _disconnected(cloud: Cloud, host: Host, store_uuid: str) -> None:
    if cloud.listener is not None:
        store = cloud.told_store(store_uuid)
        cloud.caller.plugin("host_disconnected", cloud.listener.host_disconnected, host, store)


def _told(cloud: Cloud, event: Event, host: Host, store_uuids: Sequence[str]) -> None:
    if cloud.listener is not None:
        stores = [cloud.told_store(each) for each in store_uuids]
        cloud.caller.plugin(event, _method(cloud.listener, event), host, stores)


def _method(listener: HostListener, event: Event) -> Callable[[Host, Sequence[DataStore]], None]:
    methods = {
        "host_added": listener.host_added,
        "host_about_to_be_removed": listener.host_about_to_be_removed,
        "host_removed": listener.host_removed,
        "host_enabled": listener.host_enabled,
    }
    return methods[event]
