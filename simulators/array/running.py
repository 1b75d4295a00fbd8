"""An array on its own, for whoever wants to try a client on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.array.kept import ADDRESSES
from simulators.array.server import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.array.entries import SocketEntry
    from simulators.array.journal import Journal


class RunningArray:
    """An array on its own, for whoever wants to try a client on it."""

    def __init__(self, entry: SocketEntry) -> None:
        self._entry = entry
        self.world = entry.open_world()

    def describe(self) -> list[tuple[str, str]]:
        """What a person needs to know; with the secrets, because the person has to type them."""
        endpoint, server = self.world.endpoints[0], self._entry.server
        # Whatever the API wants: the witness wants name and password.
        administrator = self.world.administrator
        told = {"username": administrator.username, "password": administrator.password, **self.world.login()}
        return [
            ("endpoint", endpoint.url),
            *told.items(),
            ("CA file", server.certificate.ca_file),
            ("iSCSI portal", server.addresses.storage),
            ("witness", f"https://{HOST}:{server.witness_port}/"),
            ("page", f"http://{HOST}:{server.page_port}/"),
            *([("exports", f"https://{HOST}:{server.witness_port}/exports")] if self._entry.is_exported else []),
        ]

    def close(self) -> None:
        """Stop it and drop what is on it."""
        self.world.close()
        self._entry.close()


class KeptArray(RunningArray):
    """An array whose file outlives it; it goes on at the same addresses."""

    def __init__(self, entry: SocketEntry, journal: Journal, settings: Mapping[str, object]) -> None:
        super().__init__(entry)
        self._journal = journal
        server = entry.server
        ports = (server.target.portal[1], server.management_port, server.witness_port, server.page_port)
        administrator, api = self.world.administrator, self.world.api
        secrets = {"password": administrator.password, **api.secrets(administrator)}
        lasting = {name: value for name, value in settings.items() if name != "faults"}
        journal.begin({**lasting, **secrets, **dict(zip(ADDRESSES, ports, strict=True))})

    def describe(self) -> list[tuple[str, str]]:
        """What a person needs to know, and where it is kept."""
        return [*super().describe(), ("state", str(self._journal.path))]

    def close(self) -> None:
        """Stop it; what is on it stays in its file."""
        super().close()
        self._journal.close()
