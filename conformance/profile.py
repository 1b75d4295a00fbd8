"""How much a run tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Profile:
    """Examples per requirement, seconds to shrink after a failure, and a ceiling on declared completion times."""

    name: str
    examples: int
    shrink_seconds: float
    completion_ceiling: float
    is_random: bool = False
    is_certifying: bool = False


PROFILES: Final[Mapping[str, Profile]] = {
    each.name: each
    for each in (
        Profile("smoke", examples=2, shrink_seconds=2.0, completion_ceiling=5.0),
        Profile("certify", examples=12, shrink_seconds=10.0, completion_ceiling=30.0, is_certifying=True),
        Profile("soak", examples=200, shrink_seconds=30.0, completion_ceiling=60.0, is_random=True),
    )
}
DEFAULT_PROFILE: Final = "certify"
