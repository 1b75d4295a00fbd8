"""Who serves the array's volumes to initiators: the target of this process, or LIO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from simulators.array.export_view import export_view
from simulators.array.fabric import ArrayFabric, EmptyFabric
from simulators.array.lio_store import LioStore
from simulators.iscsi.backend import AdmissionVerdict, SessionInfo
from simulators.iscsi.server import TargetServer
from simulators.kernel.clock import MonotonicClock
from simulators.kernel.transcript import Transcript
from simulators.lio.errors import LioUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simulators.array.lio_store import Lio
    from simulators.iscsi.backend import Fabric
    from simulators.kernel.faults import Fault
    from simulators.lio.values import Session

EMBEDDED: Final = "embedded"


class DataPlane(Protocol):
    """An iSCSI target with one portal, which serves one fabric at a time."""

    fabric: Fabric
    """Setting it ends all sessions."""

    @property
    def portal(self) -> tuple[str, int]:
        """Address and port; known once it has started."""

    @property
    def transcript(self) -> Transcript:
        """What was said, as far as it is known."""

    def sessions(self) -> Sequence[SessionInfo]:
        """Everybody who is logged in."""

    def new_store(self) -> LioStore | None:
        """Where the bytes of the next array are, if the plane wants them with itself."""

    def end_sessions(self) -> None:
        """Let everybody log in anew."""

    def let_fail(self, faults: Sequence[Fault]) -> None:
        """Let these faults befall connections from now on, and no others."""

    async def start(self) -> None:
        """Listen; raises `OSError`."""

    async def stop(self) -> None:
        """End all sessions and listen no more."""


class EmbeddedPlane(TargetServer):
    """The target of this process; it asks the array itself for every byte."""

    def new_store(self) -> None:
        """Anywhere will do."""

    def end_sessions(self) -> None:
        """Let everybody log in anew."""
        self.fabric = self.fabric


class LioPlane:
    """LIO, which is told what to export; it lasts as long as the plane."""

    def __init__(self, lio: Lio) -> None:
        self._lio = lio
        self._fabric: Fabric = EmptyFabric()
        self.transcript = Transcript(MonotonicClock())

    @property
    def portal(self) -> tuple[str, int]:
        """Address and port."""
        return self._lio.portals[0].address, self._lio.portals[0].port

    @property
    def fabric(self) -> Fabric:
        """The fabric whose targets are exported."""
        return self._fabric

    @fabric.setter
    def fabric(self, fabric: Fabric) -> None:
        self._fabric = fabric
        if isinstance(fabric, EmptyFabric):
            self._lio.clear()

    def sessions(self) -> list[SessionInfo]:
        """Everybody who is logged in: LIO knows names, the fabric by which account they must have come."""
        return [self._info(each) for each in self._lio.sessions()]

    def new_store(self) -> LioStore:
        """Disks of LIO."""
        return LioStore(self._lio)

    def end_sessions(self) -> None:
        """Let everybody log in anew."""
        if isinstance(self._fabric, ArrayFabric):
            self._lio.apply(())
            self._lio.apply(export_view(self._fabric))

    def let_fail(self, faults: Sequence[Fault]) -> None:
        """LIO cannot: `settings` refuses faults of connections with it."""
        if faults:
            raise ValueError("LIO lets no connection fail at will")

    async def start(self) -> None:
        """It has started."""

    async def stop(self) -> None:
        """End it."""
        self._lio.close()

    def _info(self, session: Session) -> SessionInfo:
        admission = self._fabric.admit(session.initiator_iqn, session.target_iqn)
        is_open = admission.verdict is not AdmissionVerdict.ALLOWED or not admission.chap
        return SessionInfo(
            initiator_iqn=session.initiator_iqn,
            target_iqn=session.target_iqn,
            initiator_address=session.address,
            isid=bytes.fromhex(session.isid),
            tsih=session.tsih,
            chap_username=None if is_open else admission.chap[0].username,
            auth_method="None" if is_open else "CHAP",
            chap_algorithm=None if is_open else _MD5,
        )


_MD5: Final = 5  # LIO knows others too, and does not tell which one was taken


def _local(port: int) -> Lio:
    try:
        from simulators.lio.host import local_lio
    except ModuleNotFoundError as missing:
        raise LioUnavailable(
            f"{missing.name} is not installed: pip install 'storage-conformance[lio]', which drives LIO"
        ) from missing
    return local_lio(port)


def _in_machine(port: int) -> Lio:
    from simulators.lio.start import start

    return start(port)


_LIO: Final[Mapping[str, Callable[[int], Lio]]] = {"lio": _local, "lio-vm": _in_machine}
DATA_PLANES: Final = (EMBEDDED, *_LIO)


def open_plane(name: str, host: str, port: int) -> DataPlane:
    """Start what serves the volumes; raises `LioUnavailable`."""
    if name == EMBEDDED:
        return EmbeddedPlane(EmptyFabric(), host=host, port=port)
    return LioPlane(_LIO[name](port))
