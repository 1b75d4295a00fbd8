"""Why a login ends early: status class and detail (RFC 7143 §11.13.5)."""

from __future__ import annotations

INITIATOR_ERROR = (2, 0)
AUTHENTICATION_FAILURE = (2, 1)
AUTHORIZATION_FAILURE = (2, 2)
TARGET_NOT_FOUND = (2, 3)
UNSUPPORTED_VERSION = (2, 5)
TOO_MANY_CONNECTIONS = (2, 6)
MISSING_PARAMETER = (2, 7)
SESSION_TYPE_NOT_SUPPORTED = (2, 9)
SESSION_DOES_NOT_EXIST = (2, 10)
INVALID_DURING_LOGIN = (2, 11)
SERVICE_UNAVAILABLE = (3, 1)
OUT_OF_RESOURCES = (3, 2)


class Refused(Exception):
    """The login ends here with this status."""

    def __init__(self, status: tuple[int, int]) -> None:
        super().__init__(status)
        self.status = status
