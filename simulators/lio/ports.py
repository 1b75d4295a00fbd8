"""Ports of the loopback interface."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST: Final = "127.0.0.1"


def opened_ports(wanted: Sequence[int]) -> Sequence[int]:
    """Ports of loopback; for each that is 0 one that nobody listens at now."""
    if all(wanted):
        return wanted
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in wanted]
        for each, port in zip(found, wanted, strict=True):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind((HOST, port))
        return [each.getsockname()[1] for each in found]
