"""EXTENDED COPY (LID1) from blocks to blocks, and what became of it (SPC-4 §6.4, §6.18).

A copy is carried out at once. Its source and its destination are units that the same nexus sees, named by their
NAA or EUI-64 designator; other kinds of target and segment descriptors are refused by their own sense codes.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.iscsi.scsi.access import Access, check_access
from simulators.iscsi.scsi.cdb import number
from simulators.iscsi.scsi.limits import (
    MAX_COPY_DESCRIPTOR_BYTES,
    MAX_COPY_SEGMENTS,
    MAX_COPY_TARGETS,
    MAX_TRANSFER_BYTES,
)
from simulators.iscsi.scsi.medium import fetch, store
from simulators.iscsi.scsi.operation import Operation, Outcome, ReservationConflict, UnitRequest, already
from simulators.iscsi.scsi.sense import (
    COPY_FAILED,
    COPY_TARGET_NOT_REACHABLE,
    INVALID_FIELD_IN_CDB,
    INVALID_FIELD_IN_PARAMETERS,
    PARAMETER_LIST_LENGTH_ERROR,
    TOO_MANY_SEGMENT_DESCRIPTORS,
    TOO_MANY_TARGET_DESCRIPTORS,
    UNSUPPORTED_SEGMENT_DESCRIPTOR,
    UNSUPPORTED_TARGET_DESCRIPTOR,
    ScsiCheck,
)

_HEADER_BYTES = 16
_TARGET_BYTES, _SEGMENT_BYTES = 32, 28
_IDENTIFICATION, _BLOCK_TO_BLOCK = 0xE4, 0x02
_EUI64, _NAA = 2, 3
_DESTINATION_COUNTS = 0x02
_FORGET_THE_LIST = 3
_COMPLETED = 0x01


@dataclass(frozen=True, slots=True)
class CopyStatus:
    """What COPY STATUS tells of a copy that is over."""

    segments: int
    copied_bytes: int


@dataclass(frozen=True, slots=True)
class _Segment:
    source: UnitRequest
    destination: UnitRequest
    source_at: int
    destination_at: int
    length: int


def extended_copy(request: UnitRequest) -> Operation:
    """EXTENDED COPY (LID1); an empty parameter list is no error."""
    length = number(request.cdb, 10, 4)
    if length > _HEADER_BYTES + MAX_COPY_DESCRIPTOR_BYTES:
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)

    def finish(parameters: bytes) -> Outcome:
        if parameters:
            _copy(request, parameters)
        return Outcome()

    return Operation(finish, length)


def _copy(request: UnitRequest, parameters: bytes) -> None:
    targets_bytes, segments_bytes = _check_lengths(parameters)
    targets_end = _HEADER_BYTES + targets_bytes
    targets = [_target(request, parameters, at) for at in range(_HEADER_BYTES, targets_end, _TARGET_BYTES)]
    starts = range(targets_end, targets_end + segments_bytes, _SEGMENT_BYTES)
    segments = [_segment(targets, parameters, at) for at in starts]
    for segment in segments:
        _carry_out(segment)
    if parameters[1] >> 3 & 3 != _FORGET_THE_LIST:
        copied = sum(segment.length for segment in segments)
        request.nexus.copies[parameters[0]] = CopyStatus(len(segments), copied)


def _check_lengths(parameters: bytes) -> tuple[int, int]:
    if len(parameters) < _HEADER_BYTES:
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
    targets, segments, inline = number(parameters, 2, 2), number(parameters, 8, 4), number(parameters, 12, 4)
    total = targets + segments
    if total > MAX_COPY_DESCRIPTOR_BYTES or _HEADER_BYTES + total + inline > len(parameters) or inline:
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
    if targets > MAX_COPY_TARGETS * _TARGET_BYTES:
        raise ScsiCheck(TOO_MANY_TARGET_DESCRIPTORS)
    if segments > MAX_COPY_SEGMENTS * _SEGMENT_BYTES:
        raise ScsiCheck(TOO_MANY_SEGMENT_DESCRIPTORS)
    if targets % _TARGET_BYTES:
        raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(2))
    return targets, segments


def _target(request: UnitRequest, parameters: bytes, at: int) -> UnitRequest | None:
    """Return the unit that an identification descriptor means (§6.4.5.2), or None if the nexus sees no such."""
    if parameters[at] != _IDENTIFICATION:
        raise ScsiCheck(UNSUPPORTED_TARGET_DESCRIPTOR.at_parameter_byte(at))
    kind, length = parameters[at + 5] & 0x0F, parameters[at + 7]
    wanted = (kind, parameters[at + 8 : at + 8 + min(length, 20)])
    nexus = request.nexus
    for lun_number, unit in nexus.units.items():
        identity = unit.identity
        names = {(_NAA, bytes.fromhex(identity.naa)), (_EUI64, bytes.fromhex(identity.eui or ""))}
        if wanted in names:
            return UnitRequest(request.cdb, nexus, lun_number, unit, nexus.devices[lun_number])
    return None


def _segment(targets: list[UnitRequest | None], parameters: bytes, at: int) -> _Segment:
    """§6.4.6.3: counted in blocks of the source, or of the destination when DC is set."""
    if parameters[at] != _BLOCK_TO_BLOCK:
        raise ScsiCheck(UNSUPPORTED_SEGMENT_DESCRIPTOR.at_parameter_byte(at))
    if len(parameters) < at + _SEGMENT_BYTES:
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
    source = _find(targets, number(parameters, at + 4, 2))
    destination = _find(targets, number(parameters, at + 6, 2))
    counted = destination if parameters[at + 1] & _DESTINATION_COUNTS else source
    return _Segment(
        source,
        destination,
        number(parameters, at + 12, 8) * source.unit.block_bytes,
        number(parameters, at + 20, 8) * destination.unit.block_bytes,
        number(parameters, at + 10, 2) * counted.unit.block_bytes,
    )


def _find(targets: list[UnitRequest | None], index: int) -> UnitRequest:
    found = targets[index] if index < len(targets) else None
    if found is None:
        raise ScsiCheck(COPY_TARGET_NOT_REACHABLE)
    return found


def _carry_out(segment: _Segment) -> None:
    source, destination, length = segment.source, segment.destination, segment.length
    fits = segment.source_at + length <= source.unit.size_bytes
    if not fits or segment.destination_at + length > destination.unit.size_bytes:
        raise ScsiCheck(COPY_FAILED)
    if length % destination.unit.block_bytes or length % source.unit.block_bytes:
        raise ScsiCheck(COPY_FAILED)
    try:
        check_access(Access.READS, source.device, source.nexus)
        check_access(Access.WRITES, destination.device, destination.nexus)
    except ReservationConflict as error:
        raise ScsiCheck(COPY_TARGET_NOT_REACHABLE) from error
    for start in range(0, length, MAX_TRANSFER_BYTES):
        piece = fetch(source.unit, segment.source_at + start, min(MAX_TRANSFER_BYTES, length - start))
        store(destination, segment.destination_at + start, piece, is_durable=False)


def receive_copy_status(request: UnitRequest) -> Operation:
    """COPY STATUS (LID1, §6.18.2): told once, then the list identifier is free again."""
    cdb = request.cdb
    status = request.nexus.copies.pop(cdb[2], None)
    if status is None:
        raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))
    body = bytes((_COMPLETED,)) + status.segments.to_bytes(2, "big") + b"\0"
    body += min(status.copied_bytes, 0xFFFFFFFF).to_bytes(4, "big")
    return already(Outcome((len(body).to_bytes(4, "big") + body)[: number(cdb, 10, 4)]))


def receive_copy_parameters(request: UnitRequest) -> Operation:
    """OPERATING PARAMETERS (§6.18.4)."""
    supported = bytes((_BLOCK_TO_BLOCK, _IDENTIFICATION))
    body = bytearray(40)
    body[4:6] = MAX_COPY_TARGETS.to_bytes(2, "big")
    body[6:8] = MAX_COPY_SEGMENTS.to_bytes(2, "big")
    body[8:12] = MAX_COPY_DESCRIPTOR_BYTES.to_bytes(4, "big")
    body[12:16] = (0xFFFF * 4096).to_bytes(4, "big")  # a segment's 16-bit count, in the largest blocks there are
    body[30:32], body[32] = (1).to_bytes(2, "big"), 1  # one copy at a time
    body[39] = len(supported)
    data = (len(body) + len(supported)).to_bytes(4, "big") + bytes(body) + supported
    return already(Outcome(data[: number(request.cdb, 10, 4)]))
