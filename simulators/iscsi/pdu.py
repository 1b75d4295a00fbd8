"""The protocol data units of RFC 7143 §11 as values: one class per PDU, fields in the order of the header."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from struct import Struct
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from simulators.iscsi.basic_header import (
    BHS_BYTES,
    CONTINUE,
    FINAL,
    IMMEDIATE,
    NO_TAG,
    Chunk,
    frame,
    padded,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from simulators.iscsi.basic_header import Header

__all__ = ["BHS_BYTES", "NO_TAG", "Chunk"]  # re-exported beside the PDUs

_CDB = Struct(">4I")


@dataclass(frozen=True, slots=True)
class NopOut:
    """§11.18: a ping by the initiator, or its answer to a NOP-In."""

    OPCODE: ClassVar[int] = 0x00
    lun: bytes
    initiator_task_tag: int
    target_transfer_tag: int
    cmd_sn: int
    exp_stat_sn: int
    immediate: bool
    data: Chunk = b""

    @classmethod
    def parse(cls, h: Header, data: bytes) -> NopOut:
        return cls(h[5], h[6], h[7], h[8], h[9], bool(h[0] & IMMEDIATE), data)

    def frame(self) -> tuple[Chunk, ...]:
        words = (self.target_transfer_tag, self.cmd_sn, self.exp_stat_sn)
        opcode = self.OPCODE | (IMMEDIATE if self.immediate else 0)
        return frame(opcode, lun=self.lun, tag=self.initiator_task_tag, words=words, data=self.data)


@dataclass(frozen=True, slots=True)
class ScsiCommand:
    """§11.3."""

    OPCODE: ClassVar[int] = 0x01
    lun: bytes
    initiator_task_tag: int
    expected_length: int
    cmd_sn: int
    exp_stat_sn: int
    cdb: bytes
    attributes: int = 1
    data: Chunk = b""
    _: KW_ONLY
    reads: bool = False
    writes: bool = False
    final: bool = True
    immediate: bool = False

    @classmethod
    def parse(cls, h: Header, data: bytes) -> ScsiCommand:
        flags, cdb = h[1], _CDB.pack(h[10], h[11], h[12], h[13])
        return cls(
            *h[5:10],
            cdb,
            flags & 7,
            data,
            reads=bool(flags & 0x40),
            writes=bool(flags & 0x20),
            final=bool(flags & FINAL),
            immediate=bool(h[0] & IMMEDIATE),
        )

    def frame(self) -> tuple[Chunk, ...]:
        flags = self.attributes & 7
        flags |= (FINAL if self.final else 0) | (0x40 if self.reads else 0) | (0x20 if self.writes else 0)
        words = (self.expected_length, self.cmd_sn, self.exp_stat_sn, *_CDB.unpack(self.cdb.ljust(16, b"\0")))
        opcode = self.OPCODE | (IMMEDIATE if self.immediate else 0)
        tag = self.initiator_task_tag
        return frame(opcode, flags=flags, lun=self.lun, tag=tag, words=words, data=self.data)


@dataclass(frozen=True, slots=True)
class TaskManagementRequest:
    """§11.5."""

    OPCODE: ClassVar[int] = 0x02
    function: int
    lun: bytes
    initiator_task_tag: int
    referenced_task_tag: int
    cmd_sn: int
    exp_stat_sn: int
    ref_cmd_sn: int
    immediate: bool = True

    @classmethod
    def parse(cls, h: Header, _data: bytes) -> TaskManagementRequest:
        return cls(h[1] & 0x7F, h[5], h[6], h[7], h[8], h[9], h[10], bool(h[0] & IMMEDIATE))

    def frame(self) -> tuple[Chunk, ...]:
        words = (self.referenced_task_tag, self.cmd_sn, self.exp_stat_sn, self.ref_cmd_sn)
        opcode = self.OPCODE | (IMMEDIATE if self.immediate else 0)
        flags = FINAL | self.function
        return frame(opcode, flags=flags, lun=self.lun, tag=self.initiator_task_tag, words=words)


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """§11.12."""

    OPCODE: ClassVar[int] = 0x03
    current_stage: int
    next_stage: int
    version_max: int
    version_min: int
    isid: bytes
    tsih: int
    initiator_task_tag: int
    cid: int
    cmd_sn: int
    exp_stat_sn: int
    data: Chunk = b""
    _: KW_ONLY
    transit: bool = False
    continues: bool = False

    @classmethod
    def parse(cls, h: Header, data: bytes) -> LoginRequest:
        flags, tsih = h[1], int.from_bytes(h[5][6:], "big")
        stages = ((flags >> 2) & 3, flags & 3)
        numbers = (h[6], h[7] >> 16, h[8], h[9])
        transit, continues = bool(flags & FINAL), bool(flags & CONTINUE)
        return cls(*stages, h[2], h[3], h[5][:6], tsih, *numbers, data, transit=transit, continues=continues)

    def frame(self) -> tuple[Chunk, ...]:
        return frame(
            self.OPCODE | IMMEDIATE,
            flags=_login_flags(self),
            specific=(self.version_max, self.version_min),
            lun=self.isid + self.tsih.to_bytes(2, "big"),
            tag=self.initiator_task_tag,
            words=(self.cid << 16, self.cmd_sn, self.exp_stat_sn),
            data=self.data,
        )


@dataclass(frozen=True, slots=True)
class TextRequest:
    """§11.10."""

    OPCODE: ClassVar[int] = 0x04
    lun: bytes
    initiator_task_tag: int
    target_transfer_tag: int
    cmd_sn: int
    exp_stat_sn: int
    data: Chunk = b""
    _: KW_ONLY
    final: bool = True
    continues: bool = False
    immediate: bool = False

    @classmethod
    def parse(cls, h: Header, data: bytes) -> TextRequest:
        final, continues = bool(h[1] & FINAL), bool(h[1] & CONTINUE)
        immediate = bool(h[0] & IMMEDIATE)
        return cls(*h[5:10], data, final=final, continues=continues, immediate=immediate)

    def frame(self) -> tuple[Chunk, ...]:
        flags = (FINAL if self.final else 0) | (CONTINUE if self.continues else 0)
        words = (self.target_transfer_tag, self.cmd_sn, self.exp_stat_sn)
        opcode = self.OPCODE | (IMMEDIATE if self.immediate else 0)
        tag = self.initiator_task_tag
        return frame(opcode, flags=flags, lun=self.lun, tag=tag, words=words, data=self.data)


@dataclass(frozen=True, slots=True)
class DataOut:
    """§11.7."""

    OPCODE: ClassVar[int] = 0x05
    lun: bytes
    initiator_task_tag: int
    target_transfer_tag: int
    exp_stat_sn: int
    data_sn: int
    buffer_offset: int
    data: Chunk = b""
    _: KW_ONLY
    final: bool = True

    @classmethod
    def parse(cls, h: Header, data: bytes) -> DataOut:
        return cls(h[5], h[6], h[7], h[9], h[11], h[12], data, final=bool(h[1] & FINAL))

    def frame(self) -> tuple[Chunk, ...]:
        words = (self.target_transfer_tag, 0, self.exp_stat_sn, 0, self.data_sn, self.buffer_offset)
        flags, tag = (FINAL if self.final else 0), self.initiator_task_tag
        return frame(self.OPCODE, flags=flags, lun=self.lun, tag=tag, words=words, data=self.data)


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """§11.14."""

    OPCODE: ClassVar[int] = 0x06
    reason: int
    initiator_task_tag: int
    cid: int
    cmd_sn: int
    exp_stat_sn: int
    immediate: bool = False

    @classmethod
    def parse(cls, h: Header, _data: bytes) -> LogoutRequest:
        return cls(h[1] & 0x7F, h[6], h[7] >> 16, h[8], h[9], bool(h[0] & IMMEDIATE))

    def frame(self) -> tuple[Chunk, ...]:
        words = (self.cid << 16, self.cmd_sn, self.exp_stat_sn)
        opcode = self.OPCODE | (IMMEDIATE if self.immediate else 0)
        return frame(opcode, flags=FINAL | self.reason, tag=self.initiator_task_tag, words=words)


@dataclass(frozen=True, slots=True)
class NopIn:
    """§11.19."""

    OPCODE: ClassVar[int] = 0x20
    lun: bytes
    initiator_task_tag: int
    target_transfer_tag: int
    stat_sn: int
    exp_cmd_sn: int
    max_cmd_sn: int
    data: Chunk = b""

    @classmethod
    def parse(cls, h: Header, data: bytes) -> NopIn:
        return cls(h[5], h[6], h[7], h[8], h[9], h[10], data)

    def frame(self) -> tuple[Chunk, ...]:
        words = (self.target_transfer_tag, self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn)
        return frame(self.OPCODE, lun=self.lun, tag=self.initiator_task_tag, words=words, data=self.data)


OVERFLOW = 0x04
UNDERFLOW = 0x02
"""Residual flags of SCSI Response and Data-In (§11.4.1): the same bits in both."""


@dataclass(frozen=True, slots=True)
class ScsiResponse:
    """§11.4; `data` is the sense length and the sense data."""

    OPCODE: ClassVar[int] = 0x21
    residual_flags: int
    response: int
    status: int
    initiator_task_tag: int
    stat_sn: int
    exp_cmd_sn: int
    max_cmd_sn: int
    exp_data_sn: int
    residual: int
    data: Chunk = b""

    @classmethod
    def parse(cls, h: Header, data: bytes) -> ScsiResponse:
        return cls(h[1] & 0x1E, h[2], h[3], h[6], h[8], h[9], h[10], h[11], h[13], data)

    def frame(self) -> tuple[Chunk, ...]:
        words = (0, self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn, self.exp_data_sn, 0, self.residual)
        flags, specific = FINAL | self.residual_flags, (self.response, self.status)
        tag = self.initiator_task_tag
        return frame(self.OPCODE, flags=flags, specific=specific, tag=tag, words=words, data=self.data)


@dataclass(frozen=True, slots=True)
class _BareResponse:
    """A response code and the sequence numbers: what §11.6 and §11.15 have in common."""

    OPCODE: ClassVar[int]
    response: int
    initiator_task_tag: int
    stat_sn: int
    exp_cmd_sn: int
    max_cmd_sn: int

    @classmethod
    def parse(cls, h: Header, _data: bytes) -> Self:
        return cls(h[2], h[6], h[8], h[9], h[10])

    def frame(self) -> tuple[Chunk, ...]:
        words = (0, self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn)
        return frame(self.OPCODE, specific=(self.response, 0), tag=self.initiator_task_tag, words=words)


class TaskManagementResponse(_BareResponse):
    """§11.6."""

    __slots__ = ()
    OPCODE = 0x22


@dataclass(frozen=True, slots=True)
class LoginResponse:
    """§11.13."""

    OPCODE: ClassVar[int] = 0x23
    current_stage: int
    next_stage: int
    isid: bytes
    tsih: int
    initiator_task_tag: int
    stat_sn: int
    exp_cmd_sn: int
    max_cmd_sn: int
    status: tuple[int, int] = (0, 0)
    data: Chunk = b""
    version_active: int = 0
    _: KW_ONLY
    transit: bool = False
    continues: bool = False

    @classmethod
    def parse(cls, h: Header, data: bytes) -> LoginResponse:
        flags, tsih = h[1], int.from_bytes(h[5][6:], "big")
        stages = ((flags >> 2) & 3, flags & 3)
        status = (h[11] >> 24, (h[11] >> 16) & 0xFF)
        numbers = (h[6], h[8], h[9], h[10])
        transit, continues = bool(flags & FINAL), bool(flags & CONTINUE)
        return cls(*stages, h[5][:6], tsih, *numbers, status, data, h[3], transit=transit, continues=continues)

    def frame(self) -> tuple[Chunk, ...]:
        status = self.status[0] << 24 | self.status[1] << 16
        return frame(
            self.OPCODE,
            flags=_login_flags(self),
            specific=(0, self.version_active),
            lun=self.isid + self.tsih.to_bytes(2, "big"),
            tag=self.initiator_task_tag,
            words=(0, self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn, status),
            data=self.data,
        )


@dataclass(frozen=True, slots=True)
class TextResponse:
    """§11.11."""

    OPCODE: ClassVar[int] = 0x24
    lun: bytes
    initiator_task_tag: int
    target_transfer_tag: int
    stat_sn: int
    exp_cmd_sn: int
    max_cmd_sn: int
    data: Chunk = b""
    _: KW_ONLY
    final: bool = True
    continues: bool = False

    @classmethod
    def parse(cls, h: Header, data: bytes) -> TextResponse:
        final, continues = bool(h[1] & FINAL), bool(h[1] & CONTINUE)
        return cls(*h[5:11], data, final=final, continues=continues)

    def frame(self) -> tuple[Chunk, ...]:
        flags = (FINAL if self.final else 0) | (CONTINUE if self.continues else 0)
        words = (self.target_transfer_tag, self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn)
        tag = self.initiator_task_tag
        return frame(self.OPCODE, flags=flags, lun=self.lun, tag=tag, words=words, data=self.data)


@dataclass(frozen=True, slots=True)
class DataIn:
    """§11.7; with `has_status` it carries the status of the command as well (phase collapse)."""

    OPCODE: ClassVar[int] = 0x25
    residual_flags: int
    status: int
    initiator_task_tag: int
    stat_sn: int
    exp_cmd_sn: int
    max_cmd_sn: int
    data_sn: int
    buffer_offset: int
    residual: int
    data: Chunk = b""
    _: KW_ONLY
    final: bool = True
    has_status: bool = True
    acknowledge: bool = False

    @classmethod
    def parse(cls, h: Header, data: bytes) -> DataIn:
        flags = h[1]
        final, has_status, acknowledge = bool(flags & FINAL), bool(flags & 1), bool(flags & 0x40)
        fields = (flags & 6, h[3], h[6], *h[8:14])
        return cls(*fields, data, final=final, has_status=has_status, acknowledge=acknowledge)

    def frame(self) -> tuple[Chunk, ...]:
        flags = (FINAL if self.final else 0) | (1 if self.has_status else 0) | self.residual_flags
        flags |= 0x40 if self.acknowledge else 0
        sequence = (self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn)
        words = (NO_TAG, *sequence, self.data_sn, self.buffer_offset, self.residual)
        tag, specific = self.initiator_task_tag, (0, self.status)
        return frame(self.OPCODE, flags=flags, specific=specific, tag=tag, words=words, data=self.data)


class LogoutResponse(_BareResponse):
    """§11.15."""

    __slots__ = ()
    OPCODE = 0x26


@dataclass(frozen=True, slots=True)
class ReadyToTransfer:
    """§11.8: R2T."""

    OPCODE: ClassVar[int] = 0x31
    lun: bytes
    initiator_task_tag: int
    target_transfer_tag: int
    stat_sn: int
    exp_cmd_sn: int
    max_cmd_sn: int
    r2t_sn: int
    buffer_offset: int
    desired_length: int

    @classmethod
    def parse(cls, h: Header, _data: bytes) -> ReadyToTransfer:
        return cls(h[5], *h[6:14])

    def frame(self) -> tuple[Chunk, ...]:
        sequence = (self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn)
        words = (self.target_transfer_tag, *sequence, self.r2t_sn, self.buffer_offset, self.desired_length)
        return frame(self.OPCODE, lun=self.lun, tag=self.initiator_task_tag, words=words)


@dataclass(frozen=True, slots=True)
class AsyncMessage:
    """§11.9."""

    OPCODE: ClassVar[int] = 0x32
    lun: bytes
    stat_sn: int
    exp_cmd_sn: int
    max_cmd_sn: int
    event: int
    vendor_code: int = 0
    parameters: tuple[int, int, int] = (0, 0, 0)
    data: Chunk = b""

    @classmethod
    def parse(cls, h: Header, data: bytes) -> AsyncMessage:
        parameters = (h[11] & 0xFFFF, h[12] >> 16, h[12] & 0xFFFF)
        return cls(h[5], h[8], h[9], h[10], h[11] >> 24, (h[11] >> 16) & 0xFF, parameters, data)

    def frame(self) -> tuple[Chunk, ...]:
        first, second, third = self.parameters
        code = self.event << 24 | self.vendor_code << 16 | first
        words = (0, self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn, code, second << 16 | third)
        return frame(self.OPCODE, lun=self.lun, tag=NO_TAG, words=words, data=self.data)


@dataclass(frozen=True, slots=True)
class Reject:
    """§11.17; `data` is the header of the PDU that was rejected."""

    OPCODE: ClassVar[int] = 0x3F
    reason: int
    stat_sn: int
    exp_cmd_sn: int
    max_cmd_sn: int
    data: Chunk = b""

    @classmethod
    def parse(cls, h: Header, data: bytes) -> Reject:
        return cls(h[2], h[8], h[9], h[10], data)

    def frame(self) -> tuple[Chunk, ...]:
        words = (0, self.stat_sn, self.exp_cmd_sn, self.max_cmd_sn)
        return frame(self.OPCODE, specific=(self.reason, 0), tag=NO_TAG, words=words, data=self.data)


@dataclass(frozen=True, slots=True)
class UnknownPdu:
    """A well-formed PDU with an opcode that is not simulated (SNACK, vendor-specific, reserved)."""

    opcode: int
    header: bytes
    data: Chunk = b""

    def frame(self) -> tuple[Chunk, ...]:
        return (self.header, *padded(self.data))


@dataclass(frozen=True, slots=True)
class Damaged:
    """A PDU whose data digest is wrong: its header may be trusted, its data may not (§7.8)."""

    pdu: Pdu

    def frame(self) -> tuple[Chunk, ...]:
        return self.pdu.frame()


def _login_flags(pdu: LoginRequest | LoginResponse) -> int:
    flags = (FINAL if pdu.transit else 0) | (CONTINUE if pdu.continues else 0)
    return flags | pdu.current_stage << 2 | pdu.next_stage


InitiatorPdu: TypeAlias = (
    NopOut | ScsiCommand | TaskManagementRequest | LoginRequest | TextRequest | DataOut | LogoutRequest | UnknownPdu
)
TargetPdu: TypeAlias = (
    NopIn
    | ScsiResponse
    | TaskManagementResponse
    | LoginResponse
    | TextResponse
    | DataIn
    | LogoutResponse
    | ReadyToTransfer
    | AsyncMessage
    | Reject
)
Pdu: TypeAlias = InitiatorPdu | TargetPdu | Damaged

PARSERS: dict[int, Callable[[Header, bytes], Pdu]] = {
    NopOut.OPCODE: NopOut.parse,
    ScsiCommand.OPCODE: ScsiCommand.parse,
    TaskManagementRequest.OPCODE: TaskManagementRequest.parse,
    LoginRequest.OPCODE: LoginRequest.parse,
    TextRequest.OPCODE: TextRequest.parse,
    DataOut.OPCODE: DataOut.parse,
    LogoutRequest.OPCODE: LogoutRequest.parse,
    NopIn.OPCODE: NopIn.parse,
    ScsiResponse.OPCODE: ScsiResponse.parse,
    TaskManagementResponse.OPCODE: TaskManagementResponse.parse,
    LoginResponse.OPCODE: LoginResponse.parse,
    TextResponse.OPCODE: TextResponse.parse,
    DataIn.OPCODE: DataIn.parse,
    LogoutResponse.OPCODE: LogoutResponse.parse,
    ReadyToTransfer.OPCODE: ReadyToTransfer.parse,
    AsyncMessage.OPCODE: AsyncMessage.parse,
    Reject.OPCODE: Reject.parse,
}


def parse(header: bytes, data: bytes) -> Pdu:
    """Turn a 48-byte header and its data segment into a value; total for any bytes."""
    opcode = header[0] & 0x3F
    parser = PARSERS.get(opcode)
    if parser is None:
        return UnknownPdu(opcode, header, data)
    return parser(unpack(header), data)
