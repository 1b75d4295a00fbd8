"""The command against an array that the kit did not start: a simulated one, reached by its address alone."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import main as entry
from conformance.cli.simulate import environment_for
from conformance.contract import LaunchOptions, Transport
from conformance.journal import leftovers
from conformance.opening import JOURNAL
from simulators.array.launcher import simulate as simulated
from simulators.array.running import RunningArray

PROVIDER = "reference_providers.solidfire:PROVIDER"
ASKED = ("--provider", PROVIDER, "--environment", "lab.toml")
STORE = {"made": "5e0c7a52-0000-4001-8000-00000000abcd", "kind": "store", "name": "sc-store"}
VOLUME = {"made": "5e0c7a52-0000-4002-8000-00000000abcd", "kind": "volume", "store": STORE["made"], "name": "sc-1"}


@pytest.fixture(scope="module")
def array() -> Iterator[RunningArray]:
    running = simulated(LaunchOptions("array", Transport.SOCKETS))
    yield running
    running.close()


@pytest.fixture(autouse=True)
def _lab(array: RunningArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    told = dict(array.describe())
    monkeypatch.setenv("ARRAY_PASSWORD", told["password"])
    snippet = environment_for(told)
    Path("lab.toml").write_text(snippet[snippet.index("[array]") :], encoding="utf-8")


def here() -> list[str]:
    return sorted(each.name for each in Path().iterdir())


def test_a_run_leaves_no_journal_where_nothing_is_left() -> None:
    assert entry.main(["run", *ASKED, "--profile", "smoke", "--only", "LIF-001"]) == 0
    assert here() == ["conformance-report", "lab.toml"]


def test_what_a_simulator_prints_points_a_run_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    running = simulated(LaunchOptions("array", Transport.SOCKETS, {"api": "vpsa"}))
    told = dict(running.describe())
    snippet = environment_for(told)
    for name in ("password", "access_key"):
        monkeypatch.setenv(f"ARRAY_{name.upper()}", told[name])
        assert f"ARRAY_{name.upper()}={told[name]}" in snippet
    Path("lab.toml").write_text(snippet[snippet.index("[array]") :], encoding="utf-8")
    asked = ("--provider", "zadara", "--environment", "lab.toml", "--profile", "smoke")
    try:
        assert entry.main(["run", *asked, "--only", "LIF-001", "--only", "ACC-017"]) == 0
    finally:
        running.close()


def test_a_wrong_password_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ARRAY_PASSWORD", "wrong-password")
    assert entry.main(["run", *ASKED, "--profile", "smoke"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("storage-conformance: the plugin gets no store on the array: AuthenticationFailed")
    assert "wrong-password" not in told
    assert here() == ["lab.toml"]


def test_clean_removes_what_the_journal_names(capsys: pytest.CaptureFixture[str]) -> None:
    JOURNAL.parent.mkdir()
    JOURNAL.write_text(f"{json.dumps(STORE)}\n{json.dumps(VOLUME)}\n", encoding="utf-8")
    assert entry.main(["clean", *ASKED]) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["removed", "volume"],
        ["removed", "store"],
        ["2", "removed,"],
    ]
    assert here() == ["lab.toml"]


def test_what_cannot_be_removed_stays_in_the_journal(capsys: pytest.CaptureFixture[str]) -> None:
    Path("j.jsonl").write_text(f"{json.dumps(STORE)}\n", encoding="utf-8")
    provider = "tests.kit.fakes:never_deletes"
    assert entry.main(["clean", "--provider", provider, "--environment", "lab.toml", "--journal", "j.jsonl"]) == 1
    assert "could not remove store sc-store" in capsys.readouterr().err
    assert len(leftovers(Path("j.jsonl"))) == 1


def test_there_may_be_nothing_to_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["clean", *ASKED]) == 0
    assert "nothing was left behind" in capsys.readouterr().out


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        Path("lab.toml").write_text(
            f'[array]\nlaunch = "simulators.array.launcher:element"\nmanagement_port = {port}\n', encoding="utf-8"
        )
        assert entry.main(["run", *ASKED]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"asks for port {port}" in line
    assert here() == ["lab.toml"]
