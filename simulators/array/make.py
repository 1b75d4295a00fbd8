"""What sets one make of array apart from another below its management API, as values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from simulators.array.ids import IdForm

if TYPE_CHECKING:
    from simulators.array.admission import Addressing
    from simulators.array.model import ArrayModel


PLAIN_NUMBERS: Final = IdForm()


@dataclass(frozen=True, slots=True)
class Make:
    """How objects are called, how hosts find LUNs, and what becomes of what is deleted.

    `volume_name_rule` is `volume_names` in words. `target`, `naa` and `eui` are formats: of the array's `unique_id`, of
    its ASCII codes as `unique_hex`, and of a volume's `name` in lower case and its `number`. `owner` is the name of the
    account that all volumes belong to, on arrays whose API knows no accounts. Deleted volumes are kept for `kept_for`;
    zero is not at all.
    """

    vendor: str
    product: str
    firmware: str
    target: str
    naa: str
    eui: str | None
    volume_names: re.Pattern[str]
    volume_name_rule: str
    addressing: Callable[[ArrayModel], Addressing]
    volume_ids: IdForm = PLAIN_NUMBERS
    snapshot_ids: IdForm = PLAIN_NUMBERS
    kept_for: timedelta = timedelta(hours=8)
    owner: str = ""
    has_unique_names: bool = False
    promises_more_than_it_has: bool = False

    def target_of(self, unique_id: str, name: str, number: int) -> str:
        """The target of a volume; in lower case, because names are compared after folding (RFC 3722)."""
        return self._filled(self.target, unique_id, number, name.lower())

    def naa_of(self, unique_id: str, number: int) -> str:
        """The NAA designator of VPD page 0x83 in hexadecimal digits."""
        return self._filled(self.naa, unique_id, number)

    def eui_of(self, unique_id: str, number: int) -> str | None:
        """The EUI-64 based designator of 16 bytes in hexadecimal digits, if volumes have one."""
        return None if self.eui is None else self._filled(self.eui, unique_id, number)

    def _filled(self, form: str, unique_id: str, number: int, name: str = "") -> str:
        return form.format(unique_id=unique_id, unique_hex=unique_id.encode("ascii").hex(), number=number, name=name)
