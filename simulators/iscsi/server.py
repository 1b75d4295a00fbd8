"""The target on TCP: asyncio moves the bytes, the core decides everything."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING, cast

from simulators.iscsi.memory import MemoryTarget
from simulators.iscsi.portal import Portal
from simulators.iscsi.target_machine import TargetConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.iscsi.backend import Fabric, SessionInfo
    from simulators.iscsi.byte_stream import ByteStream
    from simulators.iscsi.negotiation import OperationalSettings
    from simulators.iscsi.write_task import WriteTask
    from simulators.kernel.clock import Clock
    from simulators.kernel.faults import Fault
    from simulators.kernel.transcript import Transcript

_BACKLOG = 1024
"""Many hosts may log in at once, after a restart for one."""


class TargetServer:
    """A target node with its portals on loopback, and in-memory connections to the same core beside them.

    With `ping_seconds` it sends a NOP-In that often, and closes a connection that has not answered by the next.
    """

    def __init__(
        self,
        fabric: Fabric,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        settings: OperationalSettings | None = None,
        more_portals: Sequence[Portal] = (),
        ping_seconds: float | None = None,
        power_on_attention: bool = False,
        clock: Clock | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._memory = MemoryTarget(
            fabric,
            portals=(Portal(host, port), *more_portals),
            settings=settings,
            power_on_attention=power_on_attention,
            clock=clock,
            entropy=entropy,
        )
        self._ping_seconds = ping_seconds
        self._pinging: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers: list[asyncio.Server] = []
        self._edges: dict[TargetConnection, asyncio.Transport] = {}

    @property
    def portal(self) -> tuple[str, int]:
        """Address and port; the port is known once the server has started."""
        return self._memory.portal

    @property
    def portals(self) -> list[Portal]:
        """All portals, as SendTargets tells them; one core serves them all."""
        return list(self._memory.core.portals)

    @property
    def transcript(self) -> Transcript:
        """What was said, secrets masked."""
        return self._memory.transcript

    @property
    def fabric(self) -> Fabric:
        """The fabric that is served. Set it (without holding a lock the fabric takes) to close all sessions."""
        return self._memory.fabric

    @fabric.setter
    def fabric(self, fabric: Fabric) -> None:
        self._memory.fabric = fabric
        self.sweep()

    def let_fail(self, faults: Sequence[Fault]) -> None:
        """Let these faults befall connections from now on, and no others."""
        self._memory.let_fail(faults)

    def sessions(self) -> list[SessionInfo]:
        """List the sessions that are logged in and still admitted. Any thread may ask, whatever lock it holds."""
        return self._memory.sessions()

    def sweep(self) -> None:
        """Close the sessions that are no longer admitted, soon, and without waiting for their next command."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._sweep_now)

    def dial(self, initiator_address: str = "memory") -> ByteStream:
        """Open a connection without a socket."""
        return self._memory.dial(initiator_address)

    async def start(self) -> None:
        """Listen."""
        self._loop = asyncio.get_running_loop()
        portals = self._memory.core.portals
        for index, portal in enumerate(self.portals):
            portals[index] = await self._listen(self._loop, portal)
        if self._ping_seconds is not None:
            self._pinging = self._loop.create_task(self._keep_pinging(self._ping_seconds))

    async def _listen(self, loop: asyncio.AbstractEventLoop, portal: Portal) -> Portal:
        """Open one portal and return it with the port that it got."""
        tag = portal.group_tag
        server = await loop.create_server(
            lambda: _Edge(self._memory, self._edges, tag), portal.address, portal.port, backlog=_BACKLOG
        )
        self._servers.append(server)
        bound = server.sockets[0].getsockname()
        return Portal(bound[0], bound[1], tag)

    async def _keep_pinging(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            for connection, transport in list(self._edges.items()):
                with self._memory.lock:
                    question = connection.ping()
                if question:
                    transport.write(question)
                if connection.is_closed:
                    transport.close()

    async def stop(self) -> None:
        """Stop listening and close every connection. Repeating it is allowed."""
        servers, self._servers, self._loop = self._servers, [], None
        if self._pinging is not None:
            self._pinging.cancel()
            self._pinging = None
        for server in servers:
            server.close()
        for transport in list(self._edges.values()):
            transport.abort()
        for server in servers:
            await server.wait_closed()
        await asyncio.sleep(0)  # connection_lost is called in the next turn of the loop

    def _sweep_now(self) -> None:
        self._memory.sweep()
        close_dropped(self._memory, self._edges)


class _Edge(asyncio.Protocol):
    """One accepted socket."""

    def __init__(
        self, memory: MemoryTarget, edges: dict[TargetConnection, asyncio.Transport], portal_group_tag: int
    ) -> None:
        self._memory = memory
        self._portal_group_tag = portal_group_tag
        self._edges = edges

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._memory.lock:
            address = transport.get_extra_info("peername")[0]
            self._connection = TargetConnection(self._memory.core, address, self._portal_group_tag)
        self._edges[self._connection] = self._transport

    def data_received(self, data: bytes) -> None:
        with self._memory.lock:
            answer = self._connection.receive(data)
        if answer:
            self._transport.write(answer)
        for late in self._connection.take_late():
            asyncio.get_running_loop().call_later(late.seconds, self._ask_late, late.task)
        if self._connection.is_closed:
            self._transport.close()
        tell_opened(self._memory, self._edges)
        close_dropped(self._memory, self._edges)

    def _ask_late(self, task: WriteTask) -> None:
        with self._memory.lock:
            request = self._connection.ask_late(task)
        self._transport.write(request)

    def pause_writing(self) -> None:
        """The initiator reads slower than it asks: take no more requests until it has caught up."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def connection_lost(self, _error: Exception | None) -> None:
        self._edges.pop(self._connection, None)
        with self._memory.lock:
            self._connection.hang_up()


def close_dropped(memory: MemoryTarget, edges: dict[TargetConnection, asyncio.Transport]) -> None:
    """Close the transports of connections that the core has ended."""
    with memory.lock:
        dropped = memory.core.take_dropped()
    for connection in dropped:
        transport = edges.get(connection)
        if transport is not None:
            transport.close()


def tell_opened(memory: MemoryTarget, edges: dict[TargetConnection, asyncio.Transport]) -> None:
    """Tell initiators that they may send more, after another one has ended their tasks."""
    with memory.lock:
        told = {connection: connection.tell_window() for connection in memory.core.take_opened() & edges.keys()}
    for connection, news in told.items():
        edges[connection].write(news)
