"""The order of commands: that of their CmdSN, in whatever order they come (RFC 7143 §4.2.2.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simulators.iscsi.lun_address import decode_lun
from simulators.iscsi.pdu import NO_TAG, NopOut, ScsiCommand

if TYPE_CHECKING:
    from simulators.iscsi.pdu import Pdu

_SERIAL_MASK: Final = 0xFFFFFFFF


class CommandOrder:
    """Numbered PDUs that came before their turn. `window` is how many numbers an initiator may use ahead."""

    def __init__(self, window: Callable[[], int]) -> None:
        self.expected = 0
        """ExpCmdSN: the number whose turn it is."""
        self._window = window
        self._early: dict[int, tuple[Pdu, bytes]] = {}

    @property
    def last(self) -> int:
        """MaxCmdSN: the last number that may come."""
        return (self.expected + self._window() - 1) & _SERIAL_MASK

    def put(self, cmd_sn: int, pdu: Pdu, header: bytes) -> None:
        """Keep a PDU until its turn.

        §4.2.2.1: the target "MUST silently ignore any non-immediate command outside of this range or non-immediate
        duplicates within the range".
        """
        if self._may_come(cmd_sn):
            self._early[cmd_sn] = pdu, header

    def take(self) -> tuple[Pdu, bytes] | None:
        """The PDU whose turn it is, if it has come; the turn passes on."""
        if self.expected not in self._early:
            return None
        due = self._early.pop(self.expected)
        self.expected = (self.expected + 1) & _SERIAL_MASK
        return due

    def pass_over(self, tag: int, ref_cmd_sn: int, cmd_sn: int) -> bool:
        """Let the command of this tag, whose number is `ref_cmd_sn`, never be carried out; say whether it waits, or may
        still come before `cmd_sn`: then its number is "considered received" (§11.6.1 b).
        """
        waiting = self._waiting(lambda command: command.initiator_task_tag == tag)
        may_come = [ref_cmd_sn] if _is_before(ref_cmd_sn, cmd_sn) and self._may_come(ref_cmd_sn) else []
        return self._use_up(waiting or may_come)

    def pass_over_unit(self, lun_number: int | None, cmd_sn: int) -> None:
        """Let the commands for this unit, or for any, that wait and were sent before `cmd_sn` never be carried out
        (§4.2.3.2): a function that ends the tasks of a unit means them too.
        """
        meant = self._waiting(lambda command: lun_number is None or decode_lun(command.lun) == lun_number)
        self._use_up([number for number in meant if _is_before(number, cmd_sn)])

    def clear(self) -> None:
        """Nothing waits any more."""
        self._early.clear()

    def _may_come(self, cmd_sn: int) -> bool:
        return (cmd_sn - self.expected) & _SERIAL_MASK < self._window() and cmd_sn not in self._early

    def _waiting(self, is_meant: Callable[[ScsiCommand], bool]) -> list[int]:
        return [number for number, (pdu, _) in self._early.items() if isinstance(pdu, ScsiCommand) and is_meant(pdu)]

    def _use_up(self, numbers: list[int]) -> bool:
        """The numbers stay used: an empty ping takes the place of each command."""
        for number in numbers:
            self._early[number] = NopOut(bytes(8), NO_TAG, NO_TAG, number, 0, immediate=False), b""
        return bool(numbers)


def _is_before(number: int, cmd_sn: int) -> bool:
    return 0 < (cmd_sn - number) & _SERIAL_MASK <= _SERIAL_MASK // 2
