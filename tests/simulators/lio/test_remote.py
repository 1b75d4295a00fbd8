"""Both ends of the wire to the machine, with a stand-in for LIO."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from simulators.lio import codec
from simulators.lio.agent import Agent, serve
from simulators.lio.errors import LioError
from simulators.lio.host import LioHost
from simulators.lio.remote import RemoteLio
from simulators.lio.values import Portal
from tests.simulators.lio.memory_lio import MemoryLio

PORTALS = [Portal("127.0.0.1", 3260)]


@pytest.fixture
def remote() -> Iterator[RemoteLio]:
    ours, theirs = socket.socketpair()

    def begin(portals: list[Any], _chance: str) -> LioHost:
        return cast("LioHost", MemoryLio(codec.portals(portals)))

    stream = theirs.makefile("rwb")
    thread = threading.Thread(target=serve, args=(Agent(begin), stream, stream))
    thread.start()
    with RemoteLio(ours, PORTALS, lambda: None) as remote:
        yield remote
    thread.join()
    stream.close()
    theirs.close()


def test_nothing_can_be_asked_before_it_has_begun(remote: RemoteLio) -> None:
    remote.call("ping")
    with pytest.raises(LioError, match="begin"):
        remote.allocated()


def test_disks_are_written_read_copied_and_removed(remote: RemoteLio) -> None:
    remote.call("begin", PORTALS, b"")
    large = bytes(range(256)) * 2048  # more than goes in one line
    remote.create_disk("a", 1 << 20)
    remote.write("a", 4096, large)
    remote.copy_disk("a", "b")
    remote.punch("a", 4096, 4096)
    assert remote.read("b", 4096, len(large)) == large
    assert remote.read("a", 0, 3 * 4096) == bytes(2 * 4096) + large[4096:8192]
    assert remote.allocated() == {"a": len(large) - 4096, "b": len(large)}
    remote.overwrite_disk("b", "a")
    remote.resize_disk("a", 2 << 20)
    remote.delete_disk("b")
    assert remote.allocated() == {"a": len(large)}
    remote.clear()
    assert remote.allocated() == {}


def test_what_cannot_be_is_refused_and_the_next_request_is_answered(remote: RemoteLio) -> None:
    remote.call("begin", PORTALS, b"")
    with pytest.raises(LioError, match="KeyError"):
        remote.read("nothing", 0, 1)
    with pytest.raises(LioError, match="no call"):
        remote.call("format_all")
    assert remote.sessions() == []
    assert remote.observe() == []


def test_a_machine_that_has_ended_is_told() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    ended: list[str] = []
    with RemoteLio(ours, PORTALS, lambda: ended.append("ended")) as remote, pytest.raises(LioError, match="ping"):
        remote.call("ping")
    assert ended == ["ended"]
