"""Paths, formats, keys and errors: what every operation has in common."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.request
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from conformance.contract import LaunchFailed, LaunchOptions, Secret, Transport
from simulators.array.faulty_management import Outcome
from simulators.array.launcher import array, simulate
from simulators.array.refusal import Reason
from simulators.array.server import ArrayServer
from simulators.array.vpsa_api.errors import STATUSES
from tests.simulators.array.vpsa.client import HOST, POOL, Client, Refusal, memory_array


@pytest.mark.parametrize("headers", [{}, {"X-Access-Key": "wrong"}, {"X-Access-Key": ""}])
def test_without_the_key_the_status_is_5_and_http_is_content(client: Client, headers: dict[str, str]) -> None:
    response = client.send("GET", "/api/volumes.json", headers=headers)
    assert response.status == 200
    assert json.loads(response.body)["response"]["status"] == 5


@pytest.mark.parametrize("name", ["X-Access-Key", "X-Token", "x-token"])
def test_the_key_may_be_in_either_header(client: Client, name: str) -> None:
    client.headers = {name: client.headers["X-Access-Key"]}
    assert client.ask("GET", "pools")["status"] == 0


def test_every_list_says_how_long_it_is(client: Client) -> None:
    volume, server = client.volume(), client.server()
    client.attach(server, volume)
    client.ask("POST", "consistency_groups/cg-00000001/snapshots", display_name="kept")
    lengths = {
        path: client.ask("GET", path)["count"]
        for path in (
            "vcontrollers", "pools", f"pools/{POOL}/volumes", f"pools/{POOL}/volumes_in_recycle_bin", "volumes",
            f"volumes/{volume}/servers", "servers", f"servers/{server}/volumes", "snapshots",
            "consistency_groups/cg-00000001/snapshots",
        )
    }  # fmt: skip
    assert lengths.pop("vcontrollers") == 2
    assert lengths.pop(f"pools/{POOL}/volumes_in_recycle_bin") == 0
    assert set(lengths.values()) == {1}


def test_the_key_may_be_a_parameter_and_is_not_shown(client: Client) -> None:
    key = client.headers["X-Access-Key"]
    for path, form in (
        (f"/api/pools.json?access_key={key}&limit=0", b""),
        ("/api/pools.json", f"access_key={key}".encode()),
    ):
        response = client.send("GET", path, form, headers={})
        assert json.loads(response.body)["response"]["status"] == 0
    assert key not in "".join(client.world.transcript)


def test_the_key_is_given_for_name_and_password() -> None:
    with memory_array(username="jsmith", password="secret word", access_key="the-key") as client:
        client.headers = {}
        user = client.ask("POST", "users/login", user="jsmith", password="secret word")["user"]
        assert (user["access_key"], user["username"]) == ("the-key", "jsmith")
        with pytest.raises(Refusal) as refused:
            client.ask("POST", "users/login", user="jsmith", password="another word")
        assert refused.value.status == 5


def test_errors_say_their_text_wherever_clients_look_for_it(client: Client) -> None:
    answer = json.loads(client.send("GET", "/api/volumes/volume-0000000a.json").body)["response"]
    assert answer["status"] == 10081
    assert answer["status-msg"] == answer["status_msg"] == answer["message"]
    assert "volume-0000000a" in answer["message"]


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/api/nothing.json"),
        ("GET", "/api/volumes"),
        ("GET", "/api/volumes.yaml"),
        ("PATCH", "/api/volumes.json"),
        ("POST", "/api/mirror_jobs.json"),
        ("POST", "/api/volumes/volume-00000001/migrate.json"),
        ("GET", "/volumes.json"),
        ("GET", "/"),
    ],
)
def test_what_is_not_simulated_is_not_found(client: Client, verb: str, path: str) -> None:
    assert client.send(verb, path).status == 404


def test_bodies_that_cannot_be_read_are_bad_requests(client: Client) -> None:
    for body in (b'{"name": ', b"{" * 100_000, b"\xff\xfe", b'{"a": 1} x'):
        assert client.send("POST", "/api/volumes.json", body).status == 400
    assert client.send("POST", "/api/volumes.json", b"a=" + b"b" * (1 << 20)).status == 413


@pytest.mark.parametrize("key", ["\udcff", "ключ"])
def test_a_key_that_is_no_text_is_wrong(client: Client, key: str) -> None:
    response = client.send("GET", "/api/volumes.json", headers={"X-Access-Key": key})
    assert json.loads(response.body)["response"]["status"] == 5


@pytest.mark.parametrize("name", ["%00", "%1b", "\ud800"])
def test_what_cannot_be_printed_names_nothing(client: Client, name: str) -> None:
    assert client.send("GET", f"/api/volumes/{name}.xml").status == 404
    body = json.dumps({"volume_name": [unquote(name)]}).encode()
    refused = client.send("POST", f"/api/servers/{client.server()}/volumes.xml", body)
    assert ET.fromstring(refused.body).findtext("status") == "3"


def answered(client: Client, request: bytes) -> bytes:
    """What comes back for bytes that are hardly HTTP."""
    url = urlsplit(client.world.endpoints[0].url)
    context = ssl.create_default_context(cafile=client.world.endpoints[0].ca_file)
    plain = socket.create_connection((str(url.hostname), url.port), 5)
    with context.wrap_socket(plain, server_hostname=url.hostname) as connection:
        connection.sendall(request)
        return connection.recv(65536)


KEY_LINE = b"X-Access-Key: the-key"


def test_what_clients_do_wrong_is_answered_and_no_report_quotes_their_key(caplog: pytest.LogCaptureFixture) -> None:
    wrong = (
        (b"GET /api/volumes.json HTTP/1.1", KEY_LINE + b"\0"),
        (b"GET /api/volumes.json?access_key=the-key twice HTTP/1.1", b""),
        (b"GET http://[/api/volumes.json?access_key=the-key HTTP/1.1", b""),
        (
            b"POST /api/volumes.json HTTP/1.1",
            KEY_LINE + b"\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot a zip",
        ),
        (b"POST /api/volumes.json HTTP/1.1", KEY_LINE + b"\r\nTransfer-Encoding: chunked\r\n\r\nthe-key"),
    )
    with memory_array(access_key="the-key", transport=Transport.SOCKETS) as client:
        for line, rest in wrong:
            assert b" 400 " in answered(client, b"\r\n".join((line, b"Host: x", rest, b"", b""))).splitlines()[0]
    assert caplog.records == []


def test_what_is_wrong_with_the_array_itself_is_reported(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_request: object) -> Outcome:
        raise ValueError("a defect")

    monkeypatch.setattr(ArrayServer, "ask", fail)
    with memory_array(transport=Transport.SOCKETS) as client:
        assert b" 500 " in answered(client, b"GET /api/volumes.json HTTP/1.1\r\nHost: x\r\n\r\n").splitlines()[0]
    assert "a defect" in caplog.text


def test_forms_and_json_ask_for_the_same(client: Client) -> None:
    client.ask("POST", "volumes", name="one", capacity=2, pool=POOL, block="YES", thin="YES", crypt="NO")
    client.ask_json("POST", "volumes", name="two", capacity="2G", pool=POOL, block="YES", thin="YES", export_name=None)
    first, second = client.ask_json("GET", "volumes")["volumes"]
    differs = {key for key in first if first[key] != second[key]}
    assert differs <= {"name", "display_name", "cg_name", "cg_display_name", "created_at", "modified_at"}
    client.ask_json("POST", "servers", display_name="host", iqn=HOST, ipsec_iscsi="NO", ipsec_nfs="NO", force="NO")
    client.ask_json("POST", "servers/srv-00000001/volumes", volume_name="volume-00000001", readonly="NO", force="NO")
    client.ask("POST", "servers/srv-00000001/volumes", **{"volume_name[]": "volume-00000002", "force": "NO"})
    client.ask_json("POST", "volumes/volume-00000001/detach", servers="srv-00000001", force="NO")
    client.ask("POST", "volumes/volume-00000002/detach", **{"server_name[]": "srv-00000001"})


def content(element: ET.Element) -> Any:
    """What an XML answer says, in the terms of JSON."""
    if element.get("type") == "array":
        return [content(each) for each in element]
    if element.get("nil") == "true":
        return None
    if element.get("type") in {"integer", "float"}:
        return {"integer": int, "float": float}[element.get("type", "")](element.text or "")
    if len(element):
        return {each.tag.replace("-", "_"): content(each) for each in element}
    return element.text or ""


@pytest.mark.parametrize(
    "path",
    [
        "volumes", "volumes/volume-00000001", "volumes/volume-00000001/servers", "servers", "servers/srv-00000001",
        "servers/srv-00000001/volumes", "pools", f"pools/{POOL}", f"pools/{POOL}/volumes", "vcontrollers", "snapshots",
        "snapshots/snap-00000001", "consistency_groups/cg-00000001/snapshots",
    ],
)  # fmt: skip
def test_json_and_xml_agree(client: Client, path: str) -> None:
    client.attach(client.server(), client.volume())
    client.ask("POST", "consistency_groups/cg-00000001/snapshots", display_name="snap")
    found = client.ask_xml("GET", path)
    assert found.tag == "hash"
    assert content(found) == client.ask("GET", path)


def test_xml_has_dashes_types_and_a_root_for_what_was_made(client: Client) -> None:
    made = client.ask_xml("POST", "servers", display_name=HOST, iqn=HOST)
    assert (made.tag, made.findtext("server-name"), made.findtext("status")) == (
        "create-server-response",
        "srv-00000001",
        "0",
    )
    client.volume("v", 3)
    volumes = client.ask_xml("GET", "volumes").find("volumes")
    assert volumes is not None
    assert (volumes.get("type"), volumes[0].tag) == ("array", "volume")
    capacity = volumes[0].find("virtual-capacity")
    assert capacity is not None
    assert (capacity.get("type"), capacity.text) == ("integer", "3")
    refused = client.ask_xml("GET", "volumes/volume-0000000f")
    assert (refused.tag, refused.findtext("status")) == ("hash", "10081")


def test_every_reason_that_this_api_can_meet_has_a_status() -> None:
    never = {
        Reason.ACCOUNT_ID_UNKNOWN, Reason.ACCOUNT_NAME_UNKNOWN, Reason.ACCOUNT_NAME_TAKEN, Reason.ACCOUNT_IN_USE,
        Reason.VOLUME_WOULD_SHRINK, Reason.VOLUME_NOT_READY, Reason.GROUP_SNAPSHOT_UNKNOWN, Reason.CLONE_UNKNOWN,
        Reason.TOO_MANY_CLONES_OF_VOLUME, Reason.TOO_MANY_CLONES, Reason.JOB_UNKNOWN, Reason.QOS_POLICY_UNKNOWN,
        Reason.ALREADY_IN_GROUP, Reason.INITIATOR_UNKNOWN,
    }  # fmt: skip
    assert set(STATUSES) == set(Reason) - never


def test_secrets_do_not_get_into_the_transcript(client: Client) -> None:
    client.server(vpsachapuser="user", vpsachapsecret="one-way-secret")
    client.ask_json("POST", "servers/srv-00000001/config", vpsachapsecret="newer-secret-1")
    client.ask("POST", "servers/srv-00000001/config", hostchapsecret='a&b, <"} hidden')
    client.send("POST", "/api/servers/srv-00000001/config.json", b"vpsachap%73ecret=spelled-hidden")
    for form in ("json", "xml"):
        client.send("GET", f"/api/servers.{form}")
    client.send("POST", "/api/users/login.json?password=in-the-query")
    secret = client.controller["vpsa_chap_secret"]
    text = "\n".join(client.world.transcript)
    key = client.world.parameters["access_key"]
    assert isinstance(key, Secret)
    for each in ("one-way-secret", "newer-secret-1", "in-the-query", "hidden", secret, key.reveal()):
        assert each not in text


def test_an_array_on_its_own_says_what_a_client_has_to_be_told() -> None:
    running = simulate(LaunchOptions("array", Transport.SOCKETS, {"api": "vpsa", "access_key": "the-key"}))
    try:
        told = dict(running.describe())
        assert (told["pool"], told["access_key"]) == (POOL, "the-key")
        assert told["iSCSI portal"] == f"127.0.0.1:{told['iscsi_port']}"
        context = ssl.create_default_context(cafile=told["CA file"])
        request = urllib.request.Request(f"{told['endpoint']}/api/pools.json", headers={"X-Access-Key": "the-key"})
        with urllib.request.urlopen(request, context=context, timeout=10) as response:
            assert json.load(response)["response"]["pools"][0]["name"] == POOL
    finally:
        running.close()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"api": "nothing"}, "'api'"),
        ({"api": "vpsa", "clone_calls": 3}, "'clone_calls' is unknown with api vpsa"),
        ({"access_key": "k"}, "'access_key' is unknown with api element"),
    ],
)
def test_settings_are_those_of_the_api(settings: dict[str, object], text: str) -> None:
    with pytest.raises(LaunchFailed, match=text):
        array(LaunchOptions("array", Transport.MEMORY, settings))
