"""What every part of the plugin starts from: what a store needs to be told, and the array of a store."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Final
from urllib.parse import urlsplit

from conformance.contract import InvalidRequest, Parameter, ParameterKind, ProviderContext, StoreRequest

from .client import Login, VpsaClient
from .connections import Connections
from .connector import Connect
from .vpsa import Vpsa

USUAL_PORT: Final = 3260
PARAMETERS: Final = (
    Parameter("url", ParameterKind.URL, required=True, description="https://address[:port] of the VPSA", endpoint=True),
    Parameter("access_key", ParameterKind.TEXT, required=True, description="of a user of the VPSA", secret=True),
    Parameter("pool", ParameterKind.TEXT, required=True, description="its internal name, such as pool-00000001"),
    Parameter(
        "iscsi_port",
        ParameterKind.INTEGER,
        required=False,
        description=f"where controllers listen for hosts; {USUAL_PORT} is the default, and the API does not tell",
    ),
    Parameter(
        "ca_file",
        ParameterKind.PATH,
        required=False,
        description="certificates to check the array's with; else the system's",
        ca_file=True,
    ),
)


class Arrays:
    """Opens arrays by the parameters of stores: each store brings its own address and key."""

    def __init__(self, connect: Connect) -> None:
        self._connections = Connections(connect)
        self._context: ProviderContext | None = None

    @property
    def context(self) -> ProviderContext:
        """The cloud's context."""
        if self._context is None:
            raise RuntimeError("configure() has not been called")
        return self._context

    def configure(self, context: ProviderContext) -> None:
        """Take the context."""
        self._context = context

    def of(self, request: StoreRequest) -> Vpsa:
        """The array of a store."""
        return Vpsa(VpsaClient(login_of(request), self._connections, self.context))

    def close(self) -> None:
        """Let go of all connections."""
        self._connections.close()

    def lock_of_store(self, request: StoreRequest) -> AbstractContextManager[None]:
        """Held while room is looked for and taken, and while something in the making may be there."""
        return self.context.lock(f"zadara-store-{request.uuid}")

    def lock_of_volume(self, uuid: str) -> AbstractContextManager[None]:
        """Held while a volume's snapshots are taken, or looked at before it is deleted."""
        return self.context.lock(f"zadara-volume-{uuid}")

    def locks_of_hosts(self, uuids: Iterable[str]) -> ExitStack:
        """Held while a host's servers are made, changed or removed: all stores share them."""
        held = ExitStack()
        for uuid in sorted(set(uuids)):
            held.enter_context(self.context.lock(f"zadara-host-{uuid}"))
        return held


class OnArrays:
    """What works on the arrays of stores."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays


def login_of(request: StoreRequest) -> Login:
    """Read the parameters; the first that will not do is named."""
    key = request.secrets.get("access_key")
    if key is None:
        raise InvalidRequest("access_key", None, "a user's access key, among the secrets")
    return Login(_url(request), key, request.parameters.get("ca_file") or None)


def pool_of(request: StoreRequest) -> str:
    """The name of the store's pool."""
    pool = request.parameters.get("pool", "")
    if not pool:
        raise InvalidRequest("pool", pool, "a pool's internal name")
    return pool


def port_of(request: StoreRequest) -> int:
    """Where the array listens for hosts."""
    text = request.parameters.get("iscsi_port", "") or str(USUAL_PORT)
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise InvalidRequest("iscsi_port", text, "1 to 65535")
    return int(text)


def _url(request: StoreRequest) -> str:
    url = request.parameters.get("url", "").rstrip("/")
    try:
        parts = urlsplit(url)
        is_usable = bool(parts.scheme and parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise InvalidRequest("url", url, "https://address[:port]") from None
    if parts.username is not None or parts.password is not None:
        # Not repeated: what stands before the @ may be a password.
        raise InvalidRequest("url", "an address with credentials in it", "https://address[:port]")
    if not is_usable or parts.query or parts.fragment:
        raise InvalidRequest("url", url, "https://address[:port]")
    return url
