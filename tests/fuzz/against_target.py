"""Conversations with the target, right and spoiled, and what must hold after each PDU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.iscsi.codec import AHS_LIMIT, DATA_SEGMENT_LIMIT, PduReader, encode
from simulators.iscsi.target_machine import COMMAND_WINDOW, State, TargetConnection
from tests.fuzz import initiator_side
from tests.fuzz.mutation import mutate, noise
from tests.simulators.iscsi.fake_fabric import ACCOUNT, HOST, MIB, OTHER_HOST, AccountedUnit, FakeFabric
from tests.simulators.iscsi.raw_peer import target

if TYPE_CHECKING:
    from random import Random

    from simulators.iscsi.memory import MemoryTarget
    from simulators.iscsi.pdu import Pdu

_LONGEST = 100
_REST_LIMIT = DATA_SEGMENT_LIMIT + AHS_LIMIT + 64
_DEVICES_LIMIT = 2


def converse(chance: Random) -> int:
    """Hold one conversation over two connections; return how many PDUs were sent."""
    memory = _target(chance)
    talks = [Talk(memory, chance), Talk(memory, chance)]
    count = chance.randrange(1, _LONGEST)
    for _ in range(count):
        chance.choice(talks).say_something()
    check_shared(memory)
    return count


def _target(chance: Random) -> MemoryTarget:
    fabric = FakeFabric(*((ACCOUNT,) if chance.random() < 0.1 else ()))
    unit = AccountedUnit(1, size_bytes=MIB // 4)
    fabric.access = {HOST: {1: unit}, OTHER_HOST: {1: unit}}
    return target(fabric)


class Talk:
    """One connection of an initiator that means well, on a line that does not."""

    def __init__(self, memory: MemoryTarget, chance: Random) -> None:
        self._memory, self._chance = memory, chance
        self._session = chance.randbytes(6)
        self._is_reliable = chance.random() < 0.7
        self._leaves_gaps = chance.random() < 0.05
        self._connect()

    def _connect(self) -> None:
        self._connection = TargetConnection(self._memory.core, "fuzz")
        self._answers = PduReader(1 << 24)
        if self._is_reliable:
            login = initiator_side.plain_login(self._session, has_digests=self._chance.random() < 0.1)
            self._send(encode([login]))
        self._is_first = True

    def say_something(self) -> None:
        """Send one PDU, whole or not."""
        if self._connection.is_closed:
            self._connect()
        chance = self._chance
        if self._connection.state is State.LOGIN:
            pdu: Pdu = initiator_side.login(chance, is_first=self._is_first, session=self._session)
            self._is_first = False
        else:
            ahead = chance.randrange(1, 2 * COMMAND_WINDOW) if self._leaves_gaps else 0
            pdu = initiator_side.request(chance, self._connection, ahead)
        wire = encode([pdu], self._connection._digests)
        luck = chance.random()
        self._send(wire if luck < 0.6 else noise(chance) if luck < 0.63 else mutate(wire, chance))

    def _send(self, wire: bytes) -> None:
        # What is sent in pieces must end the same; one cut in ten is enough.
        cut = self._chance.randrange(len(wire) + 1) if self._chance.random() < 0.1 else len(wire)
        for piece in (wire[:cut], wire[cut:]):
            self._answers.feed(self._connection.receive(piece))
            while self._answers.next_pdu() is not None:
                self._answers.digests = self._connection._digests
        self._check()

    def _check(self) -> None:
        connection = self._connection
        assert self._answers.pending_bytes == 0, "an answer is incomplete"
        assert connection.state in State
        assert connection.is_closed or connection._reader.pending_bytes <= _REST_LIMIT, "too much is kept"
        assert len(connection._writes) <= COMMAND_WINDOW, "too many commands wait for data"
        assert all(task._received <= task._expected for task in connection._writes.values()), "too much data is kept"
        ahead = [(cmd_sn - connection._order.expected) & 0xFFFFFFFF for cmd_sn in connection._order._early]
        assert all(0 < each < COMMAND_WINDOW for each in ahead), "a command outside of the window is kept"
        assert len(connection._order._early) <= COMMAND_WINDOW, "too many commands wait for their turn"


def check_shared(memory: MemoryTarget) -> None:
    """Check what the connections leave behind in the core."""
    core = memory.core
    assert len(core._devices) <= _DEVICES_LIMIT
    assert all(not session.connection.is_closed for session in core._sessions.values())
    assert len(core._connections) <= _LONGEST + 2
    for connection in list(core._connections):
        connection.hang_up()
    assert not core._sessions
    assert all(not device.audience for device in core._devices._by_naa.values())
