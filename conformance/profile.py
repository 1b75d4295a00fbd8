"""How much a run tries, and what counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from conformance.requirement import Requirement
from conformance.standard import Standard, counted_only, newest, standards


@dataclass(frozen=True, slots=True)
class Profile:
    """Examples per requirement, seconds to shrink after a failure, and a ceiling on completion times.

    `goes_to_limits`: declared limits are tried to their end, not only approached. `is_quick`: of long lists of pinned
    examples only the first are tried. Without a `completion_ceiling` of its own a profile has that of its `standard`:
    what counts, and what may be declared at most.
    """

    name: str
    examples: int
    shrink_seconds: float
    completion_ceiling: float | None
    is_random: bool = False
    is_certifying: bool = False
    goes_to_limits: bool = True
    is_quick: bool = False
    standard: Standard = field(default_factory=newest)

    def ceiling_of(self, method: str) -> float:
        """The longest that a call of this method is waited for, in seconds, whatever the plugin declares."""
        ceilings = self.standard.ceilings
        return ceilings.for_method(method) if self.completion_ceiling is None else self.completion_ceiling

    def counts(self, identifier: str) -> bool:
        """Whether a requirement counts: all do, unless a certificate is against an older set."""
        return not self.is_certifying or identifier in self.standard.requirements

    def seen(self, requirements: Mapping[str, Requirement]) -> Mapping[str, Requirement]:
        """The requirements as this profile sees them."""
        return counted_only(requirements, self.standard.requirements) if self.is_certifying else requirements


def _certifying(standard: Standard) -> Profile:
    return Profile(
        standard.name,
        examples=standard.examples,
        shrink_seconds=10.0,
        completion_ceiling=None,
        is_certifying=True,
        standard=standard,
    )


PROFILES: Final[Mapping[str, Profile]] = {
    "smoke": Profile(
        "smoke", examples=2, shrink_seconds=2.0, completion_ceiling=5.0, goes_to_limits=False, is_quick=True
    ),
    "certify": _certifying(newest()),
    **{name: _certifying(each) for name, each in standards().items()},
    "soak": Profile("soak", examples=200, shrink_seconds=30.0, completion_ceiling=60.0, is_random=True),
}
"""By the names that may be asked for: `certify` is the newest version of itself."""
DEFAULT_PROFILE: Final = "certify"
