"""What can go wrong, by whose fault: the peer's, our own, or an answer the protocol itself provides for."""

from __future__ import annotations


class ProtocolError(Exception):
    """The conversation cannot go on; the two subclasses say whose fault it is."""


class PeerViolation(ProtocolError):
    """The peer sent something that RFC 7143 forbids or that exceeds our limits."""


class SimulatorBug(ProtocolError):
    """We were asked, from inside, to do something that the protocol forbids."""


class InitiatorError(Exception):
    """Whatever a caller of the initiator may have to handle."""


class InvalidRequest(InitiatorError):
    """The caller asked for something that cannot be expressed in one piece, such as half a block."""


class ConnectionClosed(InitiatorError):
    """The target closed the connection, or nothing listens at its portal."""


class Timeout(InitiatorError):
    """The target did not answer in time."""


class LoginRefused(InitiatorError):
    """The target answered a login with a status class other than 0 (RFC 7143 §11.13.5)."""

    def __init__(self, status_class: int, status_detail: int, text: str = "") -> None:
        super().__init__(status_class, status_detail, text)
        self.status_class = status_class
        self.status_detail = status_detail
        self.text = text or LOGIN_STATUS_TEXT.get((status_class, status_detail), "unknown status")

    def __str__(self) -> str:
        return f"login refused with status 0x{self.status_class:02x}{self.status_detail:02x}: {self.text}"


class MutualAuthenticationFailed(InitiatorError):
    """The target did not prove that it knows the mutual CHAP secret."""


class CheckCondition(InitiatorError):
    """A SCSI command ended with CHECK CONDITION and this sense data."""

    def __init__(self, sense_key: int, asc: int, ascq: int) -> None:
        super().__init__(sense_key, asc, ascq)
        self.sense_key = sense_key
        self.asc = asc
        self.ascq = ascq

    def __str__(self) -> str:
        return f"CHECK CONDITION, sense key {self.sense_key:x}h, {self.asc:02X}/{self.ascq:02X}"


class UnexpectedStatus(InitiatorError):
    """A SCSI command ended with a status other than GOOD and CHECK CONDITION."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return f"SCSI status 0x{self.status:02x} where GOOD was expected"


class RequestRejected(InitiatorError):
    """The target answered with a Reject PDU (RFC 7143 §11.17) or a negative response."""

    def __init__(self, reason: int, text: str = "request") -> None:
        super().__init__(reason, text)
        self.reason = reason
        self.text = text

    def __str__(self) -> str:
        return f"the target rejected the {self.text} with reason 0x{self.reason:02x}"


LOGIN_STATUS_TEXT = {
    (0, 0): "success",
    (1, 1): "target moved temporarily",
    (1, 2): "target moved permanently",
    (2, 0): "initiator error",
    (2, 1): "authentication failure",
    (2, 2): "authorization failure",
    (2, 3): "target not found",
    (2, 4): "target removed",
    (2, 5): "unsupported version",
    (2, 6): "too many connections",
    (2, 7): "missing parameter",
    (2, 8): "cannot include in session",
    (2, 9): "session type not supported",
    (2, 10): "session does not exist",
    (2, 11): "invalid request during login",
    (3, 0): "target error",
    (3, 1): "service unavailable",
    (3, 2): "out of resources",
}
