"""A management API whose requests are written down before they are carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.array.journal import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from simulators.array.journal import Journal
    from simulators.array.management import ManagementApi, Reply
    from simulators.kernel.faults import Fault


@dataclass(frozen=True, slots=True)
class NotedApi:
    """Writes down and hands on; `lock` keeps requests in order with writes."""

    api: ManagementApi
    journal: Journal
    lock: AbstractContextManager[object]

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        with self.lock, self.journal.noted(Request(method, path, headers, body)):
            return self.api.handle(method, path, headers, body)

    def call_name(self, method: str, path: str, body: bytes) -> str:
        """What the API calls it."""
        return self.api.call_name(method, path, body)

    def refusal(self, fault: Fault, path: str, body: bytes) -> Reply:
        """How the API says it."""
        return self.api.refusal(fault, path, body)
