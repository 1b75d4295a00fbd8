"""The other end of `remote.RemoteLio`: it runs in the machine, and carries out on LIO what it is asked.

Before it can be asked anything else it has to be told its portals (`begin`), because the machine may be one that was
saved when the ports of the outer machine were others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from simulators.lio import codec
from simulators.lio.errors import LioError

if TYPE_CHECKING:
    from simulators.lio.host import LioHost

_PORT: Final = "agent"
_BUFFER_BYTES: Final = 1 << 16
_DIRECTORY: Final = Path("/disks/scf")

_CALLS: Final[Mapping[str, Callable[..., object]]] = {
    "create_disk": lambda lio, name, size_bytes: lio.create_disk(name, size_bytes),
    "copy_disk": lambda lio, source, name: lio.copy_disk(source, name),
    "overwrite_disk": lambda lio, source, name: lio.overwrite_disk(source, name),
    "resize_disk": lambda lio, name, size_bytes: lio.resize_disk(name, size_bytes),
    "delete_disk": lambda lio, name: lio.delete_disk(name),
    "read": lambda lio, name, offset, length: lio.read(name, offset, length),
    "write": lambda lio, name, offset, text: lio.write(name, offset, codec.data(text)),
    "punch": lambda lio, name, offset, length: lio.punch(name, offset, length),
    "allocated": lambda lio: lio.allocated(),
    "apply": lambda lio, targets: lio.apply(codec.targets(targets)),
    "sessions": lambda lio: lio.sessions(),
    "observe": lambda lio: lio.observe(),
    "listed": lambda lio: lio.listed(),
    "clear": lambda lio: lio.clear(),
}


class Agent:
    """Answers lines."""

    def __init__(self, begin: Callable[[list[Any], str], LioHost]) -> None:
        self._begin = begin
        self._lio: LioHost | None = None

    def answer(self, line: bytes) -> bytes:
        """Carry out one request. Whatever goes wrong is answered: a silent agent would look like a dead machine."""
        try:
            call, arguments = codec.asked(line)
            return codec.answer(self._called(call, arguments))
        except Exception as error:
            return codec.refusal(str(error) if isinstance(error, LioError) else f"{type(error).__name__}: {error}")

    def _called(self, call: str, arguments: list[Any]) -> object:
        if call == "ping":
            return None
        if call == "begin":
            if self._lio is not None:
                self._lio.abandon()
            self._lio = self._begin(*arguments)
            return None
        if self._lio is None or call not in _CALLS:
            raise LioError(f"there is no call {call}, or begin has not been called")
        return _CALLS[call](self._lio, *arguments)


def serve(agent: Agent, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more requests."""
    for line in iter(requests.readline, b""):
        answers.write(agent.answer(line))
        answers.flush()


def _begin(portals: list[Any], chance: str) -> LioHost:
    from simulators.lio.host import LioHost

    # A machine that was saved has the same random numbers before it each time it goes on.
    Path("/dev/urandom").write_bytes(codec.data(chance))
    return LioHost(_DIRECTORY, codec.portals(portals))


def _port() -> Path:
    ports = Path("/sys/class/virtio-ports").iterdir()
    return next(Path("/dev") / each.name for each in ports if (each / "name").read_text().strip() == _PORT)


def main() -> None:
    """Serve the machine's port."""
    import simulators.lio.host  # noqa: F401  (it takes a while, and is to be in the machine's memory when that is saved)

    with _port().open("r+b", buffering=0) as port:
        serve(Agent(_begin), BufferedReader(port, _BUFFER_BYTES), BufferedWriter(port, _BUFFER_BYTES))


if __name__ == "__main__":
    main()
