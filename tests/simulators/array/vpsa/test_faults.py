"""Faults of a plan in the words of this API: errors have HTTP status 200, and the format that was asked for."""

from __future__ import annotations

import pytest

from tests.simulators.array.vpsa.client import GB, POOL, Refusal, memory_array

EXPAND = "POST volumes/*/expand"


def test_an_error_before_does_nothing_and_is_told_in_either_format() -> None:
    with memory_array(faults=[{"failure": "error-before", "call": EXPAND, "times": 2}]) as client:
        name = client.ask("POST", "volumes", name="v", capacity=1, pool=POOL)["vol_name"]
        with pytest.raises(Refusal) as refused:
            client.ask("POST", f"volumes/{name}/expand", capacity=1)
        told = client.ask_xml("POST", f"volumes/{name}/expand", capacity=1)
        assert told.findtext("status") == str(refused.value.status) == "1"
        assert len(told.findall("status-msg")) == 1
        assert client.ask("GET", f"volumes/{name}")["volume"]["virtual_capacity"] == 1


def test_a_lost_reply_of_a_relative_expand_has_expanded() -> None:
    with memory_array(faults=[{"failure": "lost-reply", "call": EXPAND}]) as client:
        name = client.ask("POST", "volumes", name="v", capacity=1, pool=POOL)["vol_name"]
        with pytest.raises(ConnectionResetError):
            client.ask("POST", f"volumes/{name}/expand", capacity=1)
        assert client.world.witness.observe().luns[0].size_bytes == 2 * GB


def test_a_good_key_may_be_refused_for_a_while() -> None:
    with memory_array(faults=[{"failure": "auth-expiry", "call": "GET volumes"}]) as client:
        with pytest.raises(Refusal) as refused:
            client.ask("GET", "volumes")
        assert refused.value.status == 5
        assert client.ask("GET", "volumes")["volumes"] == []


def test_throttling_is_an_http_status() -> None:
    with memory_array(faults=[{"failure": "throttle", "seconds": 3}]) as client:
        response = client.send("GET", "/api/pools.json")
        assert (response.status, response.headers["Retry-After"]) == (503, "3")
