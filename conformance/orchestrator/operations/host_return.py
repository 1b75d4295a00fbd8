"""What hosts that come back share: they catch up with what they have missed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.contract import Host, HostState
from conformance.contract.codec import decode_as, encode
from conformance.orchestrator.steps import Step

from .host_operation import HostOperation


class HostReturn(HostOperation):
    """Has a host used again; every call may be a repetition."""

    def arguments(self) -> str:
        """The host."""
        return json.dumps(encode(self.host))

    def undo_steps(self) -> Sequence[Step]:
        """What the host did not have before is taken from it."""
        return self.unhooked_again()

    def finish(self) -> None:
        """The host can be used."""
        self.cloud.hosts.set_state(self.host.uuid, HostState.ENABLED)

    def undone(self) -> None:
        """The host is away as before."""

    def stuck(self) -> None:
        """Its grants are noted; the same again, or `recover()`, goes on from there."""


def revived(text: str) -> Host:
    """The host, from an operation's arguments."""
    return decode_as(Host, json.loads(text))
