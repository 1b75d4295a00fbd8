"""Both cores, with the bytes carried between them by hand, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulators.iscsi.chap import ChapCredentials
from simulators.iscsi.initiator_events import CommandCompleted, LoggedOut, LoginCompleted, Pinged, TaskManaged
from simulators.iscsi.initiator_machine import InitiatorConnection, LoginPlan, State
from simulators.iscsi.negotiation import OperationalSettings
from simulators.iscsi.target_machine import TargetConnection
from simulators.kernel.clock import ManualClock
from simulators.kernel.transcript import Direction, Transcript
from tests.simulators.iscsi.fake_fabric import ACCOUNT, HOST, TARGET, FakeFabric
from tests.simulators.iscsi.raw_peer import ISID, no_entropy, target

if TYPE_CHECKING:
    from simulators.iscsi.initiator_events import Event

CHAP = ChapCredentials(ACCOUNT.username, ACCOUNT.secret, ACCOUNT.mutual_username, ACCOUNT.mutual_secret)


def other_entropy(count: int) -> bytes:
    return bytes(range(100, 100 + count))


class Pair:
    """An initiator and a target whose bytes cross one by one."""

    def __init__(self, fabric: FakeFabric, settings: OperationalSettings) -> None:
        self.clock = ManualClock()
        plan = LoginPlan(HOST, ISID, TARGET, CHAP, settings)
        self.initiator = InitiatorConnection(plan, other_entropy, Transcript(self.clock))
        self.memory = target(fabric)
        self.target = TargetConnection(self.memory.core, "by hand")
        self.initiator.start()

    def settle(self) -> list[Event]:
        """Carry bytes until neither has more to say."""
        events: list[Event] = []
        while outgoing := self.initiator.take_output():
            for byte in outgoing:
                answer = self.target.receive(bytes((byte,)))
                for answered in answer:
                    events += self.initiator.receive(bytes((answered,)))
        return events


@pytest.fixture
def fabric() -> FakeFabric:
    return FakeFabric(ACCOUNT)


def test_a_whole_session_one_byte_at_a_time(fabric: FakeFabric) -> None:
    settings = OperationalSettings(
        max_recv_data_segment_length=512, max_burst_length=1024, first_burst_length=512, initial_r2t=True
    )
    pair = Pair(fabric, settings)
    assert pair.settle() == [LoginCompleted(1, "CHAP", 7)]

    write = bytes.fromhex("2a000000000000000500")
    data = bytes(range(256)) * 10
    pair.initiator.command(1, write, data_out=data)
    pair.initiator.ping(b"in between")
    completed = {type(event) for event in pair.settle()}
    assert completed == {CommandCompleted, Pinged}
    assert fabric.unit.content[:2560] == data

    pair.initiator.command(1, bytes.fromhex("28000000000000000500"), data_in_limit=2560)
    [read] = pair.settle()
    assert isinstance(read, CommandCompleted)
    assert (read.status, read.data) == (0, data)

    pair.initiator.manage_task(5, 1)
    pair.initiator.logout()
    assert [type(event) for event in pair.settle()] == [TaskManaged, LoggedOut]
    assert pair.target.is_closed
    assert pair.initiator.state is State.LOGGED_OUT


def test_the_same_inputs_give_the_same_bytes() -> None:
    first, second = Pair(FakeFabric(ACCOUNT), OperationalSettings()), Pair(FakeFabric(ACCOUNT), OperationalSettings())
    for pair in (first, second):
        pair.settle()
    assert first.memory.transcript.entries() == second.memory.transcript.entries()
    assert first.memory.transcript.entries()[0].direction is Direction.RECEIVED
    assert no_entropy(2) == b"\1\2"


def test_a_clock_never_goes_back() -> None:
    clock = ManualClock(5)
    clock.advance(2.5)
    assert clock.now() == 7.5
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(-1)
