"""A machine of ours: QEMU with a kernel and an initramfs, that lives no longer than this process.

Nothing of it is in the file system but the image and the saved state in the cache: the agent and QEMU's control channel
are on socket pairs, the console is an unlinked file, disks are in the machine's memory.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulators.lio.errors import LioError, LioUnavailable
from simulators.lio.ports import HOST, opened_ports
from simulators.lio.qmp import Qmp
from simulators.lio.remote import RemoteLio
from simulators.lio.values import Portal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulators.lio.image import Image

QEMU: Final = "qemu-system-x86_64"
MEMORY_MIB: Final = 512
_BOOT_SECONDS: Final = 120.0
_END_SECONDS: Final = 5.0
_CONSOLE_TAIL: Final = 2000
PORT_TAKEN: Final = "Could not set up host forwarding rule"
_COMMAND_LINE: Final = (
    "console=ttyS0 quiet rdinit=/init panic=-1 random.trust_cpu=on tsc=reliable mitigations=off audit=0 selinux=0 "
    "apparmor=0 nokaslr no_timer_check cryptomgr.notests"
)
# QEMU ends when the shell's standard input does, which is when this process does, however that ends.
_LEASH: Final = (
    'exec 3<&0; "$@" </dev/null & qemu=$!; { read -r _ <&3; kill "$qemu"; } 2>/dev/null & leash=$!; '
    'wait "$qemu"; status=$?; kill "$leash" 2>/dev/null; exit "$status"'
)


def accelerator() -> str:
    """KVM where the processor itself has it; a /dev/kvm alone may be one that no ordinary kernel boots on."""
    flags = Path("/proc/cpuinfo").read_text(errors="replace")
    has_extension = any(f" {each} " in flags or f" {each}\n" in flags for each in ("vmx", "svm"))
    return "kvm" if has_extension and os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg,thread=multi"


def hardware() -> tuple[str, ...]:
    """The machine, as far as a saved state depends on it."""
    return (
        QEMU, "-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-M", "q35", "-accel", accelerator(),
        "-cpu", "max", "-smp", "1", "-m", str(MEMORY_MIB), "-append", _COMMAND_LINE,
        "-device", "virtio-net-pci,romfile=,netdev=net", "-device", "virtio-serial-pci",
        "-device", "virtserialport,chardev=agent,name=agent",
        "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
        "-mon", "chardev=control,mode=control",
    )  # fmt: skip


class Guest:
    """A machine that runs, with `agent` connected to whoever answers in it.

    `network` is what QEMU calls the options of user networking; `state` is a file to go on from instead of booting.
    """

    def __init__(self, image: Image, network: str, state: Path | None = None) -> None:
        if shutil.which(QEMU) is None:
            raise LioUnavailable(f"{QEMU} is missing: apt-get install qemu-system-x86, or use data plane embedded")
        self._stack = ExitStack()
        self._console = tempfile.TemporaryFile()  # noqa: SIM115  (closed by the stack)
        self._stack.callback(self._console.close)
        self.agent, theirs = self._pair()
        control, controlled = self._pair()
        self._process = self._start(image, network, state, theirs, controlled)
        self._stack.callback(self._end)
        for each in (theirs, controlled):
            each.close()
        self._control = control

    def console(self) -> str:
        """The last lines that the machine said."""
        size = self._console.seek(0, os.SEEK_END)
        self._console.seek(max(0, size - _CONSOLE_TAIL))
        return self._console.read().decode(errors="replace").strip()

    def save(self, path: Path) -> None:
        """Write the machine's state to a file; it stands still afterwards."""
        qmp = self._stack.enter_context(closing(Qmp(self._control)))
        qmp.run("migrate", uri=f"exec:cat > {shlex.quote(str(path))}")
        until = time.monotonic() + _BOOT_SECONDS
        while (status := qmp.run("query-migrate").get("status")) != "completed":
            if status in {"failed", "cancelled"} or time.monotonic() > until:
                raise LioError(f"the machine's state cannot be saved: {status}; look for free space at {path.parent}")
            time.sleep(0.02)

    def close(self) -> None:
        """End it; twice is harmless."""
        self._stack.close()

    def _pair(self) -> tuple[socket.socket, socket.socket]:
        ours, theirs = socket.socketpair()
        self._stack.callback(theirs.close)
        self._stack.callback(ours.close)
        return ours, theirs

    def _start(
        self, image: Image, network: str, state: Path | None, agent: socket.socket, control: socket.socket
    ) -> subprocess.Popen[bytes]:
        wanted = [
            *hardware(),
            "-kernel", str(image.kernel), "-initrd", str(image.initramfs),
            "-netdev", f"user,id=net,{network}",
            "-chardev", f"socket,id=agent,fd={agent.fileno()}",
            "-chardev", f"socket,id=control,fd={control.fileno()}",
            *(["-incoming", f"exec:cat {shlex.quote(str(state))}"] if state else []),
        ]  # fmt: skip
        return subprocess.Popen(
            ["sh", "-c", _LEASH, "sh", *wanted],
            stdin=subprocess.PIPE,
            stdout=self._console,
            stderr=self._console,
            pass_fds=(agent.fileno(), control.fileno()),
            # Ctrl-C is for this process, which then has something to ask of the machine before it ends.
            start_new_session=True,
        )

    def _end(self) -> None:
        leash = self._process.stdin
        if leash is not None:
            leash.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._process.kill()
        self._process.wait()


class Machine(Guest):
    """A machine with LIO, whose portals are ports of this machine's loopback interface."""

    def __init__(self, image: Image, ports: Sequence[int], state: Path | None = None) -> None:
        self.portals = tuple(Portal(HOST, port) for port in opened_ports(ports))
        forward = ",".join(f"hostfwd=tcp:{each}-{each}" for each in self.portals)
        super().__init__(image, f"restrict=on,{forward}", state)
        self.lio = RemoteLio(self.agent, self.portals, self.close)
        self._stack.callback(self.lio.hang_up)

    def wait_until_ready(self) -> None:
        """Wait for the agent; raises `LioError` with what the machine said last."""
        try:
            self.lio.call("ping")
        except LioError as error:
            raise LioError(f"{error}; it said last: {self.console()[-400:]}") from error
