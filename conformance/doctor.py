"""What works on this machine, and what to do about what does not."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from conformance.contract import Transport
from conformance.environments.file import PROVIDERS, read_environment
from conformance.environments.opened import Environment
from conformance.errors import KitError
from conformance.main import INSTALL, NEEDED, PACKAGES, shadowed
from conformance.report.version import kit_version


class State(StrEnum):
    """How a check came out."""

    FINE = "ok"
    MISSING = "MISSING"
    OPTIONAL = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. MISSING: no run without it; OPTIONAL: a run that verifies less."""

    name: str
    state: State
    told: str
    next_step: str = ""


def examine(environment: Path | None) -> list[Check]:
    """Look at everything; the environment is started and stopped for a try."""
    return [*_here(), *_started(environment)]


def can_run(checks: list[Check]) -> bool:
    """Whether a run is possible."""
    return all(each.state is not State.MISSING for each in checks)


def _here() -> Iterator[Check]:
    yield Check("kit", State.FINE, kit_version())
    yield _python()
    yield _extras()
    yield _names()
    yield _port()
    yield _scratch()
    yield _libvirt()
    yield _providers()


def _python() -> Check:
    state = State.FINE if sys.version_info >= (3, 11) else State.MISSING
    return Check("Python", state, platform.python_version(), "install Python 3.11 or later")


def _extras() -> Check:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    state = State.MISSING if missing else State.FINE
    return Check("extras kit, simulators", state, ", ".join(missing) or "installed", INSTALL)


def _providers() -> Check:
    installed = sorted(each.name for each in metadata.entry_points(group=PROVIDERS))
    state = State.FINE if installed else State.OPTIONAL
    return Check("installed providers", state, ", ".join(installed) or "none", "name yours as module:attribute")


def _names() -> Check:
    trouble = shadowed()
    owners = metadata.packages_distributions()
    shared = [name for name in PACKAGES if len(set(owners.get(name, []))) > 1]
    if not trouble and shared:
        others = sorted({each for name in shared for each in owners[name]})
        trouble = f"{', '.join(shared)} installed by several distributions: {', '.join(others)}"
    state = State.MISSING if trouble else State.FINE
    return Check("package names", state, trouble or "ours", "uninstall the other one")


def _port() -> Check:
    try:
        with socket.create_server(("127.0.0.1", 0)):
            return Check("loopback ports", State.FINE, "can be opened on 127.0.0.1")
    except OSError as error:
        return Check("loopback ports", State.MISSING, str(error), "allow listening on 127.0.0.1")


def _scratch() -> Check:
    try:
        with tempfile.NamedTemporaryFile() as file:
            return Check("temporary folder", State.FINE, str(Path(file.name).parent))
    except OSError as error:
        step = "set TMPDIR to a folder that can be written to"
        return Check("temporary folder", State.MISSING, str(error), step)


def _libvirt() -> Check:
    step = "apt install libvirt-dev pkg-config gcc python3-dev, then pip install 'storage-conformance[kvm]'"
    try:
        version = importlib.import_module("libvirt").getVersion()
    except Exception as error:
        return Check("libvirt-python", State.OPTIONAL, f"{type(error).__name__}: {error}", step)
    major, rest = divmod(version, 1_000_000)
    return Check("libvirt-python", State.FINE, f"libvirt {major}.{rest // 1000}.{rest % 1000}")


def _started(path: Path | None) -> Iterator[Check]:
    label = f"environment {path or 'simulated'}"
    try:
        with Environment(read_environment(path), Transport.SOCKETS) as environment:
            environment.array.open_world().close()
    except KitError as error:
        yield Check(label, State.MISSING, str(error))
        return
    yield Check(label, State.FINE, "starts and stops")
    yield _part("host probe", environment.probe, environment.missing_probe)
    yield _part("hypervisor", environment.cluster, environment.missing_cluster)


def _part(name: str, entry: object, reason: str) -> Check:
    if entry is not None:
        return Check(name, State.FINE, "starts")
    return Check(name, State.OPTIONAL, reason, "what needs it is NOT_VERIFIED")
