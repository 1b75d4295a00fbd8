"""Debian packages as they are published: looked up and downloaded by apt, read and never installed."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulators.lio.errors import LioUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

KERNEL: Final = "linux-image-cloud-amd64"
_LIBRARIES: Final = ("libc6", "libexpat1", "zlib1g", "libffi8", "libudev1", "libuuid1", "libreadline8", "libtinfo6")
_TARGETCLI: Final = ("targetcli-fb", "python3-configshell-fb", "python3-pyparsing", "python3-six")
_PATIENCE_SECONDS: Final = 600
_PRESENT: Final = ("apt-get", "apt-cache", "dpkg-deb")


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package in exactly one version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the machine is made of; `python` is a version such as 3.11."""

    kernel: Package
    busybox: Package
    python: str
    others: tuple[Package, ...]

    def __iter__(self) -> Iterator[Package]:
        return iter((self.kernel, self.busybox, *self.others))


def choose() -> Chosen:
    """Ask apt what it would install; raises `LioUnavailable`."""
    lacking = [each for each in _PRESENT if shutil.which(each) is None]
    if lacking:
        raise LioUnavailable(
            f"{lacking[0]} is missing: the machine with LIO is made of Debian packages; use Debian, or data plane "
            "embedded"
        )
    python = dependency("python3-minimal", r"python(3\.[0-9]+)-minimal")
    names = [
        f"python{python}-minimal",
        f"libpython{python}-minimal",
        f"libpython{python}-stdlib",
        *_LIBRARIES,
        *_TARGETCLI,
    ]
    kernel, busybox, *others = candidates(
        [dependency(KERNEL, r"(linux-image-\S*cloud-amd64)"), "busybox-static", *names]
    )
    return Chosen(kernel, busybox, python, tuple(others))


def download(packages: Iterable[Package], directory: Path) -> Sequence[Path]:
    """Fetch packages into an empty directory; raises `LioUnavailable`."""
    wanted = [f"{each.name}={each.version}" for each in packages]
    # As root apt would hand the download to a user who may not write here, and say so.
    run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *wanted], directory)
    return sorted(directory.glob("*.deb"))


def files(package: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """All that a package would install, with the contents of regular files."""
    unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(unpacked.stdout)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            yield member, b"" if content is None else content.read()


def dependency(package: str, pattern: str) -> str:
    """What a package depends on, found by its name; raises `LioUnavailable`."""
    shown = run(["apt-cache", "depends", "--important", package])
    found = re.search(rf"Depends: {pattern}$", shown, re.MULTILINE)
    if found is None:
        raise LioUnavailable(
            f"apt knows no package {package} as Debian has it: run apt-get update; on another distribution than "
            "Debian (amd64) use data plane embedded"
        )
    return found[1]


def candidates(names: Sequence[str]) -> list[Package]:
    """What apt would install under these names; raises `LioUnavailable`."""
    shown = run(["apt-cache", "policy", *names])
    versions = dict(re.findall(r"^(\S+):\n.*\n  Candidate: (\S+)$", shown, re.MULTILINE))
    for name in names:
        if versions.get(name, "(none)") == "(none)":
            raise LioUnavailable(f"apt has no candidate for package {name}: run apt-get update")
    return [Package(name, versions[name]) for name in names]


def run(command: Sequence[str], directory: Path | None = None) -> str:
    """What a program of the package manager says; raises `LioUnavailable`."""
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise LioUnavailable(f"{' '.join(command[:2])} could not be run: {problem}") from problem
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no reason was given"]
        raise LioUnavailable(
            f"{' '.join(command)} failed ({lines[-1]}): look whether this machine reaches its Debian mirror, and run "
            "apt-get update"
        )
    return done.stdout
