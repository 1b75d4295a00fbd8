"""A machine whose kernel logs in to our targets: it runs commands of a shell, and answers with what they print."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulators.lio import vm

if TYPE_CHECKING:
    from simulators.lio.image import Image

# The loopback interface of the outer machine, which is 127.0.0.1 inside too.
_NETWORK: Final = "net=127.0.0.0/24,host=127.0.0.1,dhcpstart=127.0.0.15,dns=127.0.0.3"
_PATIENCE_SECONDS: Final = 20
_BOOT_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Done:
    """How commands ended: the status of the last, and what all printed."""

    status: int
    printed: str

    @property
    def is_fine(self) -> bool:
        """Whether it worked."""
        return self.status == 0


class LinuxMachine(vm.Guest):
    """Runs until it is closed, or until this process ends, however that ends."""

    def __init__(self, image: Image) -> None:
        super().__init__(image, _NETWORK)
        self._answers = self.agent.makefile("rb")
        self._stack.callback(self._answers.close)

    def wait_until_ready(self) -> None:
        """Wait until it has booted."""
        self.agent.settimeout(_BOOT_SECONDS)
        self._ask("true", 1)

    def run(self, commands: str, seconds: int = _PATIENCE_SECONDS) -> Done:
        """Run commands, which are killed after so many seconds; that a machine does not answer is a failure."""
        self.agent.settimeout(seconds + _PATIENCE_SECONDS)
        return self._ask(commands, seconds)

    def _ask(self, commands: str, seconds: int) -> Done:
        line = b"%d %s\n" % (seconds, base64.b64encode(commands.encode()))
        try:
            self.agent.sendall(line)
            status, _, printed = self._answers.readline().partition(b" ")
        except OSError as error:
            raise AssertionError(f"no answer to {commands!r} ({error}); it said last: {self.console()}") from error
        assert status, f"it has ended before it answered to {commands!r}; it said last: {self.console()}"
        return Done(int(status), base64.b64decode(printed).decode(errors="replace"))
