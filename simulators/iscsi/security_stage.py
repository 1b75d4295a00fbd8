"""The security stage of a login, seen by the target (RFC 7143 §12.1.3).

    METHOD ─► ALGORITHM ─► RESPONSE ─► SETTLED
       └──────────────────────────────────►  (None offered, none required)

Each step takes the keys of one request. Any key out of place ends the login.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from simulators.iscsi.chap import Challenge, choose_algorithm, decode_binary, find_account
from simulators.iscsi.login_status import AUTHENTICATION_FAILURE, INITIATOR_ERROR, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.backend import ChapAccount
    from simulators.iscsi.text import Pairs

SECURITY_KEYS = frozenset({"AuthMethod", "CHAP_A", "CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C"})


class ChapStep(Enum):
    """Where the security stage stands."""

    METHOD = "waiting for AuthMethod"
    ALGORITHM = "waiting for CHAP_A"
    RESPONSE = "waiting for CHAP_N and CHAP_R"
    SETTLED = "authenticated, or no authentication required"


class SecurityStage:
    """Who the initiator is, as far as it has proved it."""

    def __init__(
        self,
        accounts: Callable[[], tuple[ChapAccount, ...]],
        entropy: Callable[[int], bytes],
        *,
        is_required: bool,
    ) -> None:
        self._accounts = accounts
        self._entropy = entropy
        self._is_required = is_required
        self._is_leaving = False
        self._step = ChapStep.METHOD
        self._challenge: Challenge | None = None
        self._account: ChapAccount | None = None
        self.is_mutual = False

    @property
    def is_settled(self) -> bool:
        """Whether the login may go on."""
        return self._step is ChapStep.SETTLED

    @property
    def username(self) -> str | None:
        """The name that was authenticated, if CHAP was used."""
        return self._account.username if self._account else None

    @property
    def algorithm(self) -> int | None:
        """What it was authenticated with."""
        return self._challenge.algorithm if self._account and self._challenge else None

    def skip(self) -> None:
        """Do without, where nothing is required."""
        if self._is_required:
            raise Refused(AUTHENTICATION_FAILURE)
        self._step = ChapStep.SETTLED

    def answer(self, keys: dict[str, str], *, is_leaving: bool) -> Pairs:
        """Take the security keys of one request; `is_leaving` is its T bit."""
        self._is_leaving = is_leaving
        if self._step is ChapStep.METHOD:
            return self._choose_method(keys)
        if self._step is ChapStep.SETTLED:
            if keys:
                raise Refused(INITIATOR_ERROR)
            return []
        if self._challenge is None:
            return self._send_challenge(keys)
        return self._verify(keys, self._challenge)

    def _choose_method(self, keys: dict[str, str]) -> Pairs:
        offered = keys.pop("AuthMethod", None)
        if keys:
            raise Refused(INITIATOR_ERROR)
        if offered is None:
            if self._is_leaving:
                self.skip()
            return []
        methods = offered.split(",")
        if not self._is_required and "None" in methods:
            self._step = ChapStep.SETTLED
            return [("AuthMethod", "None")]
        if "CHAP" not in methods or not self._accounts():
            raise Refused(AUTHENTICATION_FAILURE)
        self._step = ChapStep.ALGORITHM
        return [("AuthMethod", "CHAP")]

    def _send_challenge(self, keys: dict[str, str]) -> Pairs:
        algorithm = choose_algorithm(keys.get("CHAP_A", ""))
        if set(keys) != {"CHAP_A"}:
            raise Refused(INITIATOR_ERROR)
        if algorithm is None:
            raise Refused(AUTHENTICATION_FAILURE)
        self._challenge = Challenge.draw(algorithm, self._entropy)
        self._step = ChapStep.RESPONSE
        return [
            ("CHAP_A", str(algorithm)),
            ("CHAP_I", str(self._challenge.identifier)),
            ("CHAP_C", "0x" + self._challenge.value.hex()),
        ]

    def _verify(self, keys: dict[str, str], challenge: Challenge) -> Pairs:
        if not {"CHAP_N", "CHAP_R"} <= set(keys) <= {"CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C"}:
            raise Refused(INITIATOR_ERROR)
        account = find_account(self._accounts(), challenge, keys["CHAP_N"], keys["CHAP_R"])
        if account is None:
            raise Refused(AUTHENTICATION_FAILURE)
        self._account, self._step = account, ChapStep.SETTLED
        if "CHAP_I" in keys or "CHAP_C" in keys:
            return self._prove(account, challenge, keys)
        return []

    def _prove(self, account: ChapAccount, ours: Challenge, keys: dict[str, str]) -> Pairs:
        """Answer the initiator's challenge (mutual CHAP)."""
        if not {"CHAP_I", "CHAP_C"} <= set(keys):
            raise Refused(INITIATOR_ERROR)
        # §9.2.1: a reflected challenge "MUST" end the login, or the initiator could let us answer for it.
        is_reflected = decode_binary(keys["CHAP_C"]) == ours.value
        if is_reflected or account.mutual_secret is None or account.mutual_username is None:
            raise Refused(AUTHENTICATION_FAILURE)
        theirs = Challenge.parse(ours.algorithm, keys["CHAP_I"], keys["CHAP_C"])
        self.is_mutual = True
        return [("CHAP_N", account.mutual_username), ("CHAP_R", theirs.response(account.mutual_secret))]
