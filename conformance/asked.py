"""What a run was asked for, and the command that asks for a part of it again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from conformance.contract import Secret
from conformance.errors import WiringError
from conformance.profile import DEFAULT_PROFILE
from conformance.verdict import Finding

_FROM_VARIABLE: Final = "env:"


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a run. `parameters` are as typed: ``env:NAME`` takes the value from a variable."""

    provider: str
    environment: Path | None = None
    profile: str = DEFAULT_PROFILE
    seed: int = 0
    parameters: Mapping[str, str] = field(default_factory=dict)

    def replay(self, finding: Finding) -> str:
        """The command that runs the requirement again with which something was found, as it was run."""
        words = ["storage-conformance", "run", "--provider", self.provider]
        if self.environment is not None:
            words += ["--environment", str(self.environment)]
        for name, text in self.parameters.items():
            words += ["--parameter", f"{name}={text}"]
        words += [
            "--only",
            finding.found_by or finding.requirement_id,
            "--profile",
            self.profile,
            "--seed",
            str(self.seed),
        ]
        return shlex.join(words)

    def values(self) -> dict[str, str | Secret]:
        """The parameters with variables looked up."""
        return {name: _value(name, text) for name, text in self.parameters.items()}

    def inline(self) -> set[str]:
        """Names of the parameters whose value was typed."""
        return {name for name, text in self.parameters.items() if not text.startswith(_FROM_VARIABLE)}


def parsed(pairs: Sequence[str]) -> dict[str, str]:
    """Split ``NAME=VALUE``; raises `WiringError` on what is not of that form."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            # Not shown: what is not of the form may be a secret without its name.
            raise WiringError("--parameter is not of the form NAME=VALUE; nothing was started")
        found[name] = text
    return found


def _value(name: str, text: str) -> str | Secret:
    if not text.startswith(_FROM_VARIABLE):
        return text
    variable = text.removeprefix(_FROM_VARIABLE)
    if variable not in os.environ:
        raise WiringError(
            f"variable {variable} is not set; --parameter {name} takes its value from it; nothing was started"
        )
    return Secret(os.environ[variable])
