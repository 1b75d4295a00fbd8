"""Get what Python's package index does not have: `python -m tools.system PURPOSE...`.

tox installs an environment's dependencies before any command runs, and libvirt-python is an sdist that needs
headers. So no environment lists it: `commands_pre` calls this program, which installs Debian packages where
it may (as root, or by sudo without a password), says what it does, and then installs the extra of that name.

It never fails the run. What could not be had is said in one line, and the kit reports what hangs on it as
NOT_VERIFIED. It is silent, and done in a moment, when everything is there.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
OPT_OUT = "CONFORMANCE_NO_SYSTEM_PACKAGES"
PATIENCE_SECONDS = 900
HEADERS = f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
# Frontend and restart notices would wait for an answer; sudo drops the environment, so `env` sets it anew.
APT = ("env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "apt-get", "-q", "-y")
APT_OPTIONS = ("-o", "DPkg::Lock::Timeout=300")


@dataclass(frozen=True, slots=True)
class Need:
    """A Debian package, and how to see that what it brings is there, wherever it came from."""

    package: str
    is_there: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What one purpose needs from Debian, and the module that its extra then gives."""

    needs: tuple[Need, ...]
    module: str | None = None


def run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; one that is missing or too slow is one that failed."""
    try:
        return subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return subprocess.CompletedProcess(argv, 127, "", str(problem))


def has_program(name: str) -> bool:
    """Say whether a program is on the PATH, or where Debian keeps those of the administrator."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def has_libvirt_headers() -> bool:
    """Ask as libvirt-python's own build does."""
    return run(["pkg-config", "--exists", "libvirt"]).returncode == 0


def has_python_headers() -> bool:
    """Look for the headers of this very interpreter."""
    return Path(sysconfig.get_path("include"), "Python.h").exists()


def has_qemu_iscsi() -> bool:
    """Look for qemu's iSCSI block driver, a module of its own in Debian and Ubuntu."""
    return any(Path("/usr/lib").glob("*/qemu/block-iscsi.so"))


def can_import(module: str) -> bool:
    """Import for real: an extension module may be there and its library gone."""
    importlib.invalidate_caches()
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


PURPOSES = {
    "kvm": Purpose(
        needs=(
            Need("pkg-config", lambda: has_program("pkg-config")),
            Need("libvirt-dev", has_libvirt_headers),
            Need("gcc", lambda: has_program("gcc")),
            Need("libc6-dev", lambda: Path("/usr/include/stdlib.h").exists()),
            Need(HEADERS, has_python_headers),
        ),
        module="libvirt",
    ),
    "wire": Purpose(
        needs=(
            Need("libiscsi-bin", lambda: has_program("iscsi-ls")),
            Need("qemu-utils", lambda: has_program("qemu-io")),
            Need("qemu-block-extra", has_qemu_iscsi),
        )
    ),
    # The machine's own packages are downloaded when it is made, and not installed.
    "lio": Purpose(
        needs=(
            Need("qemu-system-x86", lambda: has_program("qemu-system-x86_64")),
            Need("dpkg", lambda: has_program("dpkg-deb")),
        )
    ),
}


def say(text: str) -> None:
    """Print one line, at once, so that it stands before what tox prints next."""
    print(f"system: {text}", flush=True)


def reason(result: subprocess.CompletedProcess[str]) -> str:
    """Choose the line that says why: apt and pip mark it, others say it last."""
    lines = [line.strip() for line in f"{result.stdout}\n{result.stderr}".splitlines() if line.strip()]
    marked = [line for line in lines if line.startswith(("E:", "ERROR:", "error:"))]
    return (marked or lines or ["no output"])[-1]


def missing(needs: Iterable[Need]) -> list[str]:
    """Name the packages whose contents are not there."""
    return [need.package for need in needs if not need.is_there()]


def privilege() -> tuple[str, ...] | None:
    """Find how to become root without asking anybody: not at all, by sudo, or None if there is no way."""
    if os.environ.get(OPT_OUT, "") not in {"", "0"}:
        return None
    if os.geteuid() == 0:
        return ()
    return ("sudo", "-n") if run(["sudo", "-n", "true"]).returncode == 0 else None


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold this checkout's lock: tox may prepare several environments at once."""
    directory = ROOT / ".tox"
    directory.mkdir(exist_ok=True)
    with (directory / "system.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def apt_install(packages: Sequence[str], as_root: Sequence[str]) -> str | None:
    """Install; where Debian's lists are missing or old, fetch them and try again. Return what went wrong."""
    install = [*as_root, *APT, *APT_OPTIONS, "install", "--no-install-recommends", *packages]
    if run(install).returncode == 0:
        return None
    say("apt-get update")
    run([*as_root, *APT, *APT_OPTIONS, "update"])
    result = run(install)
    return None if result.returncode == 0 else reason(result)


def debian_packages(name: str, purpose: Purpose) -> bool:
    """Get the Debian packages of one purpose; say whether all is there now."""
    lacking = missing(purpose.needs)
    if not lacking:
        return True
    if not has_program("apt-get"):
        say(f"{name} is not available: it needs what Debian calls {', '.join(lacking)}")
        return False
    as_root = privilege()
    if as_root is None:
        say(f"{name} is not available; to have it: sudo apt-get install -y {' '.join(lacking)}")
        return False
    with one_at_a_time():
        lacking = missing(purpose.needs)
        if lacking:
            say(f"apt-get install {' '.join(lacking)}  (for {name}; {OPT_OUT}=1 to forbid this)")
            problem = apt_install(lacking, as_root)
            if problem:
                say(f"{name} is not available: apt-get: {problem}")
    return not missing(purpose.needs)


def python_packages(name: str, module: str) -> None:
    """Install the extra of this name into the environment that runs this."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["optional-dependencies"][name]
    say(f"pip install {' '.join(requirements)}  (for {name})")
    result = run([sys.executable, "-m", "pip", "install", "--quiet", *requirements])
    if result.returncode != 0:
        say(f"{name} is not available: pip: {reason(result)}")
    elif not can_import(module):
        say(f"{name} is not available: {module} was installed and cannot be imported")


def provide(name: str) -> None:
    """Make one purpose possible, as far as this machine and this user allow."""
    purpose = PURPOSES[name]
    if purpose.module and can_import(purpose.module):
        return
    if debian_packages(name, purpose) and purpose.module:
        python_packages(name, purpose.module)


def main(names: Sequence[str]) -> int:
    """Provide each purpose named; only a wrong name is an error."""
    unknown = [name for name in names if name not in PURPOSES]
    if unknown or not names:
        say(f"usage: python -m tools.system PURPOSE...; known purposes: {', '.join(PURPOSES)}")
        return 2
    for name in names:
        provide(name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
