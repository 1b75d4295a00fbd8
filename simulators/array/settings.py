"""What an environment file may say about a simulated array, checked."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from simulators.array.administrator import Administrator
from simulators.array.apis import APIS, Api
from simulators.array.clones import CloneTime
from simulators.array.core import ArraySize
from simulators.array.data_plane import DATA_PLANES, EMBEDDED
from simulators.array.element_api.release import RELEASES, Release
from simulators.array.limits import Limits
from simulators.array.server import Ports
from simulators.iscsi.connection_faults import ON_CONNECTIONS
from simulators.kernel.faults import Failure, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.array.journal import Journal

_SECONDS_MAX: Final = 3600
_FOR_ALL: Final = (
    "api", "capacity_bytes", "data_plane", "faults", "limits", "management_port", "page_port", "password", "port",
    "username", "witness_port",
)  # fmt: skip
_FOR_ONE: Final = {
    "element": ("clone_calls", "clone_milliseconds", "lun_numbers_from", "release", "sessions_survive_regrouping"),
    "vpsa": ("access_key",),
}


@dataclass(frozen=True, slots=True)
class ArraySettings:
    """The settings as values."""

    size: ArraySize
    administrator: Administrator
    ports: Ports
    faults: Sequence[Fault] = ()
    journal: Journal | None = None
    data_plane: str = EMBEDDED


def read_settings(settings: Mapping[str, object], journal: Journal | None = None) -> ArraySettings:
    """Check all settings; a `ValueError` says in one sentence which one is wrong and what was expected."""
    name, api = _api(settings.get("api", "element"))
    _check_known(settings, sorted((*_FOR_ALL, *_FOR_ONE[name])), name)
    release = _release(settings.get("release", "12"))
    plane = _data_plane(settings, journal)
    return ArraySettings(
        size=ArraySize(
            _number(settings, "capacity_bytes", api.capacity_bytes, 1, 1 << 62),
            _limits(release.limits if name == "element" else api.limits, settings.get("limits", {})),
            CloneTime(
                _number(settings, "clone_calls", api.clone_time.calls, 0, 1 << 31),
                timedelta(milliseconds=_number(settings, "clone_milliseconds", 0, 0, 1 << 31)),
            ),
            release,
            _number(settings, "lun_numbers_from", 0, 0, 8191) if "lun_numbers_from" in settings else None,
            _flag(settings, "sessions_survive_regrouping"),
            api,
        ),
        administrator=Administrator(
            _text(settings, "username", "admin"),
            _text(settings, "password", secrets.token_urlsafe(16)),
            _text(settings, "access_key", secrets.token_urlsafe(16)),
        ),
        ports=Ports(
            _number(settings, "port", 0, 0, 65535),
            _number(settings, "management_port", 0, 0, 65535),
            _number(settings, "witness_port", 0, 0, 65535),
            _number(settings, "page_port", 0, 0, 65535) if "page_port" in settings else None,
        ),
        faults=_faults(settings.get("faults", ()), plane),
        journal=journal,
        data_plane=plane,
    )


def _check_known(settings: Mapping[str, object], known: Sequence[str], api: str) -> None:
    unknown = sorted(settings.keys() - set(known))
    if unknown:
        raise ValueError(f"setting {unknown[0]!r} is unknown with api {api}: use any of {', '.join(known)}")


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


def _api(given: object) -> tuple[str, Api]:
    api = APIS.get(given) if isinstance(given, str) else None
    if api is None:
        raise ValueError(f"setting 'api' is no API that is simulated: use any of {', '.join(APIS)}")
    return str(given), api


def _data_plane(settings: Mapping[str, object], journal: Journal | None) -> str:
    name = settings.get("data_plane", EMBEDDED)
    if name not in DATA_PLANES:
        raise ValueError(f"setting 'data_plane' is no data plane there is: use any of {', '.join(DATA_PLANES)}")
    if name != EMBEDDED and _flag(settings, "sessions_survive_regrouping"):
        raise ValueError(
            "setting 'sessions_survive_regrouping' cannot be had with LIO, which ends a session with its ACL: "
            "leave it out, or use data_plane embedded"
        )
    if name != EMBEDDED and journal is not None:
        raise ValueError(
            "setting 'state' cannot be had with LIO, whose writes nobody notes: "
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


def _faults(given: object, plane: str) -> tuple[Fault, ...]:
    if not isinstance(given, list | tuple):
        raise ValueError("setting 'faults' is no list of tables: write [[faults]] above each")
    faults = tuple(_fault(each, f"fault {number}") for number, each in enumerate(given, 1))
    on_connections = [each.failure for each in faults if each.failure in ON_CONNECTIONS]
    if on_connections and plane != EMBEDDED:
        raise ValueError(f"failure {on_connections[0]!r} cannot be had with LIO: use data_plane embedded")
    return faults


def _fault(given: object, which: str) -> Fault:
    names = [each.name for each in dataclasses.fields(Fault)]
    if not isinstance(given, dict) or not given.keys() <= set(names):
        raise ValueError(f"{which} has something else than {', '.join(names)}: correct it")
    if given.get("failure") not in list(Failure):
        raise ValueError(f"{which} has no known failure: use any of {', '.join(Failure)}")
    seconds = given.get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _SECONDS_MAX:
        raise ValueError(f"{which} has seconds that are no number from 0 to {_SECONDS_MAX}: correct them")
    return Fault(
        Failure(given["failure"]),
        _text(given, "call", "*"),
        _number(given, "nth", 1, 1, 1 << 31),
        _number(given, "times", 1, 0, 1 << 31),
        float(seconds),
    )
