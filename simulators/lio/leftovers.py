"""What owners that are gone have left behind: targets, storage objects, loop devices and files."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtslib_fb import FabricModule, RTSLibError, RTSRoot, Target

from simulators.lio.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOP_CLR_FD: Final = 0x4C01


def sweep(directory: Path) -> None:
    """Remove what belongs to the owners in this directory that live no more; what others made stays."""
    if not directory.is_dir():
        return
    for each in sorted(directory.iterdir()):
        journal = Journal(each)
        if journal.is_held:
            _remove_all(journal)
        journal.close()


def _remove_all(journal: Journal) -> None:
    for iqn in journal.targets():
        with suppress(RTSLibError):
            Target(FabricModule("iscsi"), iqn, "lookup").delete()
    for storage in RTSRoot().storage_objects:
        if storage.name.startswith(journal.prefix):
            storage.delete()
    for device in _loops_on(journal.disks):
        loop = os.open(device, os.O_RDWR)
        with suppress(OSError):
            fcntl.ioctl(loop, _LOOP_CLR_FD, 0)
        os.close(loop)
    shutil.rmtree(journal.directory)


def _loops_on(directory: Path) -> Iterator[str]:
    for each in Path("/sys/block").glob("loop*/loop/backing_file"):
        if Path(each.read_text().strip()).parent == directory:
            yield f"/dev/{each.parent.parent.name}"
