"""What all connections of one target node share: the fabric, the settings, the portals and the session table.

Pure: it does no I/O. When it ends a session from the outside (reinstatement, revoked access, another fabric),
the connection is marked closed and listed in `take_dropped`, so that whoever owns the transports can close
them. When one session ends the tasks of another, the other's connection is listed in `take_opened`, and has to be told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulators.iscsi.backend import SessionInfo
from simulators.iscsi.negotiation import CRC32C, TARGET_SETTINGS
from simulators.iscsi.portal import Portal
from simulators.iscsi.scsi.device import Devices
from simulators.iscsi.scsi.nexus import Nexus
from simulators.iscsi.scsi.sense import RESET_BY_FUNCTION
from simulators.kernel.faults import FaultPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.iscsi.backend import Fabric
    from simulators.iscsi.negotiation import OperationalSettings
    from simulators.iscsi.target_login_machine import Agreement
    from simulators.iscsi.target_machine import TargetConnection
    from simulators.kernel.transcript import Transcript

_TSIH_LIMIT = 65535


@dataclass(slots=True)
class Session:
    """A nexus, the connection that carries it, and the fabric revisions it began at and was last checked against."""

    info: SessionInfo
    connection: TargetConnection
    nexus: Nexus
    fabric_revision: int
    began_at_revision: int
    opened_at: float
    heard_at: float
    commanded_at: float

    @property
    def is_discovery(self) -> bool:
        """Whether the session is for SendTargets only."""
        return not self.info.target_iqn

    def heard(self, at: float, *, is_command: bool) -> None:
        """Note that the initiator has sent a PDU."""
        self.heard_at = at
        if is_command:
            self.commanded_at = at

    def described(self, now: float) -> SessionInfo:
        """What an administrator is told."""
        return replace(
            self.info,
            age_seconds=now - self.opened_at,
            idle_seconds=now - self.heard_at,
            command_idle_seconds=now - self.commanded_at,
        )


class TargetCore:
    """The shared part. Not thread-safe: whoever has several threads holds a lock around it."""

    def __init__(
        self,
        fabric: Fabric,
        *,
        portals: Sequence[tuple[str, int] | Portal],
        entropy: Callable[[int], bytes],
        transcript: Transcript,
        settings: OperationalSettings | None = None,
        power_on_attention: bool = False,
    ) -> None:
        self._fabric = fabric
        self.portals = [Portal(*each) for each in portals]
        self.entropy = entropy
        self.transcript = transcript
        self.settings = settings or TARGET_SETTINGS
        self._power_on_attention = power_on_attention
        self.faults = FaultPlan()
        self._devices = Devices()
        self._sessions: dict[int, Session] = {}
        self._last_tsih = 0
        self._connections: set[TargetConnection] = set()
        self._dropped: list[TargetConnection] = []
        self._opened: set[TargetConnection] = set()

    @property
    def fabric(self) -> Fabric:
        """The fabric that is asked."""
        return self._fabric

    def replace_fabric(self, fabric: Fabric) -> None:
        """Serve another fabric from now on; every connection of the old one is closed."""
        self._fabric = fabric
        for connection in list(self._connections):
            self._drop(connection)
        self._devices.lose_power()

    def connected(self, connection: TargetConnection) -> None:
        """Remember a new connection."""
        self._connections.add(connection)

    def disconnected(self, connection: TargetConnection) -> None:
        """Forget a connection and its session."""
        self._connections.discard(connection)
        self._opened.discard(connection)
        if connection.session is not None:
            self._sessions.pop(connection.session.info.tsih, None)
            connection.session.nexus.close()

    def knows(self, initiator_iqn: str, isid: bytes, tsih: int) -> bool:
        """Say whether this initiator port has a session with this handle (RFC 7143 §4.4.3)."""
        session = self._sessions.get(tsih)
        return session is not None and (session.info.initiator_iqn, session.info.isid) == (initiator_iqn, isid)

    def open_session(self, agreement: Agreement, connection: TargetConnection, address: str) -> Session | None:
        """Enter a session, replacing an older one of the same name; None when the table is full."""
        self._reinstate(agreement, connection.portal_group_tag)
        tsih = self._free_tsih()
        if tsih is None:
            return None
        units = {} if agreement.is_discovery else self._fabric.units(agreement.initiator_iqn, agreement.target_iqn)
        now = self.transcript.now()
        session = Session(
            info=_session_info(agreement, address, tsih),
            connection=connection,
            nexus=Nexus(
                agreement.target_iqn,
                units,
                initiator_port=f"{agreement.initiator_iqn},i,0x{agreement.isid.hex()}",
                relative_port=connection.portal_group_tag,
                target_ports=self._target_ports,
                devices=self._devices,
                abort_tasks=connection.abort_tasks,
                power_on_attention=self._power_on_attention,
            ),
            fabric_revision=agreement.fabric_revision,
            began_at_revision=agreement.fabric_revision,
            opened_at=now,
            heard_at=now,
            commanded_at=now,
        )
        self._sessions[tsih] = session
        return session

    def _target_ports(self) -> list[int]:
        """Relative identifiers of the SCSI target ports: the tags of the portal groups."""
        return sorted({portal.group_tag for portal in self.portals})

    def is_admitted(self, session: Session) -> bool:
        """Ask the fabric again if anything changed, and show the nexus its current units."""
        revision = self._fabric.revision
        if self._is_revoked(session):
            return False
        if session.fabric_revision != revision and not session.is_discovery:
            session.fabric_revision = revision
            info = session.info
            session.nexus.show(self._fabric.units(info.initiator_iqn, info.target_iqn))
        return True

    def _is_revoked(self, session: Session) -> bool:
        if session.is_discovery or session.fabric_revision == self._fabric.revision:
            return False
        info = session.info
        return not self._fabric.still_admitted(
            info.initiator_iqn, info.target_iqn, info.chap_username, session.began_at_revision
        )

    def sessions(self) -> list[SessionInfo]:
        """List the sessions that are still admitted. Changes nothing, so it needs no lock."""
        now = self.transcript.now()
        return [session.described(now) for session in list(self._sessions.values()) if not self._is_revoked(session)]

    def sweep(self) -> None:
        """Close the sessions that are no longer admitted, without waiting for their next command."""
        for session in list(self._sessions.values()):
            if self._is_revoked(session):
                self._drop(session.connection)

    def reset_target(self, by: Session, *, is_cold: bool) -> None:
        """TARGET WARM RESET and TARGET COLD RESET (RFC 7143 §11.5.1): all units of one target.

        The cold one is a power on event, too, and ends all other sessions; the one that asked is for its connection to
        end. What only other initiators may see, a warm one leaves: it is subject to access controls.
        """
        for device in set(by.nexus.devices.values()):
            device.reset(RESET_BY_FUNCTION)
        if is_cold:
            self._power_cycle(by)

    def _power_cycle(self, by: Session) -> None:
        own = [each for each in self._sessions.values() if each.info.target_iqn == by.info.target_iqn]
        for device in {device for session in own for device in session.nexus.devices.values()}:
            device.lose_power()
        for session in own:
            if session is not by:
                self._drop(session.connection)

    def take_dropped(self) -> list[TargetConnection]:
        """Return the connections that were closed from outside since the last call."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def window_opened(self, connection: TargetConnection) -> None:
        """Note that more commands may come on a connection, whoever has made it so."""
        self._opened.add(connection)

    def take_opened(self) -> set[TargetConnection]:
        """Return the connections whose command window has opened since the last call."""
        opened, self._opened = self._opened, set()
        return opened

    def _reinstate(self, agreement: Agreement, portal_group_tag: int) -> None:
        """RFC 7143 §6.3.5: the same initiator name and ISID at the same target port is the same session again."""
        name = (agreement.initiator_iqn, agreement.isid, agreement.target_iqn, portal_group_tag)
        for session in list(self._sessions.values()):
            info = session.info
            if (info.initiator_iqn, info.isid, info.target_iqn, session.connection.portal_group_tag) == name:
                self._drop(session.connection)

    def _drop(self, connection: TargetConnection) -> None:
        connection.hang_up()
        self._dropped.append(connection)

    def _free_tsih(self) -> int | None:
        for _ in range(_TSIH_LIMIT):
            self._last_tsih = self._last_tsih % _TSIH_LIMIT + 1
            if self._last_tsih not in self._sessions:
                return self._last_tsih
        return None


def _session_info(agreement: Agreement, address: str, tsih: int) -> SessionInfo:
    digests = agreement.parameters.digests
    return SessionInfo(
        initiator_iqn=agreement.initiator_iqn,
        target_iqn=agreement.target_iqn,
        initiator_address=address,
        isid=agreement.isid,
        tsih=tsih,
        chap_username=agreement.chap_username,
        auth_method="CHAP" if agreement.chap_username is not None else "None",
        chap_algorithm=agreement.chap_algorithm,
        is_mutual=agreement.is_mutual,
        header_digest=CRC32C if digests and digests.header else "None",
        data_digest=CRC32C if digests and digests.data else "None",
    )
