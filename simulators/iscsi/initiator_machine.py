"""One connection of the initiator: requests and bytes in, bytes and events out.

Theory of operation. The login goes through these states, each of which waits for one login response:

    METHOD ─► ALGORITHM ─► PROOF ─► OPERATIONAL ─► READY ─► LOGGED_OUT
       └──────────────────────────────►                └► FAILED (from any state)

METHOD offers `None`, or `CHAP,None` with one-way credentials (as every common initiator does), or only `CHAP`
when the target must authenticate too: with `None` on offer, a target could evade the proof. Once READY,
commands may overlap; each is known by its task tag. Writes send immediate and unsolicited data as negotiated
and then answer each R2T. Numbered requests that the command window does not admit yet wait inside. The
machine never waits itself: whoever drives it moves bytes until the event comes that it is looking for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from simulators.iscsi import pdu as p
from simulators.iscsi.chap import MD5, SHA256, Challenge, ChapCredentials, choose_algorithm
from simulators.iscsi.codec import PduReader, encode
from simulators.iscsi.describe import describe
from simulators.iscsi.errors import PeerViolation, SimulatorBug
from simulators.iscsi.initiator_events import (
    CommandCompleted,
    LoggedOut,
    LoginCompleted,
    LoginWasRefused,
    Pinged,
    TargetAnnounced,
    TargetWasNotAuthenticated,
    TaskManaged,
    TextAnswered,
    WasRejected,
)
from simulators.iscsi.lun_address import encode_lun
from simulators.iscsi.negotiation import Offerer, OperationalSettings, Parameters
from simulators.iscsi.text import TextCollector, join_pairs
from simulators.kernel.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.initiator_events import Event
    from simulators.iscsi.pdu import InitiatorPdu, Pdu
    from simulators.iscsi.text import Pairs
    from simulators.kernel.transcript import Transcript

NumberedPdu: TypeAlias = p.NopOut | p.ScsiCommand | p.TextRequest | p.LogoutRequest

_SERIAL_MASK = 0xFFFFFFFF
_MAX_LOGIN_ROUNDS = 16
_OPERATIONAL = 1
_FULL_FEATURE = 3
_ALGORITHMS = f"{SHA256},{MD5}"


class State(Enum):
    """Where a connection stands."""

    METHOD = "waiting for AuthMethod"
    ALGORITHM = "waiting for the target's challenge"
    PROOF = "waiting for the end of the security stage"
    OPERATIONAL = "waiting for the end of the operational stage"
    READY = "full feature phase"
    LOGGED_OUT = "logged out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LoginPlan:
    """Who logs in where; no target name means discovery."""

    initiator_iqn: str
    isid: bytes
    target_iqn: str | None = None
    chap: ChapCredentials | None = None
    settings: OperationalSettings = field(default_factory=OperationalSettings)


@dataclass(slots=True)
class _Task:
    lun: bytes
    data_out: memoryview
    data_in_limit: int
    data_in: list[bytes] = field(default_factory=list)
    received: int = 0
    next_data_sn: int = 0


class InitiatorConnection:
    """One connection as the initiator sees it."""

    def __init__(self, plan: LoginPlan, entropy: Callable[[int], bytes], transcript: Transcript) -> None:
        self._plan = plan
        self._entropy = entropy
        self._transcript = transcript
        self.state = State.METHOD
        self.parameters = Parameters()
        self.tsih = 0
        self._reader = PduReader(plan.settings.max_recv_data_segment_length)
        self._offerer = Offerer(plan.settings, is_discovery=plan.target_iqn is None)
        self._output: list[InitiatorPdu] = []
        self._events: list[Event] = []
        self._waiting: deque[NumberedPdu] = deque()
        self._collector = TextCollector()
        self._rounds = 0
        self._auth_method = "None"
        self._algorithm: int | None = None
        self._our_challenge: Challenge | None = None
        self._tasks: dict[int, _Task] = {}
        self._next_tag = 1
        self._cmd_sn = 1
        self._max_cmd_sn = 1
        self._exp_stat_sn = 0

    # ---- the edge ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Send the first login request."""
        pairs = [("InitiatorName", self._plan.initiator_iqn)]
        if self._plan.target_iqn is None:
            pairs.append(("SessionType", "Discovery"))
        else:
            pairs += [("SessionType", "Normal"), ("TargetName", self._plan.target_iqn)]
        chap = self._plan.chap
        if chap is None:
            # RFC 7143 §6.3 lets it leave the security stage out, as libiscsi does. LIO hangs up without a status on who
            # offers AuthMethod=None where it wants CHAP; this it refuses with 0201.
            self.state = State.OPERATIONAL
            self._send_login([*pairs, *self._offerer.offers()], stage=_OPERATIONAL, transit=True)
        else:
            methods = "CHAP" if chap.is_mutual else "CHAP,None"
            self._send_login([*pairs, ("AuthMethod", methods)], stage=0, transit=False)

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes from the target and return what they mean."""
        self._reader.feed(data)
        while (pdu := self._reader.next_pdu()) is not None:
            self._transcript.record(Direction.RECEIVED, describe(pdu))
            self._take(pdu)
        events, self._events = self._events, []
        return events

    def take_output(self) -> bytes:
        """Return the bytes to send."""
        output, self._output = self._output, []
        for pdu in output:
            self._transcript.record(Direction.SENT, describe(pdu))
        return encode(output, self.parameters.digests)

    # ---- requests ------------------------------------------------------------------------------------------

    def command(self, lun_number: int, cdb: bytes, *, data_out: bytes = b"", data_in_limit: int = 0) -> int:
        """Begin a SCSI command and return its tag."""
        tag, lun = self._new_tag(), encode_lun(lun_number)
        task = _Task(lun, memoryview(data_out), data_in_limit)
        self._tasks[tag] = task
        immediate, unsolicited_end = self._unsolicited(len(data_out))
        pdu = p.ScsiCommand(
            lun,
            tag,
            len(data_out) or data_in_limit,
            cmd_sn=0,
            exp_stat_sn=0,
            cdb=cdb,
            reads=data_in_limit > 0,
            writes=len(data_out) > 0,
            final=unsolicited_end == immediate,
            data=task.data_out[:immediate],
        )
        self._enqueue(pdu)
        return tag

    def text(self, pairs: Pairs) -> int:
        """Begin a text request and return its tag."""
        tag = self._new_tag()
        request = p.TextRequest(bytes(8), tag, p.NO_TAG, 0, 0, data=join_pairs(pairs))
        self._enqueue(request)
        return tag

    def ping(self, data: bytes = b"") -> int:
        """Begin a NOP-Out and return its tag."""
        tag = self._new_tag()
        self._enqueue(p.NopOut(bytes(8), tag, p.NO_TAG, 0, 0, immediate=False, data=data))
        return tag

    def manage_task(self, function: int, lun_number: int, referenced_tag: int = p.NO_TAG) -> int:
        """Begin a task management function and return its tag; it is immediate, ahead of waiting commands."""
        tag = self._new_tag()
        lun = encode_lun(lun_number)
        request = p.TaskManagementRequest(function, lun, tag, referenced_tag, self._cmd_sn, self._exp_stat_sn, 0)
        self._send(request)
        return tag

    def logout(self) -> int:
        """Begin the end of the session."""
        tag = self._new_tag()
        self._enqueue(p.LogoutRequest(0, tag, 0, 0, 0))
        return tag

    def _new_tag(self) -> int:
        if self.state is not State.READY:
            raise SimulatorBug(f"a request needs a session, but the connection is {self.state.value}")
        tag = self._next_tag
        self._next_tag = tag % 0x7FFFFFFF + 1
        return tag

    # ---- numbering -----------------------------------------------------------------------------------------

    def _enqueue(self, pdu: NumberedPdu) -> None:
        self._waiting.append(pdu)
        self._send_waiting()

    def _send_waiting(self) -> None:
        """Send numbered requests while the window (§4.2.2.1) admits them."""
        while self._waiting and (self._max_cmd_sn - self._cmd_sn) & _SERIAL_MASK < 1 << 31:
            pdu = self._waiting.popleft()
            self._send(replace(pdu, cmd_sn=self._cmd_sn, exp_stat_sn=self._exp_stat_sn))
            self._cmd_sn = (self._cmd_sn + 1) & _SERIAL_MASK
            if isinstance(pdu, p.ScsiCommand) and not pdu.final:
                self._send_unsolicited(pdu)

    def _send(self, pdu: InitiatorPdu) -> None:
        self._output.append(pdu)

    def _unsolicited(self, length: int) -> tuple[int, int]:
        """Return how much of a write goes with the command, and how far unsolicited data reaches."""
        parameters = self.parameters
        first_burst = min(length, parameters.first_burst_length)
        immediate = min(first_burst, parameters.peer_data_segment_length) if parameters.immediate_data else 0
        return immediate, immediate if parameters.initial_r2t else first_burst

    def _send_unsolicited(self, command: p.ScsiCommand) -> None:
        _, end = self._unsolicited(command.expected_length)
        self._send_data(command.initiator_task_tag, p.NO_TAG, len(command.data), end)

    def _send_data(self, tag: int, transfer_tag: int, start: int, end: int) -> None:
        task, limit = self._tasks[tag], self.parameters.peer_data_segment_length
        for data_sn, offset in enumerate(range(start, end, limit)):
            chunk = task.data_out[offset : min(offset + limit, end)]
            is_final = offset + len(chunk) == end
            tags = (tag, transfer_tag)
            self._send(p.DataOut(task.lun, *tags, self._exp_stat_sn, data_sn, offset, data=chunk, final=is_final))

    # ---- login ---------------------------------------------------------------------------------------------

    def _send_login(self, pairs: Pairs, *, stage: int, transit: bool) -> None:
        self._rounds += 1
        if self._rounds > _MAX_LOGIN_ROUNDS:
            raise PeerViolation(f"the login has not ended after {_MAX_LOGIN_ROUNDS} rounds")
        next_stage = (_FULL_FEATURE if stage == _OPERATIONAL else _OPERATIONAL) if transit else 0
        stages = (stage, next_stage)
        numbers = (0, self._cmd_sn, self._exp_stat_sn)
        self._send(
            p.LoginRequest(*stages, 0, 0, self._plan.isid, 0, 0, *numbers, data=join_pairs(pairs), transit=transit)
        )

    def _on_login(self, pdu: p.LoginResponse) -> None:
        self._exp_stat_sn = (pdu.stat_sn + 1) & _SERIAL_MASK
        self._max_cmd_sn = pdu.max_cmd_sn
        if pdu.status != (0, 0):
            self._fail(LoginWasRefused(pdu.status))
            return
        self._collector.add(bytes(pdu.data))
        if pdu.continues:
            self._send_login([], stage=pdu.current_stage, transit=False)
            return
        pairs = self._collector.take()
        keys = dict(pairs)
        match self.state:
            case State.METHOD:
                self._on_method(keys, pdu)
            case State.ALGORITHM:
                self._on_challenge(keys)
            case State.PROOF:
                self._on_proof(keys, pdu)
            case _:
                self._on_operational(pairs, pdu)

    def _on_method(self, keys: dict[str, str], pdu: p.LoginResponse) -> None:
        method, chap = keys.get("AuthMethod", "None"), self._plan.chap
        if method == "CHAP" and chap is not None:
            self._auth_method, self.state = "CHAP", State.ALGORITHM
            self._send_login([("CHAP_A", _ALGORITHMS)], stage=0, transit=False)
        elif method != "None":
            raise PeerViolation(f"the target chose the authentication method {method[:40]}, which was not offered")
        elif chap is not None and chap.is_mutual:
            self._fail(TargetWasNotAuthenticated())
        else:
            self._leave_security(pdu)

    def _on_challenge(self, keys: dict[str, str]) -> None:
        algorithm, chap = choose_algorithm(keys.get("CHAP_A", "")), self._plan.chap
        if algorithm is None or chap is None or not {"CHAP_I", "CHAP_C"} <= set(keys):
            raise PeerViolation("the target's challenge lacks CHAP_A, CHAP_I or CHAP_C")
        challenge = Challenge.parse(algorithm, keys["CHAP_I"], keys["CHAP_C"])
        self._algorithm, self.state = algorithm, State.PROOF
        answer = [("CHAP_N", chap.username), ("CHAP_R", challenge.response(chap.secret))]
        if chap.is_mutual:
            ours = Challenge.draw(algorithm, self._entropy)
            self._our_challenge = ours
            answer += [("CHAP_I", str(ours.identifier)), ("CHAP_C", "0x" + ours.value.hex())]
        self._send_login(answer, stage=0, transit=True)

    def _on_proof(self, keys: dict[str, str], pdu: p.LoginResponse) -> None:
        chap = self._plan.chap
        if chap is not None and self._our_challenge is not None and not _proves(keys, chap, self._our_challenge):
            self._fail(TargetWasNotAuthenticated())
            return
        self._our_challenge = None
        self._leave_security(pdu)

    def _leave_security(self, pdu: p.LoginResponse) -> None:
        if not pdu.transit:
            self.state = State.PROOF
            self._send_login([], stage=0, transit=True)
            return
        if pdu.next_stage != _OPERATIONAL:
            raise PeerViolation(f"the target went on to stage {pdu.next_stage}, which was not proposed")
        self.state = State.OPERATIONAL
        self._send_login(self._offerer.offers(), stage=_OPERATIONAL, transit=True)

    def _on_operational(self, pairs: Pairs, pdu: p.LoginResponse) -> None:
        for name, value in pairs:
            self._offerer.accept(name, value)
        if not pdu.transit:
            self._send_login([], stage=_OPERATIONAL, transit=True)
            return
        if pdu.next_stage != _FULL_FEATURE or pdu.tsih == 0:
            raise PeerViolation("the target ended the login without a session handle")
        self.parameters, self.tsih, self.state = self._offerer.parameters(), pdu.tsih, State.READY
        self._reader.digests = self.parameters.digests
        self._events.append(LoginCompleted(pdu.tsih, self._auth_method, self._algorithm))

    def _fail(self, event: Event) -> None:
        self.state = State.FAILED
        self._events.append(event)

    # ---- full feature phase --------------------------------------------------------------------------------

    def _take(self, pdu: Pdu) -> None:
        reaction = self.REACTIONS.get((_PHASES[self.state], type(pdu)))
        if reaction is None:
            raise PeerViolation(f"the target sent {type(pdu).__name__} to an initiator that is {self.state.value}")
        reaction(self, pdu)
        if self.state is State.READY and not isinstance(pdu, p.LoginResponse):
            self._count(pdu)
            self._send_waiting()

    def _count(self, pdu: Any) -> None:
        if not isinstance(pdu, p.ReadyToTransfer) and not (isinstance(pdu, p.DataIn) and not pdu.has_status):
            self._exp_stat_sn = (pdu.stat_sn + 1) & _SERIAL_MASK
        if 0 < (pdu.max_cmd_sn - self._max_cmd_sn) & _SERIAL_MASK < 1 << 31:
            self._max_cmd_sn = pdu.max_cmd_sn

    def _task(self, tag: int) -> _Task:
        task = self._tasks.get(tag)
        if task is None:
            raise PeerViolation(f"the target answered task {tag:x}, which does not exist")
        return task

    def _on_data_in(self, pdu: p.DataIn) -> None:
        tag = pdu.initiator_task_tag
        task = self._task(tag)
        if pdu.data_sn != task.next_data_sn or pdu.buffer_offset != task.received:
            raise PeerViolation(f"Data-In {pdu.data_sn} for offset {pdu.buffer_offset} came out of order")
        task.next_data_sn += 1
        task.received += len(pdu.data)
        if task.received > task.data_in_limit:
            raise PeerViolation(f"the target sent more than the {task.data_in_limit} bytes that were expected")
        task.data_in.append(bytes(pdu.data))
        if pdu.has_status:
            self._complete(tag, pdu.status, b"", (pdu.residual_flags, pdu.residual), 0)

    def _on_scsi_response(self, pdu: p.ScsiResponse) -> None:
        sense_length = int.from_bytes(bytes(pdu.data[:2]), "big")
        sense = bytes(pdu.data[2 : 2 + sense_length])
        residual = (pdu.residual_flags, pdu.residual)
        self._complete(pdu.initiator_task_tag, pdu.status, sense, residual, pdu.response)

    def _complete(self, tag: int, status: int, sense: bytes, residual: tuple[int, int], response: int) -> None:
        task = self._task(tag)
        del self._tasks[tag]
        data = task.data_in[0] if len(task.data_in) == 1 else b"".join(task.data_in)
        self._events.append(CommandCompleted(tag, status, data, sense, *residual, response))

    def _on_r2t(self, pdu: p.ReadyToTransfer) -> None:
        task = self._task(pdu.initiator_task_tag)
        end = pdu.buffer_offset + pdu.desired_length
        if end > len(task.data_out) or not 0 < pdu.desired_length <= self.parameters.max_burst_length:
            raise PeerViolation(f"R2T asks for {pdu.buffer_offset}+{pdu.desired_length}, outside of what was agreed")
        self._send_data(pdu.initiator_task_tag, pdu.target_transfer_tag, pdu.buffer_offset, end)

    def _on_text(self, pdu: p.TextResponse) -> None:
        self._collector.add(bytes(pdu.data))
        if pdu.final:
            self._events.append(TextAnswered(pdu.initiator_task_tag, self._collector.take()))
            return
        tags = (pdu.initiator_task_tag, pdu.target_transfer_tag)
        self._enqueue(p.TextRequest(bytes(8), *tags, 0, 0))

    def _on_nop_in(self, pdu: p.NopIn) -> None:
        if pdu.initiator_task_tag != p.NO_TAG:
            self._events.append(Pinged(pdu.initiator_task_tag, bytes(pdu.data)))
        if pdu.target_transfer_tag != p.NO_TAG:
            answer = p.NopOut(pdu.lun, p.NO_TAG, pdu.target_transfer_tag, self._cmd_sn, pdu.stat_sn, immediate=True)
            self._send(answer)

    def _on_task_management(self, pdu: p.TaskManagementResponse) -> None:
        self._events.append(TaskManaged(pdu.initiator_task_tag, pdu.response))

    def _on_logout(self, pdu: p.LogoutResponse) -> None:
        self.state = State.LOGGED_OUT
        self._events.append(LoggedOut(pdu.initiator_task_tag, pdu.response))

    def _on_reject(self, pdu: p.Reject) -> None:
        quoted = bytes(pdu.data)
        tag = int.from_bytes(quoted[16:20], "big") if len(quoted) >= p.BHS_BYTES else p.NO_TAG
        self._tasks.pop(tag, None)
        self._events.append(WasRejected(tag, pdu.reason))

    def _on_async_message(self, pdu: p.AsyncMessage) -> None:
        self._events.append(TargetAnnounced(pdu.event))

    # What a target may say in each phase. Everything else is a violation.
    REACTIONS: ClassVar[dict[tuple[str, type[Pdu]], Callable[[InitiatorConnection, Any], None]]] = {
        ("login", p.LoginResponse): _on_login,
        ("ready", p.DataIn): _on_data_in,
        ("ready", p.ScsiResponse): _on_scsi_response,
        ("ready", p.ReadyToTransfer): _on_r2t,
        ("ready", p.TextResponse): _on_text,
        ("ready", p.NopIn): _on_nop_in,
        ("ready", p.TaskManagementResponse): _on_task_management,
        ("ready", p.LogoutResponse): _on_logout,
        ("ready", p.Reject): _on_reject,
        ("ready", p.AsyncMessage): _on_async_message,
    }


_PHASES = {
    State.METHOD: "login",
    State.ALGORITHM: "login",
    State.PROOF: "login",
    State.OPERATIONAL: "login",
    State.READY: "ready",
    State.LOGGED_OUT: "over",
    State.FAILED: "over",
}


def _proves(keys: dict[str, str], chap: ChapCredentials, ours: Challenge) -> bool:
    """Say whether the target's name and response are those of the mutual secret."""
    if chap.mutual_secret is None or not {"CHAP_N", "CHAP_R"} <= set(keys):
        return False
    is_named = chap.mutual_username in {None, keys["CHAP_N"]}
    return ours.is_answered_by(keys["CHAP_R"], chap.mutual_secret) and is_named
