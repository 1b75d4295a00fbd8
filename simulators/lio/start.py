"""Start a machine with LIO: from its saved state where there is one, else by booting it once and saving that."""

from __future__ import annotations

import hashlib
import os
import subprocess
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from simulators.lio.errors import LioError, LioUnavailable
from simulators.lio.image import Image, default_cache, locked, ready_image, tell, write_whole
from simulators.lio.vm import QEMU, Machine, hardware

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.lio.image import Say
    from simulators.lio.remote import RemoteLio
    from simulators.lio.values import Portal

_CHANCE_BYTES = 64
_PORT_TRIES = 5


class LioMachine:
    """LIO with portals of its own on the loopback interface, until it is closed."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    @classmethod
    def start(cls, cache: Path | None = None, portals: int = 1, say: Say = tell) -> LioMachine:
        """Start one; raises `LioUnavailable` where that cannot be done here."""
        cache = cache or default_cache()
        image = ready_image(cache, say)
        machine = _resumed(image, state_of(image, cache, say), portals) or _resumed(
            image, state_of(image, cache, say, is_renewed=True), portals
        )
        if machine is None:
            raise LioUnavailable(f"QEMU cannot load the state it saved: remove {cache} and try again")
        machine.lio.call("begin", machine.portals, os.urandom(_CHANCE_BYTES))
        return cls(machine)

    @property
    def lio(self) -> RemoteLio:
        """What it can be asked."""
        return self._machine.lio

    @property
    def portals(self) -> tuple[Portal, ...]:
        """Where initiators log in."""
        return self._machine.portals

    def close(self) -> None:
        """End it, and all that is in it; twice is harmless."""
        self._machine.close()


@contextmanager
def lio_machine(cache: Path | None = None, portals: int = 1) -> Iterator[RemoteLio]:
    """A machine for the length of a block."""
    machine = LioMachine.start(cache, portals)
    try:
        yield machine.lio
    finally:
        machine.close()


def state_of(image: Image, cache: Path, say: Say, *, is_renewed: bool = False) -> Path:
    """The saved state of an image on this QEMU; it is made if there is none."""
    state = cache / f"state-{state_key(image, hardware(), qemu_version())}"
    with locked(cache):
        if is_renewed:
            state.unlink(missing_ok=True)
        if not state.is_file():
            say("booting it once")
            write_whole(state, lambda path: _boot_and_save(image, path))
    return state


def state_key(image: Image, wanted: tuple[str, ...], version: str) -> str:
    """What a saved state depends on."""
    parts = "\0".join([image.directory.name, version, *wanted])
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def qemu_version() -> str:
    """The first line of what QEMU says about itself; raises `LioUnavailable`."""
    try:
        done = subprocess.run([QEMU, "--version"], capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise LioUnavailable(
            f"{QEMU} cannot be run ({error}): apt-get install qemu-system-x86, or use data plane embedded"
        ) from error
    return done.stdout.partition("\n")[0]


def _boot_and_save(image: Image, path: Path) -> None:
    machine = Machine(image, portals=1)
    try:
        machine.wait_until_ready()
        machine.save(path)
    finally:
        machine.close()


def _resumed(image: Image, state: Path, portals: int) -> Machine | None:
    """A machine that goes on from its state; None if it does not."""
    for _ in range(_PORT_TRIES):
        machine = Machine(image, portals, state)
        try:
            machine.wait_until_ready()
        except LioError as error:
            machine.close()
            if "host forwarding rule" in str(error):
                continue  # somebody else was faster to take the port
            return None
        else:
            return machine
    return None
