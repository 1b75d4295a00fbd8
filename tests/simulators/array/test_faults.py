"""Faults of a plan: each failure as a client meets it, in memory and over sockets."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from conformance.contract import LaunchFailed, LaunchOptions, Transport
from simulators.array.faulty_management import FaultyManagement
from simulators.array.launcher import element
from simulators.array.management import Reply
from simulators.iscsi.backend import ChapAccount
from simulators.iscsi.errors import InitiatorError
from simulators.iscsi.initiator import Initiator
from simulators.kernel.faults import Failure, Fault, FaultPlan
from simulators.kernel.manual_clock import ManualClock
from simulators.kernel.transcript import Transcript
from tests.simulators.array.client import HOST, Client, Refusal, memory_array

GOES_WRONG = "CreateVolume"


def one(failure: str, **more: object) -> dict[str, object]:
    return {"failure": failure, "call": GOES_WRONG, **more}


def test_a_plan_counts_only_calls_that_match() -> None:
    second_and_third = Fault(Failure.DELAY, "Create*", nth=2, times=2)
    plan = FaultPlan([second_and_third])
    calls = ["CreateVolume", "ListVolumes", "CreateSnapshot", "CreateVolume", "CreateVolume"]
    assert [plan.strike(each) for each in calls] == [None, None, second_and_third, second_and_third, None]


def test_a_fault_without_an_end_goes_off_for_ever_and_the_first_in_the_plan_wins() -> None:
    first, always = Fault(Failure.THROTTLE, nth=2), Fault(Failure.DELAY, times=0)
    plan = FaultPlan([first, always])
    assert [plan.strike("any") for _ in range(4)] == [always, first, always, always]


def test_an_error_before_does_nothing() -> None:
    with memory_array(faults=[one("error-before")]) as client:
        account = client.account()
        with pytest.raises(Refusal, match="xDBOperationTimeout"):
            client.volume(account)
        assert client.volume(account)["volumeID"] == 1


def test_a_lost_reply_comes_after_the_work() -> None:
    with memory_array(faults=[one("lost-reply")]) as client:
        account = client.account()
        with pytest.raises(ConnectionResetError):
            client.volume(account)
        assert [each["name"] for each in client.call("ListVolumes")["volumes"]] == ["vol"]


def test_a_delayed_answer_is_the_right_one() -> None:
    with memory_array(faults=[one("delay", seconds=0.02)]) as client:
        account, start = client.account(), time.monotonic()
        assert client.volume(account)["volumeID"] == 1
        assert time.monotonic() - start >= 0.02


def test_throttling_tells_when_to_come_again() -> None:
    with memory_array(faults=[{"failure": "throttle", "seconds": 1.5}]) as client:
        response = client.send(b'{"method": "GetAPI", "params": {}}')
        assert (response.status, response.headers["Retry-After"]) == (503, "2")
        assert client.call("GetAPI")


def test_good_credentials_may_be_refused_for_a_while() -> None:
    with memory_array(faults=[{"failure": "auth-expiry", "times": 2}]) as client:
        assert [client.send(b'{"method": "GetAPI"}').status for _ in range(3)] == [401, 401, 200]


def test_a_restart_ends_sessions_and_keeps_what_is_written() -> None:
    with memory_array(faults=[{"failure": "restart", "call": "GetAPI"}]) as client:
        volume = client.volume(client.account(initiatorSecret="initiator-sec"))
        chap = ChapAccount("tenant", b"initiator-sec")
        address, _, port = client.call("GetClusterInfo")["clusterInfo"]["svip"].rpartition(":")
        initiator = Initiator(HOST, client.world.dial)
        session = initiator.login(address, int(port), volume["iqn"], chap)
        session.write(0, 0, b"durable!" * 64)
        with pytest.raises(ConnectionResetError):
            client.call("GetAPI")
        with pytest.raises(InitiatorError):
            session.read(0, 0, 512)
        assert client.call("ListVolumes")["volumes"][0]["name"] == "vol"
        assert initiator.login(address, int(port), volume["iqn"], chap).read(0, 0, 8 * 64) == b"durable!" * 64


class OneAnswer:
    """An API that always says the same."""

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return Reply(200, {}, b"here")

    def call_name(self, method: str, path: str, body: bytes) -> str:
        return "any"

    def refusal(self, fault: Fault, path: str, body: bytes) -> Reply:
        raise AssertionError("a restart is no refusal")


def test_a_restart_takes_its_time() -> None:
    clock, restarts = ManualClock(), []
    down = Fault(Failure.RESTART, seconds=5)
    management = FaultyManagement(OneAnswer(), [down], Transcript(clock), lambda: restarts.append(clock.now()))

    def is_answered() -> bool:
        return management.answer("GET", "/", {}, b"").reply is not None

    assert not is_answered()
    clock.advance(4.9)
    assert not is_answered()
    clock.advance(0.2)
    assert is_answered()
    assert len(restarts) == 1


def test_over_a_socket_a_lost_reply_is_a_closed_connection() -> None:
    entry = element(LaunchOptions("array", Transport.SOCKETS, {"faults": [one("lost-reply")]}))
    world = entry.open_world()
    client = Client(world)
    account = client.account()
    url = urlsplit(world.endpoints[0].url)
    body = {"method": GOES_WRONG, "params": {"name": "v", "accountID": account, "totalSize": 10**9, "enable512e": True}}
    context = ssl.create_default_context(cafile=world.endpoints[0].ca_file)
    connection = http.client.HTTPSConnection(url.netloc, context=context, timeout=10)
    connection.request("POST", url.path, json.dumps(body), {"Authorization": client.authorization})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, ssl.SSLError)):
        connection.getresponse()
    connection.close()
    assert len(client.call("ListVolumes")["volumes"]) == 1
    world.close()
    entry.close()


@pytest.mark.parametrize(
    ("faults", "text"),
    [
        ({}, "no list of tables"),
        ([5], "fault 1 has something else"),
        ([{"failure": "delay"}, {"failure": "explosion"}], "fault 2 has no known failure: use any of error-before,"),
        ([{"failure": "delay", "after": 1}], "something else than failure, call, nth, times, seconds"),
        ([{"failure": "delay", "nth": 0}], "'nth'"),
        ([{"failure": "delay", "seconds": "1"}], "seconds"),
        ([{"failure": "delay", "call": 7}], "'call'"),
    ],
)
def test_wrong_faults_are_named(faults: object, text: str) -> None:
    with pytest.raises(LaunchFailed, match=text):
        element(LaunchOptions("array", Transport.MEMORY, {"faults": faults}))
