"""PERSISTENT RESERVE IN and OUT (SPC-4 §6.15, §6.16): the wire form of `reservations`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.scsi import opcodes as op
from simulators.iscsi.scsi.cdb import number
from simulators.iscsi.scsi.operation import Operation, Outcome, ReservationConflict, already
from simulators.iscsi.scsi.reservations import Kind, News
from simulators.iscsi.scsi.sense import (
    INVALID_FIELD_IN_CDB,
    INVALID_FIELD_IN_PARAMETERS,
    PARAMETER_LIST_LENGTH_ERROR,
    REGISTRATIONS_PREEMPTED,
    RESERVATIONS_PREEMPTED,
    RESERVATIONS_RELEASED,
    ScsiCheck,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.iscsi.scsi.device import Device
    from simulators.iscsi.scsi.operation import UnitRequest
    from simulators.iscsi.scsi.reservations import NexusName, Reservations

_PARAMETER_BYTES = 24
_FLAGS_AT = 20
_KEEP_THROUGH_POWER_LOSS = 0x01
_ISCSI_TRANSPORT_ID = 0x45  # FORMAT CODE 01b: the name of the initiator port, not only of the initiator

# PTPL_C; TMV and ALLOW COMMANDS 000b; the type mask names all six types (§6.15.4).
_CAN_KEEP, _KEEPS, _TYPE_MASK_IS_VALID = 0x01, 0x01, 0x80
_TYPE_MASK = bytes((0xEA, 0x01))


def reserve_in(request: UnitRequest) -> Operation:
    """PERSISTENT RESERVE IN."""
    cdb, reservations = request.cdb, request.device.reservations
    data = _ANSWERS[cdb[1] & 0x1F](reservations)
    return already(Outcome(data[: number(cdb, 7, 2)]))


def _keys(reservations: Reservations) -> bytes:
    return _with_generation(reservations, b"".join(key.to_bytes(8, "big") for key in reservations.keys.values()))


def _reservation(reservations: Reservations) -> bytes:
    held = reservations.held
    if held is None:
        return _with_generation(reservations, b"")
    # §6.15.3.2: the key of the holder; zero where all registrants hold.
    key = reservations.keys[held.holder] if held.holder else 0
    return _with_generation(reservations, key.to_bytes(8, "big") + bytes((0, 0, 0, 0, 0, held.kind, 0, 0)))


def _capabilities(reservations: Reservations) -> bytes:
    keeps = _KEEPS if reservations.survives_power_loss else 0
    return bytes((0, 8, _CAN_KEEP, _TYPE_MASK_IS_VALID | keeps)) + _TYPE_MASK + bytes(2)


def _full_status(reservations: Reservations) -> bytes:
    return _with_generation(reservations, b"".join(_status(reservations, name) for name in reservations.keys))


def _status(reservations: Reservations, name: NexusName) -> bytes:
    """§6.15.5: one descriptor, with the TransportID of the initiator port."""
    held = reservations.held
    is_holder = reservations.holds(name)
    kind = held.kind if held is not None and is_holder else 0
    port = name.initiator_port.encode() + b"\0"
    port += bytes(-len(port) % 4)
    transport_id = bytes((_ISCSI_TRANSPORT_ID, 0)) + len(port).to_bytes(2, "big") + port
    head = reservations.keys[name].to_bytes(8, "big") + bytes((0, 0, 0, 0, int(is_holder), kind, 0, 0, 0, 0))
    return head + name.relative_port.to_bytes(2, "big") + len(transport_id).to_bytes(4, "big") + transport_id


def _with_generation(reservations: Reservations, listed: bytes) -> bytes:
    return reservations.generation.to_bytes(4, "big") + len(listed).to_bytes(4, "big") + listed


_ANSWERS: dict[int, Callable[[Reservations], bytes]] = {
    op.READ_KEYS: _keys,
    op.READ_RESERVATION: _reservation,
    op.REPORT_CAPABILITIES: _capabilities,
    op.READ_FULL_STATUS: _full_status,
}


def reserve_out(request: UnitRequest) -> Operation:
    """PERSISTENT RESERVE OUT."""
    cdb = request.cdb
    action, length = cdb[1] & 0x1F, number(cdb, 5, 4)
    if length != _PARAMETER_BYTES:
        raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
    # §6.16.1: scope and type are ignored where only keys change.
    kind = _kind(cdb[2]) if action in _WITH_KIND else Kind.WRITE_EXCLUSIVE

    def finish(parameters: bytes) -> Outcome:
        if len(parameters) < _PARAMETER_BYTES:
            raise ScsiCheck(PARAMETER_LIST_LENGTH_ERROR)
        _act(request, action, kind, parameters)
        return Outcome()

    return Operation(finish, length)


_WITH_KIND = frozenset({op.RESERVE, op.RELEASE, op.PREEMPT, op.PREEMPT_AND_ABORT})


def _kind(scope_and_type: int) -> Kind:
    try:
        if scope_and_type >> 4 == 0:  # LU_SCOPE, the only one there is
            return Kind(scope_and_type & 0x0F)
    except ValueError:
        pass
    raise ScsiCheck(INVALID_FIELD_IN_CDB.at_cdb_byte(2))


def _act(request: UnitRequest, action: int, kind: Kind, parameters: bytes) -> None:
    device, name = request.device, request.nexus.name
    key, action_key, flags = number(parameters, 0, 8), number(parameters, 8, 8), parameters[_FLAGS_AT]
    # SPEC_I_PT and ALL_TG_PT are not supported, as REPORT CAPABILITIES says.
    if flags & ~_KEEP_THROUGH_POWER_LOSS:
        raise ScsiCheck(INVALID_FIELD_IN_PARAMETERS.at_parameter_byte(_FLAGS_AT))
    state = device.reservations
    if action in {op.REGISTER, op.REGISTER_AND_IGNORE}:
        ignores = action == op.REGISTER_AND_IGNORE
        survives = bool(flags & _KEEP_THROUGH_POWER_LOSS)
        news = state.register(name, key, action_key, ignores_key=ignores, survives=survives)
    elif action == op.RESERVE:
        news = state.reserve(name, key, kind)
    elif action == op.RELEASE:
        news = state.release(name, key, kind)
    elif action == op.CLEAR:
        news = state.clear(name, key)
    else:
        news = state.preempt(name, key, action_key, kind)
    _tell(device, news, aborts=action == op.PREEMPT_AND_ABORT)


def _tell(device: Device, news: News, *, aborts: bool) -> None:
    """Raise the unit attentions; the nexuses that lost their registration may lose their commands too."""
    for nexus, lun_number in device.audience.items():
        if nexus.name in news.released:
            nexus.raise_attention(lun_number, RESERVATIONS_RELEASED)
        if nexus.name in news.reservations_preempted:
            nexus.raise_attention(lun_number, RESERVATIONS_PREEMPTED)
        if nexus.name in news.registrations_preempted:
            nexus.raise_attention(lun_number, REGISTRATIONS_PREEMPTED)
            if aborts:
                nexus.abort_tasks(lun_number)


def reserve(request: UnitRequest) -> Operation:
    """RESERVE 6 and 10 (SPC-2 §7.21): the whole unit, for this nexus."""
    device = request.device
    if device.reservations.keys:
        # SPC-4 §5.13.3 (CRH is zero): whoever uses persistent reservations does not use these.
        raise ReservationConflict
    device.reserved_by = request.nexus
    return already(Outcome())


def release(request: UnitRequest) -> Operation:
    """RELEASE 6 and 10 (SPC-2 §7.16): without effect for who holds nothing."""
    device = request.device
    if device.reservations.keys:
        raise ReservationConflict
    if device.reserved_by is request.nexus:
        device.reserved_by = None
    return already(Outcome())
