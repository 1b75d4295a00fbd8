"""What a plugin's stores need to be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ParameterKind(StrEnum):
    """How a store parameter is written."""

    TEXT = "text"
    URL = "url"
    PATH = "path"
    INTEGER = "integer"
    BYTES = "bytes"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a store: CLI help, JSON Schema and web form are generated from these.

    What is not `required` can be left out, by itself or with all others that are not. `secret`: comes in
    `StoreRequest.secrets`. `endpoint`: a URL or address the plugin calls; each plugin instance gets its own
    value, so that the kit can stand between. `ca_file`: path of the PEM file that the endpoint's certificate
    is checked with.
    """

    name: str
    kind: ParameterKind
    required: bool
    description: str
    secret: bool = False
    endpoint: bool = False
    ca_file: bool = False
    since = "0.1"

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"parameter name {self.name!r} is no identifier")
        if not self.description:
            raise ValueError(f"parameter {self.name} has no description")
