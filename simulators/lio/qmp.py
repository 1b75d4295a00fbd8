"""QEMU's control channel (QMP): commands as JSON lines, on a socket that QEMU was started with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from simulators.lio.errors import LioError

if TYPE_CHECKING:
    import socket

_PATIENCE_SECONDS: Final = 60.0


class Qmp:
    """One client of a machine's control channel."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE_SECONDS)
        self._connection = connection
        self._lines = connection.makefile("rb")
        self._read()  # the greeting
        self.run("qmp_capabilities")

    def run(self, command: str, **arguments: object) -> Any:
        """Run a command and return what it gives; raises `LioError`."""
        self._connection.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = self._read()
            if "error" in answer:
                raise LioError(f"QEMU refuses {command}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._connection.close()

    def _read(self) -> Any:
        try:
            line = self._lines.readline()
        except OSError as error:
            raise LioError(f"QEMU does not answer: {error}") from error
        if not line:
            raise LioError("QEMU has ended")
        return json.loads(line)
