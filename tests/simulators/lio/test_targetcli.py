from __future__ import annotations

from pathlib import Path

import pytest

from simulators.lio import targetcli


def a_targetcli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "targetcli"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_what_it_prints_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_targetcli(tmp_path, monkeypatch, 'echo "o- $1 of all"')
    assert targetcli.listed() == "o- ls of all\n"


def test_why_it_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_targetcli(tmp_path, monkeypatch, "echo 'Retry as root.'; exit 255")
    assert targetcli.listed() == "targetcli ls failed: Retry as root.\n"


def test_where_it_is_missing_the_way_to_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install targetcli-fb" in targetcli.listed()
