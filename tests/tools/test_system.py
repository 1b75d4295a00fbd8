from __future__ import annotations

from subprocess import CompletedProcess
from typing import TYPE_CHECKING

import pytest

from tools import system
from tools.system import Need, Purpose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Machine:
    """A machine whose packages are a set, and whose programs only note that they were called."""

    def __init__(self) -> None:
        self.installed: set[str] = set()
        self.known: set[str] = {"libfoo-dev"}
        self.pip_works = True
        self.sudo_works = False
        self.calls: list[str] = []

    def run(self, argv: Sequence[str]) -> CompletedProcess[str]:
        words = list(argv)
        self.calls.append(" ".join(words))
        if words[:2] == ["sudo", "-n"] and not self.sudo_works:
            return CompletedProcess(words, 1, "", "sudo: a password is required")
        return self.apt_get(words) if "apt-get" in words else self.pip(words)

    def apt_get(self, words: list[str]) -> CompletedProcess[str]:
        if "update" in words:
            self.known |= {"libbar-dev"}
        elif words[-1] not in self.known:
            return CompletedProcess(words, 100, "", f"E: Unable to locate package {words[-1]}")
        else:
            self.installed.add(words[-1])
        return CompletedProcess(words, 0, "", "")

    def pip(self, words: list[str]) -> CompletedProcess[str]:
        if "pip" in words and not self.pip_works:
            return CompletedProcess(words, 1, "", "ERROR: no headers\nhint: see above")
        self.installed |= {"foo"} if "pip" in words else set()
        return CompletedProcess(words, 0, "", "")

    def purpose(self, package: str) -> Purpose:
        return Purpose(needs=(Need(package, lambda: package in self.installed),), module="foo")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    made = Machine()
    project = '[project.optional-dependencies]\nfoo = ["foo-python>=1,<2"]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    monkeypatch.setattr(system, "ROOT", tmp_path)
    monkeypatch.setattr(system, "run", made.run)
    monkeypatch.setattr(system, "has_program", lambda name: True)
    monkeypatch.setattr(system, "can_import", lambda module: module in made.installed)
    monkeypatch.setattr(system, "PURPOSES", {"foo": made.purpose("libfoo-dev")})
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.delenv(system.OPT_OUT, raising=False)
    return made


def spoken(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_nothing_is_done_or_said_when_the_module_is_there(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.installed.add("foo")
    assert system.main(["foo"]) == 0
    assert machine.calls == []
    assert spoken(capsys) == []


def test_root_gets_the_package_and_then_the_module(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert system.main(["foo"]) == 0
    assert machine.installed == {"libfoo-dev", "foo"}
    assert [line.partition("  ")[0] for line in spoken(capsys)] == [
        "system: apt-get install libfoo-dev",
        "system: pip install foo-python>=1,<2",
    ]


def test_a_second_run_does_nothing(machine: Machine) -> None:
    system.main(["foo"])
    machine.calls.clear()
    system.main(["foo"])
    assert machine.calls == []


def test_a_package_that_is_not_known_yet_is_tried_again_with_fresh_lists(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "PURPOSES", {"foo": machine.purpose("libbar-dev")})
    system.main(["foo"])
    assert machine.installed == {"libbar-dev", "foo"}
    assert [call for call in machine.calls if call.endswith(" update")]


def test_an_ordinary_user_is_told_the_one_command(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert system.main(["foo"]) == 0
    assert machine.installed == set()
    assert spoken(capsys) == ["system: foo is not available; to have it: sudo apt-get install -y libfoo-dev"]


def test_sudo_is_used_where_it_asks_for_no_password(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    machine.sudo_works = True
    system.main(["foo"])
    assert machine.installed == {"libfoo-dev", "foo"}


def test_nothing_is_installed_where_it_is_forbidden(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(system.OPT_OUT, "1")
    assert system.main(["foo"]) == 0
    assert machine.calls == []


def test_without_apt_get_the_needs_are_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system, "has_program", lambda name: name != "apt-get")
    assert system.main(["foo"]) == 0
    assert spoken(capsys) == ["system: foo is not available: it needs what Debian calls libfoo-dev"]


def test_what_pip_cannot_build_is_one_line_and_the_run_goes_on(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.pip_works = False
    assert system.main(["foo"]) == 0
    assert spoken(capsys)[-1] == "system: foo is not available: pip: ERROR: no headers"


def test_what_apt_cannot_find_is_one_line_and_pip_is_not_tried(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system, "PURPOSES", {"foo": machine.purpose("libnone")})
    assert system.main(["foo"]) == 0
    assert spoken(capsys)[-1] == "system: foo is not available: apt-get: E: Unable to locate package libnone"
    assert not [call for call in machine.calls if "pip" in call]


@pytest.mark.parametrize("names", [[], ["fooo"]])
def test_a_wrong_name_is_an_error_that_lists_the_right_ones(
    machine: Machine, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert system.main(names) == 2
    assert "foo" in spoken(capsys)[0]


def test_a_program_that_is_missing_is_one_that_failed() -> None:
    assert system.run(["there-is-no-such-program"]).returncode == 127
