"""Releases of the array's software: what they call themselves, which API versions they answer to, what they allow."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from simulators.array.element_api.errors import NAMES
from simulators.array.limits import Limits
from simulators.array.refusal import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

_MINOR_VERSIONS: Final = {
    5: (0, 1),
    7: range(5),
    8: range(8),
    9: range(7),
    10: range(10),
    11: range(9),
    12: (0, 1, 2, 3, 5),
}


@dataclass(frozen=True, slots=True)
class Release:
    """A release of the software; it answers to all API versions up to its own.

    `other_names` are those of errors that have got new names since.
    """

    major: int
    minor: int
    software: str
    limits: Limits
    other_names: Mapping[Reason, str] = field(default_factory=dict)

    @property
    def api_version(self) -> str:
        """The newest version of the API."""
        return f"{self.major}.{self.minor}"

    @property
    def api_versions(self) -> tuple[str, ...]:
        """All versions of the API that are served, which is at once."""
        return _versions_until(self.major, self.minor)

    def name_of(self, reason: Reason) -> str:
        """What the release calls an error."""
        return self.other_names.get(reason, NAMES[reason])


@cache
def _versions_until(last_major: int, last_minor: int) -> tuple[str, ...]:
    # Every request asks for them.
    return tuple(
        f"{major}.{minor}"
        for major in range(1, last_major + 1)
        for minor in _MINOR_VERSIONS.get(major, (0,))
        if (major, minor) <= (last_major, last_minor)
    )


LATEST: Final = Release(12, 3, "12.3.0.958", Limits())
RELEASES: Final[Mapping[str, Release]] = MappingProxyType(
    {
        # Sizes were multiples of 4 KiB then, and plugins still keep to its 4 groups per volume.
        "8": Release(
            8,
            4,
            "8.4.0.30",
            Limits(
                volumes=4000,
                size_granularity=4096,
                snapshot_name_length=64,
                groups_per_volume=4,
                initiators_per_group=64,
            ),
            other_names={Reason.JOB_UNKNOWN: "xDBNoSuchPath"},
        ),
        "12": LATEST,
        "12.5": Release(12, 5, "12.5.0.897", Limits()),
    }
)
