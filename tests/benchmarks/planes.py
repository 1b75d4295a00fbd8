"""The target of this process next to LIO in its machine: QEMU as initiator, through the same portal on loopback."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformance.contract import LaunchOptions, Transport
from simulators.array.launcher import simulate
from simulators.array.running import RunningArray
from simulators.lio import start
from tests.benchmarks.element import call

HOST = "iqn.1993-08.org.debian:01:bench"
MIB, GIB = 1 << 20, 1 << 30
_SECONDS = re.compile(r"Run completed in ([0-9.]+) seconds")


@dataclass(frozen=True, slots=True)
class Rates:
    """What an initiator gets: MiB/s in requests of 1 MiB, and requests of 4 KiB a second."""

    write_mib: float
    read_mib: float
    write_iops: float
    read_iops: float


def is_possible() -> bool:
    """Whether QEMU is here, as initiator and as machine."""
    return shutil.which("qemu-img") is not None and shutil.which("qemu-system-x86_64") is not None


def rates(data_plane: str, requests: int) -> Rates:
    """The same load on either plane; `requests` of 1 MiB, and eight times as many of 4 KiB."""
    with _served(data_plane) as image:
        large, small = (requests, MIB), (8 * requests, 4096)
        write_large, read_large = _seconds(image, *large, "-w"), _seconds(image, *large)
        write_small, read_small = _seconds(image, *small, "-w"), _seconds(image, *small)
    return Rates(requests / write_large, requests / read_large, 8 * requests / write_small, 8 * requests / read_small)


def machine_ready() -> tuple[float, float]:
    """Seconds until LIO's machine takes calls: with nothing but packages cached elsewhere, and from its saved state."""
    with tempfile.TemporaryDirectory() as folder:
        return _ready_in(Path(folder)), _ready_in(Path(folder))


def _ready_in(cache: Path) -> float:
    began = time.perf_counter()
    with start.start(cache=cache, say=lambda _text: None):
        return time.perf_counter() - began


@contextmanager
def _served(data_plane: str) -> Iterator[str]:
    """A volume of 1 GiB, as QEMU's image options."""
    array = simulate(LaunchOptions("array", Transport.SOCKETS, {"data_plane": data_plane}))
    try:
        yield _volume(array)
    finally:
        array.close()


def _volume(array: RunningArray) -> str:
    world = array.world
    call(world, "AddAccount", username="bench")
    made = call(world, "CreateVolume", name="v", accountID=1, totalSize=GIB, enable512e=True)["volume"]
    call(world, "CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[made["volumeID"]])
    portal = dict(array.describe())["iSCSI portal"]
    return f"driver=iscsi,transport=tcp,portal={portal},target={made['iqn']},lun=0,initiator-name={HOST}"


def _seconds(image: str, count: int, size_bytes: int, *more: str) -> float:
    command = ["qemu-img", "bench", "-c", str(count), "-s", str(size_bytes), "-d", "8", *more, "--image-opts", image]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=600)
    found = _SECONDS.search(done.stdout)
    if found is None:
        raise RuntimeError(f"qemu-img does not say how long it took: {done.stdout}")
    return float(found[1])
