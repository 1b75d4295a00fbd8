"""Build the wheel, look into it, and try it where this checkout cannot help: `python -m tools.wheel`.

What runs from a checkout may still lack a file, an entry point or a dependency once it is installed. So the
wheel goes into fresh environments, and every command runs in an empty directory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("conformance", "hypervisor_bridge", "reference_providers", "simulators")
NOT_VERIFIED = 3


class Trouble(Exception):
    """Something about the wheel is not as it must be."""


def call(*argv: str | Path, cwd: Path, accept: tuple[int, ...] = (0,)) -> None:
    """Run one command, shown before it runs; any other exit status than those accepted is trouble."""
    print("+", *argv, flush=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    status = subprocess.run([str(word) for word in argv], cwd=cwd, env=clean, check=False).returncode
    if status not in accept:
        raise Trouble(f"exit status {status}, expected {' or '.join(map(str, accept))}")


def build(into: Path) -> Path:
    """Build from the checkout, and return the one wheel."""
    call(sys.executable, "-m", "build", "--wheel", "--outdir", into, ROOT, cwd=ROOT)
    (wheel,) = into.glob("*.whl")
    return wheel


def source_files() -> set[str]:
    """List what git would take of the packages; without caches and whatever else is ignored."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name for name in names if (ROOT / name).is_file()}


def check_contents(wheel: Path) -> None:
    """Expect the four packages whole, the catalogue, the way in to the command, and nothing else."""
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = source_files() | {"conformance/catalogue.json", "storage_conformance.py"}
    for what, files in (("lacks", expected - names), ("has, and should not,", names - expected)):
        if files:
            raise Trouble(f"the wheel {what} {', '.join(sorted(files))}")


def environment(at: Path, requirement: str) -> Path:
    """Make an environment with the wheel in it; return where its programs are."""
    call(sys.executable, "-m", "virtualenv", "--quiet", at, cwd=at.parent)
    call(at / "bin" / "python", "-m", "pip", "install", "--quiet", requirement, cwd=at.parent)
    return at / "bin"


def try_without_extras(programs: Path, empty: Path) -> None:
    """Expect contract, bridge and providers to import, and the bare command to name what it misses."""
    modules = "conformance.contract, hypervisor_bridge, reference_providers.minimal"
    call(programs / "python", "-c", f"import {modules}", cwd=empty)
    call(programs / "storage-conformance", "list", cwd=empty, accept=(2,))


def try_with_extras(programs: Path, empty: Path) -> None:
    """Run the reference provider by both ways in; without libvirt some of it may be not verified. Begin a plugin."""
    call(programs / "storage-conformance", "list", cwd=empty)
    call(programs / "storage-conformance", "new", "acme-flash", cwd=empty)
    begun = ("--provider", "acme_flash:PROVIDER", "--profile", "smoke")
    call(programs / "storage-conformance", "run", *begun, cwd=empty / "acme-flash", accept=(1,))
    provider = ("--provider", "solidfire", "--profile", "smoke")
    call(programs / "storage-conformance", "run", *provider, cwd=empty, accept=(0, NOT_VERIFIED))
    options = ("--conformance-provider", "solidfire", "--conformance-profile", "smoke")
    pytest = (
        programs / "python",
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--pyargs",
        "conformance.properties",
    )
    call(*pytest, *options, cwd=empty)


def try_wheel(scratch: Path) -> None:
    """Build, look, install twice, and run."""
    wheel = build(scratch / "dist")
    check_contents(wheel)
    empty = scratch / "empty"
    empty.mkdir()
    try_without_extras(environment(scratch / "base", str(wheel)), empty)
    try_with_extras(environment(scratch / "full", f"{wheel}[kit,simulators]"), empty)


def main() -> int:
    """Print the trouble as one line, if there is any."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            try_wheel(Path(scratch))
        except Trouble as trouble:
            print(f"wheel: {trouble}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
