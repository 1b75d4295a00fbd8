"""Hosts and what happens to them, as the connection factory tells it: libvirt knows no cluster."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import HostEvent

from .connection import Connections


class HostWatch:
    """Events not yet given to this bridge, from the factory's beginning on: after a restart some come again."""

    def __init__(self, connections: Connections) -> None:
        self._connections, self._given = connections, 0

    def __call__(self) -> Iterator[HostEvent]:
        """Each event once; ends when there are no more for now."""
        for event in self._connections.events(self._given):
            self._given += 1
            yield event
