"""The cloud's desk with a real bridge: VMs start, move and stop, hosts are away, and nothing is left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.contract import AccessModel, HostState
from conformance.subject import RunningSubject

from .chain import running

PATTERN = bytes(range(256)) * 2


@pytest.fixture(scope="module")
def subject() -> Iterator[RunningSubject]:
    with running() as started:
        yield started


def test_a_direct_volume_is_seen_by_the_host_of_its_vm_and_by_no_other(subject: RunningSubject) -> None:
    with subject.world(hypervisor=True) as world:
        cloud = world.cloud
        cloud.serve(AccessModel.DIRECT)
        first, second = cloud.hosts()[:2]
        volumes = [cloud.create_volume(), cloud.create_volume()]
        for each in volumes:
            cloud.assign(each, "web")
        assert [cloud.granted_hosts(each) for each in volumes] == [[], []]
        cloud.start("web")
        assert [cloud.granted_hosts(each) for each in volumes] == [[first.name]] * 2
        cloud.move("web", second)
        assert [cloud.granted_hosts(each) for each in volumes] == [[second.name]] * 2
        assert cloud.host_of("web") == second
        cloud.stop("web")
        assert [cloud.granted_hosts(each) for each in volumes] == [[], []]
        assert cloud.left_on_hosts() == []
        cloud.start("web", second)
        assert [cloud.granted_hosts(each) for each in volumes] == [[second.name]] * 2
    assert world.found == []


def test_a_dedicated_volume_goes_with_its_vm_and_keeps_its_bytes(subject: RunningSubject) -> None:
    with subject.world(hypervisor=True) as world:
        cloud = world.cloud
        volume = cloud.create_volume()
        cloud.write(volume, 0, PATTERN)
        cloud.assign(volume, "web")
        cloud.start("web")
        cloud.move("web", cloud.hosts()[1])
        cloud.stop("web")
        cloud.start("web", cloud.hosts()[2])
        assert cloud.hosts_seeing(volume) == cloud.host_names()
        assert cloud.read(volume, 0, len(PATTERN)) == PATTERN
    assert world.found == []


def test_a_host_that_was_away_catches_up(subject: RunningSubject) -> None:
    with subject.world(hypervisor=True) as world:
        cloud = world.cloud
        cloud.ready()
        away = cloud.hosts()[1]
        cloud.maintain_host(away)
        volume = cloud.create_volume()
        assert away.name not in cloud.hosts_seeing(volume)
        cloud.cancel_maintain_host(away)
        assert cloud.hosts_seeing(volume) == cloud.host_names()
        cloud.disconnect_host(away)
        assert cloud.host_state(away) is HostState.DISCONNECTED
        cloud.connect_host(away)
        assert cloud.hosts_seeing(volume) == cloud.host_names()
    assert world.found == []
