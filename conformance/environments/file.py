"""What an environment file may say: validated whole before anything is started."""

from __future__ import annotations

import os
import re
from importlib import metadata
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from conformance.contract import HypervisorType, Secret
from conformance.environments import SIMULATED
from conformance.errors import WiringError
from conformance.toml_file import read_toml

PROVIDERS: Final = "storage_conformance.providers"
ENVIRONMENTS: Final = "storage_conformance.environments"
_REFERENCE: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_SIZE: Final = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|TiB)?")
_UNITS: Final = {"B": 1, None: 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def _reference(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError("expected module:attribute")
    return text


def size_in_bytes(text: str | int) -> int:
    """Read a size such as ``2TiB``; answers bytes."""
    match = _SIZE.fullmatch(str(text).strip())
    if not match:
        raise ValueError("expected a size such as 64MiB or 2TiB")
    return int(match[1]) * _UNITS[match[2]]


Reference = Annotated[str, AfterValidator(_reference)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _LaunchedTable(BaseModel):
    # Keys that the kit does not know are the launcher's settings: it refuses those that it does not know.
    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def settings(self) -> dict[str, object]:
        """The other keys of the table."""
        return dict(self.model_extra or {})


class SecretSource(_Table):
    """Where a secret comes from: never from the file itself."""

    env: str | None = None
    file: Path | None = None

    def read(self) -> Secret:
        """Fetch it now."""
        if self.env is not None:
            value = os.environ.get(self.env)
            if value is None:
                raise WiringError(f"variable {self.env} is not set; the environment file takes a secret from it")
            return Secret(value)
        if self.file is None:
            raise WiringError('a secret needs { env = "NAME" } or { file = "PATH" }')
        try:
            return Secret(self.file.read_text(encoding="utf-8").rstrip("\n"))
        except OSError as error:
            raise WiringError(f"cannot read the secret file {self.file}: {error.strerror}") from None


class ArrayTable(_LaunchedTable):
    """``[array]``: launched, or already there."""

    kind: Literal["simulated", "external"] = "simulated"
    launch: Reference | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ArrayTable:
        if (self.kind == "simulated") != (self.launch is not None):
            raise ValueError('expected launch = "module:attribute", or kind = "external" with a url')
        return self


class ExternalArray(_Table):
    """The keys of an ``[array]`` of kind external; what else a plugin wants to be told stands in ``[parameters]``."""

    kind: Literal["external"]
    url: str
    username: str | None = None
    password: SecretSource | None = None
    ca_file: Path | None = None


class ClusterTable(_LaunchedTable):
    """``[[cluster]]``."""

    name: str
    hypervisor: HypervisorType
    kind: Literal["simulated", "real"] = "simulated"
    launch: Reference
    bridge: Reference


class ProbeTable(_LaunchedTable):
    """``[probe]``."""

    launch: Reference


class Safety(_Table):
    """``[safety]``: the rails of a run on something real."""

    prefix: Annotated[str, Field(min_length=2, max_length=16, pattern=r"[a-z][a-z0-9-]*-")]
    allowed_hosts: tuple[str, ...]
    allowed_pools: tuple[str, ...]
    max_luns: Annotated[int, Field(gt=0)]
    max_bytes: Annotated[str, AfterValidator(lambda text: (size_in_bytes(text), text)[1])]
    consent: Annotated[str, Field(min_length=1)]


class EnvironmentFile(_Table):
    """The whole file."""

    array: ArrayTable
    probe: ProbeTable | None = None
    cluster: tuple[ClusterTable, ...] = ()
    parameters: dict[str, str | SecretSource] = {}
    safety: Safety | None = None

    def store_parameters(self) -> dict[str, str | Secret]:
        """``[parameters]``, with the secrets among them fetched now."""
        return {name: each.read() if isinstance(each, SecretSource) else each for name, each in self.parameters.items()}

    @property
    def is_real(self) -> bool:
        """Whether anything in it is not simulated."""
        return self.array.kind == "external" or any(each.kind == "real" for each in self.cluster)


def read_environment(path: Path | None, provider: str = "") -> EnvironmentFile:
    """Read and check a file; None means the one installed for that provider, else everything simulated.

    Raises `WiringError`; nothing was started.
    """
    place = _installed(provider) if path is None else path
    label = str(path) if path else "the built-in simulated environment"
    content = read_toml(place, "environment file", label)
    try:
        file = EnvironmentFile.model_validate(content)
        if file.array.kind == "external":
            external_array(file)
    except ValidationError as error:
        raise WiringError(f"{label}: {_told(error)}; nothing was started") from None
    if file.is_real and file.safety is None:
        raise WiringError(
            f"{label}: it names something that is not simulated and has no [safety] table; "
            "add one with prefix, allowed_hosts, allowed_pools, max_luns, max_bytes, consent; nothing was started"
        )
    return file


def external_array(file: EnvironmentFile) -> ExternalArray:
    """The ``[array]`` table of an external array."""
    return ExternalArray.model_validate({"kind": "external", **file.array.settings})


def _installed(provider: str) -> Traversable:
    """The file that an entry point gives for this provider; else everything is simulated in the usual way."""
    found = {each.name: each for each in metadata.entry_points(group=ENVIRONMENTS)}
    # A provider that is named as module:attribute may be installed under a name all the same.
    names = [each.name for each in metadata.entry_points(group=PROVIDERS) if provider in (each.name, each.value)]
    given = next((found[name] for name in names if name in found), None)
    return SIMULATED if given is None else cast("Traversable", given.load())


def _told(error: ValidationError) -> str:
    def one(location: tuple[int | str, ...], message: str, given: object) -> str:
        key = ".".join(str(each) for each in location) or "the file"
        if message.startswith("Extra inputs"):
            return f"unknown key {key}"
        is_shown = not isinstance(given, dict) and "password" not in location
        shown = "" if not is_shown else f" (found {given!r})"
        return f"{key}: {message.removeprefix('Value error, ').lower()}{shown}"

    return "; ".join(one(each["loc"], each["msg"], each["input"]) for each in error.errors())
