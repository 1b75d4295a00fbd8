"""How much a run tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Profile:
    """`examples` per requirement; `shrink_seconds` after a failure; `completion_ceiling` in seconds on declared times."""

    name: str
    examples: int
    steps: int
    shrink_seconds: float
    completion_ceiling: float
    is_random: bool = False
    is_certifying: bool = False


PROFILES: Final[Mapping[str, Profile]] = {
    each.name: each
    for each in (
        Profile("smoke", examples=2, steps=8, shrink_seconds=2.0, completion_ceiling=5.0),
        Profile("certify", examples=12, steps=16, shrink_seconds=10.0, completion_ceiling=30.0, is_certifying=True),
        Profile("soak", examples=200, steps=40, shrink_seconds=30.0, completion_ceiling=60.0, is_random=True),
    )
}
DEFAULT_PROFILE: Final = "certify"
