from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.architecture.tree import ROOT, text_of

if TYPE_CHECKING:
    from pathlib import Path

PIN = next(line for line in text_of(ROOT / "toxw").splitlines() if line.startswith("tox_version="))
VERSION = PIN.partition("=")[2]
TOOLS = ("cat", "dirname", "find", "id", "mkdir", "mktemp", "mv", "rm", "sh")

# What a Python says when toxw asks it: whether it is new enough, whether it makes environments, its package.
OLD = 'case "$*" in *version_info*) exit 1 ;; esac'
INCOMPLETE = 'case "$*" in *ensurepip*) exit 1 ;; *print*) echo python3.11-venv ;; esac'
# Makes a directory whose python prints how it was called.
COMPLETE = """
case "$*" in *"-m venv"*)
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\ncase "$*" in *"-m tox"*) echo "$@" ;; esac\\n' > "$3/bin/python"
    chmod +x "$3/bin/python"
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout, at a path with a blank, and a PATH beside it that holds only what is put there."""
    made = tmp_path / "a checkout"
    made.mkdir()
    shutil.copy(ROOT / "toxw", made)
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in (*TOOLS, "chmod"):
        found = shutil.which(tool)
        assert found
        (programs / tool).symlink_to(found)
    return made


def has_python(checkout: Path, name: str, script: str) -> None:
    """Put a Python of our making on the PATH."""
    program = checkout.parent / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def toxw(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": str(checkout.parent / "bin"), "CONFORMANCE_NO_SYSTEM_PACKAGES": "1"}
    return subprocess.run([checkout / "toxw", *arguments], env=clean, capture_output=True, text=True, check=False)


def environments(checkout: Path) -> list[str]:
    return sorted(path.name for path in (checkout / ".toxw").glob("tox-*"))


def test_without_python_it_says_what_is_missing(checkout: Path) -> None:
    result = toxw(checkout)
    assert result.returncode == 2
    assert result.stderr.startswith("toxw: no Python >= 3.11 on the PATH")


def test_an_old_python_is_none(checkout: Path) -> None:
    has_python(checkout, "python3", OLD)
    assert toxw(checkout).stderr.startswith("toxw: no Python >= 3.11")


def test_without_ensurepip_it_names_the_package(checkout: Path) -> None:
    has_python(checkout, "python3", INCOMPLETE)
    result = toxw(checkout)
    assert result.returncode == 2
    assert result.stderr == (
        "toxw: python3 cannot make environments; to change that: sudo apt-get install -y python3.11-venv\n"
    )


def test_a_complete_python_is_preferred_to_an_incomplete_one(checkout: Path) -> None:
    has_python(checkout, "python3", INCOMPLETE)
    has_python(checkout, "python3.12", COMPLETE)
    assert toxw(checkout).returncode == 0


def test_arguments_are_handed_over_as_they_are(checkout: Path) -> None:
    has_python(checkout, "python3", COMPLETE)
    assert toxw(checkout, "-e", "conformance", "--", "a b").stdout == "-m tox -e conformance -- a b\n"


def test_the_environment_is_made_once(checkout: Path) -> None:
    has_python(checkout, "python3", COMPLETE)
    toxw(checkout)
    made = environments(checkout)
    assert toxw(checkout).stderr == ""
    assert environments(checkout) == made


def test_it_is_made_anew_when_its_python_has_gone(checkout: Path) -> None:
    has_python(checkout, "python3", COMPLETE)
    toxw(checkout)
    (made,) = environments(checkout)
    (checkout / ".toxw" / made / "bin" / "python").unlink()
    assert toxw(checkout).stdout == "-m tox\n"


def test_it_is_made_anew_when_the_pin_has_changed(checkout: Path) -> None:
    has_python(checkout, "python3", COMPLETE)
    toxw(checkout)
    wrapper = checkout / "toxw"
    wrapper.write_text(wrapper.read_text().replace(PIN, "tox_version=99.0"))
    assert toxw(checkout).stdout == "-m tox\n"
    assert (checkout / ".toxw" / "current").read_text().startswith("tox-99.0.")


def test_an_environment_that_cannot_be_made_leaves_nothing(checkout: Path) -> None:
    has_python(checkout, "python3", 'case "$*" in *"-m venv"*) exit 1 ;; esac')
    result = toxw(checkout)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == "toxw: python3 -m venv failed"
    assert environments(checkout) == []
