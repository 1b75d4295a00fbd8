"""What an initiator may say: legal PDUs with random contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi import pdu as p
from simulators.iscsi.lun_address import encode_lun
from simulators.iscsi.scsi.command_table import COMMANDS
from simulators.iscsi.text import join_pairs
from tests.fuzz import corpus
from tests.simulators.iscsi.fake_fabric import ACCOUNT, HOST, OTHER_HOST, STRANGER, TARGET, UNKNOWN_TARGET

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from simulators.iscsi.target_machine import TargetConnection
    from simulators.iscsi.write_task import WriteTask

_VALUES = (
    "None",
    "CRC32C",
    "CRC32C,None",
    "Yes",
    "No",
    "0",
    "1",
    "512",
    "8192",
    "16777215",
    "0x200",
    "Reject",
    "-1",
    "",
)
_KEYS = (
    *("HeaderDigest", "DataDigest", "MaxConnections", "InitialR2T", "ImmediateData", "MaxRecvDataSegmentLength"),
    *("MaxBurstLength", "FirstBurstLength", "MaxOutstandingR2T", "ErrorRecoveryLevel", "TaskReporting", "IFMarker"),
    *("CHAP_A", "CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C", "AuthMethod", "SendTargets", "X-com.example.key"),
)
_SMALL_LENGTHS = (0, 0, 1, 8, 24, 512, 513, 1024, 4096, 65536, 70000)


def login(chance: Random, *, is_first: bool, session: bytes) -> p.LoginRequest:
    """Return a login request, most often one that could succeed."""
    stage = chance.choice((0, 1, 1, 1))
    pairs = _identity(chance) if is_first or chance.random() < 0.1 else []
    pairs += _chap(chance) if stage == 0 else []
    pairs += [(chance.choice(_KEYS), chance.choice(_VALUES)) for _ in range(chance.choice((0, 0, 1, 3)))]
    stages = (stage, 3 if stage else chance.choice((1, 3)))
    numbers = (0x77, 0, 1, 0)
    transit = chance.random() < 0.9
    return p.LoginRequest(*stages, 0, 0, session, 0, *numbers, data=join_pairs(pairs), transit=transit)


def _identity(chance: Random) -> list[tuple[str, str]]:
    pairs = [("InitiatorName", chance.choice((HOST, HOST, HOST, OTHER_HOST, STRANGER, "nobody")))]
    if chance.random() < 0.15:
        return [*pairs, ("SessionType", "Discovery")]
    return [*pairs, ("SessionType", "Normal"), ("TargetName", chance.choice((TARGET, TARGET, TARGET, UNKNOWN_TARGET)))]


def _chap(chance: Random) -> list[tuple[str, str]]:
    proof = [("CHAP_N", ACCOUNT.username), ("CHAP_R", "0x" + chance.randbytes(16).hex())]
    challenge = [("CHAP_I", "7"), ("CHAP_C", "0b" + "AAAA" * chance.randrange(1, 9))]
    return chance.choice(
        ([("AuthMethod", "CHAP,None")], [("AuthMethod", "None")], [("CHAP_A", "5,7")], proof, proof + challenge)
    )


def plain_login(session: bytes, *, has_digests: bool) -> p.LoginRequest:
    """Return the login that always succeeds."""
    value = "CRC32C" if has_digests else "None"
    pairs = [("InitiatorName", HOST), ("TargetName", TARGET), ("SessionType", "Normal")]
    pairs += [("HeaderDigest", value), ("DataDigest", value), ("MaxRecvDataSegmentLength", "65536")]
    return p.LoginRequest(1, 3, 0, 0, session, 0, 0x77, 0, 1, 0, data=join_pairs(pairs), transit=True)


def request(chance: Random, connection: TargetConnection, ahead: int) -> p.Pdu:
    """Return a request of the full feature phase, so far ahead of the number that the target expects."""
    if connection._writes and chance.random() < 0.4:
        return _next_data(chance, chance.choice(list(connection._writes.values())))
    return chance.choice(_REQUESTS)(chance, connection._order.expected + ahead)


def _next_data(chance: Random, task: WriteTask) -> p.DataOut:
    """Return the Data-Out that a command waits for, of any length."""
    tags = (task.command.initiator_task_tag, task.transfer_tag)
    numbers = (0, task._next_data_sn, task._received)
    data = bytes(chance.choice((512, 4096, 65536, max(task._sequence_end - task._received, 0))))
    return p.DataOut(task.command.lun, *tags, *numbers, data=data, final=chance.random() < 0.6)


def _likely_command(chance: Random, cmd_sn: int) -> p.Pdu:
    cdb, data = corpus.command(chance)
    expected = len(data) or chance.choice((255, 65536))
    sent = data[: chance.choice((0, 512, 65536))]
    tag = chance.randrange(1, 64)
    reads = not data and chance.random() < 0.9
    return p.ScsiCommand(
        encode_lun(1),
        tag,
        expected if data or reads else 0,
        cmd_sn,
        0,
        cdb.ljust(16, b"\0"),
        reads=reads,
        writes=bool(data),
        data=sent,
    )


def _command(chance: Random, cmd_sn: int) -> p.Pdu:
    command = chance.choice(COMMANDS)
    cdb = bytearray(_field(chance) & usage for usage in command.usage)
    cdb[0] = command.opcode
    if command.service_action is not None:
        cdb[1] = cdb[1] & 0xE0 | command.service_action
    size = chance.choice(_SMALL_LENGTHS)
    writes = chance.random() < 0.5
    data = chance.randbytes(min(size, 65536)) if writes and chance.random() < 0.7 else b""
    lun, tag = encode_lun(chance.choice((1, 1, 1, 1, 2, 300))), chance.randrange(1, 64)
    final = not writes or chance.random() < 0.8
    return p.ScsiCommand(
        lun, tag, size, cmd_sn, 0, bytes(cdb).ljust(16, b"\0"), reads=not writes, writes=writes, final=final, data=data
    )


def _field(chance: Random) -> int:
    return chance.choice((0, 0, 0, 0, 1, 8, 0x18, 0x20, 0xFF, chance.randrange(256)))


def _data_out(chance: Random, _cmd_sn: int) -> p.Pdu:
    tags = (chance.randrange(1, 64), chance.choice((p.NO_TAG, *range(1, 12))))
    data = chance.randbytes(chance.choice(_SMALL_LENGTHS))
    numbers = (0, chance.choice((0, 0, 1, 2)), chance.choice((0, 0, 512, 65536)))
    return p.DataOut(encode_lun(1), *tags, *numbers, data=data, final=chance.random() < 0.7)


def _nop(chance: Random, cmd_sn: int) -> p.Pdu:
    tags = (chance.choice((p.NO_TAG, 5)), chance.choice((p.NO_TAG, p.NO_TAG, 3)))
    return p.NopOut(bytes(8), *tags, cmd_sn, 0, immediate=chance.random() < 0.5, data=b"x" * chance.randrange(64))


def _text(chance: Random, cmd_sn: int) -> p.Pdu:
    pairs = [(chance.choice(_KEYS), chance.choice((*_VALUES, "All", TARGET))) for _ in range(chance.randrange(4))]
    transfer_tag, final = chance.choice((p.NO_TAG, p.NO_TAG, 1)), chance.random() < 0.8
    return p.TextRequest(bytes(8), 9, transfer_tag, cmd_sn, 0, data=join_pairs(pairs), final=final)


def _task_management(chance: Random, cmd_sn: int) -> p.Pdu:
    function = chance.choice((1, 1, 2, 3, 4, 5, 6, 8, 9, 7 if chance.random() < 0.1 else 1))
    lun = encode_lun(chance.choice((1, 1, 9)))
    return p.TaskManagementRequest(function, lun, 0x55, chance.randrange(1, 64), cmd_sn, 0, 0)


def _logout(chance: Random, cmd_sn: int) -> p.Pdu:
    return p.LogoutRequest(chance.choice((0, 1, 2, 3)), 6, chance.choice((0, 1)), cmd_sn, 0)


_REQUESTS: tuple[Callable[[Random, int], p.Pdu], ...] = (
    *[_likely_command] * 18,
    *[_command] * 6,
    *[_data_out] * 6,
    *[_nop] * 3,
    *[_text] * 3,
    *[_task_management] * 3,
    _logout,
)
