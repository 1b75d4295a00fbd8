"""What the simulated array's other API costs, against a server that always says the same."""

from __future__ import annotations

from conformance.contract import HttpRequest, LaunchOptions, Secret, Transport
from simulators.array.launcher import array
from tests.benchmarks.element import Client, constant_server
from tests.benchmarks.timing import paired

_VOLUME = b"name=one&capacity=1&pool=pool-00000001"


def calls_against_constant() -> float:
    """Calls per second of listing one volume over those of a constant answer of the same length."""
    entry = array(LaunchOptions("array", Transport.SOCKETS, {"api": "vpsa"}))
    try:
        world = entry.open_world()
        endpoint, key = world.endpoints[0], world.parameters["access_key"]
        assert isinstance(key, Secret)
        headers = {"X-Access-Key": key.reveal()}
        endpoint.handle(HttpRequest("POST", "/api/volumes.json", headers, _VOLUME))
        ours = Client(f"{endpoint.url}/api/volumes.json", endpoint.ca_file or "", headers, b"", "GET")
        with constant_server(ours.ask()) as (url, ca_file):
            theirs = Client(url, ca_file, headers, b"", "GET")
            return paired(ours.ask, theirs.ask)
    finally:
        entry.close()
