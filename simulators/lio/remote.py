"""LIO in a machine: the same calls as `host.LioHost`, carried by lines over a socket."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from simulators.lio import codec
from simulators.lio.errors import LioError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from simulators.lio.values import Portal, Session, Target

_PIECE_BYTES: Final = 1 << 18
_PATIENCE_SECONDS: Final = 180.0


class RemoteLio:
    """The agent's calls. Any thread may call; one at a time is answered."""

    def __init__(self, connection: socket.socket, portals: Sequence[Portal], end: Callable[[], None]) -> None:
        self.portals = tuple(portals)
        self._connection = connection
        self._connection.settimeout(_PATIENCE_SECONDS)
        self._answers = connection.makefile("rb")
        self._lock = threading.Lock()
        self._end = end

    def call(self, name: str, *arguments: object) -> Any:
        """Ask and wait for the plain answer; raises `LioError`."""
        with self._lock:
            try:
                self._connection.sendall(codec.request(name, *arguments))
                line = self._answers.readline()
            except OSError as error:
                raise LioError(f"the machine with LIO does not answer to {name}: {error}") from error
        if not line:
            raise LioError(f"the machine with LIO has ended before it answered to {name}")
        return codec.answered(line)

    def create_disk(self, name: str, size_bytes: int) -> None:
        """Make a disk of zeros."""
        self.call("create_disk", name, size_bytes)

    def copy_disk(self, source: str, name: str) -> None:
        """Make a disk that holds what another holds."""
        self.call("copy_disk", source, name)

    def overwrite_disk(self, source: str, name: str) -> None:
        """Let a disk hold what another holds, as much as fits; sessions go on."""
        self.call("overwrite_disk", source, name)

    def resize_disk(self, name: str, size_bytes: int) -> None:
        """Change a disk's size."""
        self.call("resize_disk", name, size_bytes)

    def delete_disk(self, name: str) -> None:
        """Forget a disk that is behind no target."""
        self.call("delete_disk", name)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Exactly so many bytes of a disk."""
        places = range(offset, offset + length, _PIECE_BYTES)
        pieces = [self.call("read", name, at, min(_PIECE_BYTES, offset + length - at)) for at in places]
        return b"".join(map(codec.data, pieces))

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Store bytes on a disk."""
        for start in range(0, len(data), _PIECE_BYTES):
            self.call("write", name, offset + start, data[start : start + _PIECE_BYTES])

    def punch(self, name: str, offset: int, length: int) -> None:
        """Give bytes of a disk back."""
        self.call("punch", name, offset, length)

    def allocated(self) -> Mapping[str, int]:
        """Bytes that each disk takes up."""
        found: Mapping[str, int] = self.call("allocated")
        return found

    def apply(self, targets: Iterable[Target]) -> None:
        """Export exactly these targets."""
        self.call("apply", list(targets))

    def sessions(self) -> Sequence[Session]:
        """Everybody who is logged in."""
        return codec.sessions(self.call("sessions"))

    def observe(self) -> Sequence[Target]:
        """What configfs in the machine says is exported."""
        return codec.targets(self.call("observe"))

    def listed(self) -> str:
        """What `targetcli ls` shows there."""
        return str(self.call("listed"))

    def clear(self) -> None:
        """Remove all targets and all disks."""
        self.call("clear")

    def close(self) -> None:
        """End the machine; twice is harmless."""
        self.hang_up()
        self._end()

    def hang_up(self) -> None:
        """Say nothing more; the machine goes on."""
        self._answers.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
