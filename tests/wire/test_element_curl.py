"""curl, which knows nothing of us, talks to the array's management API and to its witness."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.contract import LaunchOptions, Transport
from simulators.array.launcher import simulate

CURL = shutil.which("curl")
Curl = Callable[..., tuple[int, str]]
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")


@pytest.fixture(scope="module")
def described() -> Iterator[dict[str, str]]:
    array = simulate(LaunchOptions("array", Transport.SOCKETS))
    yield dict(array.describe())
    array.close()


@pytest.fixture(scope="module")
def curl(described: dict[str, str]) -> Curl:
    """Runs curl with the array's CA, and gives back status and body."""

    def run(
        url: str, *arguments: str, user: str = f"{described['username']}:{described['password']}"
    ) -> tuple[int, str]:
        assert CURL is not None
        # The password goes in by standard input: command lines are for all to read.
        command = [CURL, "-sS", "--cacert", described["CA file"], "-w", "\n%{http_code}", "-K", "-", *arguments, url]
        done = subprocess.run(command, input=f'user = "{user}"', capture_output=True, text=True, timeout=30, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    return run


def call(curl: Curl, described: dict[str, str], method: str, **params: object) -> Any:
    status, body = curl(described["endpoint"], "-d", json.dumps({"method": method, "params": params}))
    assert status == 200
    return json.loads(body)["result"]


def test_a_volume_is_made_and_found_from_behind(curl: Curl, described: dict[str, str]) -> None:
    account = call(curl, described, "AddAccount", username="tenant")["accountID"]
    made = call(curl, described, "CreateVolume", name="vol", accountID=account, totalSize=10**9, enable512e=True)
    _, seen = curl(described["witness"])
    assert [each["iqn"] for each in json.loads(seen)["volumes"]] == [made["volume"]["iqn"]]


def test_refusals_have_the_texts_clients_look_for(curl: Curl, described: dict[str, str]) -> None:
    request = ("-d", '{"method": "GetAPI"}')
    assert curl(described["endpoint"], *request, user="admin:wrong") == (401, "401 Unauthorized.")
    status, page = curl(described["endpoint"].replace("12.3", "99.0"), *request)
    assert (status, "404 Not Found" in page) == (404, True)


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
def test_a_body_may_come_in_chunks_and_in_old_http(curl: Curl, described: dict[str, str], version: str) -> None:
    chunked = ("-H", "Transfer-Encoding: chunked") if version == "--http1.1" else ()
    status, body = curl(described["endpoint"], version, *chunked, "-d", '{"method": "GetAPI", "id": 3}')
    assert (status, json.loads(body)["id"]) == (200, 3)
