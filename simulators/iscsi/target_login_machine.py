"""The target's side of the login phase (RFC 7143 §6.3, §12).

Theory of operation. A login is a dialogue of login requests and responses in up to two stages:

    SECURITY (0) ──► OPERATIONAL (1) ──► full feature phase (3)
        └────────────────────────────────►

The initiator proposes to go on with the T bit; we answer T only when the current stage is settled. The first
request names the initiator, the session type and the target, and the fabric is asked at once whether they may
meet. Inside the security stage CHAP has steps of its own (`security_stage`). Each request is one
event; the result is one response and, at the end, either an `Agreement` or a refusal whose status says why. A
refused login has no way back: the connection closes.

Texts longer than one PDU come with the C bit: pieces are collected, each answered by an empty response, and
only the last one is looked at. Our own answer is cut the same way when it is longer than 8192 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.iscsi.backend import Admission, AdmissionVerdict, DiscoveryGuard
from simulators.iscsi.errors import PeerViolation
from simulators.iscsi.login_status import (
    AUTHENTICATION_FAILURE,
    AUTHORIZATION_FAILURE,
    INITIATOR_ERROR,
    INVALID_DURING_LOGIN,
    MISSING_PARAMETER,
    SESSION_DOES_NOT_EXIST,
    SESSION_TYPE_NOT_SUPPORTED,
    TARGET_NOT_FOUND,
    TOO_MANY_CONNECTIONS,
    UNSUPPORTED_VERSION,
    Refused,
)
from simulators.iscsi.negotiation import DEFAULT_DATA_SEGMENT, KEYS, NOT_UNDERSTOOD, REJECT, Responder
from simulators.iscsi.pdu import LoginRequest, LoginResponse
from simulators.iscsi.security_stage import SECURITY_KEYS, SecurityStage
from simulators.iscsi.text import TextCollector, TextFeeder, join_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.backend import ChapAccount, Fabric
    from simulators.iscsi.negotiation import OperationalSettings, Parameters
    from simulators.iscsi.text import Pairs

SECURITY = 0
OPERATIONAL = 1
FULL_FEATURE = 3

_NAME_LIMIT = 223
_NAME_FORMATS = ("iqn.", "eui.", "naa.")
_IDENTIFYING_KEYS = frozenset({"InitiatorName", "InitiatorAlias", "TargetName", "SessionType"})


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a completed login has established."""

    initiator_iqn: str
    target_iqn: str
    isid: bytes
    parameters: Parameters
    fabric_revision: int
    chap_username: str | None = None
    chap_algorithm: int | None = None
    is_mutual: bool = False

    @property
    def is_discovery(self) -> bool:
        """Whether the session is for SendTargets only."""
        return not self.target_iqn


@dataclass(frozen=True, slots=True)
class LoginStep:
    """One response, and what it ended in, if it ended anything."""

    response: LoginResponse
    agreement: Agreement | None = None
    is_refused: bool = False


