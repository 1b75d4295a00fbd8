"""Our iSCSI initiator in the place of libiscsi, speaking libiscsi's error texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from simulators.iscsi.byte_stream import ByteStream
from simulators.iscsi.chap import ChapCredentials
from simulators.iscsi.errors import CheckCondition, InitiatorError, LoginRefused
from simulators.iscsi.initiator import Initiator, Session
from simulators.libvirt.login import ChapLogin, Login, TargetFault, TargetLogin, UnitSize

T = TypeVar("T")
Dial = Callable[[str, int], ByteStream]

_LOGIN_STATUS = {
    (2, 1): "Authentication failure(513)",
    (2, 2): "Authorization failure(514)",
    (2, 3): "Target not found(515)",
    (2, 4): "Target removed(516)",
}
_NO_SUCH_LUN = (0x25, 0x00)


def login_over(dial: Dial) -> Login:
    """A `Login` whose connections are opened by `dial`."""

    def login(target: TargetLogin) -> OpenSession:
        initiator = Initiator(target.initiator_iqn, dial)
        address = (target.address, target.port, target.target_iqn)
        return OpenSession(_worded(lambda: initiator.login(*address, _credentials(target.chap))))

    return login


class OpenSession:
    """A `TargetSession` of our initiator."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lun_numbers(self) -> Sequence[int]:
        """REPORT LUNS."""
        return _worded(self._session.report_luns)

    def unit_size(self, lun_number: int) -> UnitSize:
        """READ CAPACITY."""
        return UnitSize(*_worded(lambda: self._session.read_capacity(lun_number)))

    def close(self) -> None:
        """Log out if the target still listens; hang up in any case."""
        try:
            self._session.logout()
        except (InitiatorError, OSError):
            self._session.close()


def _credentials(chap: ChapLogin | None) -> ChapCredentials | None:
    return None if chap is None else ChapCredentials(chap.username, chap.secret)


def _worded(call: Callable[[], T]) -> T:
    try:
        return call()
    except LoginRefused as error:
        status = (error.status_class, error.status_detail)
        number = error.status_class * 256 + error.status_detail
        words = _LOGIN_STATUS.get(status, f"{error.text}({number})")
        raise TargetFault(f"Failed to log in to target. Status: {words}") from None
    except CheckCondition as error:
        words = str(error)
        if (error.asc, error.ascq) == _NO_SUCH_LUN:
            words = "SENSE KEY:ILLEGAL_REQUEST(5) ASCQ:LOGICAL_UNIT_NOT_SUPPORTED(0x2500)"
        raise TargetFault(words) from None
    except (InitiatorError, OSError) as error:
        raise TargetFault(f"iscsi_service: socket error {error}") from None
