"""Who called what when, as a run records it: every party, in the right place, and never a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.catalogue import catalogue
from conformance.chronicle import Chronicle, Story
from conformance.contract import BlockConnection, Host, HypervisorType
from conformance.messages import last_messages, messages
from conformance.orchestrator import UnknownObject
from conformance.run import run_requirement
from conformance.subject import RunningSubject
from conformance.trace import Call, Trace
from conformance.traced_cloud import TracedCloud
from conformance.watched_connections import watched
from conformance.world import World
from tests.kit.chain import running

pytest.importorskip("libvirt")
HOST = Host("h-1", "host-1", HypervisorType.KVM, "c-1", ())


@pytest.fixture(scope="module")
def subject() -> Iterator[RunningSubject]:
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def told(subject: RunningSubject) -> dict[str, Story]:
    assert run_requirement(catalogue()["DST-004"], subject).verdict == "PASSED"
    return {each.name: each for each in subject.chronicle.stories()}


def between(caller: str, callee: str, story: Story) -> list[str]:
    return [each.name for each in story.messages if (each.caller, each.callee) == (caller, callee)]


# --- a run -----------------------------------------------------------------------------------------------------------


def test_user_operations_are_told_and_questions_are_not(told: dict[str, Story]) -> None:
    users = {name for name, each in told.items() if each.by_user}
    assert users >= {"add_primary_storage", "create_volume", "attach_volume", "detach_volume", "delete_volume"}
    assert users.isdisjoint({"volume", "volumes", "stores", "close"})


def test_every_party_is_in_the_picture(told: dict[str, Story]) -> None:
    create = told["create_volume"]
    plugin = between("cloud", "plugin", create)
    hosts = plugin.count("grant_access")
    assert hosts > 1
    assert plugin == ["create", *["grant_access"] * hosts, *["connection"] * hosts]
    assert between("cloud", "bridge", create) == ["lun_bytes_for", "create_datastore", "create_disk"]
    assert "CreateVolume" in between("plugin", "array", create)
    assert between("bridge", "hypervisor", create).count("storagePoolDefineXML") == hosts


def test_a_call_lies_under_the_one_that_made_it(told: dict[str, Story]) -> None:
    depths = {(each.callee, each.depth) for each in told["create_volume"].messages}
    assert depths == {("cloud", 0), ("plugin", 1), ("bridge", 1), ("array", 2), ("hypervisor", 2)}
    within = [each for each in told["create_volume"].messages if each.took_ms is not None]
    whole = within[0].took_ms
    assert whole is not None
    assert all(0 <= each.at_ms <= whole for each in within)


def test_what_asks_nobody_is_no_call(told: dict[str, Story]) -> None:
    asked = {name for each in told.values() for name in between("bridge", "hypervisor", each)}
    assert asked.isdisjoint({"UUIDString", "name", "hosts", "usageID"})
    assert "listAllDomains" in asked


def test_timings_count_what_was_called(subject: RunningSubject, told: dict[str, Story]) -> None:
    timings = {(each.party, each.name): each for each in subject.chronicle.timings()}
    create = timings["cloud", "create_volume"]
    assert create.count == told["create_volume"].count
    assert 0 < create.median_ms <= create.slowest_ms
    assert ("bridge", "create_datastore") in timings


def test_the_hosts_of_a_cluster_are_known(subject: RunningSubject, told: dict[str, Story]) -> None:
    assert len(subject.chronicle.hosts) == 3


def test_no_message_holds_a_secret(subject: RunningSubject) -> None:
    with subject.world() as world:
        made, host = world.create(), world.host()
        world.grant(made, host)
        connection = world.driver.connection(world.store, made.volume, host)
        assert isinstance(connection, BlockConnection)
        secrets = _secrets(world, connection)
        call = world.trace.begin("cloud", "plugin", "fail", (), {}, "")
        world.trace.end(call, error=ValueError(f"refused {' and '.join(secrets)}"))
        told = [repr(each) for each in messages(world.trace, world.trace.calls)]
    assert len(secrets) > 1
    assert [each for each in told for secret in secrets if secret in each] == []
    assert "refused *** and ***" in told[-1]


def _secrets(world: World, connection: BlockConnection) -> list[str]:
    world.block(connection)
    return sorted(world.trace.secrets)


# --- the trace -------------------------------------------------------------------------------------------------------


def ended(trace: Trace, caller: str, party: str, name: str) -> Call:
    call = trace.begin(caller, party, name, (), {}, "")
    trace.end(call)
    return call


def test_an_exchange_tells_what_was_asked_and_how_it_failed() -> None:
    trace = Trace()
    call = trace.begin("cloud", "plugin", "create", (), {}, "")
    trace.answered(trace.exchange("/rpc", b'{"method": "CreateVolume"}'), 200, b"{}")
    trace.answered(trace.exchange("/volumes?name=x", b"", "GET"), 503, b"")
    lost = trace.exchange("/volumes/7", b"[1]", "PUT")
    lost.fault = "the reply was lost"
    trace.end(call)
    told = [(each.name, each.outcome, each.fault) for each in messages(trace, [call])[1:]]
    assert told == [
        ("CreateVolume", "", ""),
        ("GET /volumes", "status 503", ""),
        ("PUT /volumes/7", "no answer", "the reply was lost"),
    ]
    assert trace.wire(cleaning=True)[1].startswith("during create: GET /volumes?name=x ")


def test_a_call_that_never_ended_says_so() -> None:
    trace = Trace()
    call = trace.begin("cloud", "plugin", "create", (), {}, "")
    (message,) = messages(trace, [call])
    assert (message.outcome, message.took_ms) == ("did not return", None)


def test_the_last_operations_are_told_whole_as_long_as_they_are_not_too_many() -> None:
    trace = Trace()
    for number in range(200):
        ended(trace, "cloud", "plugin", f"call{number}")
    told = last_messages(trace, trace.calls)
    assert [each.name for each in told] == [f"call{number}" for number in range(40, 200)]


def test_the_usual_way_is_told_not_the_odd_one() -> None:
    chronicle = Chronicle()
    for number in range(9):
        trace = Trace()
        operation = trace.begin("user", "cloud", "delete_volume", (), {}, "")
        ended(trace, "cloud", "plugin", "delete")
        if number == 0:
            ended(trace, "cloud", "bridge", "look")
            ended(trace, "cloud", "bridge", "look_again")
        trace.end(operation)
        chronicle.note(trace)
    (story,) = chronicle.stories()
    assert (story.count, [each.name for each in story.messages]) == (9, ["delete_volume", "delete"])


def test_what_failed_is_no_representative_and_is_counted() -> None:
    trace, chronicle = Trace(), Chronicle()
    call = trace.begin("user", "cloud", "create_volume", (), {}, "")
    trace.end(call, error=ValueError("no"))
    chronicle.note(trace)
    assert chronicle.stories() == []
    (timing,) = chronicle.timings()
    assert (timing.count, timing.failed) == (0, 1)


# --- who stands in for whom ------------------------------------------------------------------------------------------


class Cloud:
    """Makes a call, or none."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def create_volume(self, name: str) -> str:
        ended(self.trace, "cloud", "plugin", "create")
        return name

    def volume(self, name: str) -> str:
        return name

    def delete_volume(self, name: str) -> None:
        raise UnknownObject("volume", name)


