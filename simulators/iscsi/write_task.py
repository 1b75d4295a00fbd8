"""A command whose data is still arriving: unsolicited, then one R2T after the other (RFC 7143 §4.2.5.2).

    immediate data ─► unsolicited Data-Out until F ─► R2T ─► Data-Out until F ─► R2T … ─► complete

`MaxOutstandingR2T` is 1 and data arrives in order, so one offset says how far the transfer is. What goes wrong is kept
until the initiator has sent what it is sending: the target "MUST wait to receive all the data (signaled by a data PDU
with the Final bit set ...)" before it answers (§7.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.pdu import NO_TAG, DataOut, ScsiCommand
from simulators.iscsi.scsi.sense import (
    INCORRECT_AMOUNT_OF_DATA,
    PROTOCOL_SERVICE_CRC_ERROR,
    UNEXPECTED_UNSOLICITED_DATA,
    ScsiCheck,
)

if TYPE_CHECKING:
    from simulators.iscsi.negotiation import Parameters
    from simulators.iscsi.pdu import Chunk
    from simulators.iscsi.scsi.operation import Operation
    from simulators.iscsi.scsi.sense import Sense


class WriteTask:
    """The transfer of one command. Errors are `ScsiCheck` with the sense that §11.4.7.2 gives for them."""

    def __init__(self, command: ScsiCommand, operation: Operation, parameters: Parameters) -> None:
        self.command = command
        self.operation = operation
        self.transfer_tag = NO_TAG
        self.r2t_sn = 0
        self._failure: Sense | None = None
        self._parameters = parameters
        self._expected = command.expected_length if command.writes else 0
        self._wanted = min(operation.data_out_bytes, self._expected)
        self._chunks: list[Chunk] = []
        self._received = 0
        self._next_data_sn = 0
        self._sequence_end = min(self._expected, parameters.first_burst_length)
        self._is_in_sequence = not command.final

    def start(self) -> None:
        """Take what came with the command itself."""
        if self._is_in_sequence and self._parameters.initial_r2t:
            # Here the command is wrong, not its data: none may follow that one could wait for.
            raise ScsiCheck(UNEXPECTED_UNSOLICITED_DATA)
        if len(self.command.data) > 0:
            if not self._parameters.immediate_data:
                self.fail(UNEXPECTED_UNSOLICITED_DATA)
            self._keep(self.command.data)
        if self.command.final:
            self._end_sequence()

    def fail(self, sense: Sense) -> None:
        """Let the command end with this sense, or with the one it had before, once its sequence is complete."""
        self._failure = self._failure or sense

    @property
    def is_waiting(self) -> bool:
        """Whether the initiator is to send more before anything else can happen."""
        return self._is_in_sequence

    @property
    def is_complete(self) -> bool:
        """Whether everything that the command can use has arrived."""
        return not self._is_in_sequence and self._received >= self._wanted

    def solicit(self, transfer_tag: int) -> tuple[int, int]:
        """Begin the next solicited sequence; return its offset and length, for the R2T."""
        length = min(self._parameters.max_burst_length, self._wanted - self._received)
        self.transfer_tag = transfer_tag
        self._next_data_sn = 0
        self._sequence_end = self._received + length
        self._is_in_sequence = True
        self.r2t_sn += 1
        return self._received, length

    def accept(self, pdu: DataOut) -> None:
        """Take the next Data-Out of the current sequence."""
        if not self._is_in_sequence or pdu.target_transfer_tag != self.transfer_tag:
            self._is_in_sequence = True
            self.fail(UNEXPECTED_UNSOLICITED_DATA)
        elif pdu.data_sn != self._next_data_sn or pdu.buffer_offset != self._received:
            self.fail(PROTOCOL_SERVICE_CRC_ERROR)
        self._next_data_sn += 1
        self._keep(pdu.data)
        if pdu.final:
            # Solicited or not: who does not end with the command itself sends all that FirstBurstLength lets it.
            if self._received != self._sequence_end:
                self.fail(INCORRECT_AMOUNT_OF_DATA)
            self._end_sequence()

    def data(self) -> bytes:
        """Return what arrived, joined once, without what the command has no use for."""
        if len(self._chunks) == 1 and self._received == self._wanted:
            return bytes(self._chunks[0])
        return b"".join(self._chunks)[: self._wanted]

    def _keep(self, data: Chunk) -> None:
        if self._received + len(data) > self._sequence_end:
            self.fail(INCORRECT_AMOUNT_OF_DATA)
        if self._failure is None:
            self._received += len(data)
            self._chunks.append(data)

    def _end_sequence(self) -> None:
        self._is_in_sequence = False
        if self._failure is not None:
            raise ScsiCheck(self._failure)
