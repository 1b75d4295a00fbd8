"""What commands do to the blocks of a unit, with its errors as sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.backend import ProvisionedUnit, SpaceExhausted
from simulators.iscsi.scsi.limits import THRESHOLD_EXPONENT
from simulators.iscsi.scsi.sense import (
    LBA_OUT_OF_RANGE,
    SOFT_THRESHOLD_REACHED,
    SOFTWARE_WRITE_PROTECTED,
    SPACE_ALLOCATION_FAILED,
    UNRECOVERED_READ,
    WRITE_ERROR,
    WRITE_PROTECTED,
    ScsiCheck,
)

if TYPE_CHECKING:
    from simulators.iscsi.backend import LogicalUnit
    from simulators.iscsi.scsi.operation import UnitRequest


def fetch(unit: LogicalUnit, offset: int, length: int) -> bytes:
    """Read; an error of the medium is 11/00."""
    try:
        return unit.read(offset, length) if length else b""
    except OSError as error:
        raise ScsiCheck(UNRECOVERED_READ) from error


def store(request: UnitRequest, offset: int, data: bytes, *, is_durable: bool) -> None:
    """Write, and flush where the command or the caching page asks for it."""
    unit, modes = request.unit, request.device.modes
    if data:
        check_writable(request)
        if offset + len(data) > unit.size_bytes:
            raise ScsiCheck(LBA_OUT_OF_RANGE)
        try:
            unit.write(offset, data)
        except SpaceExhausted as error:
            raise ScsiCheck(SPACE_ALLOCATION_FAILED) from error
        except OSError as error:
            raise ScsiCheck(WRITE_ERROR) from error
        if modes.threshold is not None:
            _watch_threshold(request, modes.threshold)
    if is_durable or modes.is_write_through:
        flush(unit)


def deallocate(request: UnitRequest, offset: int, length: int) -> None:
    """Unmap."""
    check_writable(request)
    try:
        request.unit.unmap(offset, length)
    except OSError as error:
        raise ScsiCheck(WRITE_ERROR) from error


def flush(unit: LogicalUnit) -> None:
    """Make earlier writes durable."""
    try:
        unit.flush()
    except OSError as error:
        raise ScsiCheck(WRITE_ERROR) from error


def check_writable(request: UnitRequest) -> None:
    """Refuse to write what the array or the control mode page protects."""
    if request.unit.is_read_only:
        raise ScsiCheck(WRITE_PROTECTED)
    if request.device.modes.is_write_protected:
        raise ScsiCheck(SOFTWARE_WRITE_PROTECTED)


def threshold_sets(unit: LogicalUnit, size_bytes: int) -> int:
    """Return how many threshold sets (SBC-3 §4.7.3.8) so many bytes fill, rounded up."""
    return -(-size_bytes // (unit.block_bytes << THRESHOLD_EXPONENT))


def _watch_threshold(request: UnitRequest, threshold: int) -> None:
    """Tell of a soft threshold, once each time it is enabled (SBC-3 §4.7.3.8.2)."""
    unit, device = request.unit, request.device
    if not isinstance(unit, ProvisionedUnit) or threshold_sets(unit, unit.allocated_bytes) < threshold:
        return
    device.modes.threshold = None
    for nexus, lun_number in device.audience.items():
        if nexus is request.nexus or not device.modes.tells_one_initiator:
            nexus.raise_attention(lun_number, SOFT_THRESHOLD_REACHED)
