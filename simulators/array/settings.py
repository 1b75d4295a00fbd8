"""What an environment file may say about a simulated array, checked."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from simulators.array.administrator import Administrator
from simulators.array.clones import CloneTime
from simulators.array.core import ArraySize
from simulators.array.data_plane import DATA_PLANES, EMBEDDED
from simulators.array.element_api.release import RELEASES, Release
from simulators.array.limits import Limits
from simulators.array.model import DEFAULT_CAPACITY_BYTES
from simulators.array.server import Ports

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOWN: Final = (
    "capacity_bytes", "clone_calls", "clone_milliseconds", "data_plane", "limits", "lun_numbers_from",
    "management_port", "password", "port", "release", "sessions_survive_regrouping", "username", "witness_port",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArraySettings:
    """The settings as values."""

    size: ArraySize
    administrator: Administrator
    ports: Ports
    data_plane: str = EMBEDDED


def read_settings(settings: Mapping[str, object]) -> ArraySettings:
    """Check all settings; a `ValueError` says in one sentence which one is wrong and what was expected."""
    unknown = sorted(settings.keys() - set(KNOWN))
    if unknown:
        raise ValueError(f"setting {unknown[0]!r} is unknown: use any of {', '.join(KNOWN)}")
    release = _release(settings.get("release", "12"))
    return ArraySettings(
        size=ArraySize(
            _number(settings, "capacity_bytes", DEFAULT_CAPACITY_BYTES, 1, 1 << 62),
            _limits(release.limits, settings.get("limits", {})),
            CloneTime(
                _number(settings, "clone_calls", CloneTime().calls, 0, 1 << 31),
                timedelta(milliseconds=_number(settings, "clone_milliseconds", 0, 0, 1 << 31)),
            ),
            release,
            _number(settings, "lun_numbers_from", 0, 0, 8191) if "lun_numbers_from" in settings else None,
            _flag(settings, "sessions_survive_regrouping"),
        ),
        administrator=Administrator(
            _text(settings, "username", "admin"), _text(settings, "password", secrets.token_urlsafe(16))
        ),
        ports=Ports(
            _number(settings, "port", 0, 0, 65535),
            _number(settings, "management_port", 0, 0, 65535),
            _number(settings, "witness_port", 0, 0, 65535),
        ),
        data_plane=_data_plane(settings),
    )


def _number(settings: Mapping[str, object], name: str, default: int, least: int, most: int) -> int:
    value = settings.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"setting {name!r} is no whole number from {least} to {most}: correct it")
    return value


def _flag(settings: Mapping[str, object], name: str) -> bool:
    value = settings.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"setting {name!r} is neither true nor false: correct it or leave it out")
    return value


def _text(settings: Mapping[str, object], name: str, default: str) -> str:
    value = settings.get(name, default)
    if not isinstance(value, str) or not value:
        raise ValueError(f"setting {name!r} is no text or empty: correct it or leave it out")
    return value


def _data_plane(settings: Mapping[str, object]) -> str:
    name = settings.get("data_plane", EMBEDDED)
    if name not in DATA_PLANES:
        raise ValueError(f"setting 'data_plane' is no data plane there is: use any of {', '.join(DATA_PLANES)}")
    if name != EMBEDDED and _flag(settings, "sessions_survive_regrouping"):
        raise ValueError(
            "setting 'sessions_survive_regrouping' cannot be had with LIO, which ends a session with its ACL: "
            "leave it out, or use data_plane embedded"
        )
    return str(name)


def _release(given: object) -> Release:
    release = RELEASES.get(given) if isinstance(given, str) else None
    if release is None:
        raise ValueError(f"setting 'release' is no release that is simulated: use any of {', '.join(RELEASES)}")
    return release


def _limits(usual: Limits, given: object) -> Limits:
    names = [each.name for each in dataclasses.fields(Limits)]
    if not isinstance(given, dict):
        raise ValueError(f"setting 'limits' is no table: set any of {', '.join(names)} in it")
    unknown = sorted(given.keys() - set(names))
    if unknown:
        raise ValueError(f"limit {unknown[0]!r} is unknown: use any of {', '.join(names)}")
    return dataclasses.replace(usual, **{name: _number(given, name, 0, 1, 1 << 62) for name in given})
