"""What a certificate is against: a frozen set of requirements, and ceilings on traits. No capability is mandatory.

One file for each version, `profiles/certify-X.Y.json`, written by `python -m tools.profiles --cut X.Y`. Requirements
that came later are tried too, and count from the next version on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from conformance.contract import Traits
from conformance.requirement import Requirement

FOLDER: Final = "profiles"
PREFIX: Final = "certify-"


class Ceilings(BaseModel):
    """What a plugin may declare at most, in seconds: of one call, of the age of `used`, of the trash of an array.

    `completion_of`: of methods that move all of a volume's bytes on some arrays, and may take longer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    completion_seconds: Annotated[float, Field(gt=0)]
    completion_of: Mapping[str, Annotated[float, Field(gt=0)]] = {}
    stats_lag_seconds: Annotated[float, Field(ge=0)]
    trash_seconds: Annotated[float, Field(ge=0)]

    def for_method(self, method: str) -> float:
        """The longest that a call of this method may be declared to take."""
        return self.completion_of.get(method, self.completion_seconds)

    def above(self, traits: Traits) -> Iterator[str]:
        """What a plugin declares beyond its ceiling, in words."""
        declared = {
            "default_completion_seconds": (traits.default_completion_seconds, self.completion_seconds),
            **{
                f"completion_seconds of {method}": (seconds, self.for_method(method))
                for method, seconds in traits.completion_seconds.items()
            },
            "stats_lag_seconds": (traits.stats_lag_seconds, self.stats_lag_seconds),
            "trash_seconds": (traits.trash_seconds, self.trash_seconds),
        }
        for name, (seconds, ceiling) in declared.items():
            if seconds > ceiling:
                yield f"{name} is {seconds:.10g} s, the ceiling is {ceiling:.10g} s"


class Standard(BaseModel):
    """One version. `examples` is how many inputs each requirement is asked with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^certify-\d+\.\d+$")]
    examples: Annotated[int, Field(gt=0)]
    ceilings: Ceilings
    requirements: frozenset[str]

    @property
    def version(self) -> tuple[int, ...]:
        """What versions are ordered by."""
        return version_of(self.name)


def version_of(name: str) -> tuple[int, ...]:
    """``(0, 10)`` of ``certify-0.10``."""
    return tuple(int(each) for each in name.removeprefix(PREFIX).split("."))


@cache
def standards() -> Mapping[str, Standard]:
    """Every version by name, oldest first."""
    files = resources.files("conformance").joinpath(FOLDER).iterdir()
    texts = [each.read_text(encoding="utf-8") for each in files if each.name.endswith(".json")]
    found = [Standard.model_validate_json(each) for each in texts]
    return {each.name: each for each in sorted(found, key=lambda one: one.version)}


def newest() -> Standard:
    """The version that `certify` means."""
    return list(standards().values())[-1]


def counted_only(requirements: Mapping[str, Requirement], counted: frozenset[str]) -> dict[str, Requirement]:
    """The requirements, where none that counts rests on one that does not: what is new blocks nothing that is not."""

    def standing(one: Requirement) -> Requirement:
        kept = tuple(each for each in one.rests_on if each in counted)
        return replace(one, rests_on=kept) if one.id in counted else one

    return {identifier: standing(one) for identifier, one in requirements.items()}
