"""What stands in the machine for PyGObject: targetcli asks over D-Bus for tcmu-runner, and there is neither."""

from __future__ import annotations

from enum import Enum
from typing import NoReturn


class Gio:
    """As much of GLib's I/O library as it takes to say that nobody is there."""

    class BusType(Enum):
        """Which bus."""

        SYSTEM = 1

    @staticmethod
    def bus_get_sync(_bus: object, _cancellable: object) -> None:
        """No bus; targetcli goes on when it finds nobody on it."""

    class DBusProxy:
        """Somebody on the bus."""

        @staticmethod
        def new_sync(*_of: object) -> NoReturn:
            """Nobody."""
            raise ConnectionError("there is no D-Bus in this machine")

    class DBusProxyFlags(Enum):
        """How to talk to somebody."""

        NONE = 0