class TargetLogin:
    """One login. `receive` takes a request and returns the step to make."""

    def __init__(
        self,
        fabric: Fabric,
        settings: OperationalSettings,
        entropy: Callable[[int], bytes],
        known_sessions: Callable[[str, bytes, int], bool],
        portal_group_tag: int = 1,
    ) -> None:
        self._fabric = fabric
        self._settings = settings
        self._entropy = entropy
        self._is_known = known_sessions
        self._portal_group_tag = portal_group_tag
        self._stage: int | None = None
        self._tag = 0
        self._security = SecurityStage(self._accounts, entropy, is_required=False)
        self._seen: set[str] = set()
        self._collector = TextCollector()
        self._feeder = TextFeeder()
        self._wants_transit = False
        self._is_new = True
        self._stat_sn = 0
        self._identity: dict[str, str] = {}
        self._initiator_iqn = ""
        self._target_iqn = ""
        self._admission = Admission(AdmissionVerdict.ALLOWED)
        self._revision = fabric.revision
        self._responder = Responder(settings)

    def receive(self, request: LoginRequest) -> LoginStep:
        """Take the next request of this login."""
        if self._is_new:
            # §11.12.8: the first request says which StatSN the initiator wants to see next.
            self._is_new, self._stat_sn = False, request.exp_stat_sn
        try:
            return self._advance(request)
        except Refused as refusal:
            return self._refuse(request, refusal.status)
        except PeerViolation:
            return self._refuse(request, INITIATOR_ERROR)

    def refuse(self, request: LoginRequest, status: tuple[int, int]) -> LoginStep:
        """End the login with this status, whatever was asked."""
        return self._refuse(request, status)

    def refuse_foreign_pdu(self, initiator_task_tag: int, cmd_sn: int) -> LoginStep:
        """Answer a PDU that has no place in a login (status 020B)."""
        request = LoginRequest(
            transit=False,
            continues=False,
            current_stage=self._stage or 0,
            next_stage=0,
            version_max=0,
            version_min=0,
            isid=bytes(6),
            tsih=0,
            initiator_task_tag=initiator_task_tag,
            cid=0,
            cmd_sn=cmd_sn,
            exp_stat_sn=0,
        )
        return self._refuse(request, INVALID_DURING_LOGIN)

    @property
    def next_stat_sn(self) -> int:
        """The StatSN that the full feature phase starts with."""
        return self._stat_sn

    # ---- the frame of a request ----------------------------------------------------------------------------

    def _advance(self, request: LoginRequest) -> LoginStep:
        self._check_frame(request)
        self._collector.add(bytes(request.data))
        if request.continues:
            return self._respond(request, b"", transit=False)
        pairs = self._collector.take()
        if self._feeder.has_more:
            if pairs:
                raise Refused(INITIATOR_ERROR)
            self._wants_transit = request.transit
            return self._respond_with_rest(request)
        is_first = self._stage is None
        self._check_repeated(pairs)
        self._stage, self._wants_transit = request.current_stage, request.transit
        if is_first:
            self._identify(request, pairs)
        answers = self._answer(pairs, is_first=is_first)
        self._feeder.load(join_pairs(answers))
        return self._respond_with_rest(request)

    def _check_frame(self, request: LoginRequest) -> None:
        if request.version_min > 0:
            raise Refused(UNSUPPORTED_VERSION)
        if request.current_stage not in {SECURITY, OPERATIONAL}:
            raise Refused(INITIATOR_ERROR)
        # §11.12.2: "C=1 ... the T bit MUST be set to 0".
        if request.transit and (request.continues or request.next_stage not in {OPERATIONAL, FULL_FEATURE}):
            raise Refused(INITIATOR_ERROR)
        if request.transit and request.next_stage <= request.current_stage:
            raise Refused(INITIATOR_ERROR)
        if self._stage is None:
            self._tag = request.initiator_task_tag
            return
        # §11.12.9: one task tag for all requests of a login; only a T bit that we answered changes the stage.
        if request.current_stage == OPERATIONAL and not self._security.is_settled:
            raise Refused(AUTHENTICATION_FAILURE)
        if request.current_stage != self._stage or request.initiator_task_tag != self._tag:
            raise Refused(INITIATOR_ERROR)

    def _check_repeated(self, pairs: Pairs) -> None:
        """§6.3: a key is negotiated once per stage; sending it again is the initiator's error."""
        for name, _ in pairs:
            if name in self._seen:
                raise Refused(INITIATOR_ERROR)
            self._seen.add(name)

    # ---- who is there --------------------------------------------------------------------------------------

    def _identify(self, request: LoginRequest, pairs: Pairs) -> None:
        keys = dict(pairs)
        self._identity = {name: value for name, value in pairs if name in _IDENTIFYING_KEYS}
        session_type = keys.get("SessionType", "Normal")
        if session_type not in {"Normal", "Discovery"}:
            raise Refused(SESSION_TYPE_NOT_SUPPORTED)
        is_discovery = session_type == "Discovery"
        self._initiator_iqn = _name_in(keys, "InitiatorName")
        self._check_session_id(request)
        self._revision = self._fabric.revision
        if is_discovery:
            self._admission = Admission(AdmissionVerdict.ALLOWED, self._discovery_accounts())
        else:
            self._target_iqn = _name_in(keys, "TargetName")
            self._admission = self._admit()
        is_required = bool(self._admission.chap)
        self._security = SecurityStage(self._accounts, self._entropy, is_required=is_required)
        if request.current_stage == OPERATIONAL:
            self._security.skip()

    def _check_session_id(self, request: LoginRequest) -> None:
        if request.tsih == 0:
            return
        # One connection per session: a second one for a session that exists is one too many, and one that is to take
        # the place of the first (connection reinstatement, §6.3.4) is not simulated.
        exists = self._is_known(self._initiator_iqn, request.isid, request.tsih)
        raise Refused(TOO_MANY_CONNECTIONS if exists else SESSION_DOES_NOT_EXIST)

    def _discovery_accounts(self) -> tuple[ChapAccount, ...]:
        fabric = self._fabric
        return fabric.discovery_accounts(self._initiator_iqn) if isinstance(fabric, DiscoveryGuard) else ()

    def _admit(self) -> Admission:
        admission = self._fabric.admit(self._initiator_iqn, self._target_iqn)
        if admission.verdict is AdmissionVerdict.NOT_FOUND:
            raise Refused(TARGET_NOT_FOUND)
        if admission.verdict is AdmissionVerdict.FORBIDDEN:
            raise Refused(AUTHORIZATION_FAILURE)
        return admission

    # ---- the answers ---------------------------------------------------------------------------------------

    def _answer(self, pairs: Pairs, *, is_first: bool) -> Pairs:
        answers: Pairs = []
        if is_first and self._target_iqn:
            # §13.9: the first response of a leading login "MUST return" the tag of the portal group.
            answers.append(("TargetPortalGroupTag", str(self._portal_group_tag)))
        others = [pair for pair in pairs if pair[0] not in _IDENTIFYING_KEYS]
        # libiscsi introduces itself again in the operational stage: harmless, as long as it says the same.
        if any(self._identity.get(name, value) != value for name, value in pairs):
            raise Refused(INITIATOR_ERROR)
        if self._stage == OPERATIONAL:
            return answers + self._answer_operational(others)
        return answers + self._answer_security(others)

    def _answer_operational(self, pairs: Pairs) -> Pairs:
        # Who says here that it wants no authentication, which it does not have to have, is not understood, and let in.
        if any(name in SECURITY_KEYS and name != "AuthMethod" for name, _ in pairs):
            raise Refused(INITIATOR_ERROR)
        return self._responder.answer_all(pairs)

    def _answer_security(self, pairs: Pairs) -> Pairs:
        security = {name: value for name, value in pairs if name in SECURITY_KEYS}
        answers = [answer for name, value in pairs if name not in security for answer in self._side_key(name, value)]
        return answers + self._security.answer(security, is_leaving=self._wants_transit)

    def _side_key(self, name: str, value: str) -> Pairs:
        if name == "MaxRecvDataSegmentLength":
            return [] if self._responder.declare(value) else [(name, REJECT)]
        if name in KEYS:
            raise Refused(INITIATOR_ERROR)
        return [(name, NOT_UNDERSTOOD)]

    def _accounts(self) -> tuple[ChapAccount, ...]:
        """Return the accounts that may answer; in discovery, those of all targets it would list."""
        if self._target_iqn or self._admission.chap:
            return self._admission.chap
        targets = self._fabric.discover(self._initiator_iqn)
        return tuple(account for iqn in targets for account in self._fabric.admit(self._initiator_iqn, iqn).chap)

    # ---- the response --------------------------------------------------------------------------------------

    def _respond_with_rest(self, request: LoginRequest) -> LoginStep:
        piece = self._feeder.take(DEFAULT_DATA_SEGMENT)
        may_transit = self._wants_transit and self._security.is_settled and not self._feeder.has_more
        return self._respond(request, piece, transit=may_transit)

    def _respond(self, request: LoginRequest, text: bytes, *, transit: bool) -> LoginStep:
        is_done = transit and request.next_stage == FULL_FEATURE
        if transit and request.next_stage == OPERATIONAL:
            self._stage = OPERATIONAL
            self._seen.clear()
        next_stage = request.next_stage if transit else 0
        response = self._response(request, text, transit=transit, next_stage=next_stage)
        return LoginStep(response, self._agreement(request) if is_done else None)

    def _response(
        self,
        request: LoginRequest,
        text: bytes,
        *,
        transit: bool,
        next_stage: int,
        status: tuple[int, int] = (0, 0),
    ) -> LoginResponse:
        stat_sn = self._stat_sn
        self._stat_sn = (stat_sn + 1) & 0xFFFFFFFF
        return LoginResponse(
            transit=transit,
            continues=self._feeder.has_more and status == (0, 0),
            current_stage=request.current_stage,
            next_stage=next_stage,
            isid=request.isid,
            tsih=request.tsih,
            initiator_task_tag=request.initiator_task_tag,
            stat_sn=stat_sn,
            exp_cmd_sn=request.cmd_sn,
            max_cmd_sn=request.cmd_sn,
            status=status,
            data=text,
        )

    def _refuse(self, request: LoginRequest, status: tuple[int, int]) -> LoginStep:
        response = self._response(request, b"", transit=False, next_stage=0, status=status)
        return LoginStep(response, is_refused=True)

    def _agreement(self, request: LoginRequest) -> Agreement:
        return Agreement(
            initiator_iqn=self._initiator_iqn,
            target_iqn=self._target_iqn,
            isid=request.isid,
            parameters=self._responder.parameters(),
            fabric_revision=self._revision,
            chap_username=self._security.username,
            chap_algorithm=self._security.algorithm,
            is_mutual=self._security.is_mutual,
        )


def _name_in(keys: dict[str, str], name: str) -> str:
    value = keys.get(name)
    if value is None:
        raise Refused(MISSING_PARAMETER)
    if len(value.encode()) > _NAME_LIMIT or not value.startswith(_NAME_FORMATS):
        raise Refused(INITIATOR_ERROR)
    return value
