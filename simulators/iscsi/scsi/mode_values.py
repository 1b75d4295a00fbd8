"""The mode pages of one unit: their values, and which of their bits MODE SELECT may change.

Caching (SBC-3 §6.4.5), control (SPC-4 §7.5.8), and for thin units logical block provisioning (SBC-3 §6.4.9).
"""

from __future__ import annotations

from dataclasses import dataclass

CACHING = (0x08, 0x00)
CONTROL = (0x0A, 0x00)
PROVISIONING = (0x1C, 0x02)

_WRITE_CACHE = 0x04
_SOFTWARE_WRITE_PROTECT = 0x08
_SINGLE_INITIATOR = 0x01
_THRESHOLD_ENABLED = 0x80


@dataclass(frozen=True, slots=True)
class Page:
    """Default values and changeable bits of a page, header included."""

    default: bytes
    changeable: bytes
    is_thin_only: bool = False


def _page(default: str, changeable: str, *, is_thin_only: bool = False) -> Page:
    return Page(bytes.fromhex(default), bytes.fromhex(changeable), is_thin_only)


# WCE: writes may be volatile until SYNCHRONIZE CACHE or FUA, so that initiators do send both.
# The one threshold is soft, armed by increasing use (first byte), of the used resource (second byte).
PAGES: dict[tuple[int, int], Page] = {
    CACHING: _page("081204" + 17 * "00", "081204" + 17 * "00"),
    CONTROL: _page("0a0a" + 10 * "00", "0a0a000008" + 7 * "00"),
    PROVISIONING: _page(
        "5c020014" + 12 * "00" + "1202000000000000",
        "5c020014" + "01" + 11 * "00" + "80000000ffffffff",
        is_thin_only=True,
    ),
}
_FIRST_DESCRIPTOR = 16
_DEFAULTS = {page: PAGES[page].default for page in PAGES}


class ModeValues:
    """The current values; what they mean is kept beside them, because every write asks."""

    def __init__(self) -> None:
        self._values = _DEFAULTS
        self.is_write_through = False
        self.is_write_protected = False
        self.threshold: int | None = None
        """Used threshold sets at which the soft threshold is reached, while it is enabled."""
        self.tells_one_initiator = False

    def current(self, page: tuple[int, int]) -> bytes:
        """Return a page as it stands."""
        return self._values[page]

    def change(self, page: tuple[int, int], value: bytes) -> bool:
        """Take new values, already checked; say whether anything changed."""
        if self._values[page] == value:
            return False
        self._values = {**self._values, page: value}
        self.is_write_through = not self._values[CACHING][2] & _WRITE_CACHE
        self.is_write_protected = bool(self._values[CONTROL][4] & _SOFTWARE_WRITE_PROTECT)
        provisioning = self._values[PROVISIONING]
        self.tells_one_initiator = bool(provisioning[4] & _SINGLE_INITIATOR)
        descriptor = provisioning[_FIRST_DESCRIPTOR:]
        self.threshold = int.from_bytes(descriptor[4:8], "big") if descriptor[0] & _THRESHOLD_ENABLED else None
        return True

    @property
    def are_default(self) -> bool:
        """Whether nobody has changed anything."""
        return self._values == _DEFAULTS