def test_a_question_to_the_cloud_is_no_operation() -> None:
    trace = Trace()
    cloud: Any = TracedCloud(trace, Cloud(trace))  # type: ignore[arg-type]
    assert cloud.volume("a") == "a"
    assert cloud.create_volume("b") == "b"
    with pytest.raises(UnknownObject):
        cloud.delete_volume("c")
    assert [(each.name, each.parent and each.parent.name) for each in trace.calls] == [
        ("create_volume", None),
        ("create", "create_volume"),
        ("delete_volume", None),
    ]


class Pool:
    """What a connection gives."""

    text = "plain"

    def name(self) -> str:
        return "pool"

    def start(self, other: Pool | None = None) -> object:
        return other

    def fail(self) -> None:
        raise OSError("no power")


class Connections:
    """A factory."""

    local_calls = frozenset({"name"})

    def hosts(self) -> tuple[Host, ...]:
        return (HOST,)

    def connect(self, host: Host) -> list[Pool]:
        return [Pool()]


def test_every_remote_call_is_noted_with_its_host_and_passes_unchanged() -> None:
    trace = Trace()
    call = trace.begin("cloud", "bridge", "create_datastore", (), {}, "")
    connections = watched(Connections(), trace)
    assert connections.hosts() == (HOST,)
    (pool,) = connections.connect(HOST)
    assert (pool.name(), pool.text) == ("pool", "plain")
    assert pool.start(pool).name() == "pool"
    with pytest.raises(OSError, match="no power"):
        pool.fail()
    trace.end(call)
    told = [(each.name, each.host, each.outcome) for each in messages(trace, [call])[1:]]
    assert told == [("connect", "host-1", ""), ("start", "host-1", ""), ("fail", "host-1", "OSError: no power")]


def test_what_a_watched_call_is_given_is_not_itself_watched() -> None:
    trace = Trace()
    given: list[object] = []

    class Keeping(Pool):
        def start(self, other: Pool | None = None) -> object:
            given.append(other)
            return None

    class Factory:
        def connect(self, host: Host) -> Pool:
            return Keeping()

    pool = watched(Factory(), trace).connect(HOST)
    pool.start(pool)
    assert re.search(r"Keeping object", repr(given[0]))
