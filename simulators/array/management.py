"""What every management API of an array is: HTTP in, HTTP out, and what stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from simulators.array.administrator import Administrator
    from simulators.array.model import ArrayModel
    from simulators.iscsi.backend import SessionInfo
    from simulators.kernel.faults import Fault
    from simulators.kernel.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def header(headers: Mapping[str, str], name: str) -> str:
    """A header's value whatever the case of its name (RFC 9110 section 5.1), or empty text."""
    # As it is usually written, it is found at once; on a socket it always is.
    return headers.get(name) or next((text for each, text in headers.items() if each.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the array says that it can be reached: `address:port` of management and of iSCSI."""

    management: str
    storage: str


@dataclass(frozen=True, slots=True)
class Premises:
    """What an API works on. `lock` is held while it is in the model; `sessions` is asked before that."""

    model: ArrayModel
    administrator: Administrator
    addresses: Addresses
    lock: AbstractContextManager[object]
    sessions: Callable[[], Sequence[SessionInfo]]
    transcript: Transcript


class ManagementApi(Protocol):
    """A management API."""

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        ...

    def call_name(self, method: str, path: str, body: bytes) -> str:
        """What the request is called in the vendor's documents; by this faults find it."""
        ...

    def refusal(self, fault: Fault, path: str, body: bytes) -> Reply:
        """How this API says ERROR_BEFORE, THROTTLE and AUTH_EXPIRY to a request."""
        ...
