"""`storage-conformance new`: what it writes, what it refuses, and that a plugin can begin with it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from importlib.metadata import EntryPoint
from pathlib import Path, PurePosixPath

import pytest

from conformance import main as entry
from conformance.environments.file import PROVIDERS
from conformance.errors import WiringError
from conformance.skeleton import writing
from conformance.skeleton.names import Names, names_for
from tests.architecture.tree import ROOT

LONGEST = "a" + "-b" * 31 + "c"


def new(*words: str) -> int:
    return entry.main(["new", *words])


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def here() -> list[str]:
    return sorted(each.name for each in Path().iterdir())


def texts(folder: Path) -> Mapping[str, str]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {each.relative_to(folder).as_posix(): each.read_text(encoding="utf-8") for each in files}


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_project_is_written_and_the_next_step_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert new("acme-flash") == 0
    assert here() == ["acme-flash"]
    assert sorted(texts(Path("acme-flash"))) == [
        ".gitignore",
        "README.md",
        "acme_flash/__init__.py",
        "acme_flash/client.py",
        "acme_flash/driver.py",
        "acme_flash/lifecycle.py",
        "acme_flash/provider.py",
        "acme_flash/py.typed",
        "pyproject.toml",
        "tests/test_plugin.py",
        "tox.ini",
    ]
    told = capsys.readouterr().out
    assert "  cd acme-flash\n  storage-conformance run --provider acme_flash:PROVIDER --profile smoke\n" in told


def test_the_folder_and_the_package_can_be_chosen() -> None:
    Path("plugins").mkdir()
    assert new("acme-flash", "--into", "plugins", "--package", "driver_of_acme") == 0
    written = texts(Path("plugins", "acme-flash"))
    assert 'acme-flash" = "driver_of_acme:PROVIDER"' in written["pyproject.toml"]
    assert "from driver_of_acme import PROVIDER" in written["tests/test_plugin.py"]


def test_nothing_of_a_template_is_left_in_what_is_written() -> None:
    for path, content in writing.rendered(Names("acme", "acme")).items():
        assert "{{" not in content, path
        assert "{%" not in content, path
        assert content.endswith("\n") or not content, path


def test_its_tox_runs_the_kit_on_the_name_it_is_installed_under() -> None:
    lines = writing.rendered(Names("acme-flash", "acme_flash"))[PurePosixPath("tox.ini")]
    assert len(lines.splitlines()) == 5
    assert "commands = storage-conformance run --provider acme-flash {posargs}" in lines


@pytest.mark.slow
@pytest.mark.parametrize("name", ["acme", LONGEST])
def test_the_project_is_clean_by_its_own_rules(name: str) -> None:
    new(name)
    checks = [["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "--cache-dir", str(Path("cache").absolute())]]
    for check in checks:
        words = [sys.executable, "-m", *check]
        done = subprocess.run(words, cwd=name, env={"MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


# --- a run on it -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_says_what_to_write_first(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    new("acme-begun")
    monkeypatch.chdir("acme-begun")
    assert entry.main(["run", "--provider", "acme_begun:PROVIDER", "--profile", "smoke"]) == 1
    told = capsys.readouterr().out
    assert re.search(r"\n\d+ of \d+ requirements passed", told)
    assert "\nNext: implement initialize (LIF-001 " in told
    assert "   initialize         LIF-001, " in told
    assert "acme_begun/lifecycle.py:" in told
    assert "storage-conformance explain initialize" in told
    # One gap and not a list of everything that cannot be without it.
    assert "\n1. " not in told
    assert told.count("FAILED") == 2


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("1acme",), "'1acme' is no name for a plugin"),
        (("acme-",), "is no name for a plugin"),
        (("ac me",), "is no name for a plugin"),
        (("../acme",), "is no name for a plugin"),
        (("a" * 65,), "is no name for a plugin"),
        (("json",), "the standard library has a module of that name; give another name, or a --package"),
        (("Class",), "it is a word of the language"),
        (("conformance",), "the kit, what it needs, or the project's tests have a package of that name"),
        (("pydantic",), "the kit, what it needs, or the project's tests have a package of that name"),
        (("Storage_Conformance",), "is the kit's own name"),
        (("acme", "--package", "Acme"), "expected a lower-case letter, then lower-case letters"),
        (("acme", "--package", "json"), "give another --package"),
        (("acme", "--into", "nowhere"), "there is no folder nowhere"),
        (("there",), "there exists already; move it away, or give another --into"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_is_written(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("there").mkdir()
    assert new(*words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert line.endswith("nothing was written")
    assert here() == ["there"]
    assert list(Path("there").iterdir()) == []


def test_a_link_to_nowhere_is_not_written_through() -> None:
    Path("acme").symlink_to("elsewhere")
    assert new("acme") == 2
    assert here() == ["acme"]


def test_a_name_that_is_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = [EntryPoint("acme", "another:PROVIDER", PROVIDERS)]
    monkeypatch.setattr(metadata, "entry_points", lambda group: installed)
    with pytest.raises(WiringError, match=r"a provider named acme is installed already \(another:PROVIDER\)"):
        names_for("acme")
    assert names_for("acme", "another") == Names("acme", "another")


@pytest.mark.parametrize("ended_by", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_breaks_off_in_the_middle_leaves_nothing(
    ended_by: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, written = Path.write_text, list[Path]()

    def breaks_off(file: Path, *arguments: str, **keywords: str) -> int:
        written.append(file)
        if len(written) == 4:
            raise ended_by
        return whole(file, *arguments, **keywords)

    monkeypatch.setattr(Path, "write_text", breaks_off)
    assert new("acme") in (2, 130)
    assert len(written) == 4
    assert here() == []
    assert capsys.readouterr().err.endswith("nothing was written\n")
