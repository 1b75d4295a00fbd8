"""A counterexample as a file: what a requirement failed with, in words that any version of the kit can read.

It holds no blob of a library but the property's own arguments, which are dimensionless: `Granules(3)` is a size on
every array. So it can be run exactly, on another plugin, in another environment, by another version of the kit; where
the property no longer takes such arguments it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conformance.argument_types import decoded
from conformance.errors import WiringError
from conformance.nearest import nearest
from conformance.requirement import Requirement

SCHEMA_VERSION: Final = 1
FORMAT: Final = "storage-conformance counterexample"
SIMULATED: Final = "simulated"
"""The name of the environment that is used when no file is named."""


class _Part(BaseModel):
    # What a later version adds is for people; what a replay needs is required.
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class ToldRequirement(_Part):
    """Which requirement failed, in the words of the kit that saw it."""

    id: str
    strength: str
    sentence: str


class ToldSubject(_Part):
    """Which plugin it was; `reference` is empty when only the plugin's own name is known."""

    reference: str = ""
    name: str
    version: str


class InjectedFault(_Part):
    """A request or its reply that the kit loses: `nth` counts the requests of the operation from 0."""

    argument: str
    nth: int
    loses: Literal["request", "reply"]


class Seen(_Part):
    """What was expected, what was seen, by whom, and the calls that led there."""

    expected: str
    observed: str
    observer: str
    calls: list[str] = []
    intermittent: bool = False


class Counterexample(_Part):
    """The whole file. `found_by` is the requirement whose property ran, and takes the arguments."""

    format: Literal["storage-conformance counterexample"]
    schema_version: Annotated[int, Field(ge=1, le=SCHEMA_VERSION)]
    kit_version: str
    requirement: ToldRequirement
    found_by: str
    arguments: dict[str, Any]
    subject: ToldSubject
    environment: str = SIMULATED
    transport: str = ""
    profile: str = ""
    seed: int = 0
    parameters: dict[str, str] = {}
    inputs_digest: str = ""
    injected: list[InjectedFault] = []
    declared: dict[str, Any] = {}
    seen: Seen

    def text(self) -> str:
        """The file's content."""
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Example:
    """A counterexample that this kit can run: the property's requirement and its arguments."""

    told: Counterexample
    requirement: Requirement
    arguments: Mapping[str, object]


def read(content: object, label: str) -> Counterexample:
    """Check what a file says; raises `WiringError`, which names the file by `label`."""
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise WiringError(f"{label} is no counterexample: expected an object of format {FORMAT!r}")
    version = content.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise WiringError(
            f"{label} is a counterexample of schema version {version}, and this kit reads up to {SCHEMA_VERSION}; "
            f"replay it with kit {content.get('kit_version', 'that wrote it')} or later"
        )
    try:
        return Counterexample.model_validate(content)
    except ValidationError as error:
        raise WiringError(f"{label} is not whole: {_told(error)}") from None


def example_of(told: Counterexample, requirements: Mapping[str, Requirement]) -> Example:
    """Find the property and its arguments again; raises `WiringError` when this kit does not have them."""
    requirement = requirements.get(told.found_by)
    if requirement is None:
        raise WiringError(
            f"there is no requirement {told.found_by} in this version of the kit"
            f"{nearest(told.found_by, requirements)}; replay it with kit {told.kit_version}; nothing was started"
        )
    return Example(told, requirement, decoded(requirement, told.arguments))


def injected(arguments: Mapping[str, object]) -> list[InjectedFault]:
    """The fault plan in a property's abstract arguments."""
    cuts = {name: value["Cut"] for name, value in arguments.items() if isinstance(value, Mapping) and "Cut" in value}
    return [
        InjectedFault(argument=name, nth=cut["nth"], loses="reply" if cut["is_reply"] else "request")
        for name, cut in cuts.items()
    ]


def _told(error: ValidationError) -> str:
    def one(location: tuple[int | str, ...], message: str) -> str:
        return f"{'.'.join(map(str, location)) or 'the file'}: {message.lower()}"

    return "; ".join(one(each["loc"], each["msg"]) for each in error.errors())
