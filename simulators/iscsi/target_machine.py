"""One connection of the target: bytes in, bytes out.

Theory of operation. A connection is in one of four states:

    LOGIN ──► DISCOVERY ────► CLOSED
      └─────► FULL_FEATURE ──►

Every PDU is looked up by (state, kind) in `TargetConnection.TRANSITIONS`; what is not there is a violation
that is answered as RFC 7143 says: in LOGIN with status 020B and the end of the connection, later with a
Reject PDU. Numbered requests first pass the command window (§4.2.2.1): the one whose CmdSN is expected is
carried out at once, a later one inside the window waits for the gap to close, anything else is ignored
without a word, as the RFC wants it. Commands are carried out in CmdSN order, one at a time; only writes that
wait for data overlap.

Reads are answered with Data-In PDUs cut to what the initiator declared, the last one carrying the status when
it is GOOD. Writes collect unsolicited data and then solicit the rest (`write_task`). Error recovery level is
0: a malformed stream ends the connection, and with it the session.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simulators.iscsi import connection_faults
from simulators.iscsi import pdu as p
from simulators.iscsi.codec import PduReader, encode
from simulators.iscsi.command_order import CommandOrder
from simulators.iscsi.data_pieces import cut
from simulators.iscsi.describe import describe
from simulators.iscsi.errors import PeerViolation, SimulatorBug
from simulators.iscsi.login_status import OUT_OF_RESOURCES, SERVICE_UNAVAILABLE
from simulators.iscsi.lun_address import decode_lun
from simulators.iscsi.negotiation import KEYS, REJECT, Parameters, combine
from simulators.iscsi.scsi import device_server
from simulators.iscsi.scsi.operation import GOOD, Outcome, already
from simulators.iscsi.scsi.sense import INVALID_FIELD_IN_CDB, INVALID_OPCODE, PROTOCOL_SERVICE_CRC_ERROR, ScsiCheck
from simulators.iscsi.send_targets import answer_text
from simulators.iscsi.target_login_machine import TargetLogin
from simulators.iscsi.task_management import TARGET_COLD_RESET, manage
from simulators.iscsi.text_exchange import TextExchange
from simulators.iscsi.write_task import WriteTask
from simulators.kernel.faults import Failure
from simulators.kernel.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.digest import Digests
    from simulators.iscsi.pdu import Pdu, TargetPdu
    from simulators.iscsi.scsi.operation import Operation
    from simulators.iscsi.target_core import Session, TargetCore
    from simulators.iscsi.target_login_machine import LoginStep
    from simulators.iscsi.text import Pairs

COMMAND_WINDOW = 32
_SERIAL_MASK = 0xFFFFFFFF
_AHS_LENGTH = 4  # the byte of a basic header that holds TotalAHSLength
_REMEMBERED_ABORTS = 2 * COMMAND_WINDOW

# Reasons of a Reject PDU (§11.17.1).
DATA_DIGEST_ERROR = 0x02
PROTOCOL_ERROR = 0x04
COMMAND_NOT_SUPPORTED = 0x05
INVALID_PDU_FIELD = 0x09

CLOSE_SESSION = 0
CLOSE_CONNECTION = 1
CID_NOT_FOUND = 1
RECOVERY_NOT_SUPPORTED = 2


class State(Enum):
    """Where a connection stands."""

    LOGIN = "login"
    DISCOVERY = "discovery"
    FULL_FEATURE = "full feature"
    CLOSED = "closed"


class Late(NamedTuple):
    """A write that `ask_late` is to be called for, so many seconds from now."""

    seconds: float
    task: WriteTask


class TargetConnection:
    """One TCP connection as the target sees it."""

    def __init__(self, core: TargetCore, initiator_address: str, portal_group_tag: int = 1) -> None:
        self._core = core
        self.portal_group_tag = portal_group_tag
        self._address = initiator_address
        self.state = State.LOGIN
        self.session: Session | None = None
        self._reader = PduReader(core.settings.max_recv_data_segment_length)
        self._login = TargetLogin(core.fabric, core.settings, core.entropy, core.knows, portal_group_tag)
        self._parameters = Parameters()
        self._output: list[TargetPdu] = []
        self._sent = b""
        self._digests: Digests | None = None
        self._ping_tag = p.NO_TAG
        self._stat_sn = 0
        self._told_max_cmd_sn = 0
        self._order = CommandOrder(self._window)
        self._cid = 0
        self._writes: dict[int, WriteTask] = {}
        self._aborted: deque[int] = deque(maxlen=_REMEMBERED_ABORTS)
        self._next_transfer_tag = 1
        self._text = TextExchange()
        self._late: list[Late] = []
        core.connected(self)

    # ---- the edge ------------------------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether the transport is to be closed once the last answer is out."""
        return self.state is State.CLOSED

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the initiator and return bytes for it."""
        if self.is_closed:
            return b""
        self._reader.feed(data)
        try:
            while (pdu := self._reader.next_pdu()) is not None:
                self._core.transcript.record(Direction.RECEIVED, describe(pdu))
                if self.session is not None:
                    self.session.heard(self._core.transcript.now(), is_command=isinstance(pdu, p.ScsiCommand))
                if not self._is_struck(pdu):
                    self._take(pdu)
                if self.is_closed:
                    break
        except PeerViolation as violation:
            self._core.transcript.record(Direction.NOTE, f"connection closed: {violation}")
            self.hang_up()
        return self._flush()

    def ping(self) -> bytes:
        """Return a NOP-In that wants an answer (§11.19); an initiator that owes one is given up."""
        if self.state is not State.FULL_FEATURE:
            return b""
        if self._ping_tag != p.NO_TAG:
            self._core.transcript.record(Direction.NOTE, "connection closed: a ping was not answered")
            self.hang_up()
            return b""
        self._ping_tag = self._new_transfer_tag()
        self._output.append(p.NopIn(bytes(8), p.NO_TAG, self._ping_tag, *self._sequence()))
        return self._flush()

    def take_late(self) -> list[Late]:
        """Return the writes whose data a fault has not let us ask for at once, since the last call."""
        late, self._late = self._late, []
        return late

    def ask_late(self, task: WriteTask) -> bytes:
        """Ask for the data of a write that was to be asked for late, if it still waits for that."""
        if self._writes.get(task.command.initiator_task_tag) is task and not task.is_waiting:
            self._ask(task)
        return self._flush()

    def tell_window(self) -> bytes:
        """Return a NOP-In that wants no answer (§11.19), if nothing has told yet how far the command window is open."""
        if self.state is not State.FULL_FEATURE or self._order.last == self._told_max_cmd_sn:
            return b""
        self._output.append(p.NopIn(bytes(8), p.NO_TAG, p.NO_TAG, *self._sequence()))
        return self._flush()

    def hang_up(self) -> None:
        """End the connection: the transport is gone, or the core wants it gone."""
        self.state = State.CLOSED
        self._writes.clear()
        self._order.clear()
        self._core.disconnected(self)

    def abort_task(self, tag: int, ref_cmd_sn: int, cmd_sn: int) -> bool:
        """Forget a write that waits for data, or a command that waits for its turn or has not come.

        Say whether it was there, or still may come: §11.6.1 b, then its CmdSN is considered received.
        """
        if tag in self._writes:
            self._abort(tag)
            return True
        return self._order.pass_over(tag, ref_cmd_sn, cmd_sn)

    def abort_tasks(self, lun_number: int) -> bool:
        """Forget the writes to one unit that wait for data; say whether there were any."""
        tags = [tag for tag, task in self._writes.items() if decode_lun(task.command.lun) == lun_number]
        for tag in tags:
            self._abort(tag)
        if tags:
            self._core.window_opened(self)
        return bool(tags)

    def abort_waiting(self, lun_number: int | None, cmd_sn: int) -> None:
        """Forget the commands to one unit, or to all, that were sent before `cmd_sn` and wait for their turn."""
        self._order.pass_over_unit(lun_number, cmd_sn)

    def _flush(self) -> bytes:
        output, self._output = self._output, []
        for pdu in output:
            self._core.transcript.record(Direction.SENT, describe(pdu))
        if not self._sent:
            return encode(output, self._digests)
        sent, self._sent = self._sent, b""
        return sent + encode(output, self._digests)

    def _begin_digests(self, digests: Digests) -> None:
        """Protect what follows the login (§6.3.3): the last login response goes without."""
        self._sent = self._flush()
        self._digests = self._reader.digests = digests

    def _is_struck(self, pdu: Pdu) -> bool:
        fault = connection_faults.on_arrival(self._core.faults, pdu) if self._core.faults else None
        if fault is None:
            return False
        self._core.transcript.record(Direction.NOTE, f"{fault.failure} injected")
        if isinstance(pdu, p.LoginRequest) and fault.failure is Failure.REFUSE_LOGIN:
            self._answer_login(self._login.refuse(pdu, SERVICE_UNAVAILABLE))
        else:
            self.hang_up()
        return True

    # ---- dispatch ------------------------------------------------------------------------------------------

    def _take(self, pdu: Pdu) -> None:
        if self.session is not None and not self._core.is_admitted(self.session):
            self._core.transcript.record(Direction.NOTE, "connection closed: access was revoked")
            self.hang_up()
            return
        header = self._reader.header
        if isinstance(pdu, p.Damaged):
            self._take_damaged(pdu.pdu, header)
            return
        if header[_AHS_LENGTH] and not isinstance(pdu, p.ScsiCommand):
            raise PeerViolation(f"{type(pdu).__name__} has an additional header segment")
        if self.state is State.LOGIN or isinstance(pdu, p.DataOut | p.LoginRequest | p.UnknownPdu):
            self._carry_out(pdu, header)
        elif isinstance(pdu, _NUMBERED) and not pdu.immediate:
            self._order.put(pdu.cmd_sn, pdu, header)
            self._carry_out_waiting()
        else:
            self._carry_out(pdu, header)

    def _take_damaged(self, pdu: Pdu, header: bytes) -> None:
        """§7.8: "the target MUST answer with a Reject PDU ... and discard the PDU"; its task ends with 47/05."""
        self._reject(DATA_DIGEST_ERROR, header)
        task = self._writes.get(pdu.initiator_task_tag) if isinstance(pdu, p.DataOut) else None
        if task is not None and isinstance(pdu, p.DataOut):
            task.fail(PROTOCOL_SERVICE_CRC_ERROR)
            self._proceed(task, lambda: task.accept(pdu))
        elif isinstance(pdu, _NUMBERED) and not pdu.immediate:
            # Its CmdSN would be missing for ever: at error recovery level 0 only a new session helps (§7.1.4.1).
            self.hang_up()

    def _carry_out_waiting(self) -> None:
        while not self.is_closed and (due := self._order.take()) is not None:
            self._carry_out(*due)

    def _carry_out(self, pdu: Pdu, header: bytes) -> None:
        transition = self.TRANSITIONS.get((self.state, type(pdu)))
        if transition is not None:
            transition(self, pdu, header)
        elif self.state is State.LOGIN:
            tag, cmd_sn = int.from_bytes(header[16:20], "big"), int.from_bytes(header[24:28], "big")
            self._answer_login(self._login.refuse_foreign_pdu(tag, cmd_sn))
        else:
            self._reject(COMMAND_NOT_SUPPORTED if isinstance(pdu, p.UnknownPdu) else PROTOCOL_ERROR, header)

    def _established(self) -> Session:
        if self.session is None:  # pragma: no cover - the table admits no such PDU before the login is complete
            raise SimulatorBug("a request was taken outside of a session")
        return self.session

    # ---- numbering -----------------------------------------------------------------------------------------

    def _window(self) -> int:
        """How many numbers may be used ahead.

        Only numbered writes use the window up: each has moved ExpCmdSN on by one before it does, so that MaxCmdSN never
        goes back, as §4.2.2.1 wants it.
        """
        return COMMAND_WINDOW - sum(not task.command.immediate for task in self._writes.values())

    def _sequence(self) -> tuple[int, int, int]:
        """Return StatSN, ExpCmdSN and MaxCmdSN for a PDU that does not carry a status."""
        self._told_max_cmd_sn = self._order.last
        return self._stat_sn, self._order.expected, self._told_max_cmd_sn

    def _status_sequence(self) -> tuple[int, int, int]:
        """Return the same for a PDU that does, and count it."""
        sequence = self._sequence()
        self._stat_sn = (self._stat_sn + 1) & _SERIAL_MASK
        return sequence

    def _reject(self, reason: int, header: bytes) -> None:
        self._output.append(p.Reject(reason, *self._status_sequence(), data=header))

    # ---- login ---------------------------------------------------------------------------------------------

    def _on_login(self, pdu: p.LoginRequest, _header: bytes) -> None:
        self._cid = pdu.cid
        self._answer_login(self._login.receive(pdu))

    def _answer_login(self, step: LoginStep) -> None:
        response = step.response
        if step.agreement is not None:
            self.session = self._core.open_session(step.agreement, self, self._address)
            if self.session is None:
                refusal = replace(response, transit=False, next_stage=0, status=OUT_OF_RESOURCES, data=b"")
                self._output.append(refusal)
                self.hang_up()
                return
            self._parameters = step.agreement.parameters
            self._stat_sn, self._order.expected = self._login.next_stat_sn, response.exp_cmd_sn
            self.state = State.DISCOVERY if step.agreement.is_discovery else State.FULL_FEATURE
            _, _, max_cmd_sn = self._sequence()
            response = replace(response, tsih=self.session.info.tsih, max_cmd_sn=max_cmd_sn)
        self._output.append(response)
        if self._parameters.digests is not None:
            self._begin_digests(self._parameters.digests)
        if step.is_refused:
            self.hang_up()

    # ---- text ----------------------------------------------------------------------------------------------

    def _on_text(self, pdu: p.TextRequest, header: bytes) -> None:
        if self._text.is_contradictory(pdu):
            self._reject(INVALID_PDU_FIELD, header)
            return
        if pdu.target_transfer_tag == p.NO_TAG:
            # §11.10.4: the reserved tag starts over, whatever was negotiated before.
            self._text = TextExchange()
        if (pairs := self._text.take(pdu)) is not None:
            if self._text.is_repeated(pairs) or not self._may_be_asked(self._text.keys):
                self._end_text(header)
                return
            self._text.load(self._answer_text(pairs))
        limit = self._parameters.peer_data_segment_length
        response = self._text.response(pdu, limit, self._new_transfer_tag(), self._status_sequence())
        self._output.append(response)
        if response.final and self._text.data_segment_length is not None:
            self._parameters = replace(self._parameters, peer_data_segment_length=self._text.data_segment_length)

    def _may_be_asked(self, keys: set[str]) -> bool:
        """§4.3: in a discovery session the target "MUST ONLY accept text requests with the SendTargets key"."""
        return self.state is not State.DISCOVERY or "SendTargets" in keys

    def _end_text(self, header: bytes) -> None:
        """A negotiation that is rejected is over, and nothing of it counts (§7.12)."""
        self._text = TextExchange()
        self._reject(PROTOCOL_ERROR, header)

    def _answer_text(self, pairs: Pairs) -> Pairs:
        declared = [value for name, value in pairs if name == "MaxRecvDataSegmentLength"]
        others = [pair for pair in pairs if pair[0] != "MaxRecvDataSegmentLength"]
        answers = answer_text(self._core, self._established(), others)
        return answers + [answer for value in declared for answer in self._redeclare(value)]

    def _redeclare(self, value: str) -> Pairs:
        """§13.12: MaxRecvDataSegmentLength may be declared anew at any time."""
        length = combine(KEYS["MaxRecvDataSegmentLength"], value, value)
        if length is None:
            return [("MaxRecvDataSegmentLength", REJECT)]
        self._text.data_segment_length = int(length)
        return []

    # ---- nop, logout, task management ----------------------------------------------------------------------

    def _on_nop(self, pdu: p.NopOut, header: bytes) -> None:
        if pdu.target_transfer_tag != p.NO_TAG:
            if pdu.target_transfer_tag == self._ping_tag:
                self._ping_tag = p.NO_TAG
                return
            # It answers nothing that we asked.
            self._reject(INVALID_PDU_FIELD, header)
            return
        if pdu.initiator_task_tag == p.NO_TAG:
            return
        echo = pdu.data[: self._parameters.peer_data_segment_length]
        sequence = self._status_sequence()
        self._output.append(p.NopIn(bytes(8), pdu.initiator_task_tag, p.NO_TAG, *sequence, data=echo))

    def _on_logout(self, pdu: p.LogoutRequest, header: bytes) -> None:
        if self.state is State.DISCOVERY and pdu.reason == CLOSE_CONNECTION:
            # §4.3: there it may only be 'a Logout Request with the reason "close the session"'.
            self._reject(PROTOCOL_ERROR, header)
            return
        if pdu.reason not in {CLOSE_SESSION, CLOSE_CONNECTION}:
            is_recovery = pdu.reason == RECOVERY_NOT_SUPPORTED
            self._answer_logout(pdu, RECOVERY_NOT_SUPPORTED) if is_recovery else self._reject(INVALID_PDU_FIELD, header)
            return
        if pdu.reason == CLOSE_CONNECTION and pdu.cid != self._cid:
            self._answer_logout(pdu, CID_NOT_FOUND)
            return
        self._answer_logout(pdu, 0)
        self.hang_up()

    def _answer_logout(self, pdu: p.LogoutRequest, response: int) -> None:
        self._output.append(p.LogoutResponse(response, pdu.initiator_task_tag, *self._status_sequence()))

    def _on_task_management(self, pdu: p.TaskManagementRequest, _header: bytes) -> None:
        response = manage(pdu, self, self._established(), self._core)
        tag = pdu.initiator_task_tag
        self._output.append(p.TaskManagementResponse(response, tag, *self._status_sequence()))
        if pdu.function == TARGET_COLD_RESET:
            self.hang_up()
        elif pdu.immediate:
            self._carry_out_waiting()
            self._core.window_opened(self)

    def _abort(self, tag: int) -> None:
        del self._writes[tag]
        self._aborted.append(tag)

    # ---- commands ------------------------------------------------------------------------------------------

    def _on_command(self, pdu: p.ScsiCommand, header: bytes) -> None:
        is_bidirectional = pdu.reads and pdu.writes
        is_in_use = pdu.initiator_task_tag in self._writes or pdu.initiator_task_tag == p.NO_TAG
        if is_bidirectional or is_in_use or (not pdu.final and not pdu.writes):
            self._reject(INVALID_PDU_FIELD, header)
            return
        if header[_AHS_LENGTH]:
            # An extended CDB: no command that needs one is simulated.
            operation = already(Outcome(sense=INVALID_OPCODE.at_cdb_byte(0)))
        else:
            nexus = self._established().nexus
            operation = self._put_off(pdu) or device_server.begin(pdu.cdb, decode_lun(pdu.lun), nexus)
        if operation.is_exact and (pdu.expected_length if pdu.writes else 0) != operation.data_out_bytes:
            operation = already(Outcome(sense=INVALID_FIELD_IN_CDB))
        if not pdu.writes and operation.data_out_bytes == 0 and not pdu.data:
            self._conclude(pdu, device_server.finish(operation, b""), 0)
            return
        task = WriteTask(pdu, operation, self._parameters)
        self._writes[pdu.initiator_task_tag] = task
        self._proceed(task, task.start)

    def _put_off(self, command: p.ScsiCommand) -> Operation | None:
        fault = connection_faults.on_command(self._core.faults, command) if self._core.faults else None
        return None if fault is None else already(Outcome(put_off=connection_faults.STATUSES[fault.failure]))

    def _on_data_out(self, pdu: p.DataOut, header: bytes) -> None:
        task = self._writes.get(pdu.initiator_task_tag)
        if task is not None:
            self._proceed(task, lambda: task.accept(pdu))
        elif pdu.initiator_task_tag not in self._aborted:
            self._reject(INVALID_PDU_FIELD, header)

    def _proceed(self, task: WriteTask, step: Callable[[], None]) -> None:
        """Make one step of a transfer and do what is next: wait, solicit, or finish."""
        tag = task.command.initiator_task_tag
        try:
            step()
        except ScsiCheck as check:
            self._abort(tag)
            self._conclude(task.command, Outcome(sense=check.sense), task.operation.data_out_bytes)
            return
        if task.is_complete:
            del self._writes[tag]
            outcome = device_server.finish(task.operation, task.data())
            self._conclude(task.command, outcome, task.operation.data_out_bytes)
        elif not task.is_waiting:
            self._solicit(task)

    def _solicit(self, task: WriteTask) -> None:
        fault = connection_faults.on_transfer(self._core.faults, task.command) if self._core.faults else None
        if fault is None:
            self._ask(task)
        else:
            self._late.append(Late(fault.seconds, task))

    def _ask(self, task: WriteTask) -> None:
        transfer_tag, r2t_sn = self._new_transfer_tag(), task.r2t_sn
        offset, length = task.solicit(transfer_tag)
        command = task.command
        tags = (command.initiator_task_tag, transfer_tag)
        self._output.append(p.ReadyToTransfer(command.lun, *tags, *self._sequence(), r2t_sn, offset, length))

    def _new_transfer_tag(self) -> int:
        tag = self._next_transfer_tag
        self._next_transfer_tag = tag % 0x7FFFFFFF + 1
        return tag

    def _conclude(self, command: p.ScsiCommand, outcome: Outcome, data_out_bytes: int) -> None:
        """Send the data, the residual and the status of a command."""
        flags, residual = _residual(command, data_out_bytes, len(outcome.data_in))
        room = command.expected_length if command.reads else 0
        data = memoryview(outcome.data_in)[:room]
        if data and outcome.status == GOOD:
            self._send_data(command.initiator_task_tag, data, (flags, residual))
            return
        sense = outcome.sense.fixed() if outcome.sense else b""
        response = p.ScsiResponse(
            flags,
            0,
            outcome.status,
            command.initiator_task_tag,
            *self._status_sequence(),
            exp_data_sn=0,
            residual=residual,
            data=len(sense).to_bytes(2, "big") + sense if sense else b"",
        )
        self._output.append(response)

    def _send_data(self, tag: int, data: memoryview, residual: tuple[int, int]) -> None:
        """Send data; the last PDU carries the GOOD status (phase collapse, §11.7.3)."""
        limits = self._parameters.peer_data_segment_length, self._parameters.max_burst_length
        for piece in cut(data, *limits):
            _, exp_cmd_sn, max_cmd_sn = self._sequence()
            stat_sn = self._status_sequence()[0] if piece.is_last else 0
            flags, missing = residual if piece.is_last else (0, 0)
            sequence = (stat_sn, exp_cmd_sn, max_cmd_sn, piece.number, piece.offset, missing)
            bits = {"final": piece.ends_burst, "has_status": piece.is_last}
            self._output.append(p.DataIn(flags, 0, tag, *sequence, data=piece.data, **bits))

    # What a connection may be told in each state. Everything else is a violation.
    TRANSITIONS: ClassVar[dict[tuple[State, type[Pdu]], Callable[[TargetConnection, Any, bytes], None]]] = {
        (State.LOGIN, p.LoginRequest): _on_login,
        (State.DISCOVERY, p.TextRequest): _on_text,
        (State.DISCOVERY, p.LogoutRequest): _on_logout,
        (State.FULL_FEATURE, p.TextRequest): _on_text,
        (State.FULL_FEATURE, p.NopOut): _on_nop,
        (State.FULL_FEATURE, p.LogoutRequest): _on_logout,
        (State.FULL_FEATURE, p.ScsiCommand): _on_command,
        (State.FULL_FEATURE, p.DataOut): _on_data_out,
        (State.FULL_FEATURE, p.TaskManagementRequest): _on_task_management,
    }


def _residual(command: p.ScsiCommand, data_out_bytes: int, data_in_bytes: int) -> tuple[int, int]:
    """§11.4.5: how far the expected and the actual length differ, and in which direction.

    What goes the other way than the command said is not transferred, and counts for nothing.
    """
    expected = command.expected_length if command.reads or command.writes else 0
    actual = data_out_bytes if command.writes else data_in_bytes
    if expected == 0:
        actual = data_out_bytes or data_in_bytes
    if actual < expected:
        return p.UNDERFLOW, expected - actual
    if actual > expected:
        return p.OVERFLOW, actual - expected
    return 0, 0


_NUMBERED = (p.NopOut, p.ScsiCommand, p.TaskManagementRequest, p.TextRequest, p.LogoutRequest)
