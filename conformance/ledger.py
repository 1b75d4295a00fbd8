"""A bridge ledger in memory: what a bridge made, kept outside of it so that it survives the bridge."""

from __future__ import annotations

import threading
from collections.abc import Mapping


class MemoryLedger:
    """Satisfies the contract's `BridgeLedger`."""

    def __init__(self) -> None:
        self._entries: dict[str, Mapping[str, str]] = {}
        self._lock = threading.Lock()

    def record(self, key: str, entry: Mapping[str, str]) -> None:
        """Keep an entry."""
        with self._lock:
            self._entries[key] = dict(entry)

    def forget(self, key: str) -> None:
        """Drop an entry."""
        with self._lock:
            self._entries.pop(key, None)

    def entries(self, prefix: str = "") -> Mapping[str, Mapping[str, str]]:
        """All entries whose key begins so."""
        with self._lock:
            return {key: entry for key, entry in self._entries.items() if key.startswith(prefix)}
