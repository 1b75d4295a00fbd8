"""What a plan lets go wrong on connections, as our initiator meets it; in memory and over sockets."""

from __future__ import annotations

import time

import pytest

from simulators.iscsi.errors import ConnectionClosed, LoginRefused, UnexpectedStatus
from simulators.iscsi.initiator import Initiator, Session
from simulators.iscsi.memory import MemoryTarget
from simulators.iscsi.negotiation import OperationalSettings
from simulators.kernel.faults import Failure, Fault
from tests.simulators.iscsi.fake_fabric import HOST, TARGET, FakeFabric
from tests.simulators.iscsi.raw_peer import target
from tests.simulators.iscsi.serving import serving

BLOCK = 512
LARGE = b"R2T!" * (64 * 1024)
ASKED_FOR_EVERYTHING = OperationalSettings(initial_r2t=True, immediate_data=False)


@pytest.fixture
def memory() -> MemoryTarget:
    return target()


def login(memory: MemoryTarget) -> Session:
    return Initiator(HOST, lambda _address, _port: memory.dial(), settings=ASKED_FOR_EVERYTHING).login(
        "memory", 3260, TARGET
    )


def test_a_connection_drops_at_the_nth_pdu_and_the_next_does_not(memory: MemoryTarget) -> None:
    memory.let_fail([Fault(Failure.DROP, "READ (16)", nth=2)])
    session = login(memory)
    session.read(1, 0, BLOCK)
    with pytest.raises(ConnectionClosed):
        session.read(1, 0, BLOCK)
    assert memory.sessions() == []
    assert login(memory).read(1, 0, BLOCK) == bytes(BLOCK)


def test_what_was_written_before_a_drop_stays_and_the_rest_is_not_done(memory: MemoryTarget) -> None:
    session = login(memory)
    session.write(1, 0, b"1" * BLOCK)
    memory.let_fail([Fault(Failure.DROP, "WRITE*")])
    with pytest.raises(ConnectionClosed):
        session.write(1, 0, b"2" * BLOCK)
    assert login(memory).read(1, 0, BLOCK) == b"1" * BLOCK


def test_a_drop_may_come_in_the_middle_of_a_transfer(memory: MemoryTarget) -> None:
    memory.let_fail([Fault(Failure.DROP, "DataOut")])
    session = login(memory)
    with pytest.raises(ConnectionClosed):
        session.write(1, 0, LARGE)
    assert login(memory).read(1, 0, len(LARGE)) == bytes(len(LARGE))


def test_logins_are_refused_as_long_as_the_plan_says(memory: MemoryTarget) -> None:
    memory.let_fail([Fault(Failure.REFUSE_LOGIN, times=2)])
    for _ in range(2):
        with pytest.raises(LoginRefused) as refused:
            login(memory)
        assert (refused.value.status_class, refused.value.status_detail) == (3, 1)
    assert login(memory).read(1, 0, BLOCK) == bytes(BLOCK)


@pytest.mark.parametrize(("failure", "status"), [(Failure.BUSY, 0x08), (Failure.TASK_SET_FULL, 0x28)])
def test_a_command_is_put_off_with_a_status_and_nothing_is_done(
    memory: MemoryTarget, failure: Failure, status: int
) -> None:
    session = login(memory)
    memory.let_fail([Fault(failure, "WRITE*")])
    with pytest.raises(UnexpectedStatus) as put_off:
        session.write(1, 0, b"1" * BLOCK)
    assert put_off.value.status == status
    assert session.read(1, 0, BLOCK) == bytes(BLOCK)
    session.write(1, 0, b"1" * BLOCK)
    assert session.read(1, 0, BLOCK) == b"1" * BLOCK


def test_only_commands_of_the_name_count(memory: MemoryTarget) -> None:
    session = login(memory)
    memory.let_fail([Fault(Failure.BUSY, "UNMAP")])
    session.write(1, 0, b"1" * BLOCK)
    with pytest.raises(UnexpectedStatus):
        session.unmap(1, 0, BLOCK)


def test_data_asked_for_late_arrive_whole(memory: MemoryTarget) -> None:
    session = login(memory)
    memory.let_fail([Fault(Failure.LATE_R2T, times=2, seconds=0.01)])
    session.write(1, 0, LARGE)
    assert session.read(1, 0, len(LARGE)) == LARGE


def test_over_a_socket_it_is_the_same() -> None:
    with serving(FakeFabric()) as server:
        address, port = server.portal
        slow, quick = (Initiator(HOST, settings=ASKED_FOR_EVERYTHING) for _ in range(2))
        server.let_fail(
            [Fault(Failure.LATE_R2T, seconds=0.05), Fault(Failure.DROP, "UNMAP"), Fault(Failure.BUSY, "READ (*")]
        )
        with slow.login(address, port, TARGET) as session, quick.login(address, port, TARGET) as other:
            began = time.monotonic()
            session.write(1, 0, LARGE)
            assert time.monotonic() - began >= 0.05
            with pytest.raises(UnexpectedStatus):
                session.read(1, 0, BLOCK)
            assert session.read(1, 0, len(LARGE)) == LARGE
            with pytest.raises(ConnectionClosed):
                other.unmap(1, 0, BLOCK)
