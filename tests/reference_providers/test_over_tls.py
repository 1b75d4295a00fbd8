"""The plugins' own HTTPS client, against the array behind real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from conformance.contract import (
    AccessModel,
    ArrayEntry,
    ArrayUnreachable,
    InvalidRequest,
    LaunchOptions,
    StoreRequest,
    Transport,
    VolumeRequest,
)
from simulators.array.launcher import array

from .scene import CLUSTER, GB, PLACEMENT, PLUGINS, SETTINGS, Cloud, Plugin, told_by


@dataclass
class Network:
    """An array behind sockets, and a plugin that reaches it by itself."""

    request: StoreRequest
    plugin: Plugin


@pytest.fixture(scope="module", params=PLUGINS)
def entry(request: pytest.FixtureRequest) -> Iterator[tuple[str, ArrayEntry]]:
    settings = SETTINGS.get(PLUGINS[request.param], {})
    opened = array(LaunchOptions("array", Transport.SOCKETS, settings))
    yield request.param, opened
    opened.close()


@pytest.fixture
def network(entry: tuple[str, ArrayEntry]) -> Iterator[Network]:
    name, array_entry = entry
    world = array_entry.open_world()
    endpoint = world.endpoints[0]
    plain, secrets = told_by(world)
    parameters = {"url": endpoint.url, "ca_file": str(endpoint.ca_file), **plain}
    store = StoreRequest(
        "store-1",
        "primary",
        CLUSTER,
        AccessModel.DEDICATED,
        100 * GB,
        parameters=parameters,
        secrets=secrets,
    )
    plugin = PLUGINS[name]()
    plugin.configure(Cloud())
    yield Network(store, plugin)
    plugin.close()
    world.close()


def _with(request: StoreRequest, **parameters: str) -> StoreRequest:
    return replace(request, parameters={**request.parameters, **parameters})


def test_a_volume_is_made_and_granted(network: Network) -> None:
    store = network.plugin.lifecycle.initialize(network.request)
    made = network.plugin.driver.create(store, VolumeRequest("volume-1", "data", 2 * GB), PLACEMENT)
    (listed,) = network.plugin.driver.list_objects(store)
    assert listed.external_id == made.external_id
    network.plugin.lifecycle.delete_datastore(network.request)


def test_a_certificate_that_nobody_vouches_for_is_refused(network: Network) -> None:
    with pytest.raises(ArrayUnreachable) as refused:
        network.plugin.lifecycle.initialize(_with(network.request, ca_file=""))
    assert not refused.value.retryable


def test_a_certificate_for_another_name_is_refused(network: Network) -> None:
    # The same address by a name that the certificate does not have.
    elsewhere = network.request.parameters["url"].replace("127.0.0.1", "127.1")
    with pytest.raises(ArrayUnreachable) as refused:
        network.plugin.lifecycle.initialize(_with(network.request, url=elsewhere))
    assert not refused.value.retryable


def test_a_file_without_certificates_is_named(network: Network, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for ca_file in (str(empty), str(tmp_path / "missing.pem")):
        with pytest.raises(InvalidRequest) as refused:
            network.plugin.lifecycle.initialize(_with(network.request, ca_file=ca_file))
        assert refused.value.field == "ca_file"


def test_nothing_goes_out_in_the_clear(network: Network) -> None:
    clear = network.request.parameters["url"].replace("https:", "http:")
    with pytest.raises(InvalidRequest) as refused:
        network.plugin.lifecycle.initialize(_with(network.request, url=clear))
    assert refused.value.field == "url"


def test_a_name_that_cannot_be_one_is_refused(network: Network) -> None:
    refusal = ArrayUnreachable if network.plugin.name == "minimal" else InvalidRequest
    with pytest.raises(refusal, match="aaa"):
        network.plugin.lifecycle.initialize(_with(network.request, url=f"https://{'a' * 70}.example"))


def test_a_closed_port_is_unreachable(network: Network) -> None:
    with pytest.raises(ArrayUnreachable) as refused:
        network.plugin.lifecycle.initialize(_with(network.request, url="https://127.0.0.1:1"))
    assert refused.value.retryable


def test_checking_can_be_switched_off_by_name_only(network: Network) -> None:
    unchecked = _with(network.request, ca_file="", verify_tls="false")
    if network.plugin.name == "solidfire":
        assert network.plugin.lifecycle.initialize(unchecked).request == unchecked
    else:
        with pytest.raises(ArrayUnreachable):
            network.plugin.lifecycle.initialize(unchecked)
