"""A picture of what the plugin was tried with: who talks to whom, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from conformance.report.record import ClusterRecord, Record
from conformance.report.svg import Picture, fitting, number

WIDTH: Final = 344.0
_HEIGHT: Final = 286.0
_BOX_WIDTH, _BOX_HEIGHT = 152.0, 58.0
_COLUMNS: Final = (2.0, 190.0)
_ROWS: Final = (6.0, 114.0, 222.0)
_NAMES: Final[Mapping[str, str]] = {"kvm": "KVM", "vsphere": "vSphere", "xenserver": "XenServer", "ovm": "Oracle VM"}


def drawn(record: Record) -> str:
    """The picture; empty for a record that does not tell its surroundings."""
    around = record.environment
    if around is None:
        return ""
    cluster = around.clusters[0] if around.clusters else None
    picture = Picture("topology", "What the plugin was tried with", _told(record, cluster))
    _links(picture, is_plugins=record.hookup == "plugin", has_cluster=cluster is not None, has_probe=around.probe)
    _part(picture, 0, 0, "cloud", "user operations", f"access model {record.declared.get('access model', '?')}")
    _part(picture, 1, 0, "plugin", f"{record.provider.name} {record.provider.version}", f"hookup {record.hookup}")
    ends = "1 endpoint" if around.endpoints == 1 else f"{around.endpoints} endpoints"
    _part(picture, 1, 1, "array", around.array, f"{ends}, {around.transport}")
    if cluster is not None:
        _part(picture, 0, 1, "bridge", f"to {hypervisor(cluster.hypervisor)}", "makes datastores")
        _part(picture, 0, 2, cluster.name, f"{hypervisor(cluster.hypervisor)}, {cluster.kind}", _hosts(cluster))
    if around.probe:
        _part(picture, 1, 2, "host probe", "logs in as own hosts", "looks at every LUN")
    return picture.text(WIDTH, _HEIGHT)


def hypervisor(name: str) -> str:
    """Its name as people write it."""
    return _NAMES.get(name, name)


def _told(record: Record, cluster: ClusterRecord | None) -> str:
    calls = "the plugin" if record.hookup == "plugin" else "the cloud"
    hooked = f"; {calls} calls the bridge to {cluster.hypervisor}, {_hosts(cluster)}" if cluster else ""
    return f"The cloud calls the plugin {record.provider.name}, which calls the array{hooked}"


def _hosts(cluster: ClusterRecord) -> str:
    count = len(cluster.hosts)
    return "1 host" if count == 1 else f"{count} hosts" if count else cluster.missing or "no host was used"


def _part(picture: Picture, column: int, row: int, name: str, *lines: str) -> None:
    x, y = _COLUMNS[column], _ROWS[row]
    picture.box(x, y, _BOX_WIDTH, _BOX_HEIGHT, "part")
    picture.words(x + 9, y + 18, fitting(name, _BOX_WIDTH - 18), "name")
    for place, line in enumerate(lines):
        picture.words(x + 9, y + 33 + 14 * place, fitting(line, _BOX_WIDTH + 24), "more")


def _links(picture: Picture, *, is_plugins: bool, has_cluster: bool, has_probe: bool) -> None:
    """Lines between the boxes, each with what goes over it; drawn first, so that the boxes lie over their ends."""
    left, right = (each + _BOX_WIDTH / 2 for each in _COLUMNS)
    top, middle, bottom = (each + _BOX_HEIGHT / 2 for each in _ROWS)
    _link(picture, (left, top), (right, top), "", 0, 0)
    _link(picture, (right, top), (right, middle), "API calls", right + 6, (top + middle) / 2)
    if has_cluster:
        start = right - 40 if is_plugins else left
        _link(picture, (start, top), (left, middle), "datastores", left + 6, (top + middle) / 2)
        _link(picture, (left, middle), (left, bottom), "API calls", left - 60, (middle + bottom) / 2)
        _link(picture, (left + 40, bottom), (right - 40, middle), "iSCSI", left + 62, (middle + bottom) / 2 - 8)
    if has_probe:
        _link(picture, (right, bottom), (right, middle), "iSCSI", right + 6, (middle + bottom) / 2)


def _link(
    picture: Picture, start: tuple[float, float], end: tuple[float, float], label: str, x: float, y: float
) -> None:
    points = f"M{number(start[0])} {number(start[1])}L{number(end[0])} {number(end[1])}"
    picture.add("path", {"d": points, "class": "link"}, behind=True)
    if label:
        picture.words(x, y + 3, label, "edge")
