from __future__ import annotations

import asyncio
import resource
import socket
import time
from contextlib import ExitStack, closing
from typing import cast

import pytest

from simulators.iscsi.byte_stream import SocketStream, dial_socket
from simulators.iscsi.chap import ChapCredentials
from simulators.iscsi.errors import ConnectionClosed, Timeout
from simulators.iscsi.initiator import Initiator
from simulators.iscsi.server import TargetServer
from tests.simulators.iscsi.fake_fabric import ACCOUNT, HOST, MIB, OTHER_HOST, TARGET, FakeFabric
from tests.simulators.iscsi.serving import serving

CHAP = ChapCredentials(ACCOUNT.username, ACCOUNT.secret, ACCOUNT.mutual_username, ACCOUNT.mutual_secret)

CROWD = 1000


def test_a_session_over_a_socket() -> None:
    fabric = FakeFabric(ACCOUNT)
    with serving(fabric) as server:
        ours = Initiator(HOST)
        assert ours.discover(*server.portal) == [(TARGET, [server.portal])]
        session = ours.login(*server.portal, TARGET, CHAP)
        data = bytes(range(256)) * (MIB // 256)
        session.write(1, 0, data)
        assert session.read(1, 0, MIB) == data
        [info] = server.sessions()
        assert (info.initiator_address, info.is_mutual) == ("127.0.0.1", True)
        session.logout()
        assert server.sessions() == []
        assert server.transcript.entries()


@pytest.mark.slow
def test_a_thousand_idle_and_slow_connections_stop_nobody() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CROWD + 200  # both ends of a connection are in this process
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))
    header = bytes.fromhex("43870000000000640001020304050000") + bytes(32)
    try:
        with serving(FakeFabric()) as server, ExitStack() as crowd:
            for number in range(CROWD):
                stream = crowd.enter_context(closing(dial_socket(*server.portal, timeout=30)))
                if number % 2:
                    stream.send(header[: number % len(header)])
            session = Initiator(HOST).login(*server.portal, TARGET)
            began = time.monotonic()
            session.write(1, 0, b"\xab" * 65536)
            assert session.read(1, 0, 65536) == b"\xab" * 65536
            assert time.monotonic() - began < 2
            session.logout()
            assert len(server._edges) >= CROWD
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_initiator_that_reads_slowly_is_waited_for() -> None:
    fabric = FakeFabric()
    with serving(fabric) as server:
        session = Initiator(HOST).login(*server.portal, TARGET)
        machine = session._link.machine
        cdb = bytes.fromhex("88000000000000000000000008000000")
        tags = [machine.command(1, cdb, data_in_limit=MIB) for _ in range(16)]
        session._link._stream.send(machine.take_output())
        done = 0
        while done < len(tags):
            done += len(machine.receive(session._link._stream.receive(65536)))
        session.close()


def test_another_fabric_closes_the_sockets_of_the_old_one() -> None:
    with serving(FakeFabric()) as server:
        stream = dial_socket(*server.portal, timeout=5)
        session = Initiator(HOST).login(*server.portal, TARGET)
        fabric = FakeFabric(ACCOUNT)
        server.fabric = fabric
        assert server.fabric is fabric
        assert stream.receive(10) == b""
        stream.close()
        with pytest.raises(ConnectionClosed):
            session.report_luns()
        Initiator(HOST).login(*server.portal, TARGET, CHAP).close()


def test_a_reinstated_session_closes_the_older_socket() -> None:
    with serving(FakeFabric()) as server:
        ours = Initiator(HOST)
        old = ours.login(*server.portal, TARGET)
        new = ours.login(*server.portal, TARGET, isid=old.isid)
        assert old._link._stream.receive(10) == b""
        old.close()
        new.close()


def test_memory_and_sockets_share_one_target() -> None:
    with serving(FakeFabric()) as server:
        over_socket = Initiator(HOST).login(*server.portal, TARGET)
        in_memory = Initiator(OTHER_HOST, lambda _address, _port: server.dial()).login("x", 1, TARGET)
        assert {info.initiator_iqn for info in server.sessions()} == {HOST, OTHER_HOST}
        over_socket.close()
        in_memory.close()


def test_stopping_twice_is_allowed_and_closes_everything() -> None:
    async def scenario() -> None:
        server = TargetServer(FakeFabric())
        await server.start()
        reader, writer = await asyncio.open_connection(*server.portal)
        await server.stop()
        await server.stop()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()

    asyncio.run(scenario())


def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionClosed, match="cannot connect"):
            dial_socket(*free.getsockname())


def test_a_target_that_does_not_answer_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        stream = dial_socket("127.0.0.1", mute.getsockname()[1], timeout=0.01)
        with pytest.raises(Timeout):
            stream.receive(1)
        stream.close()


class Broken:
    """A socket whose peer is gone, or does not read."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def sendall(self, data: bytes) -> None:
        raise self._error

    def recv(self, limit: int) -> bytes:
        raise self._error


@pytest.mark.parametrize(("error", "raised"), [(TimeoutError(), Timeout), (ConnectionResetError(), ConnectionClosed)])
def test_a_broken_socket_has_a_name(error: OSError, raised: type[Exception]) -> None:
    stream = SocketStream(cast("socket.socket", Broken(error)))
    with pytest.raises(raised):
        stream.send(b"x")


def test_a_reset_connection_reads_as_closed() -> None:
    assert SocketStream(cast("socket.socket", Broken(ConnectionResetError()))).receive(1) == b""


def test_a_portal_that_does_not_accept_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_address: tuple[str, int], _timeout: float) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", never)
    with pytest.raises(Timeout, match="did not accept"):
        dial_socket("127.0.0.1", 9)


def test_a_revoked_session_is_closed_by_a_sweep() -> None:
    fabric = FakeFabric()
    with serving(fabric) as server:
        session = Initiator(HOST).login(*server.portal, TARGET)
        fabric.revoke(HOST)
        assert server.sessions() == []
        server.sweep()
        assert session._link._stream.receive(10) == b""
        session.close()
    server.sweep()
