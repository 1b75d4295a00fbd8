"""A ledger for tests."""

from __future__ import annotations

from collections.abc import Mapping


class MemoryLedger:
    """A `BridgeLedger` that outlives its bridges."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, str]] = {}

    def record(self, key: str, entry: Mapping[str, str]) -> None:
        self.kept[key] = dict(entry)

    def forget(self, key: str) -> None:
        self.kept.pop(key, None)

    def entries(self, prefix: str = "") -> Mapping[str, Mapping[str, str]]:
        return {key: dict(entry) for key, entry in self.kept.items() if key.startswith(prefix)}
