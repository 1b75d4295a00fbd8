from __future__ import annotations

import configparser
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import PACKAGES, ROOT, text_of
from tools.system import PURPOSES

PYPROJECT: dict[str, Any] = tomllib.loads(text_of(ROOT / "pyproject.toml"))
PROJECT: dict[str, Any] = PYPROJECT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
TARGETS = [
    *PROJECT["scripts"].values(),
    *(target for group in PROJECT["entry-points"].values() for target in group.values()),
]


def tox() -> configparser.ConfigParser:
    """Read tox.ini as plain sections."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    return parser


def test_the_wheel_has_exactly_our_four_packages() -> None:
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert sorted(wheel["packages"]) == sorted(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_base_install_depends_on_nothing() -> None:
    assert PROJECT["dependencies"] == []


def test_the_base_install_imports_with_the_standard_library_alone() -> None:
    """-S leaves out site-packages: whatever is not in the standard library is missing."""
    imports = "import conformance.contract, conformance.main, hypervisor_bridge, reference_providers.minimal"
    subprocess.run([sys.executable, "-S", "-c", imports], cwd=ROOT, check=True)


def test_a_certificate_depends_on_one_version_of_hypothesis() -> None:
    (hypothesis,) = (line for line in EXTRAS["kit"] if line.startswith("hypothesis"))
    assert re.fullmatch(r"hypothesis==[\d.]+", hypothesis)


def test_every_other_dependency_has_a_lower_and_an_upper_bound() -> None:
    for requirement in {*EXTRAS["kit"], *EXTRAS["simulators"], *EXTRAS["kvm"], *EXTRAS["lio"]}:
        assert re.fullmatch(r"[a-z0-9-]+(==[\d.]+|>=[\d.]+,<[\d.]+)", requirement)


def test_all_means_every_extra() -> None:
    (everything,) = EXTRAS["all"]
    others = ",".join(sorted(set(EXTRAS) - {"all"}))
    assert everything == f"{PROJECT['name']}[{others}]"


@pytest.mark.parametrize("target", TARGETS)
def test_every_entry_point_leads_somewhere(target: str) -> None:
    module, attribute = target.split(":") if ":" in target else (target, "__name__")
    assert hasattr(importlib.import_module(module), attribute)


def test_no_environment_lists_what_has_to_be_compiled() -> None:
    """tox would fail before the first command where libvirt's headers are missing."""
    parser = tox()
    listed = {
        extra.strip()
        for section in parser.sections()
        for extra in re.split(r"[,\n]", parser.get(section, "extras", fallback=""))
    }
    assert "kit" in listed
    assert not listed & {"all", "kvm"}


def test_what_is_installed_outside_the_environments_is_an_extra() -> None:
    assert {name for name, purpose in PURPOSES.items() if purpose.module} <= set(EXTRAS)


def test_ci_and_readme_call_environments_that_exist() -> None:
    asked = set(re.findall(r"toxw (?:-q )?-e (\w[\w-]*)", text_of(ROOT / ".ci" / "run") + text_of(ROOT / "README.md")))
    existing = {section.removeprefix("testenv:") for section in tox().sections()}
    assert "conformance" in asked
    assert asked <= existing


def test_the_wrapper_runs_a_tox_that_the_configuration_accepts() -> None:
    pinned = re.search(r"^tox_version=(\d+)\.(\d+)", text_of(ROOT / "toxw"), re.MULTILINE)
    required = re.search(r"^requires = tox>=(\d+)\.(\d+)", text_of(ROOT / "tox.ini"), re.MULTILINE)
    assert pinned
    assert required
    assert tuple(map(int, pinned.groups())) >= tuple(map(int, required.groups()))


def the_command(*path: Path) -> subprocess.CompletedProcess[str]:
    """What the installed command does, with these folders first on the path."""
    code = (
        f"import sys; sys.path[:0] = {[*map(str, path)]}; import storage_conformance as way_in; sys.exit(way_in.main())"
    )
    words = [sys.executable, "-P", "-c", code, "--version"]
    return subprocess.run(words, cwd=path[0], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_command_is_ours_where_no_other_conformance_comes_first() -> None:
    done = the_command(ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("storage-conformance ")


@pytest.mark.parametrize("name", ["conformance/__init__.py", "conformance.py"])
def test_a_strangers_conformance_is_named_and_not_run(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("raise RuntimeError('the stranger runs')\n", encoding="utf-8")
    done = the_command(tmp_path, ROOT)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"storage-conformance: the package conformance is {tmp_path / 'conformance'}")
    assert "not the kit's" in line


def test_a_conformance_that_is_not_there_is_missed(tmp_path: Path) -> None:
    (tmp_path / "storage_conformance.py").write_text(text_of(ROOT / "storage_conformance.py"), encoding="utf-8")
    words = [sys.executable, "-S", "-c", "import sys, storage_conformance; sys.exit(storage_conformance.main())"]
    done = subprocess.run(words, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the package conformance is missing" in done.stderr
