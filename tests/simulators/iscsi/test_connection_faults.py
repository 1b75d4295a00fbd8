"""What a plan lets go wrong on connections, as our initiator meets it; in memory and over sockets."""

from __future__ import annotations

import time

import pytest

from simulators.iscsi import pdu as p
from simulators.iscsi.codec import PduReader
from simulators.iscsi.errors import ConnectionClosed, LoginRefused, UnexpectedStatus
from simulators.iscsi.initiator import Initiator, Session
from simulators.iscsi.initiator_events import CommandCompleted
from simulators.iscsi.memory import MemoryTarget
from simulators.iscsi.negotiation import OperationalSettings
from simulators.kernel.faults import Failure, Fault, FaultPlan
from tests.simulators.iscsi.fake_fabric import HOST, TARGET, FakeFabric
from tests.simulators.iscsi.raw_peer import RawPeer, only, target, write_10
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


def two_late(first: float, second: float) -> list[Fault]:
    return [
        Fault(Failure.LATE_R2T, "WRITE (10)", seconds=first),
        Fault(Failure.LATE_R2T, "WRITE (16)", seconds=second),
    ]


WRITE_16 = b"\x8a" + bytes(8) + (1).to_bytes(4, "big") + bytes(2)


def test_each_late_request_has_a_time_of_its_own(memory: MemoryTarget) -> None:
    memory.let_fail(two_late(0.05, 0.0))
    session = login(memory)
    machine, stream = session._link.machine, session._link._stream
    began = time.monotonic()
    slow, quick = (machine.command(1, cdb, data_out=b"R" * BLOCK) for cdb in (write_10(1), WRITE_16))
    stream.send(machine.take_output())
    ended = []
    for _ in range(2):
        machine.receive(stream.receive(65536))
        stream.send(machine.take_output())
        ended += [event.tag for event in machine.receive(stream.receive(65536)) if isinstance(event, CommandCompleted)]
    assert ended == [quick, slow]
    assert time.monotonic() - began >= 0.05


def test_a_write_that_is_aborted_is_not_asked_for_late() -> None:
    peer = RawPeer(target())
    peer._connection._core.faults = FaultPlan(two_late(1.0, 1.0))
    peer.login(("ImmediateData", "No"))
    command = peer.command_pdu(write_10(1), writes=BLOCK)
    assert peer.send(command) == []
    [late] = peer._connection.take_late()
    assert peer._connection.take_late() == []
    abort = p.TaskManagementRequest(1, command.lun, 800, command.initiator_task_tag, peer.cmd_sn, 0, 0)
    assert only(peer.send(abort), p.TaskManagementResponse).response == 0
    assert peer._connection.ask_late(late.task) == b""


def test_over_a_socket_each_late_request_has_a_time_of_its_own_too() -> None:
    with serving(FakeFabric()) as server:
        server.let_fail(two_late(0.2, 0.0))
        session = Initiator(HOST, settings=ASKED_FOR_EVERYTHING).login(*server.portal, TARGET)
        machine, stream = session._link.machine, session._link._stream
        _, quick = (machine.command(1, cdb, data_out=b"R" * BLOCK) for cdb in (write_10(1), WRITE_16))
        stream.send(machine.take_output())
        reader = PduReader()
        reader.feed(stream.receive(65536))
        asked = reader.next_pdu()
        assert isinstance(asked, p.ReadyToTransfer)
        assert asked.initiator_task_tag == quick
        session.close()


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
