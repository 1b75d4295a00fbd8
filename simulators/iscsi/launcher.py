"""The host probe: our initiator as an entry of an environment file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from conformance.contract import (
    BlockConnection,
    ChapCredentials,
    Dial,
    Iqn,
    IscsiPath,
    LaunchFailed,
    LaunchOptions,
    Portal,
    ProbeIoError,
    ProbeRefused,
    Refusal,
)
from simulators.iscsi.chap import ChapCredentials as WireCredentials
from simulators.iscsi.errors import (
    CheckCondition,
    InitiatorError,
    LoginRefused,
    MutualAuthenticationFailed,
    ProtocolError,
)
from simulators.iscsi.initiator import Initiator, Session

_Credentials = Callable[[IscsiPath], WireCredentials | None]
_REFUSALS: Final = {(2, 1): Refusal.AUTHENTICATION, (2, 2): Refusal.FORBIDDEN, (2, 3): Refusal.NOT_FOUND}
_NO_LUN: Final = (0x25, 0x00)  # LOGICAL UNIT NOT SUPPORTED, SPC-4 table of additional sense codes


def host_probe(options: LaunchOptions) -> ProbeEntry:
    """Launch the entry; it has no settings and nothing that runs."""
    if options.settings:
        raise LaunchFailed(f"unknown key {min(options.settings)} in [probe]; it knows none but launch")
    return ProbeEntry()


class ProbeEntry:
    """Satisfies the contract's `ProbeEntry`."""

    def open_probe(self, initiator_iqn: Iqn, dial: Dial) -> Probe:
        """A probe of that name."""
        return Probe(initiator_iqn, dial)


class Probe:
    """Satisfies the contract's `HostProbe`."""

    def __init__(self, initiator_iqn: Iqn, dial: Dial) -> None:
        self.initiator_iqn = initiator_iqn
        self._initiator = Initiator(str(initiator_iqn), dial)

    def open(self, connection: BlockConnection, chap: ChapCredentials | None = None) -> LunSession:
        """Log in over the first iSCSI path that answers."""
        return self._first(connection, lambda path: _wire(chap or path.chap))

    def open_without_chap(self, connection: BlockConnection) -> LunSession:
        """Log in offering no authentication."""
        return self._first(connection, lambda _path: None)

    def discover(self, portal: Portal, chap: ChapCredentials | None = None) -> Sequence[Iqn]:
        """Names of the targets that SendTargets shows to this initiator."""
        try:
            found = self._initiator.discover(portal.address, portal.port, _wire(chap))
        except (InitiatorError, ProtocolError, OSError) as error:
            raise _refused(error) from error
        return [Iqn(name) for name, _ in found]

    def _first(self, connection: BlockConnection, credentials: _Credentials) -> LunSession:
        last: ProbeRefused | None = None
        for path in connection.paths:
            if isinstance(path, IscsiPath):
                for portal in path.portals:
                    try:
                        return self._open(path, portal, credentials(path))
                    except ProbeRefused as refused:
                        last = refused
        raise last or ProbeRefused(Refusal.OTHER, "the connection has no iSCSI path")

    def _open(self, path: IscsiPath, portal: Portal, chap: WireCredentials | None) -> LunSession:
        try:
            session = self._initiator.login(portal.address, portal.port, str(path.target_iqn), chap)
        except (InitiatorError, ProtocolError, OSError) as error:
            raise _refused(error) from error
        try:
            return LunSession(session, path.lun_number)
        except (InitiatorError, ProtocolError, OSError) as error:
            session.close()
            raise _refused(error) from error


class LunSession:
    """Satisfies the contract's `ProbeSession`."""

    def __init__(self, session: Session, lun_number: int) -> None:
        self._session, self._lun = session, lun_number
        self.wwid = session.wwid(lun_number)
        _, self.block_bytes = session.read_capacity(lun_number)

    @property
    def size_bytes(self) -> int:
        """What READ CAPACITY says now."""
        try:
            return self._session.read_capacity(self._lun)[0]
        except (InitiatorError, ProtocolError, OSError) as error:
            raise ProbeIoError(str(error)) from error

    def read(self, offset: int, length: int) -> bytes:
        """Read whole blocks."""
        try:
            return self._session.read(self._lun, offset, length)
        except (InitiatorError, ProtocolError, OSError) as error:
            raise ProbeIoError(str(error)) from error

    def write(self, offset: int, data: bytes) -> None:
        """Write whole blocks and flush."""
        try:
            self._session.write(self._lun, offset, data)
            self._session.flush(self._lun)
        except (InitiatorError, ProtocolError, OSError) as error:
            raise ProbeIoError(str(error)) from error

    def unmap(self, offset: int, length: int) -> None:
        """Discard whole blocks."""
        try:
            self._session.unmap(self._lun, offset, length)
        except (InitiatorError, ProtocolError, OSError) as error:
            raise ProbeIoError(str(error)) from error

    def close(self) -> None:
        """Log out where that is still possible; never fails."""
        try:
            self._session.logout()
        except (InitiatorError, ProtocolError, OSError):
            self._session.close()


def _wire(chap: ChapCredentials | None) -> WireCredentials | None:
    if chap is None:
        return None
    mutual = chap.mutual_secret.reveal().encode() if chap.mutual_secret is not None else None
    return WireCredentials(chap.username, chap.secret.reveal().encode(), chap.mutual_username, mutual)


def _refused(error: Exception) -> ProbeRefused:
    if isinstance(error, LoginRefused):
        refusal = _REFUSALS.get((error.status_class, error.status_detail), Refusal.OTHER)
    elif isinstance(error, MutualAuthenticationFailed):
        refusal = Refusal.TARGET_UNPROVEN
    elif isinstance(error, CheckCondition):
        refusal = Refusal.NO_LUN if (error.asc, error.ascq) == _NO_LUN else Refusal.OTHER
    else:
        refusal = Refusal.UNREACHABLE
    return ProbeRefused(refusal, str(error))
