"""Start a machine with LIO: from its saved state where there is one, else by booting it once and saving that."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from simulators.lio import homes
from simulators.lio.errors import LioError, LioUnavailable
from simulators.lio.image import Image, locked, ready_image, tell, write_whole
from simulators.lio.vm import PORT_TAKEN, QEMU, Machine, hardware

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simulators.lio.image import Say
    from simulators.lio.remote import RemoteLio

_CHANCE_BYTES: Final = 64
_PORT_TRIES: Final = 5


def start(*ports: int, cache: Path | None = None, say: Say = tell) -> RemoteLio:
    """Start a machine with a portal on each port of the loopback interface, 0 being any.

    Closing what is returned ends it. Raises `LioUnavailable` where there can be none.
    """
    cache = cache or homes.cache()
    image = ready_image(cache, say)
    for is_renewed in (False, True):
        machine = _resumed(image, state_of(image, cache, say, is_renewed=is_renewed), ports or (0,))
        if machine is not None:
            return _begun(machine)
    raise LioUnavailable(f"QEMU cannot load the state it saved: remove {cache} and try again")


def _begun(machine: Machine) -> RemoteLio:
    try:
        machine.lio.call("begin", machine.portals, os.urandom(_CHANCE_BYTES))
    except BaseException:
        machine.close()
        raise
    return machine.lio


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
    machine = Machine(image, ())
    try:
        machine.wait_until_ready()
        machine.save(path)
    finally:
        machine.close()


def _resumed(image: Image, state: Path, ports: Sequence[int]) -> Machine | None:
    """A machine that goes on from its state; None if it does not."""
    for _ in range(_PORT_TRIES):
        machine = Machine(image, ports, state)
        try:
            machine.wait_until_ready()
        except LioError as error:
            machine.close()
            if PORT_TAKEN not in str(error):
                return None
            if all(ports):
                raise LioUnavailable(
                    f"ports {', '.join(map(str, ports))} cannot all be opened: set 0 for free ones"
                ) from error
        else:
            return machine
    return None
