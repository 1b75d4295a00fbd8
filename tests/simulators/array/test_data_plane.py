from __future__ import annotations

import asyncio

import pytest

from conformance.contract import LaunchFailed, LaunchOptions, Transport
from simulators.array.data_plane import DATA_PLANES, LioPlane
from simulators.array.fabric import EmptyFabric
from simulators.array.launcher import element
from simulators.array.settings import read_settings
from simulators.iscsi.backend import Admission, AdmissionVerdict, ChapAccount
from simulators.lio import host
from simulators.lio.errors import LioUnavailable
from simulators.lio.values import Portal, Session
from tests.simulators.lio.memory_lio import MemoryLio

IQN, HOST = "iqn.2010-01.com.example:array.volume.1", "iqn.1993-08.org.debian:01:host-1"


class Guarded(EmptyFabric):
    """One CHAP account for everything."""

    def admit(self, initiator_iqn: str, target_iqn: str) -> Admission:
        return Admission(AdmissionVerdict.ALLOWED, (ChapAccount("tenant", b"secret-of-twelve"),))


def test_a_plane_is_chosen_by_its_name() -> None:
    assert read_settings({}).data_plane == "embedded"
    for name in DATA_PLANES:
        assert read_settings({"data_plane": name}).data_plane == name


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"data_plane": "tgtd"}, "use any of embedded, lio, lio-vm"),
        ({"data_plane": 7}, "use any of embedded, lio, lio-vm"),
        ({"data_plane": "lio", "sessions_survive_regrouping": True}, "cannot be had with LIO"),
    ],
)
def test_a_plane_that_cannot_be_is_refused(settings: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read_settings(settings)


@pytest.mark.parametrize("transport", Transport)
def test_where_there_is_no_lio_the_launch_fails_and_says_why(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_lio(_port: int) -> None:
        raise LioUnavailable("the kernel has no LIO: modprobe target_core_mod")

    monkeypatch.setattr(host, "local_lio", no_lio)
    with pytest.raises(LaunchFailed, match="array-1: the kernel has no LIO"):
        element(LaunchOptions("array-1", transport, {"data_plane": "lio"}))


def test_without_root_the_local_lio_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "run as root" in str(host.why_not())


def test_sessions_are_told_with_the_account_that_the_array_asks_for() -> None:
    lio = MemoryLio([Portal("127.0.0.1", 3260)])
    lio.logged_in = [Session(HOST, IQN, "10.0.2.2", "80c7b3020000", 258)]
    plane = LioPlane(lio)
    plane.fabric = Guarded()
    (session,) = plane.sessions()
    assert (session.initiator_iqn, session.target_iqn, session.tsih) == (HOST, IQN, 258)
    assert (session.chap_username, session.auth_method, session.isid) == ("tenant", "CHAP", b"\x80\xc7\xb3\x02\0\0")
    plane.fabric = EmptyFabric()
    assert plane.sessions()[0].auth_method == "None"


def test_the_next_array_finds_nothing_of_the_one_before() -> None:
    lio = MemoryLio([Portal("127.0.0.1", 3260)])
    plane = LioPlane(lio)
    plane.new_store().create(4096)
    plane.fabric = EmptyFabric()
    assert lio.disks == {}
    asyncio.run(plane.stop())
