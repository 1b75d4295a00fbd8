"""LIO of the kernel that this process runs on: the same here and in the machine."""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulators.lio import leftovers, observation, targetcli
from simulators.lio.changes import changes_between
from simulators.lio.disks import Disks
from simulators.lio.errors import LioUnavailable
from simulators.lio.exports import HOLDER, Exports
from simulators.lio.homes import local_owners
from simulators.lio.journal import Journal, alone_in
from simulators.lio.ports import HOST, opened_ports
from simulators.lio.values import Portal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simulators.lio.changes import Change
    from simulators.lio.values import Session, Target

_SERIAL: Final = count(1)
_NEEDED: Final = (
    (Path("/sys/kernel/config"), "configfs is not mounted: mount -t configfs config /sys/kernel/config"),
    (Path("/sys/kernel/config/target"), "the kernel has no LIO: modprobe target_core_mod iscsi_target_mod"),
    (Path("/dev/loop-control"), "the kernel has no loop devices: modprobe loop"),
)


def why_not() -> str | None:
    """Why LIO cannot be used here, and what would help; None if it can."""
    if os.geteuid() != 0:
        return "LIO is configured by root only: run as root, or use data plane lio-vm"
    return next((f"{text}; or use data plane lio-vm" for path, text in _NEEDED if not path.exists()), None)


def local_lio(port: int = 0) -> LioHost:
    """LIO of this kernel with a portal on the loopback interface; raises `LioUnavailable`."""
    owner = local_owners() / f"scf{os.getpid()}-{next(_SERIAL)}"
    return LioHost(owner, [Portal(HOST, each) for each in opened_ports([port])])


class LioHost:
    """LIO as one owner uses it; what others made is left alone. Not for several threads at once."""

    def __init__(self, directory: Path, portals: Sequence[Portal]) -> None:
        reason = why_not()
        if reason is not None:
            raise LioUnavailable(reason)
        self.portals = tuple(portals)
        with alone_in(directory.parent):
            leftovers.sweep(directory.parent)
            self._journal = Journal(directory)
        self._disks = Disks(self._journal.disks)
        self._exports = Exports(self._disks, self.portals, self._journal)
        self._present: dict[str, Target] = {}
        self._exports.hold_portals()

    def create_disk(self, name: str, size_bytes: int) -> None:
        """Make a disk of zeros."""
        self._disks.create(name, size_bytes)

    def copy_disk(self, source: str, name: str) -> None:
        """Make a disk that holds what another holds."""
        self._disks.copy(source, name)

    def overwrite_disk(self, source: str, name: str) -> None:
        """Let a disk hold what another holds, as much as fits; sessions go on."""
        self._disks.overwrite(source, name)

    def resize_disk(self, name: str, size_bytes: int) -> None:
        """Change a disk's size; initiators see it by their next READ CAPACITY."""
        self._disks.resize(name, size_bytes)

    def delete_disk(self, name: str) -> None:
        """Forget a disk that is behind no target."""
        self._disks.delete(name)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Exactly so many bytes of a disk."""
        return self._disks.read(name, offset, length)

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Store bytes on a disk."""
        self._disks.write(name, offset, data)

    def punch(self, name: str, offset: int, length: int) -> None:
        """Give bytes of a disk back."""
        self._disks.punch(name, offset, length)

    def allocated(self) -> Mapping[str, int]:
        """Bytes that each disk takes up."""
        return self._disks.allocated()

    def apply(self, targets: Iterable[Target]) -> None:
        """Export exactly these targets; of one that LIO refuses, nothing is left."""
        wanted = {each.iqn: each for each in targets}
        for iqn in [*(each for each in self._present if each not in wanted), *wanted]:
            steps = list(changes_between(self._present.get(iqn), wanted.get(iqn)))
            if steps:
                self._carry_out(iqn, wanted.get(iqn), steps)

    def sessions(self) -> Sequence[Session]:
        """Everybody who is logged in to a target of this owner."""
        return [each for each in observation.sessions() if each.target_iqn in self._present]

    def observe(self) -> Sequence[Target]:
        """What configfs says is exported."""
        names = [each for each in self._journal.targets() if not each.startswith(HOLDER)]
        return observation.targets(names, self._journal.prefix)

    def listed(self) -> str:
        """What `targetcli ls` shows."""
        return targetcli.listed()

    def clear(self) -> None:
        """Remove all targets and all disks."""
        self.apply(())
        for name in self._disks.allocated():
            self._disks.delete(name)

    def abandon(self) -> None:
        """Leave everything as it is, for the next owner to find and remove."""
        self._journal.close()

    def close(self) -> None:
        """Remove everything."""
        self.clear()
        self._exports.close()
        self._journal.close()
        shutil.rmtree(self._journal.directory, ignore_errors=True)

    def _carry_out(self, iqn: str, wanted: Target | None, steps: Sequence[Change]) -> None:
        try:
            self._exports.carry_out(steps)
        except BaseException:
            self._present.pop(iqn, None)
            self._exports.abandon(iqn)
            raise
        if wanted is None:
            del self._present[iqn]
        else:
            self._present[iqn] = wanted
