"""The target's answers, spoiled on their way to our initiator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.chap import ChapCredentials
from simulators.iscsi.errors import PeerViolation
from simulators.iscsi.initiator_machine import InitiatorConnection, LoginPlan, State
from simulators.iscsi.negotiation import OperationalSettings
from simulators.iscsi.target_machine import TargetConnection
from simulators.kernel.clock import ManualClock
from simulators.kernel.transcript import Transcript
from tests.fuzz.mutation import mutate, noise
from tests.simulators.iscsi.fake_fabric import ACCOUNT, HOST, TARGET, FakeFabric
from tests.simulators.iscsi.raw_peer import no_entropy, target

if TYPE_CHECKING:
    from random import Random

    from simulators.iscsi.backend import ChapAccount

_LONGEST = 30
_READ_CAPACITY = bytes.fromhex("9e1000000000000000000000002000000000")[:16]


def converse(chance: Random) -> int:
    """Log in and work until something is wrong; return how many answers were handed over."""
    connection = TargetConnection(target(FakeFabric(*_accounts(chance))).core, "fuzz")
    initiator = InitiatorConnection(_plan(chance), no_entropy, Transcript(ManualClock()))
    initiator.start()
    for count in range(1, _LONGEST):
        answer = connection.receive(initiator.take_output())
        luck = chance.random()
        heard = answer if luck < 0.8 else noise(chance) if luck < 0.83 else mutate(answer, chance)
        try:
            initiator.receive(heard)
        except PeerViolation:
            return count
        if initiator.state in {State.FAILED, State.LOGGED_OUT}:
            return count
        if initiator.state is State.READY:
            _ask(initiator, chance)
    return _LONGEST


def _accounts(chance: Random) -> tuple[ChapAccount, ...]:
    return (ACCOUNT,) if chance.random() < 0.5 else ()


def _plan(chance: Random) -> LoginPlan:
    mutual = ChapCredentials(ACCOUNT.username, ACCOUNT.secret, ACCOUNT.mutual_username, ACCOUNT.mutual_secret)
    chap = chance.choice((None, mutual, ChapCredentials(ACCOUNT.username, ACCOUNT.secret)))
    value = chance.choice(("None", "None", "CRC32C,None"))
    settings = OperationalSettings(header_digests=value, data_digests=value)
    return LoginPlan(HOST, chance.randbytes(6), chance.choice((TARGET, TARGET, None)), chap, settings)


def _ask(initiator: InitiatorConnection, chance: Random) -> None:
    match chance.randrange(6):
        case 0:
            initiator.text([("SendTargets", "All")])
        case 1:
            initiator.ping(b"anybody there")
        case 2:
            initiator.manage_task(5, 1)
        case 3:
            initiator.command(1, _READ_CAPACITY, data_in_limit=32)
        case 4:
            initiator.command(1, bytes.fromhex("2a000000000000008000"), data_out=bytes(65536))
        case _:
            initiator.command(1, bytes.fromhex("28000000000000008000"), data_in_limit=65536)
