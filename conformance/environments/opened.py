"""An environment whose entries are running."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from conformance.contract import (
    ArrayEntry,
    BridgeFactory,
    ClusterEntry,
    LaunchFailed,
    LaunchOptions,
    LaunchUnavailable,
    ProbeEntry,
    Transport,
)
from conformance.environments.external import ExternalEntry
from conformance.environments.file import ClusterTable, EnvironmentFile, external_array, read_environment
from conformance.errors import WiringError


def load(reference: str, what: str) -> Any:
    """Import ``module:attribute``; raises `WiringError` with cause and next step."""
    module, _, attribute = reference.partition(":")
    if not module or not attribute:
        raise WiringError(f"{what} {reference!r} is not of the form module:attribute")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise WiringError(f"{what} {reference}: no module {error.name}; is it installed and spelled so?") from None
    except Exception as error:
        raise WiringError(f"{what} {reference}: importing {module} failed: {type(error).__name__}: {error}") from error
    if not hasattr(found, attribute):
        raise WiringError(f"{what} {reference}: module {module} ({found.__file__}) has no attribute {attribute}")
    return getattr(found, attribute)


class Environment:
    """Array, clusters and probe of a run. `missing` says why a cluster or probe could not be started."""

    def __init__(self, file: EnvironmentFile, transport: Transport) -> None:
        self.file, self.transport = file, transport
        self.parameters = file.store_parameters()
        self._stack = ExitStack()
        self.cluster: ClusterEntry | None = None
        self.bridge_factory: BridgeFactory | None = None
        self.probe: ProbeEntry | None = None
        self.missing_cluster = "the environment names no cluster"
        self.missing_probe = "the environment names no probe"
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        self.array = self._array()
        self._stack.callback(self.array.close)
        if self.file.probe is not None:
            table = self.file.probe
            try:
                self.probe = cast("ProbeEntry", self._launch(table.launch, "probe", table.settings))
            except LaunchUnavailable as error:
                self.missing_probe = str(error)
        for cluster in self.file.cluster[:1]:
            self._start_cluster(cluster)

    def _start_cluster(self, table: ClusterTable) -> None:
        try:
            self.cluster = cast("ClusterEntry", self._launch(table.launch, table.name, table.settings))
            self._stack.callback(self.cluster.close)
            self.bridge_factory = cast("BridgeFactory", load(table.bridge, f"bridge of cluster {table.name}"))
        except LaunchUnavailable as error:
            self.missing_cluster = str(error)

    def _array(self) -> ArrayEntry:
        if self.file.array.kind == "external":
            return ExternalEntry(external_array(self.file))
        assert self.file.array.launch is not None  # noqa: S101  (the file's own check)
        return cast("ArrayEntry", self._launch(self.file.array.launch, "array", self.file.array.settings))

    def _launch(self, reference: str, name: str, settings: dict[str, object]) -> object:
        launcher: Callable[[LaunchOptions], object] = load(reference, f"launcher of {name}")
        try:
            return launcher(LaunchOptions(name, self.transport, settings))
        except LaunchUnavailable:
            raise
        except LaunchFailed as error:
            raise WiringError(f"{name}: {error}") from error

    def close(self) -> None:
        """Stop everything that was started, last first."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_environment(path: Path | None, transport: Transport = Transport.SOCKETS, provider: str = "") -> Environment:
    """Read an environment file, or the one for that provider, and start what it names."""
    return Environment(read_environment(path, provider), transport)
